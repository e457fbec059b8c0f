// What a node of a cluster has beside the actors of a single node: its links, and what is known of nodes and shards.
#pragma once

#include "cluster/link_keeper.hpp"
#include "cluster/peer_transport.hpp"
#include "cluster/peer_view.hpp"
#include "domain/cluster_state.hpp"
#include "runtime/cluster_view.hpp"
#include "runtime/shard_view.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace epione::node {

/// Outlives the tree.
struct cluster_parts {
  cluster_parts(cluster::peer_transport& t, cluster::local_identity& i) : transport(t), identity(i) {}

  cluster::peer_transport& transport;
  cluster::local_identity& identity;
  cluster::peer_view peers;
  runtime::shard_view shards;
  runtime::cluster_view nodes;

  std::string name;                         ///< of this node
  std::string cluster;                      ///< its id; empty: not a member yet
  std::uint64_t server_id = 0;              ///< of this node's directory; 0: not a member yet
  bool founder = false;                     ///< the cluster began on this directory: an empty journal there is a new cluster
  std::string peer, http;                   ///< where this node is reached
  std::vector<cluster::peer_address> known; ///< nodes of the cluster's file
  domain::cluster_state founding;           ///< founder: what group 0 is told first
};

} // namespace epione::node
