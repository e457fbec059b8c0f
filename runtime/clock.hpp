// Time, passed in: production gives the machine's clocks, the simulator its own.
#pragma once

#include <cstdint>

namespace epione::runtime {

class clock {
public:
  virtual ~clock() = default;
  /// Nanoseconds of a clock that never goes back and counts sleep (CLOCK_BOOTTIME). For intervals.
  virtual std::int64_t now_ns() = 0;
  /// Microseconds since 1970-01-01T00:00:00Z. Only ever recorded, never compared.
  virtual std::int64_t wall_us() = 0;
};

/// The machine's clocks.
class system_clock final : public clock {
public:
  std::int64_t now_ns() override;
  std::int64_t wall_us() override;
};

} // namespace epione::runtime
