// One connection: what it reads, in which state it is, what it answers. Knows sockets, but not who waits for them: each call ends
// with what the connection wants next, and io_thread sees to it.
#pragma once

#include "messages/submission.hpp"
#include "runtime/http/chunked.hpp"
#include "runtime/http/head.hpp"
#include "runtime/http/service.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace epione::runtime::http {

enum class want : std::uint8_t {
  read,   ///< call on_readable() when there is something
  write,  ///< call on_writable() when there is room
  reply,  ///< nothing: the front will answer
  turn,   ///< call on_turn() once others had theirs
  closed, ///< close the socket
};

/// Used again for one socket after the other; only touched by its thread.
class connection {
public:
  /// `ticket_base` leaves the low `ticket_generation_bits` free.
  connection(service& s, messages::ticket ticket_base) : service_(s), ticket_(ticket_base) {}

  want open(int socket);
  want on_readable();
  want on_turn();
  want on_writable();
  /// A reply of the front; ignored when it is not for the request that waits.
  want on_reply(const messages::reply& r);
  /// Called now and then: acts when the time limit of the current state has passed.
  want on_sweep();
  /// The front is gone: answers what waits with 503 "unknown".
  want on_abandoned();
  /// The node drains: what is half received is refused as not stored; closes when no request has begun.
  want on_drain();
  /// Accepted beyond the limit: says so and ends.
  want turn_away();
  /// The socket is about to be closed, for whatever reason.
  void on_closed();

  bool waits_for(messages::ticket t) const { return phase_ == phase::waiting && t == ticket_; }

  static constexpr unsigned ticket_generation_bits = 40;

private:
  enum class phase : std::uint8_t { head, body, waiting, writing, lingering, closed };

  // ---- receiving (connection.cpp)
  want receive();
  want advance();
  bool read_head();
  bool begin_body();
  bool read_body();
  bool read_chunks();
  bool make_room(std::size_t wanted);
  void next_request();
  want waiting_for() const;
  std::string_view received() const { return {buffer_.bytes.get(), size_}; }
  void set_limit(std::uint32_t ms) { deadline_ns_ = service_.now_ns + std::int64_t{ms} * 1'000'000; }

  // ---- answering (connection_answers.cpp)
  void dispatch();
  void submit();
  void read_history();
  void show_page();
  void ask_fhir();
  void answer(const response& r);
  bool answers_fhir() const;
  void answer_error(int status, std::string_view sentence);
  /// Answers at once and closes: what is left of the request is not read.
  void refuse(int status, std::string_view sentence);
  void answer_unavailable(std::string_view sentence, messages::outcome known);
  void send_out();
  void answer_sent();
  void hand_over();

  service& service_;
  messages::ticket ticket_;
  int socket_ = -1;
  phase phase_ = phase::closed;
  bool line_skipped_ = false; ///< an empty line before the request was read over
  bool close_after_ = false;  ///< after the reply
  bool linger_after_ = false; ///< the client may still be sending
  bool admitted_ = false;     ///< counts as a request under way
  bool http_1_1_ = true, without_body_ = false;
  std::int64_t deadline_ns_ = 0; ///< 0: none
  std::int64_t received_ns_ = 0; ///< when the request's last byte was read

  receive_buffer buffer_;
  std::size_t size_ = 0;    ///< bytes received and not yet done with
  std::size_t scanned_ = 0; ///< of them, how many hold no end of the head
  std::size_t head_size_ = 0, body_size_ = 0, request_size_ = 0;
  std::size_t linger_bytes_ = 0;
  request_head head_; ///< points into buffer_
  chunked_decoder chunks_;
  const route* route_ = nullptr;
  route_match match_; ///< points into buffer_
  std::optional<route_refusal> no_route_;

  int status_ = 0;     ///< of the reply being written
  std::string unsent_; ///< what the socket did not take at once
  std::size_t unsent_from_ = 0;
};

} // namespace epione::runtime::http
