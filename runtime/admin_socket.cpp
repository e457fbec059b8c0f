#include "runtime/admin_socket.hpp"

#include "runtime/admin_frame.hpp"
#include "runtime/log.hpp"
#include "runtime/os_user.hpp"

#include <array>
#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <csignal>
#include <cstring>
#include <exception>
#include <mutex>
#include <optional>
#include <poll.h>
#include <pthread.h>
#include <set>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <thread>
#include <typeinfo>
#include <unistd.h>
#include <utility>

namespace epione::runtime {

namespace {

/// A file descriptor that closes itself.
class handle {
public:
  explicit handle(int fd = -1) : fd_(fd) {}
  ~handle() {
    if (fd_ >= 0)
      ::close(fd_);
  }
  handle(handle&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  handle& operator=(handle&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }

private:
  int fd_;
};

std::optional<sockaddr_un> unix_address(const std::string& path) {
  sockaddr_un out{};
  out.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof(out.sun_path))
    return std::nullopt;
  std::memcpy(out.sun_path, path.c_str(), path.size() + 1);
  return out;
}

std::optional<uid_t> peer_of(int socket) {
  ucred peer{};
  socklen_t size = sizeof(peer);
  if (::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0)
    return std::nullopt;
  return peer.uid;
}

} // namespace

struct admin_server::impl {
  impl(std::string p, handler h, log& l, admin_options o)
      : path(std::move(p)), handle_request(std::move(h)), journal(l), options(o) {}

  void accept_calls() {
    pthread_setname_np(pthread_self(), "admin");
    while (true) {
      pollfd ready[2]{{listener.get(), POLLIN, 0}, {ending.get(), POLLIN, 0}};
      if (::poll(ready, 2, -1) < 0 && errno != EINTR)
        return;
      if (ready[1].revents != 0)
        return;
      handle socket{::accept4(listener.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC)};
      if (!socket) {
        if (errno == EMFILE || errno == ENFILE)
          ::poll(&ready[1], 1, 1000); // the listener stays readable: do not spin
        continue;
      }
      start_call(std::move(socket));
    }
  }

  void start_call(handle socket) {
    std::unique_lock guard{mutex};
    const auto peer = peer_of(socket.get());
    if (!peer || (*peer != ::geteuid() && *peer != 0)) // the one who started the node, or root
      return journal.warning("admin", "a call of another user was refused");
    if (calls >= options.calls_max) {
      guard.unlock();
      reply(socket, {1, "the node is busy with other commands; try again", {}});
      return;
    }
    ++calls;
    receiving.insert(socket.get());
    // Detached, but counted: stop() waits for the count.
    std::thread{[this, user = *peer, s = std::move(socket)]() mutable {
      pthread_setname_np(pthread_self(), "admin call");
      serve(s, user);
      s = handle{};
      std::lock_guard done{mutex};
      --calls;
      ended.notify_all();
    }}.detach();
  }

  void serve(const handle& socket, uid_t user) {
    const auto payload = receive_admin_frame(socket.get(), options.frame_bytes_max, in(options.io_limit));
    if (!received(socket) && !payload)
      return reply(socket, {1, "the node is stopping; nothing was done", {}});
    if (!payload)
      return reply(socket, {1, "the command could not be read: " + payload.error(), {}});
    const auto request = decode_admin_request(*payload);
    if (!request)
      return reply(socket, {2, request.error(), {}});
    admin_reply answer;
    try {
      answer = handle_request(*request, os_user(user));
    } catch (const std::exception& e) {
      journal.error("admin", "a command ended with an exception", {{"command", request->command}, {"type", typeid(e).name()}});
      answer = {1, "the command \"" + request->command + "\" failed inside the node; its log says more", {}};
    }
    reply(socket, answer);
  }

  /// False when nothing more was to be received, because the node is stopping.
  bool received(const handle& socket) {
    std::lock_guard guard{mutex};
    return receiving.erase(socket.get()) == 1;
  }

