// Quiet hours by the clock on the wall: over midnight, in any zone, and over changes of time.
#include "runtime/local_time.hpp"

#include <boost/test/unit_test.hpp>
#include <ctime>

using namespace epione;
using namespace epione::runtime;

namespace {

/// "2026-01-15T07:30:02Z" in microseconds since 1970.
std::int64_t at(const char* text) {
  std::tm utc{};
  BOOST_REQUIRE(strptime(text, "%Y-%m-%dT%H:%M:%SZ", &utc) != nullptr);
  return static_cast<std::int64_t>(timegm(&utc)) * 1'000'000;
}

std::string until(const domain::quiet_hours& quiet, const std::string& zone, const char* now) {
  const auto end = quiet_until_us(quiet, zone, at(now));
  return end ? utc_time_text(*end) : "none";
}

constexpr domain::quiet_hours night{22 * 60, 7 * 60}, noon{12 * 60, 13 * 60}, early{60, 150}; // 01:00 to 02:30

} // namespace

BOOST_AUTO_TEST_SUITE(local_times)

BOOST_AUTO_TEST_CASE(quiet_hours_over_midnight_in_the_recipient_s_zone) {
  BOOST_TEST(until(night, "Asia/Shanghai", "2026-01-15T13:59:59Z") == "none");
  BOOST_TEST(until(night, "Asia/Shanghai", "2026-01-15T14:00:00Z") == "2026-01-15T23:00:00Z");
  BOOST_TEST(until(night, "Asia/Shanghai", "2026-01-15T22:59:59Z") == "2026-01-15T23:00:00Z"); // after midnight there
  BOOST_TEST(until(night, "Asia/Shanghai", "2026-01-15T23:00:00Z") == "none");
  BOOST_TEST(until(night, "America/New_York", "2026-01-15T14:00:00Z") == "none");
}

BOOST_AUTO_TEST_CASE(quiet_hours_within_a_day) {
  BOOST_TEST(until(noon, "UTC", "2026-01-15T11:59:59Z") == "none");
  BOOST_TEST(until(noon, "UTC", "2026-01-15T12:00:00Z") == "2026-01-15T13:00:00Z");
  BOOST_TEST(until(noon, "UTC", "2026-01-15T13:00:00Z") == "none");
}

BOOST_AUTO_TEST_CASE(a_night_with_a_change_of_time_ends_by_the_clock_on_the_wall) {
  // Berlin, 29 March 2026: 02:00 becomes 03:00. 25 October: 03:00 becomes 02:00.
  BOOST_TEST(until(night, "Europe/Berlin", "2026-03-28T22:00:00Z") == "2026-03-29T05:00:00Z");
  BOOST_TEST(until(night, "Europe/Berlin", "2026-03-27T22:00:00Z") == "2026-03-28T06:00:00Z");
  BOOST_TEST(until(night, "Europe/Berlin", "2026-10-24T21:00:00Z") == "2026-10-25T06:00:00Z");
}

BOOST_AUTO_TEST_CASE(an_end_that_the_clock_skips_comes_with_the_change) {
  BOOST_TEST(until(early, "Europe/Berlin", "2026-03-29T00:30:00Z") == "2026-03-29T01:00:00Z");
}

BOOST_AUTO_TEST_CASE(an_end_that_the_clock_shows_twice_is_the_next_one) {
  BOOST_TEST(until(early, "Europe/Berlin", "2026-10-25T00:10:00Z") == "2026-10-25T00:30:00Z"); // 02:10, the first time
  BOOST_TEST(until(early, "Europe/Berlin", "2026-10-25T01:10:00Z") == "2026-10-25T01:30:00Z"); // 02:10, the second time
}

BOOST_AUTO_TEST_CASE(zones_are_known_or_not_and_times_are_shown) {
  BOOST_TEST(is_known_zone("Asia/Shanghai"));
  BOOST_TEST(!is_known_zone("Mars/Olympus"));
  BOOST_TEST(local_time_text(at("2026-01-15T07:30:02Z"), "Asia/Shanghai") == "2026-01-15 15:30 +08:00");
  BOOST_TEST(local_time_text(at("2026-01-15T07:30:02Z"), "Mars/Olympus") == "2026-01-15 07:30 +00:00");
  BOOST_TEST(utc_time_text(at("2026-01-15T07:30:02Z")) == "2026-01-15T07:30:02Z");
}

BOOST_AUTO_TEST_SUITE_END()
