// Imports a study into the catalog of a running node, for the command line and for --demo.
#pragma once

#include "domain/study.hpp"
#include "node/actor_tree.hpp"
#include "node/node.hpp"
#include "node/run_state.hpp"
#include "runtime/admin_socket.hpp"

#include <caf/all.hpp>
#include <string>
#include <tl/expected.hpp>
#include <vector>

namespace epione::node {

/// Waits for the catalog, import_answer_limit_ms at most, or until `when`. `who`: for the audit trail.
tl::expected<import_result, import_failure> import_into_catalog(caf::actor_system& system, const actor_tree& tree, run_state& run,
                                                                const domain::study_source& source, const std::string& who,
                                                                given_up_when when);

/// From "file\tplace\tmessage" a line, as the catalog and the node's private door answer. A line without both tabs is a message.
std::vector<domain::import_problem> problems_of(const std::string& text);

/// Everything about a failed import in one sentence.
std::string sentence_of(const import_failure& failure);

/// The same for `epione study import`: "study" and "changed", or "problems" with "file\tplace\tmessage" a line.
runtime::admin_reply reply_of(const tl::expected<import_result, import_failure>& result);

} // namespace epione::node
