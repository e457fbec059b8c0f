// What a replica counts.
#pragma once

#include "runtime/metrics.hpp"

#include <cstdint>
#include <string>

namespace epione::cluster {

struct replica_metrics {
  replica_metrics(runtime::metrics& m, std::uint32_t group)
      : lag(m.gauge("epione_store_lag_entries", "Log entries committed and not yet applied to the shard's store",
                    {{"shard", std::to_string(group)}})),
        memory(m.gauge("epione_log_memory_bytes", "Log entries held in memory", {{"shard", std::to_string(group)}})),
        epochs(m.counter("epione_epochs_total", "Epochs opened: starts, changes of leadership, new listeners",
                         {{"shard", std::to_string(group)}})),
        reloads(m.counter("epione_replica_reloads_total", "Logs loaded again after a write that failed",
                          {{"shard", std::to_string(group)}})) {}

  prometheus::Gauge &lag, &memory;
  prometheus::Counter &epochs, &reloads;
};

} // namespace epione::cluster
