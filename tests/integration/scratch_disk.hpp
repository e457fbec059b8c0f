// A simulated disk of a test's own: what was not synced is lost in a power loss, and space can run out. One at a time: SQLite's
// random numbers are one for the whole process.
#pragma once

#include "runtime/clock.hpp"
#include "tests/simulation/simulated_disk.hpp"

#include <cstdint>
#include <string>

namespace epione::tests {

class scratch_disk {
public:
  simulation::simulated_disk& disk() { return disk_; }
  std::string directory() const { return "/node"; }

private:
  class standing_clock final : public runtime::clock {
  public:
    std::int64_t now_ns() override { return 1; }
    std::int64_t wall_us() override { return 1; }
  };
  standing_clock clock_;
  simulation::simulated_disk disk_{1, clock_};
};

} // namespace epione::tests
