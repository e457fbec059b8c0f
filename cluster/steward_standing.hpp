// What all parts of a steward look at, and how it answers.
#pragma once

#include "cluster/peer_view.hpp"
#include "domain/cluster_state.hpp"
#include "messages/interfaces.hpp"
#include "messages/steward.hpp"
#include "runtime/cluster_view.hpp"
#include "runtime/defaults.hpp"
#include "runtime/environment.hpp"
#include "runtime/shard_view.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>

namespace epione::cluster {

inline constexpr const char* steward_part = "steward";

struct steward_options {
  std::string node, cluster; ///< this node's name, and the cluster's id
  std::uint64_t server_id = 0;
  std::uint32_t shards = 0;
  std::string peer, http;         ///< where this node is reached
  domain::cluster_state founding; ///< what group 0 is told first, by the node that the cluster began with
};

/// For the parts of a steward, which know nothing of its state.
using steward_pointer = messages::steward_actor::pointer;
using steward_promise = caf::typed_response_promise<messages::bytes_ptr>;
using steward_done = std::function<void(ec, const std::string&)>;

struct steward_standing {
  steward_standing(steward_pointer s, const runtime::environment& e, steward_options o, const runtime::cluster_view& c,
                   runtime::shard_view& v, const peer_view& p)
      : self(s), env(e), options(std::move(o)), cluster(c), shards(v), peers(p) {}
  steward_standing(const steward_standing&) = delete;
  steward_standing& operator=(const steward_standing&) = delete;

  const steward_pointer self;
  const runtime::environment& env;
  const steward_options options;
  const runtime::cluster_view& cluster; ///< the nodes
  runtime::shard_view& shards;
  const peer_view& peers;
  bool draining = false; ///< it gives its leaderships away

  std::int64_t now_ms() const { return env.clock.now_ns() / 1'000'000; }
  bool leads_catalog() const { return shards.where(0).here; }
  messages::catalog_actor catalog() const;
  /// Of a group on this node; null: it does not run.
  messages::replica_actor replica(std::uint32_t group) const;
  std::string not_leading() const { return "node " + options.node + " does not lead group 0; try again"; }
};

/// What a catalog or a replica is asked for may take so long.
inline constexpr std::chrono::milliseconds steward_step_limit{runtime::defaults::membership_step_limit_ms};

void say(steward_promise& to, ec error, std::string text, bool changed = false, std::uint64_t seq = 0);
/// The code goes beside the text, which is a client's or an operator's to read.
void say_error(steward_promise& to, const caf::error& why);

} // namespace epione::cluster
