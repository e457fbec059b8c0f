#include "runtime/http/http_server.hpp"

#include "runtime/config.hpp"
#include "runtime/http/io_thread.hpp"
#include "runtime/log.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <cerrno>
#include <cstring>
#include <memory>
#include <mutex>
#include <netinet/in.h>
#include <optional>
#include <sys/resource.h>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <utility>
#include <vector>

namespace epione::runtime {

namespace {

struct socket_address {
  sockaddr_storage storage{};
  socklen_t size = 0;
  int family = AF_UNSPEC;
};

/// Literal addresses only, and "localhost": what a name stands for may change after it was checked.
std::optional<socket_address> parse_address(std::string_view text, std::uint16_t port) {
  const std::string name{text == "localhost" ? std::string_view{"127.0.0.1"} : text};
  socket_address out;
  sockaddr_in v4{};
  sockaddr_in6 v6{};
  if (::inet_pton(AF_INET, name.c_str(), &v4.sin_addr) == 1) {
    v4.sin_family = AF_INET;
    v4.sin_port = htons(port);
    out.size = sizeof(v4);
    std::memcpy(&out.storage, &v4, sizeof(v4));
    out.family = AF_INET;
  } else if (::inet_pton(AF_INET6, name.c_str(), &v6.sin6_addr) == 1) {
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(port);
    out.size = sizeof(v6);
    std::memcpy(&out.storage, &v6, sizeof(v6));
    out.family = AF_INET6;
  } else {
    return std::nullopt;
  }
  return out;
}

bool is_loopback(const socket_address& a) {
  if (a.family == AF_INET) {
    sockaddr_in v4{};
    std::memcpy(&v4, &a.storage, sizeof(v4));
    return (ntohl(v4.sin_addr.s_addr) >> 24) == 127;
  }
  sockaddr_in6 v6{};
  std::memcpy(&v6, &a.storage, sizeof(v6));
  return IN6_IS_ADDR_LOOPBACK(&v6.sin6_addr) != 0;
}

http_endpoint endpoint_of(int socket, const std::string& address) {
  sockaddr_storage bound{};
  socklen_t size = sizeof(bound);
  http_endpoint out{address == "localhost" ? "127.0.0.1" : address, 0};
  if (::getsockname(socket, reinterpret_cast<sockaddr*>(&bound), &size) != 0)
    return out;
  if (bound.ss_family == AF_INET6) {
    sockaddr_in6 v6{};
    std::memcpy(&v6, &bound, sizeof(v6));
    out.port = ntohs(v6.sin6_port);
  } else {
    sockaddr_in v4{};
    std::memcpy(&v4, &bound, sizeof(v4));
    out.port = ntohs(v4.sin_port);
  }
  return out;
}

tl::expected<int, std::string> listen_on(const http_options& options) {
  const auto where = options.address + ":" + std::to_string(options.port);
  const auto address = parse_address(options.address, options.port);
  const int fd = ::socket(address->family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  const int on = 1;
  if (fd >= 0 && ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0 &&
      ::bind(fd, reinterpret_cast<const sockaddr*>(&address->storage), address->size) == 0 && ::listen(fd, 4096) == 0)
    return fd;
  const int why = errno;
  if (fd >= 0)
    ::close(fd);
  std::string sentence = "cannot listen for HTTP on " + where + ": " + std::strerror(why);
  if (why == EADDRINUSE)
    sentence += "; another program uses this port, choose another one with --http HOST:PORT";
  return tl::unexpected{std::move(sentence)};
}

/// Every connection is a file descriptor; the soft limit many systems start with is far below what they allow.
constexpr std::uint64_t files_per_shard = 12; // database, WAL and shared memory, for the writer and each reader
constexpr std::uint64_t files_spare = 128;    // the journal, the log, sockets

void raise_descriptor_limit(rlim_t wanted, log& journal) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0)
    return;
  if (limit.rlim_cur >= wanted)
    return;
  limit.rlim_cur = std::min(wanted, limit.rlim_max);
  if (::setrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur >= wanted)
    return;
  journal.warning("http", "fewer files may be open than connections are allowed; raise the limit with ulimit -n",
                  {{"files", std::uint64_t{limit.rlim_cur}}, {"needed", std::uint64_t{wanted}}});
}

} // namespace

