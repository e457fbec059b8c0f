#include "node/cluster_metrics.hpp"

#include "node/cluster_answers.hpp"

#include <algorithm>

namespace epione::node {

cluster_metrics::cluster_metrics(runtime::metrics& m, const cluster_parts& parts, std::uint32_t shards)
    : metrics_(m), parts_(parts), shards_(shards),
      led_(m.gauge("epione_shards_led", "Shards that this node leads, the catalog among them")),
      not_led_(m.gauge("epione_shards_not_led", "Shards that no node is known to lead, as this node sees it")),
      not_whole_(m.gauge("epione_shards_not_whole",
                         "Shards that are not led, on too few nodes, or with a replica that is silent or far behind, as this "
                         "node sees it")) {}

void cluster_metrics::refresh() {
  std::lock_guard guard{mutex_};
  std::uint64_t led = 0, not_led = 0, not_whole = 0;
  std::map<std::string, std::uint64_t> behind;
  for (std::uint32_t group = 0; group <= shards_; ++group) {
    led += parts_.shards.where(group).here ? 1 : 0;
    const auto v = parts_.shards.best(group);
    not_led += v && v->led() ? 0 : 1;
    not_whole += what_is_missing(group, parts_) ? 1 : 0;
    if (!v || v->leader != parts_.name)
      continue; // its leader says it
    for (const auto& m : v->members)
      if (const auto lag = v->lag_of(m); lag && m.node != parts_.name)
        behind[m.node] = std::max(behind[m.node], *lag);
  }
  led_.Set(static_cast<double>(led));
  not_led_.Set(static_cast<double>(not_led));
  not_whole_.Set(static_cast<double>(not_whole));
  for (const auto& [node, lag] : behind)
    if (auto& shown = lag_[node]; shown == nullptr)
      shown = &metrics_.gauge("epione_replica_lag_entries",
                              "Log entries that a node does not hold yet, of the shard led here of which it lacks most",
                              {{"peer", node}});
  for (const auto& [node, shown] : lag_)
    shown->Set(behind.contains(node) ? static_cast<double>(behind.at(node)) : 0);
}

} // namespace epione::node
