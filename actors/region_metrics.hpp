// What a shard's region counts.
#pragma once

#include "runtime/metrics.hpp"

#include <cstdint>

namespace epione::actors {

struct region_metrics {
  region_metrics(runtime::metrics& m, std::uint32_t shard);

  prometheus::Histogram &checked, &durable;
  prometheus::Counter &stored, &repeats, &conflicts, &refused, &set_aside, &not_now, &alerts, &session_starts,
      &waited_and_started, &waited_in_vain;
  prometheus::Gauge &table, &sessions;
};

} // namespace epione::actors
