// What a service manager hears, through real sockets.
#include "runtime/service_manager.hpp"

#include <boost/test/unit_test.hpp>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <poll.h>
#include <string>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

using epione::runtime::service_manager;

namespace {

/// The manager's end.
class listener {
public:
  explicit listener(const std::string& name) : socket_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, name.data(), name.size());
    if (name.front() == '@')
      address.sun_path[0] = '\0';
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
    BOOST_REQUIRE(::bind(socket_, reinterpret_cast<const sockaddr*>(&address), size) == 0);
  }
  ~listener() { ::close(socket_); }
  listener(const listener&) = delete;
  listener& operator=(const listener&) = delete;

  /// The next datagram; empty when none is there.
  std::string next() {
    pollfd p{socket_, POLLIN, 0};
    if (::poll(&p, 1, 0) != 1)
      return {};
    char bytes[4096];
    const auto n = ::recv(socket_, bytes, sizeof(bytes), 0);
    return {bytes, static_cast<std::size_t>(n > 0 ? n : 0)};
  }

private:
  int socket_;
};

void expect_all(const std::string& name) {
  listener hears{name};
  const service_manager manager{{{"HOME", "/"}, {"NOTIFY_SOCKET", name}}};
  manager.status("recovering");
  BOOST_TEST(hears.next() == "STATUS=recovering");
  manager.ready("serving");
  BOOST_TEST(hears.next() == "READY=1\nSTATUS=serving");
  manager.stopping("asked to");
  BOOST_TEST(hears.next() == "STOPPING=1\nSTATUS=asked to");
  manager.status("two\nREADY=1");
  BOOST_TEST(hears.next() == "STATUS=two READY=1"); // a reason is never taken for a message
  BOOST_TEST(hears.next().empty());
}

} // namespace

BOOST_AUTO_TEST_SUITE(service_managers)

BOOST_AUTO_TEST_CASE(a_socket_in_the_file_system_hears_each_message) {
  auto directory = (std::filesystem::temp_directory_path() / "epione-notify-XXXXXX").string();
  BOOST_REQUIRE(::mkdtemp(directory.data()) != nullptr);
  expect_all(directory + "/s");
  std::filesystem::remove_all(directory);
}

BOOST_AUTO_TEST_CASE(an_abstract_socket_hears_each_message) {
  expect_all("@epione-test-" + std::to_string(::getpid()));
}

BOOST_AUTO_TEST_CASE(nobody_who_listens_is_no_failure) {
  using variables = std::vector<std::pair<std::string, std::string>>;
  for (const auto& environment :
       {variables{}, variables{{"NOTIFY_SOCKET", ""}}, variables{{"NOTIFY_SOCKET", "/nonexistent/s"}},
        variables{{"NOTIFY_SOCKET", "vsock:2:1"}}, variables{{"NOTIFY_SOCKET", "/" + std::string(500, 'x')}}})
    service_manager{environment}.ready("serving");
}

BOOST_AUTO_TEST_SUITE_END()
