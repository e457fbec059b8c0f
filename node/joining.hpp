// How a node takes its place among the nodes of a cluster when it starts, and gives its work to them when it stops.
#pragma once

#include "messages/steward.hpp"
#include "node/actor_tree.hpp"
#include "node/cluster_parts.hpp"
#include "node/cluster_side.hpp"
#include "node/data_directory.hpp"
#include "node/node.hpp"
#include "node/run_state.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <tl/expected.hpp>

namespace epione::node {

/// A directory that belongs to a cluster is started as what it is, or not at all; nothing: it may be.
std::optional<node_error> check_membership(const node_options& options, const data_directory& directory);

/// This node's side of the cluster, with its port for the others open. `options` have a cluster.
tl::expected<std::unique_ptr<cluster_side>, node_error> listen_for_nodes(const node_options& options, const tree_ports& ports);

/// An empty directory asks the cluster's nodes to be let in, with nothing running but its links: blocks until they do, refuse it,
/// or `stop`. Nothing when the directory holds data already, or when stopped. `waiting` is told what it waits for, every few
/// seconds.
tl::expected<std::optional<messages::join_grant>, node_error>
become_member(const node_options& options, tree_ports ports, const std::stop_token& stop,
              const std::function<void(const std::string&)>& waiting);

/// Notes that the node has been ready once: should this directory's journal be lost from now on, it begins no cluster again, nor
/// goes on as the member it was: it has to be replaced. Waits for group 0 to have named its nodes, membership_step_limit_ms at
/// most; without that the next start will see.
std::optional<node_error> note_begun(const data_directory& directory, std::uint32_t shards, const runtime::cluster_view& nodes,
                                     run_state& run);

/// Has the shards that are led here led by other nodes; waits for it, hand_over_limit_ms at most.
void hand_over_shards(actor_tree& tree, const cluster_parts& parts, run_state& run);

} // namespace epione::node
