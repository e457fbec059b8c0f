// The node's private door: a Unix socket in the data directory through which the command line asks a running node.
//
// One request and one reply a connection. A frame is "EPA1", a version byte (1), the payload's length (4 bytes, little endian),
// its xxHash64 (8 bytes, little endian), and the payload: msgpack. Whoever can open the socket may do anything, so it belongs to
// its owner alone (mode 0600, and the peer's user is checked).
#pragma once

#include "runtime/defaults.hpp"

#include <chrono>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <tl/expected.hpp>

namespace epione::runtime {

class log;

struct admin_request {
  std::string command; ///< "study-import", "status", ...
  std::map<std::string, std::string> arguments;
};

struct admin_reply {
  int code = 0; ///< what the command line ends with: 0 done, 1 failed, 2 usage, 4 problems found
  std::string message;
  std::map<std::string, std::string> values;
};

struct admin_options {
  std::size_t frame_bytes_max = defaults::admin_frame_bytes_max;
  std::chrono::milliseconds io_limit{defaults::admin_io_limit_ms}; ///< to receive one request, and to send one reply
  unsigned calls_max = defaults::admin_calls_max;                  ///< at the same time; more are told to come back
};

/// Name of the socket inside a data directory.
inline constexpr const char* admin_socket_name = "admin.sock";

class admin_server {
public:
  /// Called for each request, on a thread of its own; several may run at the same time. An exception becomes code 1. `who`: the
  /// user at the other end as the operating system knows it, "os:NAME", or "os:UID" without a name.
  using handler = std::function<admin_reply(const admin_request&, const std::string& who)>;

  admin_server(std::string path, handler handle, log& log, admin_options options = {});
  ~admin_server(); ///< stop()
  admin_server(const admin_server&) = delete;
  admin_server& operator=(const admin_server&) = delete;

  /// Replaces a socket a dead process left behind: the caller holds the directory's lock. Fails with a sentence.
  tl::expected<void, std::string> start();
  /// No new calls: removes the socket; requests that have not arrived are refused, those that run go on.
  void stop_accepting();
  /// After stop_accepting(): waits until every call has ended. False when the limit passed first.
  bool wait_until_idle(std::chrono::milliseconds limit);
  /// stop_accepting(), then waits for the calls that run, however long. Not to be called from a handler.
  void stop();

private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

struct admin_failure {
  bool unreachable = false; ///< nobody listens, so nothing was done; otherwise it is unknown whether it was
  std::string message;
};

/// Asks the node behind `path`; `limit` covers the whole call. `stop`: a descriptor that is readable once nobody wants the answer
/// any more, which ends the wait for it; -1: none.
tl::expected<admin_reply, admin_failure> admin_call(const std::string& path, const admin_request& request,
                                                    std::chrono::milliseconds limit, int stop = -1);

} // namespace epione::runtime
