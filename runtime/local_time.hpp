// Times of day where a person is: zone rules from the system's time zone database (tzdata), read by CCTZ.
#pragma once

#include "domain/notice_route.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace epione::runtime {

/// Whether the system's database has this zone ("Asia/Shanghai").
bool is_known_zone(const std::string& name);

/// When the quiet hours that `wall_us` is in end, in microseconds since 1970; nothing when it is in none. Kept by the clock on
/// the wall: an hour that a change of time leaves out or repeats belongs to them as its time of day says. An unknown zone is UTC.
std::optional<std::int64_t> quiet_until_us(const domain::quiet_hours& quiet, const std::string& zone, std::int64_t wall_us);

/// "2026-01-15 08:30 +01:00"; an unknown zone is UTC.
std::string local_time_text(std::int64_t wall_us, const std::string& zone);

/// "2026-01-15T07:30:02Z"
std::string utc_time_text(std::int64_t wall_us);

} // namespace epione::runtime
