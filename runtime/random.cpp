// libsodium's generator as the random source of production.
#include "runtime/random.hpp"

#include <array>
#include <bit>
#include <sodium.h>
#include <stdexcept>

namespace epione::runtime {

std::uint64_t random_source::next() {
  std::array<std::uint8_t, sizeof(std::uint64_t)> bytes{};
  fill(bytes);
  return std::bit_cast<std::uint64_t>(bytes);
}

system_random::system_random() {
  if (sodium_init() < 0) // 1: initialised before, which is fine
    throw std::runtime_error{"libsodium cannot be initialised: the kernel gives no random numbers"};
}

void system_random::fill(std::span<std::uint8_t> out) {
  randombytes_buf(out.data(), out.size());
}

} // namespace epione::runtime
