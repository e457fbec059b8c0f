// A replica's timer: one runs at a time unless an earlier one is needed; a later due time is found when it fires.
#pragma once

#include "cluster/replica_identity.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace epione::cluster {

class replica_timer {
public:
  explicit replica_timer(const replica_identity& replica) : replica_(replica) {}

  void schedule(std::int64_t due_ms) {
    if (due_ms_ != 0 && due_ms_ <= due_ms)
      return;
    due_ms_ = due_ms;
    replica_.self->delayed_send(replica_.self, std::chrono::milliseconds{std::max<std::int64_t>(1, due_ms - replica_.now_ms())},
                                caf::tick_atom::value, ++newest_);
  }
  /// What it runs for is void: the next one runs in any case.
  void forget() { due_ms_ = 0; }
  /// The replica's tick. False: it counts no more.
  bool on_tick(std::uint64_t timer) {
    if (timer != newest_)
      return false;
    due_ms_ = 0;
    return true;
  }

private:
  const replica_identity& replica_;
  std::uint64_t newest_ = 0; ///< the one that counts; older ones are ignored
  std::int64_t due_ms_ = 0;  ///< 0: none is running
};

} // namespace epione::cluster
