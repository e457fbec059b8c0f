// How whole the cluster is, as this node sees it; looked up when somebody asks for /metrics.
#pragma once

#include "node/cluster_parts.hpp"
#include "runtime/metrics.hpp"

#include <cstdint>
#include <map>
#include <mutex>
#include <string>

namespace epione::node {

/// Thread-safe. `parts` outlive it. `shards`: besides the catalog, which counts as one here.
class cluster_metrics {
public:
  cluster_metrics(runtime::metrics& m, const cluster_parts& parts, std::uint32_t shards);
  void refresh();

private:
  std::mutex mutex_;
  runtime::metrics& metrics_;
  const cluster_parts& parts_;
  const std::uint32_t shards_;
  prometheus::Gauge &led_, &not_led_, &not_whole_;
  std::map<std::string, prometheus::Gauge*> lag_; ///< by node
};

} // namespace epione::node
