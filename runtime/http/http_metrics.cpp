#include "runtime/http/http_metrics.hpp"

#include <algorithm>

namespace epione::runtime::http {

namespace {

constexpr std::size_t row_of(const route* of) {
  return of == nullptr ? route_count : static_cast<std::size_t>(of->id);
}

std::string name_of(const route* of) {
  return of == nullptr ? "none" : std::string{of->name};
}

} // namespace

http_metrics::http_metrics(metrics& numbers)
    : connections(numbers.gauge("epione_http_connections", "Open HTTP connections")),
      accepted(numbers.counter("epione_http_connections_accepted_total", "HTTP connections accepted")),
      refused_connections(numbers.counter("epione_http_connections_refused_total",
                                          "HTTP connections refused at the limit or without a file descriptor")),
      time_limits(numbers.counter("epione_http_time_limits_total", "Connections closed because a time limit passed")),
      not_admitted(numbers.counter("epione_http_not_admitted_total", "Requests refused because the node has too many under way")),
      numbers_(numbers), in_(numbers.counter("epione_http_received_bytes_total", "Bytes received over HTTP")),
      out_(numbers.counter("epione_http_sent_bytes_total", "Bytes sent over HTTP")) {}

void http_metrics::replied(const route* of, int status, double seconds) {
  const auto row = row_of(of);
  const auto column = static_cast<std::size_t>(std::clamp(status, 0, static_cast<int>(statuses) - 1));
  auto*& counter = replies_[row][column];
  if (counter == nullptr)
    counter = &numbers_.counter("epione_http_requests_total", "HTTP requests answered, by route and status",
                                {{"route", name_of(of)}, {"status", std::to_string(status)}});
  counter->Increment();
  auto*& histogram = latency_[row];
  if (histogram == nullptr)
    histogram = &numbers_.histogram("epione_http_request_seconds", "From a request's last byte read to its reply written",
                                    latency_buckets(), {{"route", name_of(of)}});
  histogram->Observe(seconds);
}

void http_metrics::flush() {
  in_.Increment(static_cast<double>(bytes_in_));
  out_.Increment(static_cast<double>(bytes_out_));
  bytes_in_ = bytes_out_ = 0;
}

} // namespace epione::runtime::http
