#include "cli/bench_submit.hpp"
#include "scratch.hpp"

using namespace epione::cli;

BOOST_AUTO_TEST_SUITE(bench_options_test)

BOOST_AUTO_TEST_CASE(times_are_read_with_their_unit) {
  BOOST_TEST(*parse_duration_ns("30s") == 30'000'000'000);
  BOOST_TEST(*parse_duration_ns("30") == 30'000'000'000);
  BOOST_TEST(*parse_duration_ns("1.5ms") == 1'500'000);
  BOOST_TEST(*parse_duration_ns("10m") == 600'000'000'000);
  BOOST_TEST(*parse_duration_ns("1h") == 3'600'000'000'000);
  for (const auto* wrong : {"", "s", "-1s", "1d", "1 s", "nan", "1e30s"})
    BOOST_TEST(!parse_duration_ns(wrong), wrong);
}

BOOST_AUTO_TEST_CASE(shares_are_read_as_percent_or_part_of_one) {
  BOOST_TEST(*parse_share_ppm("2%") == 20'000u);
  BOOST_TEST(*parse_share_ppm("0.02") == 20'000u);
  BOOST_TEST(*parse_share_ppm("100%") == 1'000'000u);
  BOOST_TEST(*parse_share_ppm("1") == 1'000'000u);
  for (const auto* wrong : {"", "%", "-1%", "101%", "2", "two"})
    BOOST_TEST(!parse_share_ppm(wrong), wrong);
}

BOOST_AUTO_TEST_CASE(wrong_usage_is_exit_code_2_and_nobody_there_3) {
  BOOST_TEST(test::call({"bench", "submit", "--http", "http://127.0.0.1:1", "--duration", "soon"}).code == 2);
  BOOST_TEST(test::call({"bench", "submit", "--http", "http://127.0.0.1:1"}).code == 2); // for how long?
  BOOST_TEST(test::call({"bench", "submit", "--http", "nonsense", "--count", "1"}).code == 2);
  BOOST_TEST(test::call({"bench", "submit", "--count", "1"}).code == 2); // where?
  BOOST_TEST(test::call({"bench", "submit", "--http", "http://127.0.0.1:1", "--count", "1", "--alerts", "200%"}).code == 2);
  const test::scratch scratch;
  BOOST_TEST(test::call({"bench", "submit", "--data-dir", scratch.path(), "--count", "1"}).code == 3);
}

BOOST_AUTO_TEST_SUITE_END()
