// What is going to happen in the simulated world, by time; what is due at the same time happens in the order it was entered.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <utility>

namespace epione::simulation {

class agenda {
public:
  using deed = std::function<void()>;
  static constexpr std::int64_t never = std::numeric_limits<std::int64_t>::max();

  void at(std::int64_t time_ns, deed what) { deeds_.emplace(std::pair{time_ns, next_++}, std::move(what)); }
  std::int64_t next_ns() const { return deeds_.empty() ? never : deeds_.begin()->first.first; }
  bool empty() const { return deeds_.empty(); }
  /// Does the first thing that is due; false when nothing is.
  bool do_one(std::int64_t now_ns) {
    if (next_ns() > now_ns)
      return false;
    auto what = std::move(deeds_.begin()->second);
    deeds_.erase(deeds_.begin());
    what();
    return true;
  }

private:
  std::uint64_t next_ = 0;
  std::map<std::pair<std::int64_t, std::uint64_t>, deed> deeds_;
};

} // namespace epione::simulation
