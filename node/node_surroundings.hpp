// What a node stands on beside its actors: log, numbers, clock, chance, disk and process, the real ones.
#pragma once

#include "runtime/clock.hpp"
#include "runtime/config.hpp"
#include "runtime/log.hpp"
#include "runtime/metrics.hpp"
#include "runtime/process.hpp"
#include "runtime/random.hpp"
#include "runtime/storage/disk.hpp"

#include <memory>

namespace epione::node {

/// Outlives everything else of the node.
struct node_surroundings {
  explicit node_surroundings(const runtime::config& config)
      : log(runtime::make_json_log(runtime::parse_log_level(config.log.level).value_or(runtime::log_level::info))) {}

  const std::unique_ptr<runtime::log> log;
  runtime::metrics metrics;
  runtime::system_clock clock;
  runtime::system_random random;
  const std::unique_ptr<runtime::disk> disk = runtime::make_system_disk();
  const std::unique_ptr<runtime::process> process = runtime::make_system_process(*log);
};

} // namespace epione::node
