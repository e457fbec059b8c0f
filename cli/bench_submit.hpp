// Amounts as they are written on the command line of epione bench.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace epione::cli {

/// "500ms", "30s", "10m", "1h"; a bare number is seconds. Nothing for anything else.
std::optional<std::int64_t> parse_duration_ns(std::string_view text);
/// "2%", "0.02" or "1": a part of one as parts in a million.
std::optional<std::uint32_t> parse_share_ppm(std::string_view text);

} // namespace epione::cli
