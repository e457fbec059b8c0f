// Reading the arrays of msgpack that cross between nodes: one value after the other, and one answer at the end whether all of
// them were what they should be. Values behind the known ones are left unread, which is how a later version adds one.
#pragma once

#include "domain/ids.hpp"
#include "domain/msgpack.hpp"

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace epione::messages {

class wire_reader {
public:
  explicit wire_reader(std::string_view bytes) : reader_(bytes) {}

  bool good() const { return good_; }
  /// Number of values that follow; 0 when it is no array or has more than `max`.
  std::uint32_t array(std::uint32_t max) {
    const auto v = reader_.next();
    good_ = good_ && v.type == domain::msgpack_type::array && v.count <= max;
    return good_ ? v.count : 0;
  }
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
    good_ = good_ && v.type == domain::msgpack_type::boolean;
    return good_ && v.boolean;
  }
  std::string text() { return std::string{of(domain::msgpack_type::string)}; }
  std::string bytes() { return std::string{of(domain::msgpack_type::bin)}; }
  template <class Id>
  Id id() {
    Id x;
    const auto v = of(domain::msgpack_type::bin);
    good_ = good_ && v.size() == x.bytes.size();
    if (good_)
      std::memcpy(x.bytes.data(), v.data(), v.size());
    return x;
  }
  /// Leaves out what a later version has added to an array of which `known` values were read.
  void skip_rest(std::uint32_t count, std::uint32_t known) {
    for (auto i = known; good_ && i < count; ++i)
      good_ = reader_.skip();
  }

private:
  std::string_view of(domain::msgpack_type type) {
    const auto v = reader_.next();
    good_ = good_ && v.type == type;
    return good_ ? v.text : std::string_view{};
  }
  domain::msgpack_reader reader_;
  bool good_ = true;
};

inline void append_id(std::string& out, const domain::id128& x) {
  domain::append_bin(out, {reinterpret_cast<const char*>(x.bytes.data()), x.bytes.size()});
}

} // namespace epione::messages
