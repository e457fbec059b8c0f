// How this program's actor systems are set up.
#pragma once

#include "runtime/defaults.hpp"

#include <algorithm>
#include <caf/all.hpp>
#include <thread>

namespace epione::node {

struct actor_config : caf::actor_system_config {
  actor_config() {
    set("scheduler.policy", caf::atom("stealing"));
    set("scheduler.max-threads", static_cast<std::size_t>(std::max(2u, std::thread::hardware_concurrency())));
    set("scheduler.max-throughput", runtime::defaults::actor_turn_messages);
    set("logger.verbosity", caf::atom("quiet"));
  }
};

} // namespace epione::node
