#include "cli/stop_descriptor.hpp"

#include "runtime/process.hpp"

#include <algorithm>
#include <cstdint>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

namespace epione::cli {

stop_descriptor::stop_descriptor() : event_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  signals_.listen(
      [this] {
        const std::uint64_t one = 1;
        [[maybe_unused]] const auto written = ::write(event_, &one, sizeof(one));
      },
      [] { _exit(runtime::exit_code::failed); });
}

stop_descriptor::~stop_descriptor() {
  signals_.end();
  ::close(event_);
}

bool stop_descriptor::wait_until(std::chrono::steady_clock::time_point time) const {
  constexpr std::int64_t longest_ms = 60'000; // poll() takes an int
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(time - std::chrono::steady_clock::now()).count();
    pollfd stopped{event_, POLLIN, 0};
    if (::poll(&stopped, 1, static_cast<int>(std::clamp<std::int64_t>(left, 0, longest_ms))) > 0)
      return false;
    if (left <= 0)
      return true;
  }
}

} // namespace epione::cli
