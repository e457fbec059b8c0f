#include "cli/load_histogram.hpp"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <random>
#include <vector>

using epione::cli::load_histogram;

BOOST_AUTO_TEST_SUITE(load_histogram_test)

BOOST_AUTO_TEST_CASE(an_empty_histogram_says_zero) {
  const load_histogram h;
  BOOST_TEST(h.count() == 0u);
  BOOST_TEST(h.quantile_ns(0.99) == 0);
  BOOST_TEST(h.max_ns() == 0);
  BOOST_TEST(h.mean_ns() == 0.0);
}

BOOST_AUTO_TEST_CASE(quantiles_are_within_one_in_128_of_the_exact_ones) {
  std::mt19937_64 random{7};
  std::lognormal_distribution<double> latency{14, 2}; // median about 1.2 ms, a tail to seconds
  load_histogram h;
  std::vector<std::int64_t> exact;
  for (int i = 0; i < 200'000; ++i) {
    const auto value = static_cast<std::int64_t>(latency(random));
    h.record(value);
    exact.push_back(value);
  }
  std::sort(exact.begin(), exact.end());
  for (const double share : {0.001, 0.5, 0.9, 0.99, 0.999, 0.9999}) {
    const auto rank = static_cast<std::size_t>(std::ceil(share * static_cast<double>(exact.size())));
    const auto wanted = exact[rank - 1];
    BOOST_TEST(h.quantile_ns(share) >= wanted);
    BOOST_TEST(static_cast<double>(h.quantile_ns(share)) <= static_cast<double>(wanted) * (1 + 1.0 / 128) + 1);
  }
  BOOST_TEST(h.max_ns() == exact.back());
  BOOST_TEST(h.quantile_ns(1) == exact.back());
}

BOOST_AUTO_TEST_CASE(small_values_are_exact) {
  load_histogram h;
  for (int i = 0; i <= 200; ++i)
    h.record(i);
  BOOST_TEST(h.quantile_ns(0.5) == 100);
  BOOST_TEST(h.quantile_ns(0) == 0);
}

BOOST_AUTO_TEST_CASE(values_out_of_range_are_kept_at_its_ends) {
  load_histogram h;
  h.record(-5);
  h.record(INT64_MAX);
  BOOST_TEST(h.count() == 2u);
  BOOST_TEST(h.quantile_ns(0.1) == 0);
  BOOST_TEST(h.max_ns() == (std::int64_t{1} << 48) - 1);
}

BOOST_AUTO_TEST_CASE(adding_is_recording_both) {
  load_histogram a, b, both;
  for (int i = 1; i < 1000; ++i) {
    (i % 3 == 0 ? a : b).record(i * 1000);
    both.record(i * 1000);
  }
  a.add(b);
  BOOST_TEST(a.count() == both.count());
  BOOST_TEST(a.quantile_ns(0.9) == both.quantile_ns(0.9));
  BOOST_TEST(a.max_ns() == both.max_ns());
  a.clear();
  BOOST_TEST(a.count() == 0u);
  BOOST_TEST(a.max_ns() == 0);
}

BOOST_AUTO_TEST_SUITE_END()
