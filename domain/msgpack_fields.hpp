// Reading the arrays of msgpack that are kept or cross between nodes: one value after the other, and one answer at the end
// whether all of them were what they should be. Values behind the known ones are left unread, which is how a later version adds
// one.
#pragma once

#include "domain/msgpack.hpp"

#include <algorithm>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace epione::domain {

inline constexpr std::uint32_t fields_max = 64; ///< of one array; a later version may add some

class field_reader {
public:
  explicit field_reader(std::string_view bytes) : reader_(bytes) {}

  bool good() const { return good_; }
  /// What was read makes no sense to the caller.
  void refuse() { good_ = false; }
  /// Number of values that follow; 0 when it is no array, or of another size.
  std::uint32_t array(std::uint32_t least, std::uint32_t most) {
    const auto v = reader_.next();
    good_ = good_ && v.type == msgpack_type::array && v.count >= least && v.count <= most;
    return good_ ? v.count : 0;
  }
  std::uint32_t array(std::uint32_t most) { return array(0, most); }
  std::uint64_t number() {
    const auto v = reader_.next();
    good_ = good_ && v.is_uint64();
    return good_ ? v.integer : 0;
  }
  std::int64_t signed_number() {
    const auto v = reader_.next();
    good_ = good_ && v.is_int64();
    return good_ ? v.as_int64() : 0;
  }
  bool truth() {
    const auto v = reader_.next();
    good_ = good_ && v.type == msgpack_type::boolean;
    return good_ && v.boolean;
  }
  std::string text() { return std::string{of(msgpack_type::string)}; }
  std::string bytes() { return std::string{of(msgpack_type::bin)}; }
  /// As many as there is room for, no more and no less.
  void bytes(std::span<std::uint8_t> out) {
    const auto v = of(msgpack_type::bin);
    good_ = good_ && v.size() == out.size();
    if (good_)
      std::copy(v.begin(), v.end(), out.begin());
  }
  template <class Id>
  Id id() {
    Id x;
    bytes(x.bytes);
    return x;
  }
  /// Leaves out what a later version has added to an array of which `known` values were read.
  void skip_rest(std::uint32_t count, std::uint32_t known) {
    for (auto i = known; good_ && i < count; ++i)
      good_ = reader_.skip();
  }

private:
  std::string_view of(msgpack_type type) {
    const auto v = reader_.next();
    good_ = good_ && v.type == type;
    return good_ ? v.text : std::string_view{};
  }
  msgpack_reader reader_;
  bool good_ = true;
};

} // namespace epione::domain
