#include "runtime/local_time.hpp"

#include <cctz/civil_time.h>
#include <cctz/time_zone.h>
#include <chrono>

namespace epione::runtime {

namespace {

using seconds_point = cctz::time_point<cctz::seconds>;

cctz::time_zone zone_of(const std::string& name) {
  cctz::time_zone zone; // UTC
  cctz::load_time_zone(name, &zone);
  return zone;
}

seconds_point point_of(std::int64_t wall_us) {
  return seconds_point{cctz::seconds{wall_us / 1'000'000}};
}

} // namespace

bool is_known_zone(const std::string& name) {
  cctz::time_zone zone;
  return cctz::load_time_zone(name, &zone);
}

std::optional<std::int64_t> quiet_until_us(const domain::quiet_hours& quiet, const std::string& zone_name, std::int64_t wall_us) {
  const auto zone = zone_of(zone_name);
  const auto now = point_of(wall_us);
  const auto local = cctz::convert(now, zone);
  const auto minute = static_cast<std::uint32_t>(local.hour() * 60 + local.minute());
  const bool over_midnight = quiet.to_min < quiet.from_min;
  const bool is_quiet =
      over_midnight ? minute >= quiet.from_min || minute < quiet.to_min : minute >= quiet.from_min && minute < quiet.to_min;
  if (!is_quiet)
    return std::nullopt;
  const auto day = cctz::civil_day{local} + (over_midnight && minute >= quiet.from_min ? 1 : 0);
  const auto end = cctz::civil_second{day} + std::int64_t{quiet.to_min} * 60;
  const auto found = zone.lookup(end);
  // An end that the clock skips comes with the change itself; of one that it shows twice, the next.
  auto at = found.kind == cctz::time_zone::civil_lookup::SKIPPED ? found.trans : found.pre;
  if (at <= now)
    at = found.post;
  return at.time_since_epoch().count() * 1'000'000;
}

std::string local_time_text(std::int64_t wall_us, const std::string& zone) {
  return cctz::format("%Y-%m-%d %H:%M %Ez", point_of(wall_us), zone_of(zone));
}

std::string utc_time_text(std::int64_t wall_us) {
  return cctz::format("%Y-%m-%dT%H:%M:%SZ", point_of(wall_us), cctz::utc_time_zone());
}

} // namespace epione::runtime
