// splitmix64 as the program's source of chance: the same numbers in every run.
#pragma once

#include "runtime/random.hpp"

#include <cstdint>
#include <span>

namespace epione::tests {

class seeded_random final : public runtime::random_source {
public:
  explicit seeded_random(std::uint64_t seed) : state_(seed) {}
  void fill(std::span<std::uint8_t> out) override {
    for (auto& b : out) {
      state_ += 0x9e3779b97f4a7c15;
      auto z = state_;
      z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
      z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
      b = static_cast<std::uint8_t>(z >> 56);
    }
  }

private:
  std::uint64_t state_;
};

} // namespace epione::tests
