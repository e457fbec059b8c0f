// The living patient sessions of a node. They come and go with their regions and have no name in the directory, but under the
// deterministic scheduler, between two messages, a region's state may be looked at.
#pragma once

#include "actors/shard_region.hpp"
#include "runtime/directory.hpp"

#include <cstdint>
#include <vector>

namespace epione::tests {

struct living_session {
  std::uint64_t subject_hash = 0;
  bool busy = false; ///< has something in check
  caf::actor actor;
};

/// In an order that is the same in every run.
inline std::vector<living_session> patient_sessions(const runtime::directory& directory) {
  using region_pointer = messages::shard_region_actor::stateful_pointer<actors::shard_region_state>;
  std::vector<living_session> result;
  for (const auto& [name, who] : directory.all()) {
    const auto region = dynamic_cast<region_pointer>(caf::actor_cast<caf::abstract_actor*>(who));
    if (region == nullptr || region->getf(caf::abstract_actor::is_terminated_flag))
      continue; // an actor that has ended has no state
    if (!region->state.parts)
      continue; // nor has one that has not begun
    const auto& sessions = region->state.parts->sessions;
    for (const auto hash : sessions.by_use()) {
      const auto& s = sessions.at(hash);
      result.push_back({hash, s.checking > 0, caf::actor_cast<caf::actor>(s.actor)});
    }
  }
  return result;
}

} // namespace epione::tests
