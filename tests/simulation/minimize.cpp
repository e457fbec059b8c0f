#include "tests/simulation/minimize.hpp"

#include <algorithm>
#include <utility>
#include <vector>

namespace epione::simulation {

namespace {

constexpr std::int64_t shortest_step_ms = 1'000;

class search {
public:
  search(const seed_result& first, const std::function<seed_result(const excerpt&)>& run, unsigned runs_max)
      : run_(run), runs_max_(runs_max) {
    best_.result = first;
  }

  minimal done() {
    shorten();
    leave_out();
    return std::move(best_);
  }

private:
  bool still_fails(const excerpt& x) {
    if (best_.runs >= runs_max_)
      return false;
    ++best_.runs;
    auto r = run_(x);
    if (r.passed())
      return false;
    best_.what = x;
    best_.result = std::move(r);
    return true;
  }

  void shorten() {
    std::int64_t passes = 0, fails = static_cast<std::int64_t>(best_.result.simulated_s * 1e3);
    while (fails - passes > std::max(shortest_step_ms, fails / 16)) {
      auto x = best_.what;
      const auto middle = (passes + fails) / 2;
      x.live_ms = middle;
      (still_fails(x) ? fails : passes) = middle;
    }
  }

  /// A process that ended by a signal has not said what was done to it: then every fault there may be.
  std::vector<std::size_t> faults() const {
    if (!best_.result.fault_numbers.empty() || best_.what.faults)
      return best_.result.fault_numbers;
    std::vector<std::size_t> all(faults_planned_max);
    for (std::size_t i = 0; i < all.size(); ++i)
      all[i] = i;
    return all;
  }

  void leave_out() {
    auto left = faults();
    for (auto size = left.size(); size > 0 && best_.runs < runs_max_;) {
      bool any = false;
      for (std::size_t at = 0; at < left.size();) {
        const auto end = std::min(at + size, left.size());
        std::vector<std::size_t> fewer{left.begin(), left.begin() + static_cast<std::ptrdiff_t>(at)};
        fewer.insert(fewer.end(), left.begin() + static_cast<std::ptrdiff_t>(end), left.end());
        auto x = best_.what;
        x.faults.emplace(fewer.begin(), fewer.end());
        if (still_fails(x)) {
          left = std::move(fewer);
          any = true;
        } else {
          at = end;
        }
      }
      if (!any || size > left.size())
        size = std::min(size / 2, left.size());
    }
  }

  const std::function<seed_result(const excerpt&)>& run_;
  unsigned runs_max_;
  minimal best_;
};

} // namespace

minimal minimize(const seed_result& first, const std::function<seed_result(const excerpt&)>& run, unsigned runs_max) {
  return search{first, run, runs_max}.done();
}

} // namespace epione::simulation
