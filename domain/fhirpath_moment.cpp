#include "domain/fhirpath_moment.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>

namespace epione::domain::fhirpath {

namespace {

constexpr std::int64_t second_us = 1'000'000;
constexpr std::int64_t minute_us = 60 * second_us;
constexpr std::int64_t hour_us = 60 * minute_us;
constexpr std::int64_t day_us = 24 * hour_us;

/// Takes digits off the front.
class reader {
public:
  explicit reader(std::string_view text) : rest_(text) {}
  bool done() const { return rest_.empty(); }
  bool take(char c) {
    if (!rest_.starts_with(c))
      return false;
    rest_.remove_prefix(1);
    return true;
  }
  bool digit() const { return !rest_.empty() && rest_.front() >= '0' && rest_.front() <= '9'; }
  /// -1 when there are not n digits, or their number is not between low and high.
  int number(int n, int low, int high) {
    int value = 0;
    for (int i = 0; i < n; ++i, rest_.remove_prefix(1)) {
      if (!digit())
        return -1;
      value = 10 * value + (rest_.front() - '0');
    }
    return value >= low && value <= high ? value : -1;
  }

private:
  std::string_view rest_;
};

bool in_calendar(const moment& m) {
  return std::chrono::year_month_day{std::chrono::year{m.year}, std::chrono::month{m.month}, std::chrono::day{m.day}}.ok();
}

bool read_date(reader& in, moment& m) {
  const int year = in.number(4, 1, 9999);
  m.year = static_cast<std::int16_t>(year);
  m.given = precision::year;
  if (year < 0 || !in.take('-'))
    return year > 0;
  const int month = in.number(2, 1, 12);
  m.month = static_cast<std::uint8_t>(month);
  m.given = precision::month;
  if (month < 0 || !in.take('-'))
    return month > 0;
  const int day = in.number(2, 1, 31);
  m.day = static_cast<std::uint8_t>(day);
  m.given = precision::day;
  return day > 0 && in_calendar(m);
}

bool read_time(reader& in, moment& m) {
  const int hour = in.number(2, 0, 23);
  m.hour = static_cast<std::uint8_t>(hour);
  m.given = precision::hour;
  if (hour < 0 || !in.take(':'))
    return hour >= 0;
  const int minute = in.number(2, 0, 59);
  m.minute = static_cast<std::uint8_t>(minute);
  m.given = precision::minute;
  if (minute < 0 || !in.take(':'))
    return minute >= 0;
  const int second = in.number(2, 0, 59);
  m.second_us = static_cast<std::int32_t>(second * second_us);
  m.given = precision::second;
  if (second < 0 || !in.take('.'))
    return second >= 0;
  if (!in.digit())
    return false;
  for (auto unit = static_cast<std::int32_t>(second_us / 10); in.digit(); unit /= 10) {
    m.second_us += unit * in.number(1, 0, 9);
    m.fraction_digits = static_cast<std::uint8_t>(std::min(m.fraction_digits + 1, 6));
  }
  return true;
}

bool read_zone(reader& in, moment& m) {
  if (in.take('Z')) {
    m.zone_minutes = 0;
    return true;
  }
  const bool west = in.take('-');
  if (!west && !in.take('+'))
    return in.done();
  const int hour = in.number(2, 0, 14);
  const int minute = in.take(':') ? in.number(2, 0, 59) : -1;
  if (hour < 0 || minute < 0)
    return false;
  const auto offset = static_cast<std::int16_t>(hour * 60 + minute);
  m.zone_minutes = west ? static_cast<std::int16_t>(-offset) : offset;
  return true;
}

std::int64_t local_us(const moment& m) {
  const std::chrono::sys_days day{
      std::chrono::year_month_day{std::chrono::year{m.year}, std::chrono::month{m.month}, std::chrono::day{m.day}}};
  return day.time_since_epoch().count() * day_us + m.hour * hour_us + m.minute * minute_us + m.second_us;
}

/// Sets all fields from the local time; false outside years 1 to 9999.
bool set_local(moment& m, std::int64_t us) {
  constexpr std::int64_t first_us = -62'135'596'800 * second_us, last_us = 253'402'300'800 * second_us - 1;
  if (us < first_us || us > last_us)
    return false;
  const auto days = std::chrono::floor<std::chrono::days>(std::chrono::microseconds{us});
  const std::chrono::year_month_day date{std::chrono::sys_days{days}};
  const auto rest = us - days.count() * day_us;
  m.year = static_cast<std::int16_t>(static_cast<int>(date.year()));
  m.month = static_cast<std::uint8_t>(static_cast<unsigned>(date.month()));
  m.day = static_cast<std::uint8_t>(static_cast<unsigned>(date.day()));
  m.hour = static_cast<std::uint8_t>(rest / hour_us);
  m.minute = static_cast<std::uint8_t>(rest % hour_us / minute_us);
  m.second_us = static_cast<std::int32_t>(rest % minute_us);
  return true;
}

bool has_time(const moment& m) {
  return m.given >= precision::hour;
}

/// In another zone; what was not given stays as it is. At the ends of the calendar it stays where it is: a day decides there.
moment in_zone(moment m, int zone_minutes) {
  if (!m.zone_minutes || *m.zone_minutes == zone_minutes || !has_time(m))
    return m;
  auto moved = m;
  return set_local(moved, local_us(m) + (zone_minutes - *m.zone_minutes) * minute_us) ? moved : m;
}

constexpr std::array<std::int64_t, 8> us_of_unit{0, 0, 7 * day_us, day_us, hour_us, minute_us, second_us, 1'000};

/// Whole ones of a unit above a second, of a finer one with its fraction. Nothing when there are so many that no date holds them.
std::optional<std::int64_t> microseconds(const decimal& amount, time_unit unit) {
  const auto unit_us = us_of_unit[static_cast<std::size_t>(unit)];
  const auto us = multiply(unit >= time_unit::second ? amount : amount.truncate(), decimal{unit_us});
  return us ? us->truncate().integer() : std::nullopt;
}

constexpr std::int64_t longest_us = 10'000 * 366 * day_us; // more than the whole calendar

/// Of the fraction of a second.
std::uint8_t digits_needed(std::int64_t fraction_us) {
  std::uint8_t digits = 6;
  for (; digits > 0 && fraction_us % 10 == 0; --digits)
    fraction_us /= 10;
  return digits;
}

bool add_months(moment& m, std::int64_t months) {
  const auto total = m.year * std::int64_t{12} + (m.month - 1) + months;
  if (total < 12 || total >= 10'000 * 12)
    return false;
  m.year = static_cast<std::int16_t>(total / 12);
  m.month = static_cast<std::uint8_t>(total % 12 + 1);
  const std::chrono::year_month_day_last last{std::chrono::year{m.year},
                                              std::chrono::month_day_last{std::chrono::month{m.month}}};
  m.day = std::min(m.day, static_cast<std::uint8_t>(static_cast<unsigned>(last.day())));
  return true;
}

/// Adds weeks and finer ones to what may be given only to the year: 365 days are a year there, and 30 days a month.
bool add_us(moment& m, std::int64_t us) {
  switch (m.given) {
    case precision::year: return add_months(m, us / day_us / 365 * 12);
    case precision::month: return add_months(m, us / day_us / 30);
    case precision::day: return set_local(m, local_us(m) + us / day_us * day_us);
    case precision::hour: return set_local(m, local_us(m) + us / hour_us * hour_us);
    case precision::minute: return set_local(m, local_us(m) + us / minute_us * minute_us);
    case precision::second: break;
  }
  return set_local(m, local_us(m) + us);
}

} // namespace

std::string_view name(time_unit unit) {
  static constexpr std::array<std::string_view, 8> names{"year", "month",  "week",   "day",
                                                         "hour", "minute", "second", "millisecond"};
  return names[static_cast<std::size_t>(unit)];
}

std::string moment::text() const {
  std::string out;
  std::array<char, 40> part;
  const auto append = [&](const char* format, int number) {
    std::snprintf(part.data(), part.size(), format, number);
    out += part.data();
  };
  if (kind != kind_type::time) {
    append("%04d", year);
    if (given >= precision::month)
      append("-%02d", month);
    if (given >= precision::day)
      append("-%02d", day);
  }
  if (given < precision::hour)
    return out;
  append(kind == kind_type::time ? "%02d" : "T%02d", hour);
  if (given >= precision::minute)
    append(":%02d", minute);
  if (given >= precision::second) {
    append(":%02d", static_cast<int>(second_us / fhirpath::second_us));
    if (fraction_digits > 0) {
      append(".%06d", static_cast<int>(second_us % fhirpath::second_us));
      out.resize(out.size() - (6u - fraction_digits));
    }
  }
  if (zone_minutes && *zone_minutes == 0)
    return out + 'Z';
  if (zone_minutes) {
    const int east = std::abs(*zone_minutes);
    append(*zone_minutes < 0 ? "-%02d" : "+%02d", east / 60);
    append(":%02d", east % 60);
  }
  return out;
}

std::optional<moment> parse_date(std::string_view text) {
  reader in{text};
  moment m;
  return read_date(in, m) && in.done() ? std::optional{m} : std::nullopt;
}

std::optional<moment> parse_date_time(std::string_view text) {
  reader in{text};
  moment m;
  m.kind = moment::kind_type::date_time;
  if (!read_date(in, m))
    return std::nullopt;
  if (in.done() || (in.take('T') && in.done()))
    return m;
  if (m.given != precision::day || !read_time(in, m) || !read_zone(in, m) || !in.done())
    return std::nullopt;
  return m;
}

std::optional<moment> parse_time(std::string_view text) {
  reader in{text};
  moment m;
  m.kind = moment::kind_type::time;
  return read_time(in, m) && in.done() ? std::optional{m} : std::nullopt;
}

moment now_of(const evaluation_clock& clock) {
  moment m;
  m.kind = moment::kind_type::date_time;
  m.given = precision::second;
  m.fraction_digits = 3;
  m.zone_minutes = static_cast<std::int16_t>(clock.zone_minutes);
  set_local(m, clock.now_us - clock.now_us % 1'000 + clock.zone_minutes * minute_us);
  return m;
}

moment today_of(const evaluation_clock& clock) {
  const auto now = now_of(clock);
  moment m;
  m.year = now.year;
  m.month = now.month;
  m.day = now.day;
  return m;
}

moment time_of_day_of(const evaluation_clock& clock) {
  const auto now = now_of(clock);
  moment m;
  m.kind = moment::kind_type::time;
  m.given = precision::second;
  m.fraction_digits = now.fraction_digits;
  m.hour = now.hour;
  m.minute = now.minute;
  m.second_us = now.second_us;
  return m;
}

std::optional<std::strong_ordering> compare(const moment& first, const moment& second, int zone_minutes) {
  const bool same_zone = first.zone_minutes == second.zone_minutes;
  const auto a = same_zone ? first : in_zone(first, zone_minutes), b = same_zone ? second : in_zone(second, zone_minutes);
  const auto fields = [](const moment& m) {
    return std::array<std::int32_t, 6>{m.year, m.month, m.day, m.hour, m.minute, m.second_us};
  };
  const auto x = fields(a), y = fields(b);
  const auto shared = static_cast<std::size_t>(std::min(a.given, b.given));
  for (std::size_t i = 0; i <= shared; ++i)
    if (x[i] != y[i])
      return x[i] <=> y[i];
  return a.given == b.given ? std::optional{std::strong_ordering::equal} : std::nullopt;
}

moment_sum add(const moment& to, const decimal& amount, time_unit unit) {
  moment_sum sum{to};
  auto& m = sum.value;
  if (m.kind == moment::kind_type::time && unit < time_unit::hour)
    return {to, moment_error::unit_of_time};
  bool good = false;
  if (unit <= time_unit::month) {
    const auto n = amount.truncate().integer();
    const auto months = unit == time_unit::year ? 12 : 1;
    if (n && *n < 120'000 && *n > -120'000)
      good = add_months(m, m.given == precision::year ? *n * months / 12 * 12 : *n * months);
  } else if (const auto us = microseconds(amount, unit); us && *us < longest_us && *us > -longest_us) {
    if (m.kind == moment::kind_type::time) {
      m.year = 2; // a day before and behind it
      good = add_us(m, *us % day_us);
      m.year = 1;
      m.month = m.day = 1;
    } else {
      good = add_us(m, *us);
    }
  }
  if (!good)
    return {to, moment_error::out_of_range};
  if (m.given == precision::second)
    m.fraction_digits = std::max(m.fraction_digits, digits_needed(m.second_us % second_us));
  return sum;
}

} // namespace epione::domain::fhirpath
