// Asio tells when a socket is ready; reading and writing is done by the connections themselves, without an operation of Asio's
// (and its buffer) waiting on each idle one. One timer a thread looks after all time limits.
#if defined(__SANITIZE_THREAD__)
// GCC's ThreadSanitizer does not know stand-alone fences. What they order here is ordered by the inbox's mutex as well.
#define BOOST_ASIO_DISABLE_FENCED_BLOCK 1
#endif

#include "runtime/http/io_thread.hpp"

#include "runtime/http/connection.hpp"
#include "runtime/http/service.hpp"
#include "runtime/log.hpp"

#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/basic_stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <exception>
#include <mutex>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <optional>
#include <pthread.h>
#include <string>
#include <sys/socket.h>
#include <thread>
#include <typeinfo>
#include <unistd.h>
#include <utility>
#include <vector>

namespace epione::runtime::http {

namespace net = boost::asio;
using boost::system::error_code;

namespace {

using executor = net::io_context::executor_type;
using descriptor = net::posix::basic_stream_descriptor<executor>;
using timer = net::basic_waitable_timer<std::chrono::steady_clock, net::wait_traits<std::chrono::steady_clock>, executor>;

constexpr unsigned accepts_at_once = 64; // then the connections that are there get their turn
constexpr std::uint32_t slots_max = defaults::http_slots_max;
static_assert(slots_max == std::uint32_t{1} << ticket_slot_bits);
static_assert(6 + ticket_slot_bits + connection::ticket_generation_bits == 64);

/// A place for a connection. Used again only when no wait of its last socket is under way any more.
struct slot {
  slot(net::io_context& loop, service& s, std::uint32_t number, messages::ticket base)
      : socket(loop), conn(s, base), number(number) {}
  descriptor socket;
  connection conn;
  std::uint32_t number;
  bool open = false, waits_read = false, waits_write = false, waits_turn = false;
};

} // namespace

struct io_thread::impl {
  impl(unsigned number, const http_options& options, const http_surroundings& around, front& behind, server_state& shared)
      : number(number), options(options), around(around), shared(shared), loop(BOOST_ASIO_CONCURRENCY_HINT_UNSAFE_IO),
        mine(options, around, behind, shared.bodies), sweep_timer(loop), listener(loop) {}

  // ---- the inbox: everything other threads ask for ------------------------------------------------------------------

  struct inbox {
    std::vector<messages::replies> replies;
    std::vector<int> sockets;
    bool abandon = false, drain = false, stop = false;
    bool empty() const { return replies.empty() && sockets.empty() && !abandon && !drain && !stop; }
  };

  /// Only the first one after the inbox was emptied wakes the thread.
  template <class Change>
  bool put(Change&& change) {
    bool wake = false;
    {
      std::lock_guard guard{mutex};
      if (stopped)
        return false;
      wake = waiting.empty();
      change(waiting);
    }
    if (wake)
      net::post(loop, [this] { take_inbox(); });
    return true;
  }

  void take_inbox() {
    {
      std::lock_guard guard{mutex};
      std::swap(waiting, taken);
    }
    mine.refresh_now();
    for (auto& batch : taken.replies)
      for (auto& r : batch) {
        on_reply(r);
        shared.bodies.release(std::move(r.body));
      }
    taken.replies.clear();
    for (const int socket : taken.sockets)
      open(socket);
    taken.sockets.clear();
    if (std::exchange(taken.abandon, false))
      for_all_open([](connection& c) { return c.on_abandoned(); });
    if (std::exchange(taken.drain, false))
      on_drain();
    if (std::exchange(taken.stop, false))
      on_stop();
  }

  void on_reply(const messages::reply& r) {
    const auto index = static_cast<std::size_t>(r.to >> connection::ticket_generation_bits) & (slots_max - 1);
    if (index >= slots.size() || !slots[index]->open)
      return;
    handle(*slots[index], [&](connection& c) { return c.on_reply(r); });
  }

  // ---- connections --------------------------------------------------------------------------------------------------

