// One machine's clocks in the simulated world: its monotonic clock began at a time of its own and goes a little wrong, at
// times more than a little, and its wall clock is what somebody has set it to. No two machines agree on either.
#pragma once

#include "runtime/clock.hpp"
#include "tests/support/manual_clock.hpp"

#include <cstdint>

namespace epione::simulation {

class node_clock final : public runtime::clock {
public:
  /// `ppm`: how many microseconds a second it goes too fast.
  node_clock(const tests::manual_clock& world, std::int64_t up_ns, std::int64_t ppm)
      : world_(world), since_ns_(world.ns), up_ns_(up_ns), ppm_(ppm) {}

  std::int64_t now_ns() override { return local_ns(world_.ns); }
  std::int64_t wall_us() override {
    return 1'790'000'000'000'000 + wall_offset_us + (world_.ns + drifted_ns_ + drift(world_.ns - since_ns_)) / 1'000;
  }

  /// The machine starts again. Its wall clock went on, as wrongly as before.
  void reboot(std::int64_t up_ns) {
    go_on_from_here();
    up_ns_ = up_ns;
  }
  /// From now on it goes wrong by so much. What it shows just now stays.
  void set_drift(std::int64_t ppm) {
    up_ns_ = local_ns(world_.ns);
    go_on_from_here();
    ppm_ = ppm;
  }
  std::int64_t local_ns(std::int64_t world_ns) const {
    const auto passed = world_ns - since_ns_;
    return up_ns_ + passed + drift(passed);
  }
  /// The first moment of the world's at which this clock shows so much.
  std::int64_t world_ns(std::int64_t local) const {
    const auto passed = local - up_ns_;
    const auto rate = million + ppm_;
    auto at = since_ns_ + passed / rate * million + passed % rate * million / rate;
    while (local_ns(at) < local)
      at += 1 + (local - local_ns(at)) / 2;
    return at;
  }

  std::int64_t wall_offset_us = 0; ///< what somebody has set the wall clock forward by

private:
  static constexpr std::int64_t million = 1'000'000;
  /// In two parts, so that no product overflows.
  std::int64_t drift(std::int64_t passed) const { return passed / million * ppm_ + passed % million * ppm_ / million; }
  void go_on_from_here() {
    drifted_ns_ += drift(world_.ns - since_ns_);
    since_ns_ = world_.ns;
  }

  const tests::manual_clock& world_;
  std::int64_t since_ns_, up_ns_;
  std::int64_t drifted_ns_ = 0; ///< before that
  std::int64_t ppm_;
};

} // namespace epione::simulation
