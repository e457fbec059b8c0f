// Dates and times as FHIR R4 and RFC 3339 write them, checked against the calendar.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace epione::domain {

/// What a date or time covers, in microseconds: "2024-05" is the whole month. Both ends belong to it.
/// Of a date or dateTime since 1970-01-01T00:00:00Z, of a time since midnight.
struct time_span {
  std::int64_t first = 0;
  std::int64_t last = 0;
  friend bool operator==(const time_span&, const time_span&) = default;
};

/// FHIR R4 date: "2024", "2024-05" or "2024-05-01" (data types, "date").
std::optional<time_span> parse_fhir_date(std::string_view text);
/// FHIR R4 dateTime: a date, or with time and zone "2024-05-01T08:30:00+02:00"; seconds are required, 24:00 is not allowed. What
/// has no zone counts as UTC.
std::optional<time_span> parse_fhir_date_time(std::string_view text);
/// FHIR R4 time: "08:30:00", perhaps with a fraction of a second; no zone.
std::optional<time_span> parse_fhir_time(std::string_view text);
/// RFC 3339 date-time (section 5.6); the second 60 only where UTC is 23:59.
bool is_rfc3339(std::string_view text);

/// RFC 3339 in UTC with all six digits of the microseconds: "2026-01-15T07:30:02.311000Z". Years 0 to 9999.
void append_rfc3339_us(std::string& out, std::int64_t us_since_1970);

} // namespace epione::domain
