// Little-endian numbers in byte strings, as the mark file and the checksums need them.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <xxhash.h>

namespace epione::runtime {

static_assert(std::endian::native == std::endian::little, "the storage files hold little-endian numbers");

template <class T>
void put(std::uint8_t*& at, T value) {
  std::memcpy(at, &value, sizeof(value));
  at += sizeof(value);
}

template <class T>
T take(const std::uint8_t*& at) {
  T value;
  std::memcpy(&value, at, sizeof(value));
  at += sizeof(value);
  return value;
}

/// A fixed-size record gathered for hashing.
template <std::size_t Size>
class hashed_record {
public:
  template <class T>
  hashed_record& add(T value) {
    std::memcpy(bytes_ + used_, &value, sizeof(value));
    used_ += sizeof(value);
    return *this;
  }
  hashed_record& add_bytes(std::string_view value) {
    std::memcpy(bytes_ + used_, value.data(), value.size());
    used_ += value.size();
    return *this;
  }
  std::uint64_t hash64() const { return XXH3_64bits(bytes_, used_); }
  XXH128_hash_t hash128() const { return XXH3_128bits(bytes_, used_); }

private:
  std::uint8_t bytes_[Size];
  std::size_t used_ = 0;
};

} // namespace epione::runtime
