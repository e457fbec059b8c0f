// Asks many actors how they are, so that one that is stuck does not hide the others.
#pragma once

#include "messages/interfaces.hpp"
#include "runtime/environment.hpp"

#include <caf/all.hpp>
#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace epione::actors {

/// Every actor of the system can be asked through this.
using status_source = caf::typed_actor<messages::status_reply>;

/// One line of the answer. Who did not answer has the state "no answer within ...", "down" or "not there" and no details.
using status_reports = std::vector<messages::status_report>;
using status_reports_ptr = std::shared_ptr<const status_reports>;

} // namespace epione::actors

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(epione::actors::status_reports_ptr)

namespace epione::actors {

/// Names and actors, as directory::all() gives them.
using status_targets = std::vector<std::pair<std::string, caf::strong_actor_ptr>>;

/// Asks all at once; answers once, in the order of the targets, when all have answered or `limit` is over, and then ends.
using status_collector_actor = caf::typed_actor<caf::replies_to<messages::status_atom>::with<status_reports_ptr>>;

struct status_collector_state {
  status_collector_state() = default;
  status_targets targets;
  status_reports reports;
  std::size_t missing = 0;
  static inline const char* name = "status_collector";
};

status_collector_actor::behavior_type status_collector(status_collector_actor::stateful_pointer<status_collector_state> self,
                                                       const runtime::environment& env, status_targets targets,
                                                       std::chrono::milliseconds limit);

/// The same from outside of any actor; blocks for at most a little longer than `limit`. Not under the deterministic scheduler.
status_reports collect_status(caf::actor_system& system, const runtime::environment& env, status_targets targets,
                              std::chrono::milliseconds limit);

} // namespace epione::actors
