// How far another node is away and how its wall clock goes, from pings and their answers (as NTP does: RFC 5905, sections 8 and
// 10).
#pragma once

#include "messages/peer.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>

namespace epione::cluster {

/// Of the last few answers the one with the shortest way tells the offset: what waited in a queue on one way only would be taken
/// for half of its wait.
class peer_clock {
public:
  explicit peer_clock(std::size_t samples_max) : samples_max_(samples_max) {}

  /// False for an answer to nothing, or one later than a minute.
  bool take(const messages::pong& answer, std::int64_t now_ns) {
    constexpr std::int64_t minute_ns = 60'000'000'000, wall_max_us = std::int64_t{1} << 61;
    if (answer.ping_mono_ns > now_ns || answer.ping_mono_ns < now_ns - minute_ns || outside(answer.ping_wall_us, wall_max_us) ||
        outside(answer.wall_us, wall_max_us))
      return false;
    const auto round_trip = now_ns - answer.ping_mono_ns;
    samples_.push_back({round_trip, answer.wall_us - (answer.ping_wall_us + round_trip / 2'000)});
    if (samples_.size() > samples_max_)
      samples_.pop_front();
    return true;
  }

  /// Of the last answer.
  std::optional<std::int64_t> round_trip_ns() const {
    return samples_.empty() ? std::nullopt : std::optional{samples_.back().round_trip_ns};
  }
  /// How far the other clock is before ours.
  std::optional<std::int64_t> offset_us() const {
    if (samples_.empty())
      return std::nullopt;
    return std::min_element(samples_.rbegin(), samples_.rend(), // the newest of equals

                            [](const auto& a, const auto& b) { return a.round_trip_ns < b.round_trip_ns; })
        ->offset_us;
  }
  void clear() { samples_.clear(); }

private:
  struct sample {
    std::int64_t round_trip_ns, offset_us;
  };
  static bool outside(std::int64_t x, std::int64_t limit) { return x < -limit || x > limit; }

  std::size_t samples_max_;
  std::deque<sample> samples_;
};

} // namespace epione::cluster
