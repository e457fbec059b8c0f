// What a supervisor says of its children.
#pragma once

#include "actors/supervisor.hpp"

namespace epione::actors {

/// As operators read it: "running", "waiting to be started again", ...
const char* text(child_state x);
/// For `status`: a detail for each child.
messages::status_report_ptr status_of(const supervisor_state& state, const runtime::environment& env);
/// For the console's tree.
messages::child_reports_ptr children_of(const supervisor_state& state, const runtime::environment& env);

} // namespace epione::actors
