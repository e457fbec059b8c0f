#include "fake_node.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <boost/test/unit_test.hpp>
#include <cstdio>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

namespace epione::cli::test {

using nlohmann::json;

namespace {

constexpr int hung_up_stored = -1;

json rendered(const fake_node::submission& s, bool with_answers) {
  int total = 0;
  for (const auto& value : s.data["answers"])
    total += value.get<int>();
  const bool phq = s.data["form"] == "phq-9";
  json out{{"receipt", s.receipt}, {"form", s.data["form"]}, {"authored", s.data["authored"]}, {"alerts", json::array()}};
  out["scores"] = json::array({{{"name", "total"}, {"value", total}, {"label", "x"}}});
  if (phq && (total >= 20 || s.data["answers"]["q9"] > 0))
    out["alerts"].push_back({{"rule", "r"}});
  if (with_answers)
    out["answers"] = s.data["answers"];
  return out;
}

/// An answer goes out in two pieces: the second would wait until the client has confirmed the first, 40 ms.
int accept_without_delay(int listener) {
  const int socket = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
  const int on = 1;
  ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  return socket;
}

} // namespace

fake_node::fake_node(fault before) : before_(std::move(before)) {
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  end_ = eventfd(0, EFD_CLOEXEC);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  BOOST_REQUIRE(::bind(listener_, reinterpret_cast<sockaddr*>(&address), size) == 0);
  BOOST_REQUIRE(::listen(listener_, 64) == 0);
  BOOST_REQUIRE(::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) == 0);
  port_ = ntohs(address.sin_port);
  thread_ = std::thread{[this] { run(); }};
}

fake_node::~fake_node() {
  const std::uint64_t one = 1;
  BOOST_TEST(::write(end_, &one, sizeof(one)) == static_cast<ssize_t>(sizeof(one)));
  thread_.join();
  ::close(listener_);
  ::close(end_);
}

void fake_node::run() {
  std::map<int, std::string> connections;
  for (;;) {
    std::vector<pollfd> wait{{end_, POLLIN, 0}, {listener_, POLLIN, 0}};
    for (const auto& [socket, bytes] : connections)
      wait.push_back({socket, POLLIN, 0});
    ::poll(wait.data(), wait.size(), -1);
    if (wait[0].revents != 0)
      break;
    if (wait[1].revents != 0)
      connections[accept_without_delay(listener_)];
    for (std::size_t i = 2; i < wait.size(); ++i) {
      const int socket = wait[i].fd;
      if (wait[i].revents == 0)
        continue;
      char buffer[4096];
      const auto got = ::recv(socket, buffer, sizeof(buffer), 0);
      auto& bytes = connections[socket];
      bytes.append(buffer, static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
      if (got <= 0 || !serve(socket, bytes)) {
        ::close(socket);
        connections.erase(socket);
      }
    }
  }
  for (const auto& [socket, bytes] : connections)
    ::close(socket);
}

bool fake_node::serve(int socket, std::string& bytes) {
  const auto head = bytes.find("\r\n\r\n");
  if (head == std::string::npos)
    return true;
  const auto length_at = bytes.find("Content-Length: ");
  const std::size_t length = length_at < head ? std::stoul(bytes.substr(length_at + 16)) : 0;
  if (bytes.size() < head + 4 + length)
    return true;
  const bool post = bytes.starts_with("POST ");
  const auto target_at = bytes.find(' ') + 1;
  const auto target = bytes.substr(target_at, bytes.find(' ', target_at) - target_at);
  const auto reply = handle(target, bytes.substr(head + 4), post);
  bytes.clear();
  if (reply.status < 0)
    return false;
  const auto text = "HTTP/1.1 " + std::to_string(reply.status) + " X\r\n" + reply.headers +
                    "Content-Length: " + std::to_string(reply.body.size()) + "\r\n\r\n" + reply.body;
  // In two pieces: whoever reads must put them together.
  ::send(socket, text.data(), text.size() / 2, MSG_NOSIGNAL);
  ::send(socket, text.data() + text.size() / 2, text.size() - text.size() / 2, MSG_NOSIGNAL);
  return true;
}

fake_node::answer fake_node::handle(const std::string& target, const std::string& body, bool post) {
  if (!post)
    return read(target);
  const auto instead = before_ ? before_(posts++) : std::nullopt;
  if (instead && instead->status != hung_up_stored)
    return *instead;
  auto given = submit(body);
  return instead ? *instead : given;
}

fake_node::answer fake_node::submit(const std::string& body) {
  const auto content = json::parse(body);
  auto& list = stored[content["patientId"].get<std::uint64_t>()];
  const auto key = content["key"].get<std::string>();
  for (const auto& s : list) {
    if (s.key != key)
      continue;
    ++keys_repeated;
    return {200, json{{"receipt", s.receipt}, {"status", "stored"}}.dump(), {}};
  }
  char receipt[33];
  std::snprintf(receipt, sizeof(receipt), "%016zx%s", std::hash<std::string>{}(key), key.substr(key.size() - 9).c_str());
  std::string text{receipt};
  text.append(32 - text.size(), '0');
  list.push_back({key, text, content["data"]});
  return {202, json{{"message", "stored"}, {"receipt", text}, {"status", "stored"}}.dump(), {}};
}

fake_node::answer fake_node::read(const std::string& target) const {
  const auto patient = std::stoull(target.substr(std::string{"/patient/"}.size()));
  const auto found = stored.find(patient);
  const auto submissions = target.find("/submissions/");
  if (found == stored.end())
    return {404, "{}", {}};
  if (submissions != std::string::npos) {
    for (const auto& s : found->second)
      if (s.receipt == target.substr(submissions + 13))
        return {200, rendered(s, true).dump(), {}};
    return {404, "{}", {}};
  }
  const auto before = target.find("before=");
  auto at = before == std::string::npos ? found->second.size() : std::stoul(target.substr(before + 7));
  auto page = json::array();
  for (; at > 0 && page.size() < page_size; --at)
    page.push_back(rendered(found->second[at - 1], false));
  return {200, json{{"submissions", page}, {"next", at > 0 ? json(std::to_string(at)) : json()}}.dump(), {}};
}

} // namespace epione::cli::test
