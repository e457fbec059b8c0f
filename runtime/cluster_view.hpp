// The nodes of the cluster as group 0 names them, for whoever needs to know: published by the catalog, read by links, router,
// steward, console.
#pragma once

#include "domain/cluster_state.hpp"

#include <cstdint>
#include <memory>
#include <mutex>

namespace epione::runtime {

/// Thread-safe.
class cluster_view {
public:
  /// Null until group 0 has said something.
  std::shared_ptr<const domain::cluster_state> get() const {
    std::lock_guard guard{mutex_};
    return state_;
  }
  void set(std::shared_ptr<const domain::cluster_state> s) {
    std::lock_guard guard{mutex_};
    state_ = std::move(s);
    ++changes_;
  }
  /// Grows with every change.
  std::uint64_t changes() const {
    std::lock_guard guard{mutex_};
    return changes_;
  }

private:
  mutable std::mutex mutex_;
  std::shared_ptr<const domain::cluster_state> state_;
  std::uint64_t changes_ = 0;
};

} // namespace epione::runtime
