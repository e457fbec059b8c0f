#include "cli/http_client.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <memory>
#include <netdb.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

namespace epione::cli {

namespace {

constexpr std::size_t buffer_bytes = 64 * 1024;
constexpr std::size_t response_bytes_max = 16 * 1024 * 1024; // of one answer; a page of 200 submissions is far below
constexpr int events_max = 256;
constexpr std::int64_t ms = 1'000'000;
constexpr std::int64_t reconnect_delay_min = 10 * ms;
constexpr std::int64_t reconnect_delay_max = 500 * ms;
constexpr std::int64_t find_interval = 50 * ms;
constexpr std::int64_t sweep_interval = 500 * ms;
constexpr std::int64_t connect_limit = 5'000 * ms;
constexpr std::uint32_t watched_mark = 0xFFFFFFFF;

/// False when so many descriptors are not allowed.
bool allow_descriptors(std::uint64_t wanted) {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
    return false;
  if (limit.rlim_cur >= wanted)
    return true;
  limit.rlim_cur = std::max<rlim_t>(limit.rlim_cur, std::min<rlim_t>(limit.rlim_max, wanted));
  return setrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur >= wanted;
}

} // namespace

std::int64_t steady_ns() {
  timespec t{};
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1'000'000'000 + t.tv_nsec;
}

tl::expected<http_endpoint_address, std::string> parse_endpoint(const std::string& url) {
  const std::string scheme = "http://";
  const auto fail = [&] {
    return tl::make_unexpected("\"" + url + "\" is no address of a node; give http://HOST:PORT, as node.json has it");
  };
  if (!url.starts_with(scheme))
    return fail();
  auto rest = url.substr(scheme.size());
  if (!rest.empty() && rest.back() == '/')
    rest.pop_back();
  const auto colon = rest.rfind(':');
  if (colon == std::string::npos || colon == 0 || rest.find('/') != std::string::npos)
    return fail();
  auto host = rest.substr(0, colon);
  if (host.front() == '[' && host.back() == ']')
    host = host.substr(1, host.size() - 2);
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV;
  addrinfo* found = nullptr;
  if (getaddrinfo(host.c_str(), rest.substr(colon + 1).c_str(), &hints, &found) != 0 || found == nullptr)
    return fail();
  http_endpoint_address out{rest, {}};
  const auto* bytes = reinterpret_cast<const unsigned char*>(found->ai_addr);
  out.socket_address.assign(bytes, bytes + found->ai_addrlen);
  freeaddrinfo(found);
  return out;
}

tl::expected<std::unique_ptr<http_client>, std::string> http_client::open(http_client_user& user, http_endpoint_address where,
                                                                          std::uint32_t connections, std::int64_t answer_limit_ns,
                                                                          finder find) {
  constexpr std::uint64_t others = 64;
  if (!allow_descriptors(connections + others))
    return tl::make_unexpected(std::to_string(connections) +
                               " connections need as many open files, and this process may not have them; see ulimit -n");
  std::unique_ptr<http_client> client{new http_client(user, std::move(where), connections, answer_limit_ns, std::move(find))};
  if (client->epoll_ < 0)
    return tl::make_unexpected(std::string{"epoll: "} + std::strerror(errno));
  for (std::uint32_t i = 0; i < connections; ++i)
    client->connect(i);
  return client;
}

http_client::http_client(http_client_user& user, http_endpoint_address where, std::uint32_t connections,
                         std::int64_t answer_limit_ns, finder find)
    : user_(user), where_(std::move(where)), answer_limit_(answer_limit_ns), find_(std::move(find)),
      epoll_(epoll_create1(EPOLL_CLOEXEC)), last_alive_(steady_ns()), connections_(connections), buffer_(buffer_bytes) {}

http_client::~http_client() {
  for (auto& c : connections_)
    if (c.socket >= 0)
      ::close(c.socket);
  if (epoll_ >= 0)
    ::close(epoll_);
}

void http_client::watch(int descriptor) {
  if (watched_ >= 0)
    epoll_ctl(epoll_, EPOLL_CTL_DEL, watched_, nullptr);
  watched_ = descriptor;
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = watched_mark;
  if (descriptor >= 0)
    epoll_ctl(epoll_, EPOLL_CTL_ADD, descriptor, &event);
}

void http_client::connect(std::uint32_t i) {
  auto& c = connections_[i];
  const auto* address = reinterpret_cast<const sockaddr*>(where_.socket_address.data());
  c.socket = ::socket(address->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  c.now = phase::connecting;
  ++c.generation;
  if (c.socket < 0)
    return failed_to_connect(i);
  c.since = steady_ns();
  const int on = 1;
  setsockopt(c.socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  epoll_event event{};
  event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
  event.data.u64 = (std::uint64_t{c.generation} << 32) | i;
  const bool failed = ::connect(c.socket, address, static_cast<socklen_t>(where_.socket_address.size())) != 0;
  if ((failed && errno != EINPROGRESS) || epoll_ctl(epoll_, EPOLL_CTL_ADD, c.socket, &event) != 0)
    return failed_to_connect(i);
}

void http_client::connected(std::uint32_t i) {
  auto& c = connections_[i];
  int error = 0;
  socklen_t size = sizeof(error);
  if (getsockopt(c.socket, SOL_SOCKET, SO_ERROR, &error, &size) != 0 || error != 0)
    return failed_to_connect(i);
  c.now = phase::idle;
  ++standing_;
  ++counters_.connected;
  last_alive_ = steady_ns();
  ask(i);
}

void http_client::take_down(std::uint32_t i) {
  auto& c = connections_[i];
  if (c.socket >= 0 && c.now != phase::connecting) {
    --standing_;
    last_alive_ = steady_ns();
  }
  if (c.socket >= 0)
    ::close(c.socket); // leaves the epoll set by itself
  c.socket = -1;
  c.now = phase::down;
  c.in.clear();
  c.out.clear();
}

void http_client::failed_to_connect(std::uint32_t i) {
  auto& c = connections_[i];
  take_down(i);
  ++counters_.refused;
  const auto now = steady_ns();
  if (find_ && now >= next_find_) {
    next_find_ = now + find_interval;
    if (auto found = find_())
      where_ = std::move(*found);
  }
  const auto delay = std::min(reconnect_delay_max, reconnect_delay_min << std::min(c.failures, 10u));
  ++c.failures;
  jitter_ = jitter_ * 6364136223846793005u + 1442695040888963407u; // Knuth's MMIX; only keeps them from coming all at once
  set_timer(i, now + delay / 2 + static_cast<std::int64_t>((jitter_ >> 33) % static_cast<std::uint64_t>(delay)));
}

void http_client::lose(std::uint32_t i) {
  auto& c = connections_[i];
  const bool busy = c.now == phase::busy;
  const bool delayed = c.now == phase::delayed;
  take_down(i);
  if (busy) {
    ++counters_.lost;
    user_.lost(i);
  }
  // A server that closes every connection at once must not be met with a busy loop.
  if (delayed)
    c.now = phase::delayed; // its timer connects again
  else
    set_timer(i, steady_ns() + (busy ? reconnect_delay_min : ms));
}

void http_client::set_timer(std::uint32_t i, std::int64_t when) {
  connections_[i].wake_at = when;
  timers_.emplace(when, i);
}

void http_client::delay(std::uint32_t i, std::int64_t until_ns) {
  connections_[i].now = phase::delayed;
  set_timer(i, until_ns);
}

void http_client::wake(std::uint32_t i) {
  if (connections_[i].now == phase::idle)
    ask(i);
}

void http_client::ask(std::uint32_t i) {
  auto& c = connections_[i];
  const auto bytes = user_.request(i);
  if (bytes.empty())
    return;
  c.now = phase::busy;
  c.since = steady_ns();
  const auto sent = ::send(c.socket, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  if (sent == static_cast<ssize_t>(bytes.size())) [[likely]]
    return;
  if (sent < 0 && errno != EAGAIN && errno != EINTR)
    return lose(i);
  c.out = bytes.substr(sent < 0 ? 0 : static_cast<std::size_t>(sent)); // the rest when the socket says it has room
}

void http_client::send_rest(std::uint32_t i) {
  auto& c = connections_[i];
  while (!c.out.empty()) {
    const auto sent = ::send(c.socket, c.out.data(), c.out.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0 && errno == EINTR)
      continue;
    if (sent < 0 && errno == EAGAIN)
      return;
    if (sent < 0)
      return lose(i);
    c.out.erase(0, static_cast<std::size_t>(sent));
  }
}

/// False when the connection is not the same any more.
bool http_client::take_bytes(std::uint32_t i, std::string_view bytes) {
  auto& c = connections_[i];
  if (!c.in.empty()) {
    c.in.append(bytes);
    bytes = c.in;
  }
  http_response response;
  std::size_t size = 0;
  const auto state = c.now == phase::busy ? parse_response(bytes, response, size) : response_state::malformed;
  if (state == response_state::more && bytes.size() < response_bytes_max) {
    if (c.in.empty())
      c.in = bytes;
    return true;
  }
  if (state != response_state::done || size != bytes.size()) { // an answer nobody asked for
    ++counters_.malformed;
    lose(i);
    return false;
  }
  last_alive_ = steady_ns();
  c.failures = 0;
  c.now = phase::idle;
  user_.response(i, response);
  c.in.clear();
  if (response.close) {
    lose(i);
    return false;
  }
  if (c.now == phase::idle)
    ask(i);
  return c.socket >= 0;
}

void http_client::receive(std::uint32_t i, bool ending) {
  auto& c = connections_[i];
  const auto generation = c.generation;
  while (c.generation == generation && c.socket >= 0) {
    const auto got = ::recv(c.socket, buffer_.data(), buffer_.size(), MSG_DONTWAIT);
    if (got < 0 && errno == EINTR)
      continue;
    if (got < 0 && errno == EAGAIN)
      return;
    if (got <= 0)
      return lose(i);
    if (!take_bytes(i, {buffer_.data(), static_cast<std::size_t>(got)}))
      return;
    // Less than there was room for: nothing is left, unless the end of the stream waits behind it.
    if (static_cast<std::size_t>(got) < buffer_.size() && !ending)
      return;
  }
}

void http_client::handle(std::uint32_t i, std::uint32_t events) {
  auto& c = connections_[i];
  if (c.now == phase::connecting) {
    if ((events & (EPOLLERR | EPOLLHUP)) != 0)
      return failed_to_connect(i);
    if ((events & EPOLLOUT) != 0)
      return connected(i);
    return;
  }
  if ((events & EPOLLOUT) != 0 && !c.out.empty())
    send_rest(i);
  if ((events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0 && c.socket >= 0)
    receive(i, (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0);
}

void http_client::run_timers(std::int64_t now) {
  while (!timers_.empty() && timers_.top().first <= now) {
    const auto [when, i] = timers_.top();
    timers_.pop();
    auto& c = connections_[i];
    if (c.wake_at != when)
      continue;
    c.wake_at = 0;
    if (c.now == phase::delayed && c.socket >= 0) {
      c.now = phase::idle;
      ask(i);
    } else if (c.socket < 0) {
      connect(i);
    }
  }
}

void http_client::sweep(std::int64_t now) {
  for (std::uint32_t i = 0; i < connections_.size(); ++i) {
    auto& c = connections_[i];
    if (c.now == phase::connecting && now - c.since > connect_limit)
      failed_to_connect(i);
    else if (c.now == phase::busy && now - c.since > answer_limit_) {
      ++counters_.timed_out;
      lose(i);
    }
  }
}

void http_client::poll(std::int64_t until_ns) {
  if (!timers_.empty())
    until_ns = std::min(until_ns, timers_.top().first);
  if (next_sweep_ == 0)
    next_sweep_ = steady_ns() + sweep_interval;
  until_ns = std::min(until_ns, next_sweep_);
  const auto wait = std::max<std::int64_t>(0, until_ns - steady_ns());
  const timespec limit{wait / 1'000'000'000, wait % 1'000'000'000};
  epoll_event events[events_max];
  const int count = epoll_pwait2(epoll_, events, events_max, &limit, nullptr);
  for (int e = 0; e < count; ++e) {
    const auto i = static_cast<std::uint32_t>(events[e].data.u64);
    const auto generation = static_cast<std::uint32_t>(events[e].data.u64 >> 32);
    if (i < connections_.size() && connections_[i].generation == generation && connections_[i].socket >= 0)
      handle(i, events[e].events);
  }
  const auto now = steady_ns();
  run_timers(now);
  if (now >= next_sweep_) {
    next_sweep_ = now + sweep_interval;
    sweep(now);
  }
}

} // namespace epione::cli
