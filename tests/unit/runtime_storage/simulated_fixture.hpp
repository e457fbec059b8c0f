// A simulated disk with a clock that stands still.
#pragma once

#include "runtime/clock.hpp"
#include "tests/simulation/simulated_disk.hpp"
#include "tests/unit/runtime_storage/storage_fixture.hpp"

namespace epione::storage_tests {

class still_clock final : public runtime::clock {
public:
  std::int64_t now_ns() override { return 1'000'000'000; }
  std::int64_t wall_us() override { return 1'772'000'000'000'000; }
};

struct simulated {
  explicit simulated(std::uint64_t seed) : disk(seed, clock) {}
  still_clock clock;
  simulation::simulated_disk disk;
};

} // namespace epione::storage_tests