  /// Every event of a connection goes through here: an exception ends that connection and nothing else.
  template <class Event>
  void handle(slot& s, Event&& event) {
    want next = want::closed;
    try {
      next = event(s.conn);
    } catch (const std::exception& e) {
      around.journal.error("http", "a connection was closed by an exception", {{"type", typeid(e).name()}});
    }
    switch (next) {
      case want::read: wait_read(s); break;
      case want::write: wait_write(s); break;
      case want::reply: break;
      case want::turn: wait_turn(s); break;
      case want::closed: close(s); break;
    }
  }

  void wait_read(slot& s) {
    if (s.waits_read)
      return;
    s.waits_read = true;
    s.socket.async_wait(descriptor::wait_read, [this, &s](error_code error) {
      s.waits_read = false;
      on_ready(s, error, [](connection& c) { return c.on_readable(); });
    });
  }

  void wait_write(slot& s) {
    if (s.waits_write)
      return;
    s.waits_write = true;
    s.socket.async_wait(descriptor::wait_write, [this, &s](error_code error) {
      s.waits_write = false;
      on_ready(s, error, [](connection& c) { return c.on_writable(); });
    });
  }

  void wait_turn(slot& s) {
    if (s.waits_turn)
      return;
    s.waits_turn = true;
    net::post(loop, [this, &s] {
      s.waits_turn = false;
      on_ready(s, {}, [](connection& c) { return c.on_turn(); });
    });
  }

  template <class Event>
  void on_ready(slot& s, error_code error, Event&& event) {
    if (!s.open)
      return free_if_unused(s);
    if (error)
      return close(s);
    mine.refresh_now();
    handle(s, event);
  }

  void close(slot& s) {
    s.conn.on_closed();
    error_code ignored;
    s.socket.close(ignored); // waits that are under way come back and free the slot
    s.open = false;
    shared.leave();
    mine.numbers.connections.Decrement();
    free_if_unused(s);
  }

  void free_if_unused(slot& s) {
    if (!s.waits_read && !s.waits_write && !s.waits_turn)
      free_slots.push_back(s.number);
  }

  template <class Event>
  void for_all_open(Event&& event) {
    for (std::size_t i = 0; i < slots.size(); ++i)
      if (slots[i]->open)
        handle(*slots[i], event);
  }

  slot* find_slot() {
    if (!free_slots.empty()) {
      const auto n = free_slots.back();
      free_slots.pop_back();
      return slots[n].get();
    }
    if (slots.size() >= slots_max)
      return nullptr;
    const auto n = static_cast<std::uint32_t>(slots.size());
    const auto base = (messages::ticket{number} << (64 - 6)) | (messages::ticket{n} << connection::ticket_generation_bits);
    slots.push_back(std::make_unique<slot>(loop, mine, n, base));
    return slots.back().get();
  }

  /// The socket counts as a connection already.
  void open(int fd) {
    const int on = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    auto* s = mine.draining ? nullptr : find_slot();
    error_code error;
    if (s != nullptr) {
      s->socket.assign(fd, error);
      if (error)
        free_slots.push_back(s->number);
    }
    if (s == nullptr || error) {
      ::close(fd);
      shared.leave();
      return;
    }
    s->open = true;
    mine.numbers.connections.Increment();
    const bool too_many = shared.connections.load(std::memory_order_relaxed) > options.connections_max;
    handle(*s, [&](connection& c) {
      const auto next = c.open(fd);
      return too_many ? c.turn_away() : next;
    });
  }

  // ---- accepting ----------------------------------------------------------------------------------------------------

  void wait_accept() {
    accept_waits = true;
    listener.async_wait(descriptor::wait_read, [this](error_code error) {
      accept_waits = false;
      if (!error && listener.is_open())
        accept();
    });
  }

