// A rate limit: so many in a period, evenly, with as many at once as one second allows.
#pragma once

#include <algorithm>
#include <cstdint>

namespace epione::runtime {

/// Times are nanoseconds of a clock that never goes back. The first one may pass at once.
class token_bucket {
public:
  /// Both greater than 0.
  token_bucket(std::uint64_t count, std::uint64_t period_ms)
      : interval_ns_(std::max<std::int64_t>(1, static_cast<std::int64_t>(period_ms * 1'000'000 / count))),
        burst_ns_(std::max<std::int64_t>(0, 1'000'000'000 - interval_ns_)) {}

  bool may_pass(std::int64_t now_ns) const { return now_ns + burst_ns_ >= next_ns_; }
  /// When the next one may pass.
  std::int64_t when() const { return next_ns_ - burst_ns_; }
  void pass(std::int64_t now_ns) { next_ns_ = std::max(next_ns_, now_ns) + interval_ns_; }

private:
  std::int64_t interval_ns_, burst_ns_;
  std::int64_t next_ns_ = 0; ///< when the one after all that have passed is due, were they even
};

} // namespace epione::runtime
