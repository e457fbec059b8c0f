// Leaves the other side alone for a while after failures in a row, then tries once. (Nygard, Release It!, chapter 5)
#pragma once

#include <algorithm>
#include <cstdint>
#include <string_view>

namespace epione::runtime {

/// Times are nanoseconds of a clock that never goes back.
class circuit_breaker {
public:
  enum class state : std::uint8_t { closed, open, half_open };

  circuit_breaker(std::uint32_t failures, std::uint64_t open_ms, std::uint64_t open_ms_max)
      : failures_max_(failures), open_ns_(static_cast<std::int64_t>(open_ms) * 1'000'000),
        open_ns_max_(std::max(open_ns_, static_cast<std::int64_t>(open_ms_max) * 1'000'000)) {}

  state now() const { return state_; }
  /// Whether something may be sent: always when closed; once, when the time of an open one is over.
  bool may_pass(std::int64_t now_ns) const { return state_ == state::closed || (state_ == state::open && now_ns >= until_ns_); }
  /// When an open one may be tried.
  std::int64_t until_ns() const { return until_ns_; }
  /// Something is sent: of an open one it is the trial.
  void pass() {
    if (state_ == state::open)
      state_ = state::half_open;
  }
  /// True when it closes: the other side is there again.
  bool succeeded() {
    failures_ = 0;
    trials_ = 0;
    const bool closes = state_ != state::closed;
    state_ = state::closed;
    return closes;
  }
  /// True when it opens now. Failures of what was sent before it opened change nothing.
  bool failed(std::int64_t now_ns) {
    if (state_ == state::open)
      return false;
    if (state_ == state::closed && ++failures_ < failures_max_)
      return false;
    until_ns_ = now_ns + std::min(open_ns_max_, open_ns_ << std::min<std::uint32_t>(trials_, 16));
    ++trials_;
    state_ = state::open;
    return true;
  }
  /// The trial came to nothing that says anything about the other side.
  void undecided(std::int64_t now_ns) {
    if (state_ == state::half_open) {
      state_ = state::open;
      until_ns_ = now_ns + open_ns_;
    }
  }

private:
  std::uint32_t failures_max_;
  std::int64_t open_ns_, open_ns_max_;
  state state_ = state::closed;
  std::uint32_t failures_ = 0, trials_ = 0;
  std::int64_t until_ns_ = 0;
};

inline std::string_view to_string(circuit_breaker::state x) {
  switch (x) {
    case circuit_breaker::state::closed: return "closed";
    case circuit_breaker::state::open: return "open";
    case circuit_breaker::state::half_open: return "half open";
  }
  return "closed";
}

} // namespace epione::runtime
