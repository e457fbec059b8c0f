// What is counted about HTTP. One of these a thread: the objects behind it are shared, the table that finds them is not.
#pragma once

#include "runtime/http/routes.hpp"
#include "runtime/metrics.hpp"

#include <array>
#include <cstdint>

namespace epione::runtime::http {

class http_metrics {
public:
  explicit http_metrics(metrics& numbers);

  /// A reply was handed to the kernel. `of` is null for a request that reached no route; `seconds` since its last byte was read.
  void replied(const route* of, int status, double seconds);
  void received(std::size_t bytes) { bytes_in_ += bytes; }
  void sent(std::size_t bytes) { bytes_out_ += bytes; }
  /// Adds up what was counted in between; called once a sweep, so that a request does not pay for it.
  void flush();

  prometheus::Gauge& connections;
  prometheus::Counter& accepted;
  prometheus::Counter& refused_connections; ///< at the limit, or without file descriptors
  prometheus::Counter& time_limits;
  prometheus::Counter& not_admitted;

private:
  static constexpr std::size_t statuses = 600;
  metrics& numbers_;
  std::array<std::array<prometheus::Counter*, statuses>, route_count + 1> replies_{};
  std::array<prometheus::Histogram*, route_count + 1> latency_{};
  prometheus::Counter &in_, &out_;
  std::uint64_t bytes_in_ = 0, bytes_out_ = 0;
};

} // namespace epione::runtime::http
