// Everything the simulator leaves to chance comes from here, and so from the seed. Each part draws from a branch of its own, so
// that one more draw in one part does not change what all the others do.
#pragma once

#include <cstdint>
#include <string_view>

namespace epione::simulation {

class chance {
public:
  explicit chance(std::uint64_t seed) : state_(seed) {}

  /// splitmix64.
  std::uint64_t next() {
    state_ += 0x9e3779b97f4a7c15;
    return mix(state_);
  }
  /// 0 to n - 1; n > 0. The bias of a remainder does not matter here.
  std::uint64_t below(std::uint64_t n) { return next() % n; }
  /// Both ends included.
  std::int64_t between(std::int64_t low, std::int64_t high) {
    return low + static_cast<std::int64_t>(below(static_cast<std::uint64_t>(high - low) + 1));
  }
  bool share(double p) { return static_cast<double>(next() >> 11) * 0x1.0p-53 < p; }
  /// One of these values, each as likely.
  template <class T, class... More>
  T one_of(T first, More... more) {
    const T values[] = {first, static_cast<T>(more)...};
    return values[below(1 + sizeof...(More))];
  }
  /// A source of its own for one purpose.
  chance branch(std::string_view purpose) const {
    auto s = state_;
    for (auto c : purpose)
      s = mix(s ^ static_cast<std::uint8_t>(c));
    return chance{s};
  }

private:
  static std::uint64_t mix(std::uint64_t z) {
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }
  std::uint64_t state_;
};

} // namespace epione::simulation