  void accept() {
    mine.refresh_now();
    for (unsigned i = 0; i < accepts_at_once; ++i) {
      const int fd = ::accept4(listener.native_handle(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (fd < 0) {
        const int why = errno;
        if (why == EMFILE || why == ENFILE || why == ENOBUFS || why == ENOMEM) {
          // The listener stays readable, so waiting for it would spin: the next sweep tries again.
          mine.numbers.refused_connections.Increment();
          around.journal.warning("http", "cannot accept connections for now", {{"reason", std::strerror(why)}});
          return;
        }
        if (why == EAGAIN || why == EWOULDBLOCK)
          break;
        continue; // the client was gone before it was its turn
      }
      hand_out(fd);
    }
    wait_accept();
  }

  void hand_out(int fd) {
    const auto count = shared.connections.fetch_add(1, std::memory_order_relaxed) + 1;
    if (count > options.connections_max)
      mine.numbers.refused_connections.Increment();
    if (count > std::size_t{options.connections_max} + options.turned_away_max) {
      ::close(fd);
      shared.leave();
      return;
    }
    mine.numbers.accepted.Increment();
    auto* to = shared.threads[next_thread++ % shared.threads.size()];
    if (shared.threads.size() == 1)
      open(fd);
    else
      to->adopt(fd);
  }

  // ---- time limits, end ----------------------------------------------------------------------------------------------

  void wait_sweep() {
    sweep_timer.expires_after(std::chrono::milliseconds{options.sweep_interval_ms});
    sweep_timer.async_wait([this](error_code error) {
      if (error || stopping)
        return;
      mine.refresh_now();
      for_all_open([](connection& c) { return c.on_sweep(); });
      mine.numbers.flush();
      if (listener.is_open() && !accept_waits)
        accept();
      wait_sweep();
    });
  }

  void on_drain() {
    mine.draining = true;
    error_code ignored;
    listener.close(ignored);
    for_all_open([](connection& c) { return c.on_drain(); });
  }

  void on_stop() {
    stopping = true;
    on_drain();
    for_all_open([](connection&) { return want::closed; });
    mine.numbers.flush();
    sweep_timer.cancel();
    // With nothing left to wait for the loop ends by itself, every handler having been called.
    work.reset();
  }

  void run() {
    pthread_setname_np(pthread_self(), ("http " + std::to_string(number)).c_str());
    while (true) {
      try {
        loop.run();
        return;
      } catch (const std::exception& e) {
        around.journal.error("http", "an exception reached the event loop", {{"type", typeid(e).name()}});
      }
    }
  }

  const unsigned number;
  const http_options& options;
  const http_surroundings& around;
  server_state& shared;
  net::io_context loop;
  std::optional<net::executor_work_guard<executor>> work;
  service mine;
  timer sweep_timer;
  descriptor listener;
  bool accept_waits = false, stopping = false;
  std::size_t next_thread = 0;
  std::vector<std::unique_ptr<slot>> slots;
  std::vector<std::uint32_t> free_slots;
  std::thread thread;

  std::mutex mutex;
  inbox waiting, taken;
  bool stopped = false;
};

io_thread::io_thread(unsigned number, const http_options& options, const http_surroundings& around, front& behind,
                     server_state& shared)
    : impl_(std::make_unique<impl>(number, options, around, behind, shared)) {}

io_thread::~io_thread() {
  stop();
}

void io_thread::start(int listener) {
  impl_->work.emplace(impl_->loop.get_executor());
  if (listener >= 0) {
    impl_->listener.assign(listener);
    impl_->wait_accept();
  }
  impl_->wait_sweep();
  // Signals are the main thread's business.
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  impl_->thread = std::thread{[this] { impl_->run(); }};
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

void io_thread::deliver(messages::replies&& replies) {
  impl_->put([&](impl::inbox& in) { in.replies.push_back(std::move(replies)); });
}

void io_thread::abandon_all() {
  impl_->put([](impl::inbox& in) { in.abandon = true; });
}

void io_thread::adopt(int socket) {
  if (!impl_->put([&](impl::inbox& in) { in.sockets.push_back(socket); })) {
    ::close(socket);
    impl_->shared.leave();
  }
}

void io_thread::drain() {
  impl_->put([](impl::inbox& in) { in.drain = true; });
}

void io_thread::stop() {
  if (!impl_->thread.joinable())
    return;
  impl_->put([](impl::inbox& in) { in.stop = true; });
  impl_->thread.join();
  std::lock_guard guard{impl_->mutex};
  impl_->stopped = true;
  for (const int socket : impl_->waiting.sockets)
    ::close(socket);
  impl_->waiting = {};
}

} // namespace epione::runtime::http
