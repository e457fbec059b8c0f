// How a group's replica stands: what all of its parts look at.
#pragma once

#include "cluster/raft_core.hpp"
#include "cluster/replica_options.hpp"
#include "messages/interfaces.hpp"
#include "runtime/environment.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

namespace epione::cluster {

/// For the parts of a replica, which know nothing of its state.
using replica_pointer = messages::replica_actor::pointer;

struct replica_standing {
  enum class phase : std::uint8_t { loading, bootstrapping, raising, running, waiting, installing, stopped };

  replica_standing(replica_pointer s, const runtime::environment& e, replica_options o, epoch_counter counter)
      : self(s), env(e), options(std::move(o)), epochs(std::move(counter)), name("replica " + std::to_string(options.group)) {}
  replica_standing(const replica_standing&) = delete;
  replica_standing& operator=(const replica_standing&) = delete;

  const replica_pointer self;
  const runtime::environment& env;
  const replica_options options;
  const epoch_counter epochs;
  const std::string name;

  phase at = phase::loading;
  std::unique_ptr<raft_core> core; ///< null unless running
  std::int64_t core_started_ms = 0;

  // Of the epoch (replica_epoch.hpp), which alone changes them.
  std::uint64_t epoch = 0;   ///< 0: none is open
  std::uint64_t barrier = 0; ///< index of this epoch's own barrier; 0: not submitted
  bool serving = false;

  std::int64_t now_ms() const { return env.clock.now_ns() / 1'000'000; }
  bool leads() const { return core != nullptr && core->role() == raft_role::leader; }
  /// Never used before in this process.
  std::uint64_t next_epoch() const { return epochs->fetch_add(1) + 1; }
  /// An error that names the group.
  caf::error error(ec code, const std::string& sentence) const { return caf::make_error(code, name + sentence); }
};

} // namespace epione::cluster
