// How values of the configuration are written, and which known name a mistyped one was probably meant to be.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace epione::runtime {

/// "262144", "256 KiB", "30 s": a number in `unit` ("bytes", "ms", "s", "count"). Nothing for any other text, and beyond 64 bits.
std::optional<std::uint64_t> parse_quantity(std::string_view unit, std::string_view text);

/// What may be written for it: "a number of bytes, or one with KiB, MiB or GiB".
std::string quantity_help(std::string_view unit);

/// "1 to 64 ms"; without the unit when it is "count", empty for a text.
std::string range_text(std::string_view unit, std::uint64_t minimum, std::uint64_t maximum);

/// Levenshtein's distance in bytes.
std::size_t edit_distance(std::string_view a, std::string_view b);

} // namespace epione::runtime
