#include "fhirpath_fixture.hpp"

using namespace epione::tests;

BOOST_AUTO_TEST_SUITE(fhirpath_operators)

BOOST_AUTO_TEST_CASE(equality_compares_values_in_order) {
  check_said({{"1 = 1.0", "true"},
              {"1 = 2", "false"},
              {"0.1 + 0.2 = 0.3", "true"},
              {"'a' = 'A'", "false"},
              {"true = true", "true"},
              {"1 = '1'", "false"},
              {"true = 1", "false"},
              {"{} = {}", "{}"},
              {"1 = {}", "{}"},
              {"(1 | 2) = (1 | 2)", "true"},
              {"(1 | 2) = (2 | 1)", "false"},
              {"(1 | 2) = 1", "false"},
              {"(1 | @2012) = (1 | @2012-01)", "{}"},
              {"(1 | @2012) = (2 | @2012-01)", "false"},
              {"1 != 2", "true"},
              {"1 != {}", "{}"},
              {"(1 | 2) != (1 | 2)", "false"}});
}

BOOST_AUTO_TEST_CASE(equivalence_forgives_order_case_and_blanks) {
  check_said({{"'Ab  c' ~ 'aB\\tC'", "true"},
              {"'\xc3\x84rger' ~ '\xc3\xa4RGER'", "true"},
              {"'ab' ~ 'a b'", "false"},
              {"(1 | 2) ~ (2 | 1)", "true"},
              {"(1 | 2) ~ (1 | 3)", "false"},
              {"(1 | 2) ~ 1", "false"},
              {"{} ~ {}", "true"},
              {"1 ~ {}", "false"},
              {"1.2 ~ 1.234", "true"},
              {"1.2 ~ 1.27", "false"},
              {"1.20 ~ 1.234", "true"},
              {"1 ~ 1.4", "true"},
              {"1 !~ 2", "true"},
              {"true ~ 'true'", "false"},
              {"{} !~ {}", "false"}});
}

BOOST_AUTO_TEST_CASE(numbers_strings_and_quantities_have_an_order) {
  check_said({{"1 < 2", "true"},
              {"2.5 >= 2.50", "true"},
              {"1 > 1.5", "false"},
              {"3 <= 2", "false"},
              {"'abc' < 'abd'", "true"},
              {"'Z' < 'a'", "true"},
              {"'z' < '\xc3\xa4'", "true"},
              {"{} < 1", "{}"},
              {"1 < {}", "{}"},
              {"1 < '2'", "error"},
              {"true < false", "error"},
              {"(1 | 2) < 3", "error"}});
  BOOST_TEST(said("1 < 'secret'") == "error: line 1, column 3: Integer and String have no order");
}

BOOST_AUTO_TEST_CASE(logic_has_three_values) {
  check_said({{"true and true", "true"},
              {"true and false", "false"},
              {"true and {}", "{}"},
              {"false and {}", "false"},
              {"{} and false", "false"},
              {"{} and true", "{}"},
              {"{} and {}", "{}"},
              {"true or {}", "true"},
              {"{} or true", "true"},
              {"false or {}", "{}"},
              {"false or false", "false"},
              {"{} or {}", "{}"},
              {"true xor false", "true"},
              {"true xor true", "false"},
              {"true xor {}", "{}"},
              {"{} xor false", "{}"},
              {"true implies true", "true"},
              {"true implies false", "false"},
              {"true implies {}", "{}"},
              {"false implies {}", "true"},
              {"false implies false", "true"},
              {"{} implies true", "true"},
              {"{} implies false", "{}"},
              {"{} implies {}", "{}"},
              {"true.not()", "false"},
              {"false.not()", "true"},
              {"{}.not()", "{}"},
              {"'x' and true", "true"},
              {"1.not()", "false"},
              {"(1 | 2) and true", "error"},
              {"false and (1 | 2)", "false"},
              {"true or (1 | 2)", "true"},
              {"(true | false).not()", "error"}});
}

