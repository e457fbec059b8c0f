#include "domain/fhirpath_decimal.hpp"

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <random>

using epione::domain::fhirpath::decimal;

namespace {

decimal of(std::string_view text) {
  const auto d = decimal::parse(text);
  BOOST_REQUIRE_MESSAGE(d, text);
  return *d;
}

std::string text(const std::optional<decimal>& d) {
  return d ? d->text() : "{}";
}

} // namespace

BOOST_AUTO_TEST_SUITE(fhirpath_decimal)

BOOST_AUTO_TEST_CASE(a_decimal_reads_as_it_was_written) {
  for (const auto* written : {"0", "0.0", "12.50", "-12.50", "99999999999999999999", "0.0000000000000001", "-0.5", "100"})
    BOOST_TEST(of(written).text() == written);
  BOOST_TEST(of("+7").text() == "7");
  BOOST_TEST(of("-0.0").text() == "0.0");
  for (const auto* bad : {"", "-", ".5", "5.", "1e3", "1,5", " 1", "1 ", "--1", "0x1", "100000000000000000000", "1.2.3", "+-1"})
    BOOST_TEST(!decimal::parse(bad).has_value(), bad);
}

BOOST_AUTO_TEST_CASE(what_has_more_than_16_places_is_rounded_half_away_from_zero) {
  BOOST_TEST(of("0.12345678901234564").text() == "0.1234567890123456");
  BOOST_TEST(of("0.12345678901234565").text() == "0.1234567890123457");
  BOOST_TEST(of("-0.12345678901234565").text() == "-0.1234567890123457");
  BOOST_TEST(!decimal::parse("99999999999999999999.99999999999999999").has_value());
}

BOOST_AUTO_TEST_CASE(sums_have_no_binary_errors) {
  BOOST_TEST(text(add(of("0.1"), of("0.2"))) == "0.3");
  BOOST_TEST(text(add(of("1.10"), of("-1.1"))) == "0.00");
  BOOST_TEST(text(subtract(of("1"), of("0.9"))) == "0.1");
  BOOST_TEST(text(subtract(of("0.9"), of("1"))) == "-0.1");
  BOOST_TEST(text(add(of("-3"), of("-4.5"))) == "-7.5");
  BOOST_TEST(text(add(of("99999999999999999999"), of("1"))) == "{}");
  BOOST_TEST(text(add(of("99999999999999999999"), of("0.9999999999999999"))) == "99999999999999999999.9999999999999999");
}

BOOST_AUTO_TEST_CASE(products_are_exact_as_far_as_they_fit) {
  BOOST_TEST(text(multiply(of("1.1"), of("1.1"))) == "1.21");
  BOOST_TEST(text(multiply(of("1.5"), of("2.0"))) == "3.0");
  BOOST_TEST(text(multiply(of("-2"), of("0.5"))) == "-1.0");
  BOOST_TEST(text(multiply(of("9999999999"), of("9999999999"))) == "99999999980000000001");
  BOOST_TEST(text(multiply(of("10000000000"), of("10000000000"))) == "{}");
  BOOST_TEST(text(multiply(of("0.0000000000000001"), of("0.5"))) == "0.0000000000000001");
  BOOST_TEST(text(multiply(of("0.0000000000000001"), of("0.4"))) == "0.0000000000000000");
  BOOST_TEST(text(multiply(of("9999999999.9999999999999999"), of("9999999999.9999999999999999"))) ==
             "99999999999999999999.9999980000000000");
  BOOST_TEST(text(multiply(of("12345678901234567890.1234567890123456"), of("1.0000000000000001"))) ==
             "12345678901234569124.6913469124691346");
}

BOOST_AUTO_TEST_CASE(quotients_have_16_places) {
  BOOST_TEST(text(divide(of("1"), of("2"))) == "0.5");
  BOOST_TEST(text(divide(of("1"), of("3"))) == "0.3333333333333333");
  BOOST_TEST(text(divide(of("-2"), of("3"))) == "-0.6666666666666667");
  BOOST_TEST(text(divide(of("1"), of("0"))) == "{}");
  BOOST_TEST(text(divide(of("0"), of("5"))) == "0");
  BOOST_TEST(text(divide(of("99999999999999999999"), of("0.1"))) == "{}");
  BOOST_TEST(text(divide(of("99999999999999999999"), of("0.0000000000000001"))) == "{}");
  BOOST_TEST(text(divide(of("99999999999999999999.9999999999999999"), of("99999999999999999999.9999999999999999"))) == "1");
  BOOST_TEST(text(divide(of("0.0000000000000001"), of("99999999999999999999"))) == "0");
}

