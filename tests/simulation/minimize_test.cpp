// What matters must be left, and nothing else.
#include "tests/simulation/minimize.hpp"

#include <boost/test/unit_test.hpp>

using namespace epione::simulation;

namespace {

/// Fails when all of these faults happen and its patients live for so long.
struct world_of_lies {
  std::set<std::size_t> needed;
  std::int64_t needed_ms = 0;
  unsigned runs = 0;

  seed_result run(const excerpt& x) {
    ++runs;
    seed_result r;
    r.simulated_s = 150;
    for (std::size_t i = 0; i < 40; ++i)
      if (!x.faults || x.faults->contains(i)) {
        r.fault_numbers.push_back(i);
        r.faults.push_back("fault " + std::to_string(i));
      }
    bool fails = x.live_ms.value_or(150'000) >= needed_ms;
    for (const auto n : needed)
      fails = fails && (!x.faults || x.faults->contains(n));
    if (fails)
      r.violations.emplace_back("gone");
    return r;
  }
  minimal minimize(unsigned runs_max = 1'000) {
    const auto first = run({});
    runs = 0;
    return epione::simulation::minimize(first, [this](const excerpt& x) { return run(x); }, runs_max);
  }
};

} // namespace

BOOST_AUTO_TEST_CASE(two_faults_that_only_fail_together_are_what_is_left) {
  world_of_lies w{{7, 31}, 60'000};
  const auto m = w.minimize();
  BOOST_TEST_REQUIRE(m.what.faults.has_value());
  BOOST_TEST((*m.what.faults == std::set<std::size_t>{7, 31}));
  BOOST_TEST(*m.what.live_ms >= 60'000);
  BOOST_TEST(*m.what.live_ms < 66'000);
  BOOST_TEST(!m.result.passed());
  BOOST_TEST(m.runs == w.runs);
}

BOOST_AUTO_TEST_CASE(what_fails_without_any_fault_needs_none) {
  world_of_lies w;
  const auto m = w.minimize();
  BOOST_TEST_REQUIRE(m.what.faults.has_value());
  BOOST_TEST(m.what.faults->empty());
}

BOOST_AUTO_TEST_CASE(it_runs_no_more_often_than_it_may_and_still_says_something_that_fails) {
  world_of_lies w{{1, 9, 22, 38}, 100'000};
  const auto m = w.minimize(9);
  BOOST_TEST(w.runs == 9u);
  BOOST_TEST(!m.result.passed());
  BOOST_TEST(!w.run(m.what).passed());
}
