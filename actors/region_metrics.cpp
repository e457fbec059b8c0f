#include "actors/region_metrics.hpp"

#include <string>

namespace epione::actors {

namespace {

prometheus::Counter& answered(runtime::metrics& m, const char* name) {
  return m.counter("epione_submissions_total", "Submissions by how they were answered", {{"answer", name}});
}

prometheus::Histogram& stage(runtime::metrics& m, const char* name) {
  return m.histogram("epione_submission_seconds", "From the last byte read to the end of a stage", runtime::latency_buckets(),
                     {{"stage", name}});
}

prometheus::Counter& waited(runtime::metrics& m, const char* name) {
  return m.counter("epione_session_starts_waited_total",
                   "Submissions that waited for a session to be started, by what came of it", {{"outcome", name}});
}

} // namespace

region_metrics::region_metrics(runtime::metrics& m, std::uint32_t shard)
    : checked(stage(m, "checked")), durable(stage(m, "durable")), stored(answered(m, "stored")), repeats(answered(m, "repeat")),
      conflicts(answered(m, "conflict")), refused(answered(m, "refused")), set_aside(answered(m, "set_aside")),
      not_now(answered(m, "not_now")), alerts(m.counter("epione_alerts_total", "Alerts raised by submissions")),
      session_starts(m.counter("epione_session_starts_total", "Patient sessions started")),
      waited_and_started(waited(m, "started")), waited_in_vain(waited(m, "refused")),
      table(m.gauge("epione_region_table_entries", "Submissions on their way or not yet applied",
                    {{"shard", std::to_string(shard)}})),
      sessions(m.gauge("epione_sessions", "Live patient sessions", {{"shard", std::to_string(shard)}})) {}

} // namespace epione::actors
