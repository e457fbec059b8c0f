// Looks after who belongs to what: on the node that leads group 0 it brings every group step by step to where it should be, and
// on every node it carries out what another steward asks of the groups led there.
//
// It keeps no plan. What group 0 says of the nodes and what each group says of its members is compared several times a second,
// and the next step follows from that; so whatever dies at whatever moment, the steward after it goes on from what is there.
//
// Its parts: the list of nodes (steward_nodes.hpp), members of groups and moves of replicas (steward_groups.hpp), and who leads
// (steward_leads.hpp). What is right for a group is placement.hpp's to say.
#pragma once

#include "cluster/steward_groups.hpp"
#include "cluster/steward_leads.hpp"
#include "cluster/steward_nodes.hpp"
#include "cluster/steward_standing.hpp"

#include <optional>
#include <utility>

namespace epione::cluster {

/// In the order in which they stand on each other. They refer to each other and stay where they are.
struct steward_parts {
  steward_parts(steward_pointer self, const runtime::environment& env, steward_options options,
                const runtime::cluster_view& cluster, runtime::shard_view& shards, const peer_view& peers)
      : standing(self, env, std::move(options), cluster, shards, peers) {}
  steward_parts(const steward_parts&) = delete;
  steward_parts& operator=(const steward_parts&) = delete;

  steward_standing standing;
  steward_nodes nodes{standing};
  steward_groups groups{standing};
  steward_leads leads{standing, groups};
};

struct steward_state {
  steward_state() = default;
  std::optional<steward_parts> parts; ///< from its start on
  static inline const char* name = "steward";
};

/// "steward" in the directory. Everything outlives the actor.
messages::steward_actor::behavior_type steward(messages::steward_actor::stateful_pointer<steward_state> self,
                                               const runtime::environment& env, steward_options options,
                                               const runtime::cluster_view& cluster, runtime::shard_view& shards,
                                               const peer_view& peers);

} // namespace epione::cluster
