// Writing and reading msgpack without a tree in between: appending to a string, and a cursor over bytes.
//
// Every event, command and submission passes through here, so nothing is allocated but the string that is written. Writing
// always uses the shortest form, which is what makes canonical content (canonical.hpp) canonical.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace epione::domain {

// ---- writing: each appends one value, or the header of one, in its shortest form --------------------------------------

void append_nil(std::string& out);
void append_bool(std::string& out, bool value);
void append_int(std::string& out, std::int64_t value);
void append_uint(std::string& out, std::uint64_t value);
/// An integer when it has no fraction and lies within +-2^53, else the shorter of float 32 and float 64 that is exact.
/// NaN and infinities are written as they are: whoever must not have them asks first.
void append_double(std::string& out, double value);
void append_string(std::string& out, std::string_view value);
void append_bin(std::string& out, std::string_view value);
/// `count` values follow.
void append_array_header(std::string& out, std::uint32_t count);
/// `count` pairs of name and value follow; for canonical content sorted by name.
void append_map_header(std::string& out, std::uint32_t count);

/// Whether `text` is UTF-8: no overlong forms, no surrogates, nothing above U+10FFFF.
bool valid_utf8(std::string_view text);

// ---- reading ----------------------------------------------------------------------------------------------------------

enum class msgpack_type : std::uint8_t { nil, boolean, integer, number, string, bin, array, map, ext, end, damaged };

/// One value as it lies in the bytes. Of an array or map only the header has been read: its values follow.
struct msgpack_value {
  msgpack_type type = msgpack_type::end;
  bool boolean = false;
  bool negative = false; ///< of an integer: `integer` holds its bits as std::int64_t
  std::uint64_t integer = 0;
  double number = 0;
  std::uint32_t count = 0; ///< values of an array, pairs of a map
  std::string_view text;   ///< of a string, bin or ext

  std::int64_t as_int64() const { return static_cast<std::int64_t>(integer); }
  /// Whether it is an integer that fits std::int64_t.
  bool is_int64() const { return type == msgpack_type::integer && (negative || integer <= 0x7FFFFFFFFFFFFFFFu); }
  bool is_uint64() const { return type == msgpack_type::integer && !negative; }
  bool is_number() const { return type == msgpack_type::integer || type == msgpack_type::number; }
  /// Of an integer or number.
  double as_double() const {
    if (type == msgpack_type::number)
      return number;
    return negative ? static_cast<double>(as_int64()) : static_cast<double>(integer);
  }
};

/// Walks over msgpack, front to back; what it hands out points into the bytes. Never reads beyond them: bytes that end in the
/// middle of a value, or are no msgpack, give `damaged`, and so does everything after.
class msgpack_reader {
public:
  explicit msgpack_reader(std::string_view bytes) : rest_(bytes) {}
  /// The next value; `end` when there is none.
  msgpack_value next();
  /// Skips one whole value, with all that is in it; false when it is damaged. Needs no stack, however deep it is nested.
  bool skip();
  /// The same, and gives the bytes of what was skipped.
  bool skip(std::string_view& bytes);
  std::string_view rest() const { return rest_; }
  bool at_end() const { return rest_.empty(); }

private:
  bool take(std::size_t n, std::string_view& out);
  std::uint64_t big_endian(std::size_t n);
  msgpack_value sized(msgpack_type type, std::size_t length_bytes, std::size_t extra);
  msgpack_value counted(msgpack_type type, std::size_t count_bytes);

  std::string_view rest_;
  bool damaged_ = false;
};

} // namespace epione::domain
