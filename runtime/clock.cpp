// The machine's clocks: CLOCK_BOOTTIME for intervals, CLOCK_REALTIME for what is recorded.
#include "runtime/clock.hpp"

#include <ctime>

namespace epione::runtime {

// A laptop that slept must find its deadlines passed, which CLOCK_MONOTONIC would hide.
std::int64_t system_clock::now_ns() {
  timespec t{};
  clock_gettime(CLOCK_BOOTTIME, &t);
  return std::int64_t{t.tv_sec} * 1'000'000'000 + t.tv_nsec;
}

std::int64_t system_clock::wall_us() {
  timespec t{};
  clock_gettime(CLOCK_REALTIME, &t);
  return std::int64_t{t.tv_sec} * 1'000'000 + t.tv_nsec / 1'000;
}

} // namespace epione::runtime