BOOST_AUTO_TEST_CASE(arithmetic_is_exact) {
  check_said({{"1 + 2", "3"},
              {"0.1 + 0.2", "0.3"},
              {"1 + 0.5", "1.5"},
              {"'a' + 'b'", "'ab'"},
              {"1 - 2", "-1"},
              {"3 * 0.5", "1.5"},
              {"1 / 2", "0.5"},
              {"4 / 2", "2"},
              {"(4 / 2) is Decimal", "true"},
              {"1 / 3 * 3", "0.9999999999999999"},
              {"5 div 2", "2"},
              {"-5 div 2", "-2"},
              {"5.5 div 0.7", "7"},
              {"5 mod 2", "1"},
              {"-5 mod 3", "-2"},
              {"5.5 mod 0.7", "0.6"},
              {"2147483647 mod 2", "1"},
              {"1 / 0", "{}"},
              {"1 div 0", "{}"},
              {"1 mod 0", "{}"},
              {"1.5 mod 0.0", "{}"},
              {"99999999999999999999.0 div 1", "{}"},
              {"99999999999999999999.9999999999999999 mod 100000000000.0", "99999999999.9999999999999999"},
              {"2147483647 + 1", "{}"},
              {"-2147483647 - 2", "{}"},
              {"65536 * 65536", "{}"},
              {"2147483647 + 1.0", "2147483648.0"},
              {"-2147483648", "-2147483648"},
              {"(-2147483648).is(Integer)", "true"},
              {"-2147483648 - 1", "{}"},
              {"1 - 2147483648", "cannot compile"},
              {"-2147483648.abs()", "cannot compile"},
              {"--2147483648", "cannot compile"},
              {"1 + {}", "{}"},
              {"{} * {}", "{}"},
              {"1 + '1'", "error"},
              {"'a' - 'b'", "error"},
              {"true + 1", "error"},
              {"(1 | 2) + 1", "error"},
              {"1 'mg' div 1", "error"}});
}

BOOST_AUTO_TEST_CASE(an_ampersand_takes_nothing_as_an_empty_string) {
  check_said(
      {{"'a' & 'b'", "'ab'"}, {"'a' & {}", "'a'"}, {"{} & {}", "''"}, {"1 & 'a'", "error"}, {"('a' | 'b') & 'c'", "error"}});
}

BOOST_AUTO_TEST_CASE(signs_stand_before_numbers_and_quantities) {
  check_said({{"-1", "-1"},
              {"+1", "1"},
              {"-(0.5)", "-0.5"},
              {"--1", "1"},
              {"-{}", "{}"},
              {"-(4 days)", "-4 days"},
              {"-'a'", "error"},
              {"-(1 | 2)", "error"},
              {"-1.abs()", "-1"}, // the point binds tighter
              {"-1.convertsToInteger()", "error"}});
}

BOOST_AUTO_TEST_CASE(membership_looks_for_one_item) {
  check_said({{"1 in (1 | 2)", "true"},
              {"3 in (1 | 2)", "false"},
              {"1 in {}", "false"},
              {"{} in (1 | 2)", "{}"},
              {"(1 | 2) in (1 | 2)", "error"},
              {"(1 | 2) contains 2", "true"},
              {"{} contains 1", "false"},
              {"(1 | 2) contains {}", "{}"},
              {"1 contains (1 | 2)", "error"},
              {"1.0 in (1 | 2)", "true"},
              {"@2012 in (@2012-01 | 2)", "false"}});
}

BOOST_AUTO_TEST_CASE(a_union_has_nothing_twice) {
  check_said({{"1 | 2 | 1", "1, 2"},
              {"1 | 1.0", "1"},
              {"'a' | 'A'", "'a', 'A'"},
              {"{} | {}", "{}"},
              {"1 | {}", "1"},
              {"@2012 | @2012-01", "@2012, @2012-01"},
              {"1 week | 7 days | 7 'd'", "1 week"}});
}

BOOST_AUTO_TEST_CASE(an_index_takes_one_item) {
  check_said({{"('a' | 'b')[0]", "'a'"},
              {"('a' | 'b')[1]", "'b'"},
              {"('a' | 'b')[2]", "{}"},
              {"('a' | 'b')[-1]", "{}"},
              {"('a' | 'b')[{}]", "{}"},
              {"{}[0]", "{}"},
              {"('a' | 'b')['x']", "error"},
              {"('a' | 'b')[0 | 1]", "error"}});
}

BOOST_AUTO_TEST_CASE(types_are_tested_by_name) {
  check_said({{"1 is Integer", "true"},
              {"1 is System.Integer", "true"},
              {"1 is Decimal", "false"},
              {"1.0 is Decimal", "true"},
              {"'a' is String", "true"},
              {"'a' is string", "false"}, // that is FHIR's
              {"true is Boolean", "true"},
              {"@2012 is Date", "true"},
              {"@2012T is DateTime", "true"},
              {"@T10 is Time", "true"},
              {"4 days is Quantity", "true"},
              {"{} is Integer", "{}"},
              {"(1 | 2) is Integer", "error"},
              {"1 as Integer", "1"},
              {"1 as String", "{}"},
              {"(1 | 2) as Integer", "error"},
              {"1.is(Integer)", "true"},
              {"1.as(Integer)", "1"},
              {"(1 | 2).is(Integer)", "error"},
              {"(1 | 2).as(Integer)", "error"},
              {"(1 | 'a' | 2).ofType(Integer)", "1, 2"},
              {"{}.ofType(Integer)", "{}"}});
}

