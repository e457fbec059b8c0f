// Many kept-alive connections to one node, driven by one thread with as little work as possible: it shares its cores with the
// node it measures.
//
// One request is under way on a connection. Sockets are edge-triggered and registered once; requests and responses pass through
// memory that all connections share, and only what is cut in two is kept with its connection.
#pragma once

#include "cli/http_response.hpp"
#include "runtime/defaults.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <queue>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

namespace epione::cli {

/// An address to connect to, already resolved.
struct http_endpoint_address {
  std::string host; ///< as in the header Host: "127.0.0.1:8080"
  std::vector<unsigned char> socket_address;
};
/// "http://127.0.0.1:8080", with or without a slash at the end. The error is a sentence.
tl::expected<http_endpoint_address, std::string> parse_endpoint(const std::string& url);

/// Above what a node with default settings takes for an answer, its last resort included.
inline constexpr std::int64_t load_answer_limit_ns =
    (std::int64_t{runtime::defaults::request_limit_ms} + runtime::defaults::http_reply_margin_ms + 5'000) * 1'000'000;

/// Monotonic, nanoseconds.
std::int64_t steady_ns();
constexpr std::int64_t second_ns = 1'000'000'000;

/// Who decides what is sent and what an answer means. Connections are numbered from 0.
class http_client_user {
public:
  virtual ~http_client_user() = default;
  /// The connection is free. The request to send, valid until the next call of anything here; empty: nothing now, and the
  /// connection stays idle until http_client::wake().
  virtual std::string_view request(std::uint32_t connection) = 0;
  /// request() follows, at once or when http_client::delay() said so.
  virtual void response(std::uint32_t connection, const http_response& response) = 0;
  /// The connection was lost, or its time limit passed, while a request was under way. request() follows when it stands again.
  virtual void lost(std::uint32_t connection) = 0;
};

class http_client {
public:
  /// Asked after a refused connection where the node is now; it may have restarted on another port.
  using finder = std::function<std::optional<http_endpoint_address>()>;

  struct counters {
    std::uint64_t connected = 0; ///< connections that came to stand, the first ones included
    std::uint64_t refused = 0;   ///< attempts that failed
    std::uint64_t lost = 0;      ///< with a request under way
    std::uint64_t timed_out = 0; ///< of those, by the time limit
    std::uint64_t malformed = 0; ///< of those, by an answer that is no HTTP
  };

  /// Fails with a sentence when the process may not open so many sockets.
  static tl::expected<std::unique_ptr<http_client>, std::string> open(http_client_user& user, http_endpoint_address where,
                                                                      std::uint32_t connections, std::int64_t answer_limit_ns,
                                                                      finder find = {});
  ~http_client();
  http_client(const http_client&) = delete;
  http_client& operator=(const http_client&) = delete;

  /// Waits for events up to `until_ns` (steady_ns), a time that has passed only looks, and handles them.
  void poll(std::int64_t until_ns);
  /// Asks an idle connection's request() again.
  void wake(std::uint32_t connection);
  /// Within response(): request() only from then on.
  void delay(std::uint32_t connection, std::int64_t until_ns);
  /// Readable when one of the given signals has arrived; poll() returns then. -1 takes it away.
  void watch(int descriptor);

  std::uint32_t standing() const { return standing_; }
  /// How long no connection has stood and no answer has come; 0 while one stands.
  std::int64_t gone_for_ns(std::int64_t now) const { return standing_ > 0 ? 0 : now - last_alive_; }
  const counters& numbers() const { return counters_; }

private:
  enum class phase : std::uint8_t { down, connecting, idle, busy, delayed };
  struct connection {
    int socket = -1;
    phase now = phase::down;
    std::uint32_t generation = 0; ///< events of an earlier socket are told apart by it
    std::uint32_t failures = 0;
    std::int64_t since = 0;   ///< of the request, or of the attempt to connect
    std::int64_t wake_at = 0; ///< 0: no timer
    std::string in, out;      ///< what arrived of an answer, what is left to send
  };
  using timer = std::pair<std::int64_t, std::uint32_t>;

  http_client(http_client_user& user, http_endpoint_address where, std::uint32_t connections, std::int64_t answer_limit_ns,
              finder find);
  void connect(std::uint32_t i);
  void connected(std::uint32_t i);
  void failed_to_connect(std::uint32_t i);
  void take_down(std::uint32_t i);
  void lose(std::uint32_t i);
  void ask(std::uint32_t i);
  void send_rest(std::uint32_t i);
  void receive(std::uint32_t i, bool ending);
  bool take_bytes(std::uint32_t i, std::string_view bytes);
  void set_timer(std::uint32_t i, std::int64_t when);
  void run_timers(std::int64_t now);
  void sweep(std::int64_t now);
  void handle(std::uint32_t i, std::uint32_t events);

  http_client_user& user_;
  http_endpoint_address where_;
  std::int64_t answer_limit_;
  finder find_;
  int epoll_ = -1;
  int watched_ = -1;
  std::uint32_t standing_ = 0;
  std::int64_t last_alive_ = 0, next_sweep_ = 0, next_find_ = 0;
  std::uint64_t jitter_ = 1;
  counters counters_;
  std::vector<connection> connections_;
  std::priority_queue<timer, std::vector<timer>, std::greater<>> timers_;
  std::vector<char> buffer_;
};

} // namespace epione::cli
