// What a running node answers at its private door (runtime/admin_socket.hpp).
#pragma once

#include "node/actor_tree.hpp"
#include "node/cluster_parts.hpp"
#include "node/run_state.hpp"
#include "runtime/admin_socket.hpp"

#include <caf/all.hpp>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace epione::node {

/// What is asked for the answers.
struct running_parts {
  caf::actor_system& system;
  actor_tree& tree;
  cluster_parts* cluster; ///< null: this node is alone
  run_state& run;
  std::uint32_t shards;
};

/// "console" (words: the command, a word a line; json, columns: how it is shown; after: where it goes on), "study-import"
/// (source), "apply-committed" (group, index, limit_ms), "anchor", and "cluster-..." (node/cluster_answers.hpp). `user`: who
/// asks, for the audit trail. On any thread; blocks it until there is an answer, within the limit of each.
runtime::admin_reply answer_admin(const runtime::admin_request& r, const std::string& user, const running_parts& parts);

/// Has this group's store apply what is committed now instead of letting it gather, and this entry of the log. A sentence when it
/// has not within the limit.
std::optional<std::string> have_applied(std::uint32_t group, std::uint64_t index, std::chrono::milliseconds limit,
                                        const running_parts& parts);

} // namespace epione::node
