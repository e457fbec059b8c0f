// A signalfd read by a thread: no handler, hence nothing that must be async-signal-safe.
#include "cli/stop_signals.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <poll.h>
#include <stdexcept>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <thread>
#include <unistd.h>

namespace epione::cli {

namespace {

/// SIGTERM always; the others unless whoever started us (nohup, a script's background job) had them ignored.
sigset_t wanted_signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  for (const int number : {SIGINT, SIGHUP}) {
    struct sigaction now{};
    if (sigaction(number, nullptr, &now) == 0 && now.sa_handler != SIG_IGN)
      sigaddset(&set, number);
  }
  return set;
}

} // namespace

struct stop_signals::impl {
  int signals = -1, end = -1;
  std::thread thread;

  void run(const std::function<void()>& first, const std::function<void()>& second) const {
    bool seen = false;
    for (;;) {
      std::array<pollfd, 2> wait{{{signals, POLLIN, 0}, {end, POLLIN, 0}}};
      if (::poll(wait.data(), wait.size(), -1) < 0 && errno != EINTR)
        return;
      if (wait[1].revents != 0)
        return;
      signalfd_siginfo info{};
      if (wait[0].revents == 0 || ::read(signals, &info, sizeof(info)) != sizeof(info))
        continue;
      (seen ? second : first)();
      seen = true;
    }
  }
};

stop_signals::stop_signals() : impl_(std::make_unique<impl>()) {
  const sigset_t set = wanted_signals();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  impl_->signals = ::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
  impl_->end = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (impl_->signals < 0 || impl_->end < 0)
    throw std::runtime_error{"signals cannot be received: no file descriptors are left"};
  std::signal(SIGPIPE, SIG_IGN); // a phone that hangs up is an error of its connection, not of the process
}

stop_signals::~stop_signals() {
  end();
  ::close(impl_->signals);
  ::close(impl_->end);
}

void stop_signals::listen(std::function<void()> first, std::function<void()> second) {
  impl_->thread = std::thread{[this, first = std::move(first), second = std::move(second)] { impl_->run(first, second); }};
}

void stop_signals::end() {
  if (!impl_->thread.joinable())
    return;
  const std::uint64_t one = 1;
  while (::write(impl_->end, &one, sizeof(one)) < 0 && errno == EINTR) {
  }
  impl_->thread.join();
}

} // namespace epione::cli
