// A machine's clocks may go wrong by any rate and at any time; but they never jump or go back, and a timer is never early.
#include "tests/simulation/node_clock.hpp"

#include <array>
#include <boost/test/unit_test.hpp>

using namespace epione;
using simulation::node_clock;

namespace {

constexpr std::int64_t s_ns = 1'000'000'000;

} // namespace

BOOST_AUTO_TEST_SUITE(node_clocks)

BOOST_AUTO_TEST_CASE(a_change_of_drift_counts_from_its_moment_on) {
  tests::manual_clock world;
  node_clock clock{world, 10 * s_ns, 0};
  const auto wall = clock.wall_us();
  world.ns += 10 * s_ns;
  clock.set_drift(20'000);
  BOOST_TEST(clock.now_ns() == 20 * s_ns); // nothing jumps
  world.ns += 10 * s_ns;
  BOOST_TEST(clock.now_ns() == 30 * s_ns + s_ns / 5);
  clock.set_drift(-20'000);
  world.ns += 20 * s_ns;
  BOOST_TEST(clock.now_ns() == 50 * s_ns - s_ns / 5);
  BOOST_TEST(clock.wall_us() - wall == 39'800'000);
}

BOOST_AUTO_TEST_CASE(a_start_of_the_machine_changes_its_uptime_and_not_its_wall_clock) {
  tests::manual_clock world;
  node_clock clock{world, 10 * s_ns, 20'000};
  world.ns += 10 * s_ns;
  const auto wall = clock.wall_us();
  clock.reboot(5 * s_ns);
  BOOST_TEST(clock.now_ns() == 5 * s_ns);
  BOOST_TEST(clock.wall_us() == wall);
}

BOOST_AUTO_TEST_CASE(time_never_goes_back) {
  for (const std::int64_t ppm : {-20'000, -500, 0, 500, 20'000}) {
    tests::manual_clock world;
    node_clock clock{world, 0, ppm};
    for (int i = 0; i < 10'000; ++i) {
      const auto before = clock.now_ns();
      world.ns += 1 + i * 37 % 1'009;
      BOOST_REQUIRE(clock.now_ns() >= before);
    }
  }
}

BOOST_AUTO_TEST_CASE(the_moment_of_a_timer_is_the_first_at_which_it_is_due) {
  for (const std::int64_t ppm : {-20'000, -500, 0, 500, 20'000})
    for (const auto wait : std::array<std::int64_t, 5>{1, 999, 1'000'000, 375'000'001, 30'000'000'000}) {
      tests::manual_clock world;
      node_clock clock{world, 7, ppm};
      world.ns += 3 * s_ns + 1;
      clock.set_drift(ppm / 2);
      const auto due = clock.now_ns() + wait;
      const auto at = clock.world_ns(due);
      BOOST_TEST(at > world.ns);
      BOOST_TEST(clock.local_ns(at) >= due);
      BOOST_TEST(clock.local_ns(at - 1) < due);
    }
}

BOOST_AUTO_TEST_SUITE_END()
