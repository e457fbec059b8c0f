// Canonical content: one byte string for every way of writing the same value.
//
// msgpack with the shortest form of every number and length; members of a map sorted by name (bytewise); a number without a
// fraction and within +-2^53 is an integer however it was written (1, 1.0 and 1e0 are the same). Strings are not normalised.
#pragma once

#include <string>
#include <string_view>
#include <tl/expected.hpp>

namespace epione::domain {

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
