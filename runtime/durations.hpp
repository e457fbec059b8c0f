// Lengths of time in the unit of all settings.
#pragma once

#include <cstdint>

namespace epione::runtime {

inline constexpr std::uint64_t second_ms = 1'000, minute_ms = 60 * second_ms, hour_ms = 60 * minute_ms;

} // namespace epione::runtime
