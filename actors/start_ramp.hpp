// How fast a shard that has just begun to serve may start its patients' sessions.
//
// After a take-over or a restart no patient has a session, and each start reads the patient's keys from a store whose pages are
// in no cache yet. Started all at once they would hold up each other, and everybody else who reads. So the number a second is
// limited at first and doubles with every second, which is how fast the cache gets warm; after the ramp there is no limit any
// more.
#pragma once

#include "runtime/defaults.hpp"

#include <algorithm>
#include <cstdint>

namespace epione::actors {

/// Times are nanoseconds of a clock that never goes back. Before begin() there is no limit.
class start_ramp {
public:
  /// `starts_per_s`, greater than 0: in the first second.
  explicit start_ramp(std::uint32_t starts_per_s) : starts_per_s_(starts_per_s) {}

  void begin(std::int64_t now_ns) {
    began_ns_ = next_ns_ = now_ns;
    begun_ = true;
  }

  bool is_over(std::int64_t now_ns) const {
    return !begun_ || now_ns - began_ns_ >= std::int64_t{runtime::defaults::session_ramp_ms} * 1'000'000;
  }

  bool may_start(std::int64_t now_ns) const { return is_over(now_ns) || now_ns + burst_ns >= next_ns_; }

  void started(std::int64_t now_ns) {
    if (!is_over(now_ns))
      next_ns_ = std::max(next_ns_, now_ns) + second_ns / starts_per_s(now_ns);
  }

  /// Allowed just now; 0: as many as come.
  std::int64_t starts_per_s(std::int64_t now_ns) const {
    return is_over(now_ns) ? 0 : std::int64_t{starts_per_s_} << ((now_ns - began_ns_) / second_ns);
  }

private:
  static constexpr std::int64_t second_ns = 1'000'000'000;
  static constexpr std::int64_t burst_ns = 20'000'000; // twice as long as those who wait are not looked at

  std::uint32_t starts_per_s_;
  bool begun_ = false;
  std::int64_t began_ns_ = 0, next_ns_ = 0; ///< when the one after all that have started is due, were they even
};

} // namespace epione::actors
