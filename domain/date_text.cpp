#include "domain/date_text.hpp"

#include <chrono>

namespace epione::domain {

namespace {

constexpr std::int64_t second_us = 1'000'000;
constexpr std::int64_t minute_us = 60 * second_us;
constexpr std::int64_t day_us = 24 * 60 * minute_us;
constexpr int zone_hours_max = 14; // FHIR R4, dateTime: up to 14:00 from UTC

/// Takes a text apart from front to back; once something does not fit, nothing does.
class scanner {
public:
  explicit scanner(std::string_view text) : rest_(text) {}
  bool ok() const { return ok_; }
  bool at_end() const { return rest_.empty(); }
  bool whole() const { return ok_ && rest_.empty(); }

  int digits(std::size_t n) {
    int value = 0;
    if (rest_.size() < n)
      ok_ = false;
    for (std::size_t i = 0; ok_ && i < n; ++i) {
      if (rest_[i] < '0' || rest_[i] > '9')
        ok_ = false;
      else
        value = 10 * value + (rest_[i] - '0');
    }
    if (ok_)
      rest_.remove_prefix(n);
    return ok_ ? value : 0;
  }
  int digits_within(std::size_t n, int low, int high) {
    const int value = digits(n);
    if (value < low || value > high)
      ok_ = false;
    return value;
  }
  bool take_if(char c) {
    if (!ok_ || rest_.empty() || rest_.front() != c)
      return false;
    rest_.remove_prefix(1);
    return true;
  }
  void take(char c) {
    if (!take_if(c))
      ok_ = false;
  }
  void fail() { ok_ = false; }
  bool at_digit() const { return !rest_.empty() && rest_.front() >= '0' && rest_.front() <= '9'; }

private:
  std::string_view rest_;
  bool ok_ = true;
};

std::chrono::sys_days day_of(int year, int month, int day, scanner& s) {
  const std::chrono::year_month_day date{std::chrono::year{year}, std::chrono::month{static_cast<unsigned>(month)},
                                         std::chrono::day{static_cast<unsigned>(day)}};
  if (!date.ok())
    s.fail();
  return s.ok() ? std::chrono::sys_days{date} : std::chrono::sys_days{};
}

std::int64_t microseconds(std::chrono::sys_days day) {
  return day.time_since_epoch().count() * day_us;
}

/// YYYY, YYYY-MM or YYYY-MM-DD. `full` says whether the day is there.
time_span scan_date(scanner& s, bool& full) {
  full = false;
  const int year = s.digits_within(4, 1, 9999);
  if (!s.take_if('-'))
    return {microseconds(day_of(year, 1, 1, s)), microseconds(day_of(year, 12, 31, s)) + day_us - 1};
  const int month = s.digits_within(2, 1, 12);
  if (!s.take_if('-')) {
    const auto first = day_of(year, month, 1, s);
    const auto next = month == 12 ? day_of(year, 12, 31, s) + std::chrono::days{1} : day_of(year, month + 1, 1, s);
    return {microseconds(first), microseconds(next) - 1};
  }
  full = true;
  const auto first = microseconds(day_of(year, month, s.digits_within(2, 1, 31), s));
  return {first, first + day_us - 1};
}

struct clock_time {
  std::int64_t us = 0;
  bool leap_second = false;
};

/// hh:mm:ss with an optional fraction.
clock_time scan_time(scanner& s) {
  const auto hour = s.digits_within(2, 0, 23);
  s.take(':');
  const auto minute = s.digits_within(2, 0, 59);
  s.take(':');
  const auto second = s.digits_within(2, 0, 60);
  std::int64_t fraction = 0;
  if (s.take_if('.')) {
    if (!s.at_digit())
      s.fail();
    for (std::int64_t unit = second_us / 10; s.ok() && s.at_digit(); unit /= 10) // below a microsecond nothing counts
      fraction += unit * s.digits(1);
  }
  return {(hour * 60 + minute) * minute_us + second * second_us + fraction, second == 60};
}

/// Z, +hh:mm or -hh:mm: what is to be taken off a local time to have UTC.
std::int64_t scan_zone(scanner& s, int hours_max = 23) {
  if (s.take_if('Z'))
    return 0;
  const bool west = s.take_if('-');
  if (!west)
    s.take('+');
  const auto hour = s.digits_within(2, 0, hours_max);
  s.take(':');
  const auto minute = s.digits_within(2, 0, hours_max < 23 && hour == hours_max ? 0 : 59);
  const auto offset = (hour * 60 + minute) * minute_us;
  return west ? -offset : offset;
}

} // namespace

std::optional<time_span> parse_fhir_date(std::string_view text) {
  scanner s{text};
  bool full = false;
  const auto span = scan_date(s, full);
  if (!s.whole())
    return std::nullopt;
  return span;
}

std::optional<time_span> parse_fhir_date_time(std::string_view text) {
  scanner s{text};
  bool full = false;
  const auto date = scan_date(s, full);
  if (s.whole())
    return date;
  s.take('T');
  const auto time = scan_time(s);
  const auto offset = scan_zone(s, zone_hours_max);
  if (!s.whole() || !full)
    return std::nullopt;
  const auto us = date.first + time.us - offset;
  return time_span{us, us};
}

std::optional<time_span> parse_fhir_time(std::string_view text) {
  scanner s{text};
  const auto time = scan_time(s);
  if (!s.whole())
    return std::nullopt;
  return time_span{time.us, time.us};
}

bool is_rfc3339(std::string_view text) {
  scanner s{text};
  const int year = s.digits(4);
  s.take('-');
  const int month = s.digits_within(2, 1, 12);
  s.take('-');
  const auto day = day_of(year, month, s.digits_within(2, 1, 31), s);
  if (!s.take_if('t')) // the RFC allows lower case
    s.take('T');
  const auto time = scan_time(s);
  const auto offset = s.take_if('z') ? 0 : scan_zone(s);
  if (!s.whole())
    return false;
  if (!time.leap_second)
    return true;
  const auto begin_of_minute = microseconds(day) + time.us - time.us % minute_us - minute_us - offset;
  return ((begin_of_minute % day_us) + day_us) % day_us == day_us - minute_us;
}

void append_rfc3339_us(std::string& out, std::int64_t us_since_1970) {
  const auto day = std::chrono::floor<std::chrono::days>(
      std::chrono::sys_time<std::chrono::microseconds>{std::chrono::microseconds{us_since_1970}});
  const std::chrono::year_month_day date{day};
  const auto within_day = us_since_1970 - microseconds(day);
  const auto digits = [&out](std::int64_t value, int count) {
    for (std::int64_t unit = count == 6 ? 100'000 : count == 4 ? 1'000 : 10; unit > 0; unit /= 10)
      out += static_cast<char>('0' + value / unit % 10);
  };
  digits(static_cast<int>(date.year()), 4);
  out += '-';
  digits(static_cast<unsigned>(date.month()), 2);
  out += '-';
  digits(static_cast<unsigned>(date.day()), 2);
  out += 'T';
  digits(within_day / (60 * minute_us), 2);
  out += ':';
  digits(within_day / minute_us % 60, 2);
  out += ':';
  digits(within_day / second_us % 60, 2);
  out += '.';
  digits(within_day % second_us, 6);
  out += 'Z';
}

} // namespace epione::domain
