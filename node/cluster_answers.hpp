// What a running node answers to `epione cluster ...`.
#pragma once

#include "node/actor_tree.hpp"
#include "node/cluster_parts.hpp"
#include "runtime/admin_socket.hpp"

#include <caf/all.hpp>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <tl/expected.hpp>

namespace epione::node {

/// {"cluster", "nodes": [...], "shards": [...], "missing": [...]}; `whole` is false when something is under-replicated, which
/// `missing` names. docs/cluster.md says what the members mean.
std::string cluster_status_json(const cluster_parts& parts, std::uint32_t shards, bool& whole);

/// Why a group is not whole, as this node sees it, in a sentence; nothing: it is.
std::optional<std::string> what_is_missing(std::uint32_t group, const cluster_parts& parts);

/// What a group's leader has committed now: everything acknowledged before the question is at or below it. Asks again until then
/// while nobody leads; else a sentence.
tl::expected<std::uint64_t, std::string> committed_in(std::uint32_t group, caf::actor_system& system, actor_tree& tree,
                                                      const cluster_parts& parts, std::chrono::steady_clock::time_point until);

/// "cluster-status", "cluster-locate" (patient, study), "cluster-nodes" (verb: invite, leave, replace, drain, undrain; node;
/// peer: of who is invited; force: "true" replaces a node that runs; because), "cluster-transfer" (shard, node, because). `user`:
/// who asks, for the audit trail.
runtime::admin_reply answer_cluster(const runtime::admin_request& r, const std::string& user, caf::actor_system& system,
                                    actor_tree& tree, cluster_parts& parts, std::uint32_t shards);

} // namespace epione::node
