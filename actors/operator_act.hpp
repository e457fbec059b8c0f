// What an operator has done to the cluster, said at the console or by `epione cluster`: what can be asked of whom, and its record
// in the audit trail.
#pragma once

#include "actors/console_cluster.hpp"
#include "messages/interfaces.hpp"
#include "runtime/environment.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

namespace epione::actors {

/// Why a node cannot be asked to do something, in a sentence; empty: it can be tried.
std::string cannot_ask(const console_cluster& cluster, const std::string& node);

/// A leadership that is to go from one node to another.
struct transfer_order {
  std::uint32_t shard = 0;
  std::string from, to;
  std::uint64_t to_id = 0; ///< its server
};

/// As things are now; fails with a sentence.
tl::expected<transfer_order, std::string> transfer_of(const console_cluster& cluster, std::uint32_t shard, const std::string& to);

/// The event of group 0's chain for what `who` has done to `entity`, now. `action`: "console.kill", "cluster.drain", ...
messages::event_ptr record_of_act(const runtime::environment& env, std::string who, std::string action, std::string entity,
                                  std::string reason);

/// Says in the log that it is done. `why`: why it is not in the audit trail, which keeps nothing from being done, because an
/// operator who mends group 0 must not be stopped by what is broken; empty: it is there.
void log_act(const runtime::environment& env, std::string_view part, const domain::event& act, const std::string& why);

/// The same for who asked; empty when `why` is.
std::string unrecorded_text(const std::string& why);

} // namespace epione::actors
