// The node's console: answers the commands of `epione console`. It stands beside the tree it shows, under a supervisor of its
// own, so that it answers while that tree is down.
#pragma once

#include "actors/console_call.hpp"

namespace epione::actors {

/// Commands are those of console_commands.hpp. `ports` is kept; env outlives the actor.
messages::admin_console_actor::behavior_type
admin_console(messages::admin_console_actor::stateful_pointer<admin_console_state> self, const runtime::environment& env,
              console_ports ports);

} // namespace epione::actors
