// Canonical content: one byte string for every way of writing the same value.
//
// msgpack with the shortest form of every number and length; members of a map sorted by name (bytewise); a number without a
// fraction and within +-2^53 is an integer however it was written (1, 1.0 and 1e0 are the same). Strings are not normalised.
#pragma once

#include "domain/msgpack.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

namespace epione::domain {

/// Writes canonical content from a parser's events, members of a map in any order. The first call that cannot be carried out
/// returns false; from then on every call does, and error() names the place and what is wrong, never a value.
///
///   canonical_writer w{json_depth_max};
///   std::string out;
///   w.start(out);
///   w.begin_map(), w.name("q1"), w.integer(2), w.name("note"), w.string(text), w.end_map();
///   if (!w.finish()) refuse(w.error());
///
/// Keep one and start() it again: it holds on to its memory.
class canonical_writer {
public:
  /// Maps and arrays may lie in each other `depth_max` deep.
  explicit canonical_writer(unsigned depth_max) : depth_max_(depth_max) {}

  /// Begins one value; `out` is emptied first and must live until finish().
  void start(std::string& out);
  /// Whether one whole value has been written.
  bool finish();
  const std::string& error() const { return error_; }

  bool null();
  bool boolean(bool value);
  bool integer(std::int64_t value);
  bool unsigned_integer(std::uint64_t value);
  /// Refuses NaN and infinities.
  bool number(double value);
  /// Valid UTF-8; what a parser hands over that has not checked it goes through valid_utf8() first.
  bool string(std::string_view value);
  bool begin_array();
  bool end_array();
  bool begin_map();
  /// The name of the value that comes next.
  bool name(std::string_view name);
  /// Sorts the members by name; refuses a name that is there twice.
  bool end_map();

  /// Fails at the current place: "answers.q1: MESSAGE". For what the parser itself must refuse.
  bool fail(std::string_view message);
  /// Where the value that comes next belongs: "answers.q1[2]"; "the value" at the top.
  std::string place() const;

private:
  struct frame {
    std::size_t start;        // of its header in out
    std::size_t first_member; // of a map: index into members_
    std::uint32_t count;
    bool map;
    bool sorted; // so far
  };
  struct member {
    std::size_t start;      // of the name's header in out
    std::size_t name_start; // of the name's bytes
    std::size_t name_size;
    std::size_t size; // with its value; filled in by sort_members
  };
  bool begin(bool map);
  bool end(bool map);
  bool value();
  bool sort_members(const frame& f);
  std::string_view name_of(const member& m) const { return std::string_view{*out_}.substr(m.name_start, m.name_size); }
  void write_header(const frame& f);

  unsigned depth_max_;
  std::string* out_ = nullptr;
  std::vector<frame> frames_;
  std::vector<member> members_;
  std::string scratch_;
  std::string error_;
  bool failed_ = false;
  bool done_ = false;
  bool named_ = false; // a name was written whose value is still to come
};

/// Canonical msgpack of a msgpack value. Fails for what is not one msgpack value, for a map with a name twice or a name that is
/// not a string, for bin and ext values, NaN and infinities, invalid UTF-8, and for nesting deeper than `depth_max`.
tl::expected<std::string, std::string> canonical_from_msgpack(std::string_view bytes, unsigned depth_max);

/// JSON text of canonical msgpack (or any msgpack without bin and ext).
std::string json_from_msgpack(std::string_view bytes);
/// JSON string literal, quotes included; control characters and quotes escaped.
void append_json_string(std::string& out, std::string_view text);
/// Shortest text that reads back as the same double; "12" for 12.0.
void append_json_number(std::string& out, double value);

} // namespace epione::domain
