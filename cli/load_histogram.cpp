#include "cli/load_histogram.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

namespace epione::cli {

namespace {
constexpr std::uint64_t half(unsigned sub_bits) {
  return std::uint64_t{1} << (sub_bits - 1);
}
} // namespace

load_histogram::load_histogram() : buckets_(bucket_of((std::uint64_t{1} << value_bits) - 1) + 1) {}

std::size_t load_histogram::bucket_of(std::uint64_t value) {
  const auto width = static_cast<unsigned>(std::bit_width(value));
  if (width <= sub_bits)
    return static_cast<std::size_t>(value);
  const unsigned shift = width - sub_bits; // the value's first sub_bits bits name its bucket
  return static_cast<std::size_t>((shift + 1) * half(sub_bits) + ((value >> shift) - half(sub_bits)));
}

std::uint64_t load_histogram::upper_end(std::size_t bucket) {
  if (bucket < 2 * half(sub_bits))
    return bucket;
  const auto shift = static_cast<unsigned>(bucket / half(sub_bits) - 1);
  const auto top = bucket % half(sub_bits) + half(sub_bits);
  return ((top + 1) << shift) - 1;
}

void load_histogram::record(std::int64_t nanoseconds) {
  const auto limit = (std::int64_t{1} << value_bits) - 1;
  const auto value = std::clamp<std::int64_t>(nanoseconds, 0, limit);
  ++buckets_[bucket_of(static_cast<std::uint64_t>(value))];
  ++count_;
  max_ = std::max(max_, value);
  sum_ += static_cast<double>(value);
}

void load_histogram::add(const load_histogram& other) {
  for (std::size_t i = 0; i < buckets_.size(); ++i)
    buckets_[i] += other.buckets_[i];
  count_ += other.count_;
  max_ = std::max(max_, other.max_);
  sum_ += other.sum_;
}

void load_histogram::clear() {
  std::fill(buckets_.begin(), buckets_.end(), 0);
  count_ = 0;
  max_ = 0;
  sum_ = 0;
}

double load_histogram::mean_ns() const {
  return count_ == 0 ? 0 : sum_ / static_cast<double>(count_);
}

std::int64_t load_histogram::quantile_ns(double share) const {
  if (count_ == 0)
    return 0;
  const auto wanted = std::max<std::uint64_t>(
      1, static_cast<std::uint64_t>(std::ceil(std::clamp(share, 0.0, 1.0) * static_cast<double>(count_))));
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < buckets_.size(); ++i) {
    seen += buckets_[i];
    if (seen >= wanted)
      return std::min(max_, static_cast<std::int64_t>(upper_end(i)));
  }
  return max_;
}

} // namespace epione::cli
