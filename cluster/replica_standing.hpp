// How a group's replica stands at the moment. A part that is given it to read can neither change it nor step the core.
#pragma once

#include "cluster/raft_core.hpp"

#include <cstdint>
#include <memory>
#include <utility>

namespace epione::cluster {

class replica_standing {
public:
  enum class phase : std::uint8_t { loading, bootstrapping, raising, running, waiting, installing, stopped };

  /// Null unless running.
  raft_core* core() { return core_.get(); }
  const raft_core* core() const { return core_.get(); }
  void set_core(std::unique_ptr<raft_core> core) { core_ = std::move(core); }
  bool leads() const { return core_ != nullptr && core_->role() == raft_role::leader; }

  // Of the driver (replica_driver.hpp), which alone changes them, and the core.
  phase at = phase::loading;
  std::int64_t core_started_ms = 0;

  // Of the epoch (replica_epoch.hpp), which alone changes them.
  std::uint64_t epoch = 0;   ///< 0: none is open
  std::uint64_t barrier = 0; ///< index of this epoch's own barrier; 0: not submitted
  bool serving = false;

private:
  std::unique_ptr<raft_core> core_;
};

} // namespace epione::cluster
