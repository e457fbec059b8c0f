// Latencies in a fixed amount of memory: log-linear buckets as in HdrHistogram, each at most 1/128 wide of its value.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace epione::cli {

class load_histogram {
public:
  load_histogram();

  /// Negative counts as 0; more than about 78 hours as that.
  void record(std::int64_t nanoseconds);
  void add(const load_histogram& other);
  void clear();

  std::uint64_t count() const { return count_; }
  /// Exact.
  std::int64_t max_ns() const { return max_; }
  double mean_ns() const;
  /// The value that `share` (0 to 1) of all are at or below: the upper end of its bucket, never above the maximum. 0 when empty.
  std::int64_t quantile_ns(double share) const;

private:
  // Values below 2^sub_bits have buckets of their own; every further power of two is divided into 2^(sub_bits - 1).
  static constexpr unsigned sub_bits = 8;
  static constexpr unsigned value_bits = 48;
  static std::size_t bucket_of(std::uint64_t value);
  static std::uint64_t upper_end(std::size_t bucket);

  std::vector<std::uint64_t> buckets_;
  std::uint64_t count_ = 0;
  std::int64_t max_ = 0;
  double sum_ = 0;
};

} // namespace epione::cli
