// Counters, gauges and histograms for /metrics (Prometheus text format 0.0.4). Names: epione_NOUN_UNIT[_total]; of the process
// itself those that every Prometheus client uses. docs/metrics.md lists all of them.
#pragma once

#include <map>
#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <string>
#include <vector>

namespace epione::runtime {

using metric_labels = std::map<std::string, std::string>;

/// Thread-safe. A component looks its metrics up once, in its constructor, and keeps the references; the same name and labels
/// give the same object, so a restarted actor goes on counting where the last one stopped.
class metrics {
public:
  prometheus::Counter& counter(const std::string& name, const std::string& help, const metric_labels& labels = {});
  prometheus::Gauge& gauge(const std::string& name, const std::string& help, const metric_labels& labels = {});
  prometheus::Histogram& histogram(const std::string& name, const std::string& help, const std::vector<double>& buckets,
                                   const metric_labels& labels = {});
  /// Text exposition of everything.
  std::string text() const;

private:
  prometheus::Registry registry_;
};

/// Buckets in seconds from 100 us to 10 s, for latencies.
const std::vector<double>& latency_buckets();
/// Buckets 1, 2, 4, ... 4096, for batch sizes.
const std::vector<double>& size_buckets();

} // namespace epione::runtime
