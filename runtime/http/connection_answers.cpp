// Answering: from a whole request to its reply, written at once where the socket takes it.
#include "runtime/admission.hpp"
#include "runtime/catalog_view.hpp"
#include "runtime/http/connection.hpp"
#include "runtime/http/fhir_request.hpp"
#include "runtime/http/openapi.hpp"
#include "runtime/metrics.hpp"
#include "runtime/readiness.hpp"

#include <cerrno>
#include <cstring>
#include <sys/socket.h>
#include <utility>

namespace epione::runtime::http {

namespace {

std::string unavailable_body(std::string_view sentence, messages::outcome known) {
  auto body = error_body(sentence);
  body.pop_back();
  body += known == messages::outcome::not_stored ? R"(,"outcome":"not_stored"})" : R"(,"outcome":"unknown"})";
  return body;
}

std::string ready_body(const std::vector<readiness::item>& reasons) {
  if (reasons.empty())
    return R"({"status":"ready","reasons":[]})";
  std::string out = R"({"status":"not ready","reasons":[)";
  for (std::size_t i = 0; i < reasons.size(); ++i) {
    out += i == 0 ? R"({"part":)" : R"(,{"part":)";
    domain::append_json_string(out, reasons[i].part);
    out += R"(,"reason":)";
    domain::append_json_string(out, reasons[i].reason);
    out += '}';
  }
  return out + "]}";
}

} // namespace

/// The request is whole, and lies at the front of the buffer.
void connection::dispatch() {
  if (no_route_) {
    const auto allow = std::move(no_route_->allow);
    const std::string_view sentence =
        no_route_->status == 404 ? "there is nothing under this path; see /openapi.json" : "this path does not take this method";
    if (no_route_->fhir)
      answer({.status = no_route_->status,
              .body = fhir_error_body(no_route_->status, sentence),
              .content_type = fhir_media_type,
              .allow = allow});
    else
      answer({.status = no_route_->status, .body = error_body(sentence), .allow = allow});
    return;
  }
  switch (route_->id) {
    case route_id::submit: submit(); break;
    case route_id::history:
    case route_id::submission: read_history(); break;
    default: is_fhir(route_->id) ? ask_fhir() : show_page(); break;
  }
}

void connection::ask_fhir() {
  if (!service_.around.admitted.acquire()) {
    service_.numbers.not_admitted.Increment();
    return answer_unavailable("this node has as many requests under way as it may; try again", messages::outcome::not_stored);
  }
  admitted_ = true;
  auto request = fhir_request_of(head_, received().substr(0, head_size_), received().substr(head_size_, body_size_));
  request->received_ns = received_ns_;
  hand_over();
  service_.behind.fhir(ticket_, std::move(request));
}

void connection::submit() {
  const auto type = media_type(head_.content_type, head_.content_encoding);
  if (!type)
    return answer_error(415, "the body must be application/json or application/msgpack, without Content-Encoding");
  if (!service_.around.admitted.acquire()) {
    service_.numbers.not_admitted.Increment();
    return answer_unavailable("this node has as many requests under way as it may; try again", messages::outcome::not_stored);
  }
  admitted_ = true;
  const auto catalog = service_.around.catalog.get();
  auto decoded = service_.decoder.decode(received().substr(head_size_, body_size_), *type, head_.idempotency_key, *catalog);
  if (decoded) {
    (*decoded)->received_ns = received_ns_;
    hand_over();
    service_.behind.submit(ticket_, std::move(*decoded));
  } else if (decoded.error().status == 404 && !service_.around.catalog.ready()) {
    // Before the studies have been read, not to know one means nothing.
    answer_unavailable("this node is starting; try again", messages::outcome::not_stored);
  } else {
    answer({.status = decoded.error().status, .body = decoded.error().body});
  }
}

void connection::read_history() {
  if (!service_.around.admitted.acquire()) {
    service_.numbers.not_admitted.Increment();
    return answer_unavailable("this node has as many requests under way as it may; try again", messages::outcome::not_stored);
  }
  admitted_ = true;
  const auto catalog = service_.around.catalog.get();
  const bool one = route_->id == route_id::submission;
  auto decoded = decode_read({match_.segments[0], one ? match_.segments[1] : std::string_view{}, match_.query},
                             service_.options.shard_count, *catalog, service_.options.read_limit_max);
  if (decoded) {
    hand_over();
    service_.behind.read(ticket_, std::move(*decoded));
  } else if (decoded.error().status == 404 && !service_.around.catalog.ready()) {
    answer_unavailable("this node is starting; try again", messages::outcome::not_stored);
  } else {
    answer({.status = decoded.error().status, .body = decoded.error().body});
  }
}

void connection::show_page() {
  switch (route_->id) {
    case route_id::healthz: answer({.status = 200, .body = R"({"status":"alive"})"}); break;
    case route_id::readyz: {
      const auto reasons = service_.around.ready.reasons();
      answer({.status = reasons.empty() ? 200 : 503,
              .body = ready_body(reasons),
              .retry_after_s = reasons.empty() ? 0 : service_.options.retry_after_s});
      break;
    }
    case route_id::metrics: {
      if (service_.around.before_metrics)
        service_.around.before_metrics();
      const auto text = service_.around.numbers.text();
      answer({.status = 200, .body = text, .content_type = "text/plain; version=0.0.4; charset=utf-8"});
      break;
    }
    case route_id::openapi: answer({.status = 200, .body = openapi_text()}); break;
    default: answer_error(500, "this route has no page"); break;
  }
}

/// From here on the request is the front's; its bytes are done with.
void connection::hand_over() {
  constexpr auto generations = messages::ticket{1} << ticket_generation_bits;
  ticket_ = (ticket_ & ~(generations - 1)) | ((ticket_ + 1) & (generations - 1));
  size_ -= request_size_;
  if (size_ == 0)
    service_.buffers.release(std::move(buffer_));
  else
    std::memmove(buffer_.bytes.get(), buffer_.bytes.get() + request_size_, size_);
  request_size_ = 0;
  phase_ = phase::waiting;
  set_limit(service_.options.reply_limit_ms);
}

want connection::on_reply(const messages::reply& r) {
  if (!waits_for(r.to))
    return waiting_for();
  answer({.status = r.status,
          .body = r.body,
          .content_type = answers_fhir() ? fhir_media_type : response{}.content_type,
          .retry_after_s = r.retry_after_s,
          .header = r.header});
  return phase_ == phase::head ? advance() : waiting_for();
}

want connection::on_abandoned() {
  if (phase_ != phase::waiting)
    return waiting_for();
  const bool submission = route_ != nullptr && route_->verb != method::get;
  answer_unavailable(submission ? "whoever was to answer is gone; send it again under the same key"
                                : "whoever was to answer is gone; try again",
                     messages::outcome::unknown);
  return phase_ == phase::head ? advance() : waiting_for();
}

bool connection::answers_fhir() const {
  return route_ != nullptr && is_fhir(route_->id);
}

void connection::answer_error(int status, std::string_view sentence) {
  if (answers_fhir())
    answer({.status = status, .body = fhir_error_body(status, sentence), .content_type = fhir_media_type});
  else
    answer({.status = status, .body = error_body(sentence)});
}

void connection::answer_unavailable(std::string_view sentence, messages::outcome known) {
  if (answers_fhir())
    answer({.status = 503,
            .body = fhir_unavailable_body(sentence, known),
            .content_type = fhir_media_type,
            .retry_after_s = service_.options.retry_after_s});
  else
    answer({.status = 503, .body = unavailable_body(sentence, known), .retry_after_s = service_.options.retry_after_s});
}

void connection::refuse(int status, std::string_view sentence) {
  close_after_ = linger_after_ = true;
  if (phase_ == phase::head) {
    route_ = nullptr;
    without_body_ = false;
    http_1_1_ = true;
  }
  request_size_ = size_;
  if (status == 503)
    answer_unavailable(sentence, messages::outcome::not_stored);
  else
    answer_error(status, sentence);
}

void connection::answer(const response& r) {
  if (admitted_)
    service_.around.admitted.release();
  admitted_ = false;
  if (service_.draining)
    close_after_ = true;
  status_ = r.status;
  service_.out.clear();
  append_response(service_.out, r,
                  {.date = service_.date(), .http_1_1 = http_1_1_, .keep_alive = !close_after_, .without_body = without_body_});
  if (request_size_ != 0) { // not handed over before: its bytes are done with now
    size_ -= request_size_;
    if (size_ == 0)
      service_.buffers.release(std::move(buffer_));
    else
      std::memmove(buffer_.bytes.get(), buffer_.bytes.get() + request_size_, size_);
    request_size_ = 0;
  }
  send_out();
}

/// Most replies fit into the socket at once; only what does not is copied and waits.
void connection::send_out() {
  const auto& out = service_.out;
  auto n = ::send(socket_, out.data(), out.size(), MSG_NOSIGNAL);
  if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
    n = 0;
  if (n < 0) {
    phase_ = phase::closed;
    return;
  }
  service_.numbers.sent(static_cast<std::size_t>(n));
  if (static_cast<std::size_t>(n) == out.size()) {
    answer_sent();
  } else {
    unsent_ = service_.bodies.acquire();
    unsent_.assign(out, static_cast<std::size_t>(n));
    unsent_from_ = 0;
    phase_ = phase::writing;
    set_limit(service_.options.write_limit_ms);
  }
  if (service_.out.capacity() > defaults::reply_buffer_bytes_max)
    service_.out = {};
}

want connection::on_writable() {
  if (phase_ != phase::writing)
    return waiting_for();
  const auto n = ::send(socket_, unsent_.data() + unsent_from_, unsent_.size() - unsent_from_, MSG_NOSIGNAL);
  if (n < 0)
    return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR ? want::write : want::closed;
  service_.numbers.sent(static_cast<std::size_t>(n));
  unsent_from_ += static_cast<std::size_t>(n);
  if (unsent_from_ < unsent_.size())
    return want::write;
  service_.bodies.release(std::move(unsent_));
  unsent_ = {};
  answer_sent();
  return phase_ == phase::head ? advance() : waiting_for();
}

void connection::answer_sent() {
  constexpr double nanoseconds = 1e-9;
  service_.numbers.replied(route_, status_, static_cast<double>(service_.now_ns - received_ns_) * nanoseconds);
  if (!close_after_ && !service_.draining) // draining may have begun while the client was taking this one
    return next_request();
  if (!linger_after_ && size_ == 0) {
    phase_ = phase::closed;
    return;
  }
  // Closing while the client still sends would make its kernel throw our answer away: say that we are done, and read on for a
  // while.
  ::shutdown(socket_, SHUT_WR);
  linger_bytes_ = 0;
  phase_ = phase::lingering;
  service_.buffers.release(std::move(buffer_));
  buffer_ = {};
  size_ = 0;
  set_limit(service_.options.linger_limit_ms);
}

} // namespace epione::runtime::http
