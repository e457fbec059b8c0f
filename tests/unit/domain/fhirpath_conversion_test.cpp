#include "fhirpath_fixture.hpp"

using namespace epione::tests;

BOOST_AUTO_TEST_SUITE(fhirpath_conversions)

BOOST_AUTO_TEST_CASE(to_boolean) {
  check_said({{"'true'.toBoolean()", "true"},
              {"'Y'.toBoolean()", "true"},
              {"'1.0'.toBoolean()", "true"},
              {"'no'.toBoolean()", "false"},
              {"'f'.toBoolean()", "false"},
              {"'x'.toBoolean()", "{}"},
              {"1.toBoolean()", "true"},
              {"0.toBoolean()", "false"},
              {"2.toBoolean()", "{}"},
              {"0.0.toBoolean()", "false"},
              {"1.0.toBoolean()", "true"},
              {"true.toBoolean()", "true"},
              {"@2012.toBoolean()", "{}"},
              {"{}.toBoolean()", "{}"},
              {"(1 | 0).toBoolean()", "error"},
              {"2.convertsToBoolean()", "false"},
              {"'t'.convertsToBoolean()", "true"},
              {"{}.convertsToBoolean()", "{}"}});
}

BOOST_AUTO_TEST_CASE(to_numbers) {
  check_said({{"'5'.toInteger()", "5"},
              {"'+5'.toInteger()", "5"},
              {"'-5'.toInteger()", "-5"},
              {"'5.0'.toInteger()", "{}"},
              {"'5 '.toInteger()", "{}"},
              {"'2147483648'.toInteger()", "{}"},
              {"true.toInteger()", "1"},
              {"1.0.toInteger()", "{}"},
              {"{}.toInteger()", "{}"},
              {"(1 | 2).toInteger()", "error"},
              {"'a'.convertsToInteger()", "false"},
              {"1.convertsToInteger()", "true"},
              {"'1.50'.toDecimal()", "1.50"},
              {"'1'.toDecimal() is Decimal", "true"},
              {"1.toDecimal() is Decimal", "true"},
              {"true.toDecimal()", "1.0"},
              {"'1.'.toDecimal()", "{}"},
              {"'.5'.convertsToDecimal()", "false"},
              {"1.toDecimal()", "1"},
              {"{}.toDecimal()", "{}"}});
}

BOOST_AUTO_TEST_CASE(to_string) {
  check_said({{"1.toString()", "'1'"},
              {"(-1.50).toString()", "'-1.50'"},
              {"0.0.toString()", "'0.0'"},
              {"true.toString()", "'true'"},
              {"'a'.toString()", "'a'"},
              {"@2012-01.toString()", "'2012-01'"},
              {"@T10:30.toString()", "'10:30'"},
              {"(1 'wk').toString()", "'1 'wk''"},
              {"(4 days).toString()", "'4 days'"},
              {"(1 day).toString()", "'1 day'"},
              {"{}.toString()", "{}"},
              {"1.convertsToString()", "true"},
              {"(1 | 2).toString()", "error"}});
}

BOOST_AUTO_TEST_CASE(to_dates_and_times) {
  check_said({{"'2012-01-01'.toDate()", "@2012-01-01"},
              {"'2012'.toDate()", "@2012"},
              {"'2012-13'.toDate()", "{}"},
              {"@2012-01-01T10:00:00Z.toDate()", "@2012-01-01"},
              {"@2012-01T.toDate() is Date", "true"},
              {"1.toDate()", "{}"},
              {"@T10.toDate()", "{}"},
              {"{}.toDate()", "{}"},
              {"'x'.convertsToDate()", "false"},
              {"'2012-01-01T10:00'.toDateTime()", "@2012-01-01T10:00"},
              {"@2012.toDateTime() is DateTime", "true"},
              {"'2012-01-01T10:00:00+02:00'.convertsToDateTime()", "true"},
              {"'10:30'.toTime()", "@T10:30"},
              {"'25:30'.toTime()", "{}"},
              {"@T10.toTime()", "@T10"},
              {"@2012.toTime()", "{}"},
              {"{}.toTime()", "{}"},
              {"'10'.convertsToTime()", "true"}});
}

BOOST_AUTO_TEST_CASE(to_quantity) {
  check_said({{"1.toQuantity()", "1 '1'"},
              {"1.50.toQuantity()", "1.50 '1'"},
              {"true.toQuantity()", "1.0 '1'"},
              {"'4 days'.toQuantity()", "4 days"},
              {"'4 \\'mg\\''.toQuantity()", "4 'mg'"},
              {"'4'.toQuantity()", "4 '1'"},
              {"'4 mg'.toQuantity()", "{}"},
              {"'4 '.toQuantity()", "{}"},
              {"'x'.toQuantity()", "{}"},
              {"(1 'kg').toQuantity('g')", "1000 'g'"},
              {"(1 week).toQuantity('days')", "7 days"},
              {"(1 'wk').toQuantity('d')", "7 'd'"},
              {"(1 'kg').toQuantity('m')", "{}"},
              {"{}.toQuantity()", "{}"},
              {"'4 days'.convertsToQuantity()", "true"},
              {"(1 'kg').convertsToQuantity('m')", "false"},
              {"@2012.convertsToQuantity()", "false"}});
}

BOOST_AUTO_TEST_SUITE_END()
