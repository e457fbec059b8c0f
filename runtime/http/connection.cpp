// Receiving: from bytes to a whole request, within every limit.
#include "runtime/http/connection.hpp"
#include "runtime/admission.hpp"
#include "runtime/http/host.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <sys/socket.h>

namespace epione::runtime::http {

namespace {

constexpr std::size_t read_bytes_min = 1024; // less room than this and the buffer grows

bool would_block(int error) {
  return error == EAGAIN || error == EWOULDBLOCK || error == EINTR;
}

/// The head's views after its bytes have moved.
void rebase(std::string_view& view, const char* from, const char* to) {
  if (view.data() != nullptr)
    view = {to + (view.data() - from), view.size()};
}

} // namespace

want connection::open(int socket) {
  socket_ = socket;
  phase_ = phase::head;
  line_skipped_ = false;
  close_after_ = linger_after_ = admitted_ = false;
  size_ = scanned_ = 0;
  set_limit(service_.options.header_limit_ms);
  return want::read;
}

want connection::turn_away() {
  set_limit(service_.options.linger_limit_ms);
  refuse(503, "this node has as many connections as it may; try again");
  return waiting_for();
}

void connection::on_closed() {
  if (admitted_)
    service_.around.admitted.release();
  admitted_ = false;
  phase_ = phase::closed;
  deadline_ns_ = 0;
  service_.buffers.release(std::move(buffer_));
  buffer_ = {};
  size_ = 0;
  service_.bodies.release(std::move(unsent_));
  unsent_ = {};
  socket_ = -1;
}

want connection::waiting_for() const {
  switch (phase_) {
    case phase::head:
    case phase::body:
    case phase::lingering: return want::read;
    case phase::writing: return want::write;
    case phase::waiting: return want::reply;
    case phase::closed: break;
  }
  return want::closed;
}

want connection::on_readable() {
  switch (phase_) {
    case phase::head:
    case phase::body: return receive();
    case phase::lingering: {
      char ignored[4096];
      const auto n = ::recv(socket_, ignored, sizeof(ignored), 0);
      if (n > 0)
        linger_bytes_ += static_cast<std::size_t>(n);
      const bool over = n == 0 || (n < 0 && !would_block(errno)) || linger_bytes_ > defaults::http_linger_bytes_max;
      return over ? want::closed : want::read;
    }
    case phase::waiting:
    case phase::writing: return waiting_for();
    case phase::closed: break;
  }
  return want::closed;
}

want connection::receive() {
  if (!make_room(size_ + read_bytes_min)) {
    received_ns_ = service_.now_ns;
    refuse(503, "this node is receiving as much as it may; try again");
    return waiting_for();
  }
  const auto n = ::recv(socket_, buffer_.bytes.get() + size_, buffer_.room() - size_, 0);
  if (n < 0 && would_block(errno)) {
    if (size_ == 0)
      service_.buffers.release(std::move(buffer_));
    return want::read;
  }
  if (n <= 0) // the client left; what it had begun to send is of no use
    return want::closed;
  service_.numbers.received(static_cast<std::size_t>(n));
  if (size_ == 0 && phase_ == phase::head && !line_skipped_)
    set_limit(service_.options.header_limit_ms);
  size_ += static_cast<std::size_t>(n);
  return advance();
}

/// Goes on as far as the bytes at hand allow; several requests may lie in them.
want connection::advance() {
  while (true) {
    switch (phase_) {
      case phase::head:
        if (!read_head())
          return waiting_for();
        break;
      case phase::body:
        if (!read_body())
          return waiting_for();
        // Dear to make, by the thread that serves all: a client that asks for them by the dozen takes its turn for each.
        if (phase_ == phase::head && size_ != 0 && route_ != nullptr && route_->id == route_id::metrics)
          return want::turn;
        break;
      default: return waiting_for();
    }
  }
}

want connection::on_turn() {
  return phase_ == phase::head ? advance() : waiting_for();
}

/// False: more bytes are needed, or the answer is on its way.
bool connection::read_head() {
  if (!line_skipped_ && size_ >= 2 && std::memcmp(buffer_.bytes.get(), "\r\n", 2) == 0) {
    // RFC 9112, 2.2: one empty line before a request is read over.
    line_skipped_ = true;
    scanned_ = 0;
    size_ -= 2;
    std::memmove(buffer_.bytes.get(), buffer_.bytes.get() + 2, size_);
  }
  if (size_ == 0) {
    service_.buffers.release(std::move(buffer_));
    return false;
  }
  head_size_ = find_head_end(received(), scanned_);
  if (head_size_ == 0 ? size_ > service_.options.header_bytes_max : head_size_ > service_.options.header_bytes_max) {
    received_ns_ = service_.now_ns;
    refuse(431, "the header is larger than " + std::to_string(service_.options.header_bytes_max) + " bytes");
    return false;
  }
  if (head_size_ == 0) {
    scanned_ = size_;
    return false;
  }
  scanned_ = 0;
  if (const auto refusal = parse_head(received().substr(0, head_size_), head_)) {
    received_ns_ = service_.now_ns;
    refuse(refusal->status, refusal->sentence);
    return false;
  }
  if (head_.host && !names_this_machine(*head_.host)) {
    received_ns_ = service_.now_ns;
    refuse(421, "the header Host names another machine; this one is 127.0.0.1, [::1] or localhost");
    return false;
  }
  return begin_body();
}

/// The head is known: what can be refused without the body, and how the body comes.
bool connection::begin_body() {
  http_1_1_ = head_.http_1_1;
  without_body_ = head_.verb == method::head;
  close_after_ = !head_.keep_alive;
  received_ns_ = service_.now_ns;
  no_route_.reset();
  auto match = find_route(head_.verb, head_.target);
  if (match)
    match_ = *match;
  else
    no_route_ = std::move(match.error());
  route_ = match ? match_.found : nullptr;

  if (head_.content_length.value_or(0) > service_.options.body_bytes_max) {
    refuse(413, "the body is larger than " + std::to_string(service_.options.body_bytes_max) + " bytes");
    return false;
  }
  phase_ = phase::body;
  body_size_ = 0;
  chunks_ = {};
  set_limit(service_.options.body_limit_ms);
  const bool body_follows = (head_.chunked || head_.content_length.value_or(0) > 0) && size_ == head_size_;
  if (head_.expects_continue && body_follows) {
    // Asked before sending: what would be refused anyway need not be sent at all.
    const bool wrong_media =
        route_ != nullptr && route_->id == route_id::submit && !media_type(head_.content_type, head_.content_encoding);
    if (no_route_ || wrong_media) {
      linger_after_ = close_after_ = true;
      request_size_ = head_size_;
      dispatch();
      return false;
    }
    constexpr std::string_view go_on = "HTTP/1.1 100 Continue\r\n\r\n";
    if (::send(socket_, go_on.data(), go_on.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(go_on.size())) {
      phase_ = phase::closed; // not even this fits: the client does not read
      return false;
    }
  }
  return true;
}

bool connection::read_body() {
  if (head_.chunked) {
    if (!read_chunks())
      return false;
  } else {
    body_size_ = static_cast<std::size_t>(head_.content_length.value_or(0));
    request_size_ = head_size_ + body_size_;
    if (size_ < request_size_)
      return false;
  }
  received_ns_ = service_.now_ns;
  dispatch();
  return phase_ == phase::head;
}

/// Decodes what has come behind the body so far; what is left of a chunk's framing never stays in the buffer.
bool connection::read_chunks() {
  const auto body_end = head_size_ + body_size_;
  if (size_ == body_end)
    return false;
  auto* raw = buffer_.bytes.get() + body_end;
  const auto step = chunks_.feed(raw, size_ - body_end, service_.options.body_bytes_max - body_size_);
  switch (step.now) {
    case chunked_decoder::state::malformed: refuse(400, "the body's chunks are malformed"); return false;
    case chunked_decoder::state::too_large:
      refuse(413, "the body is larger than " + std::to_string(service_.options.body_bytes_max) + " bytes");
      return false;
    case chunked_decoder::state::more:
      body_size_ += step.decoded;
      size_ = head_size_ + body_size_;
      return false;
    case chunked_decoder::state::done: break;
  }
  // What lies behind the last chunk belongs to the next request: it moves up to the body's end.
  const auto rest = size_ - body_end - step.used;
  body_size_ += step.decoded;
  request_size_ = head_size_ + body_size_;
  std::memmove(buffer_.bytes.get() + request_size_, raw + step.used, rest);
  size_ = request_size_ + rest;
  return true;
}

/// Room for `wanted` bytes, by a larger buffer if need be. False: the thread's connections hold as much as they may.
bool connection::make_room(std::size_t wanted) {
  if (buffer_ && wanted <= buffer_.room())
    return true;
  const auto limit = service_.options.header_bytes_max + service_.options.body_bytes_max + defaults::http_chunk_framing_bytes;
  auto larger = service_.buffers.acquire(std::min(std::max(wanted, 2 * buffer_.room()), std::max(wanted, limit)));
  if (!larger)
    return false;
  if (buffer_) {
    std::memcpy(larger.bytes.get(), buffer_.bytes.get(), size_);
    for (auto* view :
         {&head_.target, &head_.content_type, &head_.content_encoding, &match_.segments[0], &match_.segments[1], &match_.query})
      rebase(*view, buffer_.bytes.get(), larger.bytes.get());
    if (head_.idempotency_key)
      rebase(*head_.idempotency_key, buffer_.bytes.get(), larger.bytes.get());
    service_.buffers.release(std::move(buffer_));
  }
  buffer_ = std::move(larger);
  return true;
}

/// The reply is out: on to what the client sent behind the request, or to waiting for it.
void connection::next_request() {
  phase_ = phase::head;
  scanned_ = 0;
  line_skipped_ = false;
  if (size_ == 0)
    set_limit(service_.options.idle_limit_ms);
  else
    set_limit(service_.options.header_limit_ms);
}

want connection::on_sweep() {
  if (deadline_ns_ == 0 || service_.now_ns < deadline_ns_)
    return waiting_for();
  service_.numbers.time_limits.Increment();
  received_ns_ = service_.now_ns;
  switch (phase_) {
    case phase::head:
      if (size_ == 0) // between requests: nothing is owed
        return want::closed;
      route_ = nullptr;
      refuse(408, "the header did not arrive within its time limit");
      break;
    case phase::body: refuse(408, "the body did not arrive within its time limit"); break;
    case phase::waiting: return on_abandoned();
    case phase::writing:
    case phase::lingering:
    case phase::closed: return want::closed;
  }
  return waiting_for();
}

want connection::on_drain() {
  if (phase_ == phase::head && size_ == 0)
    return want::closed;
  if (phase_ == phase::head || phase_ == phase::body) { // nobody knows when the rest would come
    received_ns_ = service_.now_ns;
    refuse(503, "this node is stopping; try again");
  }
  return waiting_for();
}

} // namespace epione::runtime::http
