// How many requests a node has under way. Beyond the limit the HTTP threads refuse before they look at a body, so that refusing
// stays cheap when far more is asked for than can be done.
#pragma once

#include <atomic>
#include <cstdint>

namespace epione::runtime {

/// Thread-safe. Whoever acquires releases: the HTTP server does both, around each request it hands to the front.
class admission {
public:
  explicit admission(std::uint32_t limit) : limit_(limit) {}

  bool acquire() noexcept {
    if (under_way_.fetch_add(1, std::memory_order_relaxed) < limit_)
      return true;
    under_way_.fetch_sub(1, std::memory_order_relaxed);
    return false;
  }
  void release() noexcept { under_way_.fetch_sub(1, std::memory_order_relaxed); }
  std::uint32_t under_way() const noexcept { return under_way_.load(std::memory_order_relaxed); }
  std::uint32_t limit() const noexcept { return limit_; }

private:
  const std::uint32_t limit_;
  std::atomic<std::uint32_t> under_way_{0};
};

} // namespace epione::runtime
