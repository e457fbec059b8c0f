// Checks and scores submissions against the studies of the catalog. Holds no state of its own: any number of them may run.
#pragma once

#include "messages/interfaces.hpp"
#include "runtime/catalog_view.hpp"
#include "runtime/environment.hpp"

#include <string>

namespace epione::actors {

struct validator_state {
  validator_state() = default;
  /// What is being worked on: named in the exit reason when it ends this actor.
  domain::receipt current{};
  std::uint64_t checked = 0;
  static inline const char* name = "validator";
};

/// `catalog` must outlive the actor. A submission that makes it throw ends it with ec::crashed_on_input and the receipt's text.
messages::validator_actor::behavior_type validator(messages::validator_actor::stateful_pointer<validator_state> self,
                                                   const runtime::environment& env, std::string name,
                                                   const runtime::catalog_view& catalog);

} // namespace epione::actors
