// BLAKE2b over several pieces of bytes, without joining them first.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <sodium/crypto_generichash.h>
#include <string_view>

namespace epione::domain {

/// BLAKE2b with a result of `Bytes` bytes; add() as often as needed, then finish() once.
template <std::size_t Bytes>
class digest {
public:
  // The result is the same without sodium_init(); after it, the processor's vector instructions are used.
  digest() { crypto_generichash_init(&state_, nullptr, 0, Bytes); }
  digest& add(std::string_view bytes) {
    crypto_generichash_update(&state_, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
    return *this;
  }
  /// Little endian.
  template <class Integer>
  digest& add_integer(Integer value) {
    std::array<unsigned char, sizeof(Integer)> bytes;
    for (std::size_t i = 0; i < sizeof(Integer); ++i)
      bytes[i] = static_cast<unsigned char>(value >> (8 * i));
    crypto_generichash_update(&state_, bytes.data(), bytes.size());
    return *this;
  }
  void finish(std::array<std::uint8_t, Bytes>& out) { crypto_generichash_final(&state_, out.data(), Bytes); }

private:
  crypto_generichash_state state_;
};

} // namespace epione::domain
