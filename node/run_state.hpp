// How far a node's run has come: whether somebody asked for its end, and whether it has ended. Whoever waits for something else
// waits here, so that the end wakes it.
#pragma once

#include <caf/error.hpp>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>

namespace epione::node {

/// What ends a wait early.
enum class given_up_when : std::uint8_t { ended, asked_to_stop }; ///< asked_to_stop: or ended

/// Thread-safe. Outlives the actors.
class run_state {
public:
  using time_point = std::chrono::steady_clock::time_point;

  void request_stop();
  bool asked_to_stop() const;

  /// The node supervisor is no more. `why`: none after a stop.
  void tree_ended(const caf::error& why);
  /// What speaks with the other nodes is no more. When it was not stopped, this ends the run: the node is of no use without them.
  void cluster_ended(const caf::error& why);
  bool ended() const;
  /// Why, once it has.
  caf::error end_reason() const;

  /// Blocks. True: it ended; false: somebody asked for it.
  bool wait_until_over();
  /// False: not within the limit.
  bool wait_until_ended(std::chrono::milliseconds limit);
  bool wait_until_cluster_ended(std::chrono::milliseconds limit);

  /// For what tells nobody when it is so: asks `done` every few milliseconds. False: given up, or `until` has come. `done` is
  /// called under this object's lock and calls none of its functions.
  template <class Done>
  bool wait_for(Done done, given_up_when when, time_point until = time_point::max()) {
    std::unique_lock lock{mutex_};
    while (!done()) {
      if (ended_ || (when == given_up_when::asked_to_stop && stop_requested_) || std::chrono::steady_clock::now() >= until)
        return false;
      changed_.wait_for(lock, poll_period);
    }
    return true;
  }

private:
  static constexpr std::chrono::milliseconds poll_period{5};

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool ended_ = false, stop_requested_ = false, cluster_ended_ = false;
  caf::error end_reason_;
};

} // namespace epione::node
