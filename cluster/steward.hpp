// Looks after who belongs to what: on the node that leads group 0 it brings every group step by step to where it should be, and
// on every node it carries out what another steward asks of the groups led there.
//
// It keeps no plan. What group 0 says of the nodes and what each group says of its members is compared several times a second,
// and the next step follows from that; so whatever dies at whatever moment, the steward after it goes on from what is there.
#pragma once

#include "cluster/peer_view.hpp"
#include "cluster/placement.hpp"
#include "domain/cluster_state.hpp"
#include "messages/interfaces.hpp"
#include "messages/steward.hpp"
#include "runtime/cluster_view.hpp"
#include "runtime/environment.hpp"
#include "runtime/shard_view.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace epione::cluster {

struct steward_options {
  std::string node, cluster; ///< this node's name, and the cluster's id
  std::uint64_t server_id = 0;
  std::uint32_t shards = 0;
  std::string peer, http;         ///< where this node is reached
  domain::cluster_state founding; ///< what group 0 is told first, by the node that the cluster began with
};

struct steward_state {
  /// A change of the list of nodes on its way into group 0.
  struct pending_record {
    std::uint64_t changes = 0; ///< of the view, when it was proposed
    std::int64_t until_ns = 0;
    bool durable = false;
    std::function<void(ec, const std::string&)> done;
  };
  /// Until it shows, or was refused for sure, nothing else is asked of that group.
  struct asked_step {
    std::int64_t until_ns = 0;
    std::optional<messages::server_change> change; ///< nothing: a leadership
  };
  steward_state() = default;
  std::optional<pending_record> record;
  std::map<std::uint32_t, asked_step> asked; ///< by group
  std::int64_t balanced_ns = 0;              ///< when a leadership was moved last
  std::int64_t healthy_since_ns = 0;         ///< 0: something is missing
  std::int64_t settled_since_ns = 0;         ///< 0: members are being changed, or something is not known
  bool draining = false;
  static inline const char* name = "steward";
};

/// "steward" in the directory. Everything outlives the actor.
messages::steward_actor::behavior_type steward(messages::steward_actor::stateful_pointer<steward_state> self,
                                               const runtime::environment& env, steward_options options,
                                               const runtime::cluster_view& cluster, runtime::shard_view& shards,
                                               const peer_view& peers);

} // namespace epione::cluster
