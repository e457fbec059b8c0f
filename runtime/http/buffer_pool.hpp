// Buffers for what is being received. A connection holds one only while it has bytes of an unfinished request, so ten thousand
// idle phones cost none, and the one used last, still in the processor's cache, is used next.
#pragma once

#include "runtime/http/decode.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstring>
#include <memory>
#include <utility>
#include <vector>

namespace epione::runtime::http {

/// Bytes received and room for more; `body_padding` bytes behind the room can always be read.
struct receive_buffer {
  std::unique_ptr<char[]> bytes;
  std::size_t capacity = 0; ///< padding included
  std::size_t room() const { return capacity == 0 ? 0 : capacity - body_padding; }
  explicit operator bool() const { return bytes != nullptr; }
};

/// One a thread. `bytes_max` limits what all its connections hold at once.
class buffer_pool {
public:
  explicit buffer_pool(std::size_t bytes_max) : bytes_max_(bytes_max) {}

  /// Room for at least `room` bytes; empty when that would pass the limit.
  receive_buffer acquire(std::size_t room) {
    const auto capacity = std::bit_ceil(std::max(room + body_padding, smallest));
    if (held_ + capacity > bytes_max_)
      return {};
    held_ += capacity;
    auto* spare = shelf(capacity);
    if (spare == nullptr || spare->empty()) {
      receive_buffer fresh{std::unique_ptr<char[]>{new char[capacity]}, capacity};
      // Only so that tools that follow uninitialised bytes do not report the padding simdjson reads and ignores.
      std::memset(fresh.bytes.get(), 0, capacity);
      return fresh;
    }
    auto out = std::move(spare->back());
    spare->pop_back();
    return out;
  }

  void release(receive_buffer&& b) {
    if (!b)
      return;
    held_ -= b.capacity;
    auto* spare = shelf(b.capacity);
    if (spare != nullptr && spare->size() < spares_max)
      spare->push_back(std::move(b));
    b = {};
  }

  std::size_t held() const { return held_; }

private:
  static constexpr std::size_t smallest = 4096;
  static constexpr std::size_t spares_max = 16;

  /// Buffers of 4, 8, ... 512 KiB wait here for the next request; larger ones are not kept.
  std::vector<receive_buffer>* shelf(std::size_t capacity) {
    const auto n = static_cast<std::size_t>(std::countr_zero(capacity / smallest));
    return n < shelves_.size() ? &shelves_[n] : nullptr;
  }

  std::size_t bytes_max_, held_ = 0;
  std::array<std::vector<receive_buffer>, 8> shelves_;
};

} // namespace epione::runtime::http
