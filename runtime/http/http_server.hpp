// HTTP as clients see it: reads requests within limits, hands them to the front by ticket, writes the replies that come back.
//
// Boost.Beast is used in head.cpp and Asio in io_thread.cpp only, so that neither's headers reach anything else. A connection has
// one request under way; a ticket names thread, slot and request, so that a late reply can never reach another request.
#pragma once

#include "runtime/defaults.hpp"
#include "runtime/front.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

namespace epione::runtime {

class admission;
class catalog_view;
class clock;
struct config;
class log;
class metrics;
class random_source;
class readiness;

struct http_options {
  std::string address = "127.0.0.1";
  std::uint16_t port = 0; ///< 0: the kernel chooses one
  unsigned threads = defaults::http_threads;
  std::uint32_t shard_count = defaults::shard_count;
  std::size_t body_bytes_max = defaults::http_body_bytes_max;
  std::size_t header_bytes_max = defaults::http_header_bytes_max;
  std::size_t buffered_bytes_max = defaults::http_buffered_bytes_max;
  std::uint32_t header_limit_ms = defaults::http_header_limit_ms;
  std::uint32_t body_limit_ms = defaults::http_body_limit_ms;
  std::uint32_t write_limit_ms = defaults::http_write_limit_ms;
  std::uint32_t idle_limit_ms = defaults::http_idle_limit_ms;
  std::uint32_t linger_limit_ms = defaults::http_linger_limit_ms;
  std::uint32_t reply_limit_ms = defaults::request_limit_ms + defaults::http_reply_margin_ms; ///< above the front's own limit
  std::uint32_t sweep_interval_ms = defaults::http_sweep_interval_ms; ///< how exactly the limits above are kept
  std::uint32_t connections_max = defaults::http_connections_max;
  std::uint32_t turned_away_max = defaults::http_turned_away_max;
  std::uint32_t retry_after_s = defaults::retry_after_s;
  std::uint32_t read_limit_max = defaults::read_limit_max;
};

/// As an operator configured it.
http_options http_options_of(const config& c);

/// How many files the process may have open at the same time with these.
std::uint64_t open_files_wanted(const http_options& o);

/// What the server stands on; all of it must outlive the server.
struct http_surroundings {
  const catalog_view& catalog;
  metrics& numbers;
  log& journal;
  clock& time;
  random_source& random;
  const readiness& ready;
  admission& admitted;
  std::function<void()> before_metrics = {}; ///< called before /metrics is rendered, on an HTTP thread: refresh gauges here
};

struct http_endpoint {
  std::string address;
  std::uint16_t port = 0;
};

/// Until sign-in exists HTTP stays on loopback: 127.0.0.0/8, ::1 or "localhost". Otherwise a sentence for the operator.
tl::expected<void, std::string> check_http_address(std::string_view address);

class http_server final : public reply_sink {
public:
  http_server(http_options options, http_surroundings around);
  ~http_server() override; ///< stop()

  /// Listens and serves on threads of its own until stop(). Fails with a sentence: address, port in use, ...
  tl::expected<http_endpoint, std::string> start(front& behind);

  void deliver(messages::replies replies) override;
  void abandon_all() override;
  std::string body_buffer() override;

  /// Drain: closes the listener and idle connections and refuses what is half received; what is under way is finished, each
  /// connection closed after its reply.
  void stop_accepting();
  /// After stop_accepting(): waits until every connection is gone. False when the limit passed first.
  bool wait_until_idle(std::chrono::milliseconds limit);
  /// Closes everything and ends the threads. Replies that come later are dropped.
  void stop();

  std::size_t connections() const;

private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

} // namespace epione::runtime