BOOST_AUTO_TEST_CASE(quantities_compare_where_their_units_do) {
  check_said({{"1 'kg' = 1000 'g'", "true"},
              {"1 'kg' > 999 'g'", "true"},
              {"1 'kg' = 1 'm'", "{}"},
              {"1 'kg' < 1 'm'", "{}"},
              {"1 'x' = 1 'x'", "true"},
              {"1 'x' = 1 'y'", "{}"},
              {"1 'x' ~ 1 'y'", "false"},
              {"100 'mg/dL' = 1 'g/L'", "true"},
              {"5 'mmol/L' < 6 'mmol/L'", "true"},
              {"1 'L' = 10 'dL'", "true"},
              {"1 'fL' = 0.000000000000001 'L'", "true"},
              {"1 'm3' = 1000 'L'", "true"},
              {"72 '/min' = 1.2 '/s'", "true"},
              {"72 '/min' = 1.2 'Hz'", "true"},
              {"1 '10*9/L' = 1000 '10*6/L'", "true"},
              {"1 'N' = 1 'kg.m/s2'", "true"},
              {"1 'N' = 1 'kg.m.s-2'", "true"},
              {"120 'mm[Hg]' < 16 'kPa'", "true"},
              {"1 '{score}' = 1", "true"},
              {"1 'mL/min/{1.73_m2}' = 1 'mL/min'", "true"},
              {"1 'mk' = 1 'k'", "{}"},
              {"1 '(m)' = 1 'cm'", "{}"},
              {"1 = 1 '1'", "true"},
              {"50 '%' = 0.5", "true"},
              {"7 days = 1 week", "true"},
              {"1 day = 24 hours", "true"},
              {"1 day = 1 'd'", "true"},
              {"1 second = 1 's'", "true"},
              {"1000 milliseconds = 1 's'", "true"},
              {"1 year = 12 months", "true"},
              {"1 year = 1 'a'", "{}"},
              {"1 year ~ 1 'a'", "true"},
              {"1 month = 1 'mo'", "{}"},
              {"1 month ~ 1 'mo'", "true"},
              {"1 month = 30 days", "{}"},
              {"1 'a' = 365.25 'd'", "true"},
              {"4.0 'mg' ~ 4.04 'mg'", "true"},
              {"4 'g' ~ 4040 'mg'", "true"},
              {"4 'g' ~ 4540 'mg'", "false"},
              {"4 'g' = 4040 'mg'", "false"},
              {"4 'mg' = 'a'", "false"},
              {"4 'mg' < 'a'", "error"}});
}

BOOST_AUTO_TEST_CASE(quantities_are_calculated_with) {
  check_said({{"3 'm' + 3 'cm'", "303 'cm'"},
              {"3 'm' - 3 'cm'", "297 'cm'"},
              {"1 'kg' + 1 'm'", "{}"},
              {"2 * 3 'mg'", "6 'mg'"},
              {"3 'mg' * 2", "6 'mg'"},
              {"3 'mg' * 2 'mg'", "6 'mg2'"},
              {"2.0 'cm' * 2.0 'm' = 0.040 'm2'", "true"},
              {"4.0 'g' / 2.0 'm' = 2 'g/m'", "true"},
              {"80 'kg' / (2 'm' * 2 'm')", "20 'kg/m2'"},
              {"80 'kg' / 2 'm' / 2 'm'", "20 'kg/m2'"},
              {"6 'mg' / 2 'mL'", "3 'mg/mL'"},
              {"3 'mg/mL' * 2 'mL'", "6 'mg'"},
              {"6 / 2 's'", "3 '/s'"},
              {"6 'mg' / 2 hours", "3 'mg/h'"},
              {"6 'mg' * 2 months", "{}"},
              {"6 'mg' / 1 year", "{}"},
              {"6 'mg(' * 2 'm'", "{}"},
              {"6 '[x]' * 2 'm'", "12 '[x].m'"},
              {"6 'mg' / 3", "2 'mg'"},
              {"6 'mg' / 3 'mg'", "2 '1'"},
              {"1 'g' / 500 'mg'", "2 '1'"},
              {"6 'mg' / 0", "{}"},
              {"1 week + 1 day", "8 days"},
              {"-(1 'mg').abs()", "-1 'mg'"},
              {"1 'mg' + 'a'", "error"}});
}

BOOST_AUTO_TEST_SUITE_END()
