// Dates, times and both together, as exact as they were given: "2024-05" is a month and not its first day.
#pragma once

#include "domain/fhirpath_decimal.hpp"

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace epione::domain::fhirpath {

/// The time of an evaluation, the same throughout.
struct evaluation_clock {
  std::int64_t now_us = 0; ///< since 1970-01-01T00:00:00Z
  int zone_minutes = 0;    ///< east of UTC; also of every dateTime that has no zone
};

enum class precision : std::uint8_t { year, month, day, hour, minute, second };

enum class time_unit : std::uint8_t { year, month, week, day, hour, minute, second, millisecond };
/// In the singular: "year".
std::string_view name(time_unit unit);

/// A date, a dateTime or a time. Years 1 to 9999; seconds to the microsecond, further digits are dropped.
struct moment {
  enum class kind_type : std::uint8_t { date, date_time, time };

  kind_type kind = kind_type::date;
  precision given = precision::day; ///< of a time from hour on
  std::uint8_t fraction_digits = 0; ///< of the seconds, as written; up to 6
  std::int16_t year = 1;
  std::uint8_t month = 1, day = 1, hour = 0, minute = 0;
  std::int32_t second_us = 0;               ///< 0 to 59,999,999
  std::optional<std::int16_t> zone_minutes; ///< east of UTC
  friend bool operator==(const moment&, const moment&) = default;

  /// ISO 8601, without the @ of a literal. A dateTime without a time has no T at its end.
  std::string text() const;
};

/// "2024", "2024-05" or "2024-05-01"; checked against the calendar.
std::optional<moment> parse_date(std::string_view text);
/// A date, or with T and perhaps a time "08", "08:30" or "08:30:15.5", after which a zone may follow.
std::optional<moment> parse_date_time(std::string_view text);
/// "08", "08:30" or "08:30:15.5", without zone.
std::optional<moment> parse_time(std::string_view text);

moment now_of(const evaluation_clock& clock);
moment today_of(const evaluation_clock& clock);
moment time_of_day_of(const evaluation_clock& clock);

/// What FHIRPath's comparison of partial dates says: nothing when one of them ends where the other one still goes on. Both must
/// be times, or neither.
std::optional<std::strong_ordering> compare(const moment& a, const moment& b, int zone_minutes);

enum class moment_error : std::uint8_t { none, out_of_range, unit_of_time };
struct moment_sum {
  moment value;
  moment_error error = moment_error::none;
};
/// Calendar arithmetic (N1 section 6.7): months keep the day where there is one; below a second fractions count, above they are
/// dropped; a unit finer than what is given is converted and truncated. A time goes round at midnight and takes only hours and
/// finer: otherwise `unit_of_time`. `out_of_range`: before year 1 or after 9999.
moment_sum add(const moment& to, const decimal& amount, time_unit unit);

} // namespace epione::domain::fhirpath
