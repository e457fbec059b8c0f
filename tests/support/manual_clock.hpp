// A clock that moves only when told.
#pragma once

#include "runtime/clock.hpp"

#include <cstdint>

namespace epione::tests {

class manual_clock final : public runtime::clock {
public:
  std::int64_t now_ns() override { return ns; }
  std::int64_t wall_us() override { return 1'790'000'000'000'000 + wall_offset_us + ns / 1000; }
  std::int64_t ns = 3'600'000'000'000; ///< a machine that has been up for an hour
  std::int64_t wall_offset_us = 0;     ///< what somebody has set the wall clock forward by
};

} // namespace epione::tests
