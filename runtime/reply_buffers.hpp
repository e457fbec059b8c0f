// Memory for the bodies of reads, used again. A page of submissions grows to tens of kilobytes; growing it anew for each request
// costs more than writing it. Submissions' answers are short and stay outside.
#pragma once

#include "runtime/metrics.hpp"

#include <cstddef>
#include <mutex>
#include <string>
#include <vector>

namespace epione::runtime {

/// Thread-safe, bounded: at most `count_max` strings wait here, none above `bytes_max`.
class reply_buffers {
public:
  reply_buffers(metrics& numbers, std::size_t count_max, std::size_t bytes_max);

  /// An empty string, with the memory of an earlier one if one waits.
  std::string acquire();
  /// Takes over memory that is worth it; else leaves the string with its owner.
  void release(std::string&& s) {
    if (s.capacity() >= bytes_min && s.capacity() <= bytes_max_)
      keep(std::move(s));
  }

  static constexpr std::size_t bytes_min = 1024; ///< below, the allocator is as fast

private:
  void keep(std::string&& s);

  const std::size_t count_max_, bytes_max_;
  prometheus::Counter &used_again_, &made_;
  prometheus::Gauge& bytes_;
  std::mutex mutex_;
  std::vector<std::string> spare_; ///< the one used last, still in the processor's cache, is used next
};

} // namespace epione::runtime