std::uint64_t open_files_wanted(const http_options& o) {
  return std::uint64_t{o.connections_max} + o.turned_away_max + std::uint64_t{o.shard_count} * files_per_shard + files_spare;
}

http_options http_options_of(const config& c) {
  http_options o;
  o.address = c.http.address;
  o.port = static_cast<std::uint16_t>(c.http.port);
  o.threads = c.http.threads;
  o.shard_count = c.shards.count;
  o.body_bytes_max = c.http.body_bytes_max;
  o.header_bytes_max = c.http.header_bytes_max;
  o.header_limit_ms = c.http.header_limit_ms;
  o.body_limit_ms = c.http.body_limit_ms;
  o.idle_limit_ms = c.http.idle_limit_ms;
  o.reply_limit_ms = c.http.request_limit_ms + defaults::http_reply_margin_ms;
  o.connections_max = c.http.connections_max;
  o.retry_after_s = c.http.retry_after_s;
  o.read_limit_max = c.http.read_limit_max;
  return o;
}

tl::expected<void, std::string> check_http_address(std::string_view address) {
  const auto parsed = parse_address(address, 0);
  if (!parsed)
    return tl::unexpected{"\"" + std::string{address} +
                          "\" is not an address HTTP can listen on; use 127.0.0.1, ::1 or localhost"};
  if (!is_loopback(*parsed))
    return tl::unexpected{"HTTP stays on loopback until sign-in exists, and " + std::string{address} +
                          " can be reached from other machines; use 127.0.0.1, ::1 or localhost"};
  return {};
}

struct http_server::impl {
  impl(http_options o, http_surroundings a) : options(std::move(o)), around(std::move(a)), shared(around.numbers) {}
  http_options options;
  http_surroundings around;
  http::server_state shared;
  std::vector<std::unique_ptr<http::io_thread>> threads;
};

http_server::http_server(http_options options, http_surroundings around)
    : impl_(std::make_unique<impl>(std::move(options), std::move(around))) {}

http_server::~http_server() {
  stop();
}

tl::expected<http_endpoint, std::string> http_server::start(front& behind) {
  auto& options = impl_->options;
  if (auto fit = check_http_address(options.address); !fit)
    return tl::unexpected{fit.error()};
  options.threads = std::clamp(options.threads, 1u, http::threads_max);
  raise_descriptor_limit(open_files_wanted(options), impl_->around.journal);
  auto listener = listen_on(options);
  if (!listener)
    return tl::unexpected{listener.error()};
  const auto endpoint = endpoint_of(*listener, options.address);
  for (unsigned n = 0; n < options.threads; ++n) {
    impl_->threads.push_back(std::make_unique<http::io_thread>(n, options, impl_->around, behind, impl_->shared));
    impl_->shared.threads.push_back(impl_->threads.back().get());
  }
  // The one that accepts starts last: it hands sockets to the others.
  for (unsigned n = options.threads; n-- > 0;)
    impl_->threads[n]->start(n == 0 ? *listener : -1);
  return endpoint;
}

void http_server::deliver(messages::replies replies) {
  const auto count = impl_->threads.size();
  if (replies.empty() || count == 0)
    return;
  if (count == 1)
    return impl_->threads.front()->deliver(std::move(replies));
  std::vector<messages::replies> parts(count);
  for (auto& r : replies)
    if (const auto n = http::io_thread::thread_of(r.to); n < count)
      parts[n].push_back(std::move(r));
  for (std::size_t n = 0; n < count; ++n)
    if (!parts[n].empty())
      impl_->threads[n]->deliver(std::move(parts[n]));
}

void http_server::abandon_all() {
  for (auto& t : impl_->threads)
    t->abandon_all();
}

std::string http_server::body_buffer() {
  return impl_->shared.bodies.acquire();
}

void http_server::stop_accepting() {
  for (auto& t : impl_->threads)
    t->drain();
}

bool http_server::wait_until_idle(std::chrono::milliseconds limit) {
  std::unique_lock guard{impl_->shared.idle_mutex};
  return impl_->shared.idle.wait_for(guard, limit, [this] { return connections() == 0; });
}

void http_server::stop() {
  for (auto& t : impl_->threads)
    t->stop();
}

std::size_t http_server::connections() const {
  return impl_->shared.connections.load(std::memory_order_acquire);
}

} // namespace epione::runtime
