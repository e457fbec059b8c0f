#include "domain/date_text.hpp"

#include <boost/test/unit_test.hpp>

using namespace epione::domain;

BOOST_AUTO_TEST_SUITE(dates)

BOOST_AUTO_TEST_CASE(a_fhir_date_covers_what_it_says) {
  constexpr std::int64_t day = 86'400'000'000;
  BOOST_TEST((parse_fhir_date("1970-01-01") == time_span{0, day - 1}));
  BOOST_TEST((parse_fhir_date("1970-01") == time_span{0, 31 * day - 1}));
  BOOST_TEST((parse_fhir_date("1970") == time_span{0, 365 * day - 1}));
  BOOST_TEST((parse_fhir_date("1969-12") == time_span{-31 * day, -1}));
}

BOOST_AUTO_TEST_CASE(a_fhir_date_is_in_the_calendar) {
  for (const auto* good : {"2024-02-29", "2000-02-29", "0001-01-01", "9999-12-31", "9999-12", "9999"})
    BOOST_TEST(parse_fhir_date(good).has_value(), good);
  for (const auto* bad : {"2023-02-29", "1900-02-29", "2024-13", "2024-00", "2024-04-31", "2024-01-00", "0000", "24", "2024-1",
                          "2024-01-1", "2024/01/01", "2024-01-01T", "2024-01-01 ", " 2024", "", "2024-", "+2024", "20240101"})
    BOOST_TEST(!parse_fhir_date(bad).has_value(), bad);
}

BOOST_AUTO_TEST_CASE(a_fhir_date_time_with_a_time_has_seconds_and_a_zone) {
  BOOST_TEST((parse_fhir_date_time("1970-01-01T01:00:00.5+01:00") == time_span{500'000, 500'000}));
  BOOST_TEST((parse_fhir_date_time("1970-01-01T00:00:00-00:30") == time_span{1'800'000'000, 1'800'000'000}));
  for (const auto* good : {"2024", "2024-05", "2024-05-01", "2024-05-01T00:00:00Z", "2024-05-01T23:59:59.123456789+14:00"})
    BOOST_TEST(parse_fhir_date_time(good).has_value(), good);
  for (const auto* bad :
       {"2024-05-01T00:00:00", "2024-05-01T00:00Z", "2024-05-01T24:00:00Z", "2024-05-01T00:60:00Z", "2024-05-01T00:00:61Z",
        "2024-05T00:00:00Z", "2024T00:00:00Z", "2024-05-01T00:00:00.Z", "2024-05-01T00:00:00+1:00", "2024-05-01t00:00:00Z",
        "2024-05-01 00:00:00Z", "2024-05-01T00:00:00z", "2024-05-01T00:00:00+24:00", "2024-05-01T00:00:00+14:01",
        "2024-05-01T00:00:00-15:00", "2023-02-29T00:00:00Z"})
    BOOST_TEST(!parse_fhir_date_time(bad).has_value(), bad);
}

BOOST_AUTO_TEST_CASE(a_fhir_time_has_seconds_and_no_zone) {
  BOOST_TEST((parse_fhir_time("00:00:01") == time_span{1'000'000, 1'000'000}));
  for (const auto* bad : {"24:00:00", "08:30", "08:30:00Z", "8:30:00", "08:30:00.", "", "08-30-00"})
    BOOST_TEST(!parse_fhir_time(bad).has_value(), bad);
}

BOOST_AUTO_TEST_CASE(rfc_3339_is_checked_strictly) {
  for (const auto* good :
       {"2024-05-01T08:30:00Z", "2024-05-01T08:30:00+02:00", "2024-05-01t08:30:00.123z", "2024-05-01T08:30:00-00:00",
        "1990-12-31T23:59:60Z", "1990-12-31T15:59:60-08:00", "2024-02-29T00:00:00Z"})
    BOOST_TEST(is_rfc3339(good), good);
  for (const auto* bad :
       {"2024-05-01T08:30:00", "2024-05-01", "2024-05-01 08:30:00Z", "2024-05-01T08:30Z", "2023-02-29T00:00:00Z",
        "2024-05-01T24:00:00Z", "2024-05-01T08:30:60Z", "1990-12-31T23:59:60+01:00", "2024-05-01T08:30:00+0200",
        "2024-05-01T08:30:00.Z", "2024-05-01T08:30:00Zx", "", "T", "2024-05-01T08:30:00+02:60"})
    BOOST_TEST(!is_rfc3339(bad), bad);
}

BOOST_AUTO_TEST_SUITE_END()
