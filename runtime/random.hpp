// Chance, passed in: production gives the kernel's random numbers, the simulator a seeded generator.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace epione::runtime {

/// Safe to call from several threads.
class random_source {
public:
  virtual ~random_source() = default;
  virtual void fill(std::span<std::uint8_t> out) = 0;
  std::uint64_t next();
};

/// libsodium's generator.
class system_random final : public random_source {
public:
  system_random();
  void fill(std::span<std::uint8_t> out) override;
};

} // namespace epione::runtime
