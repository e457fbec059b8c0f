// One machine's clocks in the simulated world: its monotonic clock began at a time of its own and goes a little wrong, and its
// wall clock is what somebody has set it to. No two machines agree on either.
#pragma once

#include "runtime/clock.hpp"
#include "tests/support/manual_clock.hpp"

#include <cstdint>

namespace epione::simulation {

class node_clock final : public runtime::clock {
public:
  /// `ppm`: how many microseconds a second it goes too fast. Crystals go wrong by some ten, leases allow for far more.
  node_clock(const tests::manual_clock& world, std::int64_t up_ns, std::int64_t ppm)
      : world_(world), since_ns_(world.ns), up_ns_(up_ns), ppm_(ppm) {}

  std::int64_t now_ns() override { return local_ns(world_.ns); }
  std::int64_t wall_us() override {
    return 1'790'000'000'000'000 + wall_offset_us + (world_.ns + drift(world_.ns - since_ns_)) / 1'000;
  }

  /// The machine starts again.
  void reboot(std::int64_t up_ns) {
    since_ns_ = world_.ns;
    up_ns_ = up_ns;
  }
  std::int64_t local_ns(std::int64_t world_ns) const {
    const auto passed = world_ns - since_ns_;
    return up_ns_ + passed + drift(passed);
  }
  /// The first moment of the world's at which this clock shows so much.
  std::int64_t world_ns(std::int64_t local) const {
    const auto passed = local - up_ns_;
    auto at = since_ns_ + passed - passed / (million + ppm_) * ppm_;
    while (local_ns(at) < local)
      at += 1 + (local - local_ns(at)) / 2;
    return at;
  }

  std::int64_t wall_offset_us = 0; ///< what somebody has set the wall clock forward by

private:
  static constexpr std::int64_t million = 1'000'000;
  std::int64_t drift(std::int64_t passed) const { return passed / million * ppm_; }

  const tests::manual_clock& world_;
  std::int64_t since_ns_, up_ns_;
  std::int64_t ppm_;
};

} // namespace epione::simulation
