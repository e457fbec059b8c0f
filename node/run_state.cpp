#include "node/run_state.hpp"

#include <caf/all.hpp>

namespace epione::node {

void run_state::request_stop() {
  std::lock_guard guard{mutex_};
  stop_requested_ = true;
  changed_.notify_all();
}

bool run_state::asked_to_stop() const {
  std::lock_guard guard{mutex_};
  return stop_requested_;
}

void run_state::tree_ended(const caf::error& why) {
  std::lock_guard guard{mutex_};
  ended_ = true;
  end_reason_ = why;
  changed_.notify_all();
}

void run_state::cluster_ended(const caf::error& why) {
  std::lock_guard guard{mutex_};
  cluster_ended_ = true;
  if (why && why != caf::exit_reason::user_shutdown && !ended_) {
    ended_ = true;
    end_reason_ = why;
  }
  changed_.notify_all();
}

bool run_state::ended() const {
  std::lock_guard guard{mutex_};
  return ended_;
}

caf::error run_state::end_reason() const {
  std::lock_guard guard{mutex_};
  return end_reason_;
}

bool run_state::wait_until_over() {
  std::unique_lock lock{mutex_};
  changed_.wait(lock, [this] { return ended_ || stop_requested_; });
  return ended_;
}

bool run_state::wait_until_ended(std::chrono::milliseconds limit) {
  std::unique_lock lock{mutex_};
  return changed_.wait_for(lock, limit, [this] { return ended_; });
}

bool run_state::wait_until_cluster_ended(std::chrono::milliseconds limit) {
  std::unique_lock lock{mutex_};
  return changed_.wait_for(lock, limit, [this] { return cluster_ended_; });
}

} // namespace epione::node