  void reply(const handle& socket, const admin_reply& answer) {
    auto payload = encode(answer);
    if (payload.size() > options.frame_bytes_max)
      payload = encode(admin_reply{1, "the answer is larger than the admin socket's limit", {}});
    // A client that left early is its own business.
    [[maybe_unused]] const auto sent = send_admin_frame(socket.get(), admin_frame(payload), in(options.io_limit));
  }

  static admin_deadline in(std::chrono::milliseconds limit) { return std::chrono::steady_clock::now() + limit; }

  std::string path;
  handler handle_request;
  log& journal;
  admin_options options;
  handle listener, ending;
  std::thread acceptor;
  std::mutex mutex;
  std::condition_variable ended;
  unsigned calls = 0;
  std::set<int> receiving; ///< sockets of calls whose request has not arrived
};

admin_server::admin_server(std::string path, handler handle, log& log, admin_options options)
    : impl_(std::make_unique<impl>(std::move(path), std::move(handle), log, options)) {}

admin_server::~admin_server() {
  stop();
}

tl::expected<void, std::string> admin_server::start() {
  const auto failed = [this](const char* what) {
    return tl::unexpected{"cannot " + std::string{what} + " the admin socket " + impl_->path + ": " + std::strerror(errno)};
  };
  const admin_address named{impl_->path};
  const auto address = unix_address(named.path());
  if (!address)
    return failed("name");
  impl_->listener = handle{::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
  impl_->ending = handle{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
  if (!impl_->listener || !impl_->ending)
    return failed("create");
  ::unlink(impl_->path.c_str());
  // On Linux the file gets the socket's own mode: it is never open to others, not even for a moment.
  if (::fchmod(impl_->listener.get(), 0600) != 0 ||
      ::bind(impl_->listener.get(), reinterpret_cast<const sockaddr*>(&*address), sizeof(*address)) != 0 ||
      ::chmod(impl_->path.c_str(), 0600) != 0 || ::listen(impl_->listener.get(), 16) != 0)
    return failed("open");
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  impl_->acceptor = std::thread{[this] { impl_->accept_calls(); }};
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return {};
}

void admin_server::stop_accepting() {
  if (!impl_->acceptor.joinable())
    return;
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = ::write(impl_->ending.get(), &one, sizeof(one));
  impl_->acceptor.join();
  ::unlink(impl_->path.c_str());
  impl_->listener = handle{};
  std::lock_guard guard{impl_->mutex};
  for (const int socket : std::exchange(impl_->receiving, {}))
    ::shutdown(socket, SHUT_RD); // wakes whoever waits for a client that says nothing
}

bool admin_server::wait_until_idle(std::chrono::milliseconds limit) {
  std::unique_lock guard{impl_->mutex};
  return impl_->ended.wait_for(guard, limit, [this] { return impl_->calls == 0; });
}

void admin_server::stop() {
  stop_accepting();
  std::unique_lock guard{impl_->mutex};
  impl_->ended.wait(guard, [this] { return impl_->calls == 0; });
}

tl::expected<admin_reply, admin_failure> admin_call(const std::string& path, const admin_request& request,
                                                    std::chrono::milliseconds limit, int stop) {
  const auto until = std::chrono::steady_clock::now() + limit;
  const admin_address named{path};
  const auto address = unix_address(named.path());
  if (!address)
    return tl::unexpected{admin_failure{true, "cannot reach a node through " + path + ": " + std::strerror(errno)}};
  const handle socket{::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
  if (!socket || ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&*address), sizeof(*address)) != 0)
    return tl::unexpected{admin_failure{true, "no node answers at " + path + ": " + std::strerror(errno)}};
  const auto sent = send_admin_frame(socket.get(), admin_frame(encode(request)), until, stop);
  // Even when not all was taken the node may have said why.
  const auto payload = receive_admin_frame(socket.get(), admin_options{}.frame_bytes_max, until, stop);
  if (!payload)
    return tl::unexpected{admin_failure{false, "the node at " + path + ": " + (sent ? payload.error() : sent.error())}};
  auto reply = decode_admin_reply(*payload);
  if (!reply)
    return tl::unexpected{admin_failure{false, "the node at " + path + ": " + reply.error()}};
  return std::move(*reply);
}

} // namespace epione::runtime
