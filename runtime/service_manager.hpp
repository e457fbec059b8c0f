// What a service manager is told of this process: the protocol of systemd's sd_notify(3), which is a line of text in a datagram
// to the socket that the environment variable NOTIFY_SOCKET names.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace epione::runtime {

/// Does nothing where no service manager listens. A message that cannot be delivered is dropped: a node does not depend on being
/// supervised, and systemd notices by itself that it was not told. Thread-safe.
///
/// There is no watchdog: what hangs inside a node is restarted by its own supervisors, and what they cannot end is mostly a disk
/// that does not answer, which killing the process does not mend.
class service_manager {
public:
  /// `environment`: names and values, as runtime::process_environment() gives them.
  explicit service_manager(const std::vector<std::pair<std::string, std::string>>& environment);

  /// One line for `systemctl status`.
  void status(std::string_view text) const;
  /// Work can be taken from now on.
  void ready(std::string_view text) const;
  /// The end has begun.
  void stopping(std::string_view text) const;

private:
  void send(const std::string& message) const;
  std::string socket_; ///< empty: nobody listens; "@NAME" is in Linux's abstract namespace
};

} // namespace epione::runtime
