// Clock, chance and metrics: small promises that everything else leans on.
#include "runtime/clock.hpp"
#include "runtime/metrics.hpp"
#include "runtime/random.hpp"

#include <array>
#include <boost/test/unit_test.hpp>
#include <set>

using namespace epione::runtime;

BOOST_AUTO_TEST_SUITE(base)

BOOST_AUTO_TEST_CASE(the_interval_clock_never_goes_back) {
  system_clock c;
  auto last = c.now_ns();
  for (int i = 0; i < 1'000; ++i) {
    const auto now = c.now_ns();
    BOOST_REQUIRE_GE(now, last);
    last = now;
  }
}

BOOST_AUTO_TEST_CASE(wall_time_is_in_microseconds_since_1970) {
  system_clock c;
  BOOST_TEST(c.wall_us() > 1'600'000'000'000'000); // 2020
  BOOST_TEST(c.wall_us() < 4'100'000'000'000'000); // 2100
}

BOOST_AUTO_TEST_CASE(random_numbers_differ) {
  system_random r;
  std::set<std::uint64_t> seen;
  for (int i = 0; i < 1'000; ++i)
    seen.insert(r.next());
  BOOST_TEST(seen.size() == 1'000U);
}

BOOST_AUTO_TEST_CASE(the_same_name_and_labels_give_the_same_metric) {
  metrics m;
  auto& first = m.counter("epione_things_total", "Things.", {{"part", "a"}});
  first.Increment();
  auto& again = m.counter("epione_things_total", "Things.", {{"part", "a"}});
  BOOST_TEST(&first == &again);
  BOOST_TEST(again.Value() == 1.0);
  BOOST_TEST(&first != &m.counter("epione_things_total", "Things.", {{"part", "b"}}));
  BOOST_TEST(&m.gauge("epione_level", "Level.") == &m.gauge("epione_level", "Level."));
  BOOST_TEST(&m.histogram("epione_wait_seconds", "Wait.", latency_buckets()) ==
             &m.histogram("epione_wait_seconds", "Wait.", latency_buckets()));
}

BOOST_AUTO_TEST_CASE(the_text_names_every_metric_with_help_and_type) {
  metrics m;
  m.counter("epione_things_total", "Things.", {{"part", "a\"b"}}).Increment(3);
  m.histogram("epione_sizes", "Sizes.", size_buckets()).Observe(5);
  const auto text = m.text();
  for (const auto* line : {"# HELP epione_things_total Things.\n", "# TYPE epione_things_total counter\n",
                           "epione_things_total{part=\"a\\\"b\"} 3", "# TYPE epione_sizes histogram\n",
                           "epione_sizes_bucket{le=\"8\"} 1", "epione_sizes_bucket{le=\"4\"} 0", "epione_sizes_count 1"})
    BOOST_TEST(text.find(line) != std::string::npos, "missing: " << line << " in\n" << text);
}

BOOST_AUTO_TEST_SUITE_END()