BOOST_AUTO_TEST_CASE(rounding_goes_away_from_zero_at_a_half) {
  BOOST_TEST(of("2.5").round(0).text() == "3");
  BOOST_TEST(of("-2.5").round(0).text() == "-3");
  BOOST_TEST(of("2.49").round(0).text() == "2");
  BOOST_TEST(of("3.14159").round(3).text() == "3.142");
  BOOST_TEST(of("1.5").round(4).text() == "1.5");
  BOOST_TEST(of("-1.5").floor().text() == "-2");
  BOOST_TEST(of("-1.0").floor().text() == "-1");
  BOOST_TEST(of("-1.5").ceiling().text() == "-1");
  BOOST_TEST(of("1.1").ceiling().text() == "2");
  BOOST_TEST(of("-1.9").truncate().text() == "-1");
}

BOOST_AUTO_TEST_CASE(numbers_written_differently_are_equal) {
  BOOST_TEST((of("1.10") == of("1.1")));
  BOOST_TEST((of("1.10").hash() == of("1.1").hash()));
  BOOST_TEST((of("0") == of("-0.00")));
  BOOST_TEST((of("-1") < of("0.1")));
  BOOST_TEST((of("-2") < of("-1.5")));
  BOOST_TEST((of("10") > of("9.9999")));
}

BOOST_AUTO_TEST_CASE(a_binary_number_is_the_shortest_decimal_that_reads_the_same) {
  BOOST_TEST(text(decimal::from_double(0.1)) == "0.1");
  BOOST_TEST(text(decimal::from_double(-2.5)) == "-2.5");
  BOOST_TEST(text(decimal::from_double(5)) == "5");
  BOOST_TEST(text(decimal::from_double(1e-300)) == "0.0000000000000000");
  BOOST_TEST(text(decimal::from_double(1e20)) == "{}");
  BOOST_TEST(text(decimal::from_double(std::nan(""))) == "{}");
  BOOST_TEST(text(decimal::from_double(HUGE_VAL)) == "{}");
}

BOOST_AUTO_TEST_CASE(integers_of_64_bits_are_decimals) {
  BOOST_TEST(decimal{INT64_MIN}.text() == "-9223372036854775808");
  BOOST_TEST(decimal{INT64_MAX}.integer().value() == INT64_MAX);
  BOOST_TEST(!of("1.5").integer().has_value());
  BOOST_TEST(of("-3.00").integer().value() == -3);
}

BOOST_AUTO_TEST_CASE(arithmetic_keeps_its_laws) {
  std::mt19937_64 random{7};
  const auto any = [&] {
    const auto places = static_cast<int>(random() % 9);
    auto digits = std::to_string(random() % 1'000'000'000);
    digits.insert(0, places + 1, '0');
    digits.insert(digits.size() - static_cast<std::size_t>(places), places == 0 ? "" : ".");
    return of((random() % 2 == 0 ? "-" : "") + digits);
  };
  for (int i = 0; i < 2'000; ++i) {
    const auto a = any(), b = any(), c = any();
    BOOST_TEST((add(a, b) == add(b, a)));
    BOOST_TEST((subtract(*add(a, b), b) == a));
    BOOST_TEST((multiply(a, b) == multiply(b, a)));
    if (a.places() + b.places() + c.places() <= 16 && multiply(a, b) && multiply(a, c)) {
      const auto parts = add(*multiply(a, b), *multiply(a, c));
      BOOST_TEST((multiply(a, *add(b, c)) == parts));
    }
    if (!b.zero() && multiply(a, b))
      BOOST_TEST((divide(*multiply(a, b), b) == a || a.places() + b.places() > 16));
  }
}

BOOST_AUTO_TEST_SUITE_END()
