#include "runtime/service_manager.hpp"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace epione::runtime {

namespace {

/// A line feed would end the line and begin another message.
std::string one_line(std::string_view text) {
  std::string out{text};
  std::replace_if(out.begin(), out.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20; }, ' ');
  return out;
}

} // namespace

service_manager::service_manager(const std::vector<std::pair<std::string, std::string>>& environment) {
  for (const auto& [name, value] : environment)
    if (name == "NOTIFY_SOCKET" && value.size() > 1 && (value.front() == '/' || value.front() == '@'))
      socket_ = value;
}

void service_manager::status(std::string_view text) const {
  send("STATUS=" + one_line(text));
}

void service_manager::ready(std::string_view text) const {
  send("READY=1\nSTATUS=" + one_line(text));
}

void service_manager::stopping(std::string_view text) const {
  send("STOPPING=1\nSTATUS=" + one_line(text));
}

void service_manager::send(const std::string& message) const {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (socket_.empty() || socket_.size() >= sizeof(address.sun_path))
    return;
  std::memcpy(address.sun_path, socket_.data(), socket_.size());
  if (address.sun_path[0] == '@')
    address.sun_path[0] = '\0';
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + socket_.size());
  const int fd = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0)
    return;
  [[maybe_unused]] const auto sent =
      ::sendto(fd, message.data(), message.size(), MSG_NOSIGNAL, reinterpret_cast<const sockaddr*>(&address), size);
  ::close(fd);
}

} // namespace epione::runtime
