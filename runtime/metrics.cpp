// Metrics on prometheus-cpp's core; we serve the text ourselves.
#include "runtime/metrics.hpp"

#include <prometheus/text_serializer.h>

namespace epione::runtime {

// The registry merges families of one name, and a family returns what it has under the same labels: get or create.
prometheus::Counter& metrics::counter(const std::string& name, const std::string& help, const metric_labels& labels) {
  return prometheus::BuildCounter().Name(name).Help(help).Register(registry_).Add(labels);
}

prometheus::Gauge& metrics::gauge(const std::string& name, const std::string& help, const metric_labels& labels) {
  return prometheus::BuildGauge().Name(name).Help(help).Register(registry_).Add(labels);
}

prometheus::Histogram& metrics::histogram(const std::string& name, const std::string& help, const std::vector<double>& buckets,
                                          const metric_labels& labels) {
  return prometheus::BuildHistogram().Name(name).Help(help).Register(registry_).Add(labels, buckets);
}

std::string metrics::text() const {
  return prometheus::TextSerializer{}.Serialize(registry_.Collect());
}

const std::vector<double>& latency_buckets() {
  static const std::vector<double> buckets{0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.02, 0.03,
                                           0.05,   0.1,     0.25,   0.5,   1.0,    2.5,   5.0,  10.0};
  return buckets;
}

const std::vector<double>& size_buckets() {
  static const std::vector<double> buckets{1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096};
  return buckets;
}

} // namespace epione::runtime
