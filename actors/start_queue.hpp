// Submissions that wait for their patients' sessions to be started, in the order they came, while the shard has just begun to
// serve and may start only so many (start_ramp.hpp).
#pragma once

#include "actors/region_sessions.hpp"
#include "actors/region_standing.hpp"
#include "runtime/defaults.hpp"

#include <chrono>
#include <cstddef>
#include <deque>

namespace epione::actors {

class start_queue {
public:
  start_queue(region_pointer self, const region_sessions& sessions) : self_(self), sessions_(sessions) {}

  std::size_t size() const { return waiting_.size(); }
  bool is_full() const { return waiting_.size() >= runtime::defaults::session_starts_waiting_max; }
  /// Nobody overtakes those who wait, but for patients whose session is there.
  bool has_to_wait(std::uint64_t subject_hash) const {
    return (!waiting_.empty() || !sessions_.may_start()) && !sessions_.has(subject_hash);
  }

  void push(const domain::receipt& id) {
    waiting_.push_back(id);
    look_soon();
  }
  void clear() { waiting_.clear(); }

  /// The region's flush: one after the other is handed to `start`, until that says that it has to wait longer (false).
  template <class Start>
  void on_look(Start start) {
    looking_ = false;
    while (!waiting_.empty() && start(waiting_.front()))
      waiting_.pop_front();
    look_soon();
  }

private:
  static constexpr std::chrono::milliseconds period{10};

  void look_soon() {
    if (looking_ || waiting_.empty())
      return;
    looking_ = true;
    self_->delayed_send(self_, period, messages::flush_atom::value);
  }

  region_pointer self_;
  const region_sessions& sessions_;
  std::deque<domain::receipt> waiting_; ///< of the table
  bool looking_ = false;                ///< a message to look at those who wait is on its way
};

} // namespace epione::actors
