// Who waits for a node's parts is woken by what ends the wait, and by nothing else.
#include "node/run_state.hpp"

#include "messages/errors.hpp"

#include <boost/test/unit_test.hpp>
#include <caf/all.hpp>
#include <chrono>

using namespace epione;
using namespace std::chrono_literals;
using node::given_up_when;
using node::run_state;

namespace {

const auto never = [] { return false; };
const auto at_once = [] { return true; };

} // namespace

BOOST_AUTO_TEST_SUITE(run_states)

BOOST_AUTO_TEST_CASE(what_is_so_already_counts_also_after_the_end) {
  run_state run;
  run.request_stop();
  run.tree_ended({});
  BOOST_TEST(run.wait_for(at_once, given_up_when::asked_to_stop));
}

BOOST_AUTO_TEST_CASE(who_waits_is_asked_again_until_it_is_so) {
  run_state run;
  int asked = 0;
  BOOST_TEST(run.wait_for([&asked] { return ++asked == 3; }, given_up_when::ended));
  BOOST_TEST(asked == 3);
}

BOOST_AUTO_TEST_CASE(a_wait_is_given_up_at_its_limit) {
  run_state run;
  BOOST_TEST(!run.wait_for(never, given_up_when::ended, std::chrono::steady_clock::now()));
  BOOST_TEST(!run.wait_until_ended(1ms));
  BOOST_TEST(!run.wait_until_cluster_ended(1ms));
}

BOOST_AUTO_TEST_CASE(being_asked_to_stop_ends_only_the_waits_that_are_given_up_then) {
  run_state run;
  run.request_stop();
  BOOST_TEST(run.asked_to_stop());
  BOOST_TEST(!run.ended());
  BOOST_TEST(!run.wait_for(never, given_up_when::asked_to_stop));
  int asked = 0;
  BOOST_TEST(run.wait_for([&asked] { return ++asked == 2; }, given_up_when::ended));
  BOOST_TEST(!run.wait_until_over()); // it has not ended
}

BOOST_AUTO_TEST_CASE(the_end_of_the_tree_ends_every_wait_and_says_why) {
  run_state run;
  run.tree_ended(caf::make_error(ec::damaged, "for a test"));
  BOOST_TEST(!run.wait_for(never, given_up_when::ended));
  BOOST_TEST(!run.wait_for(never, given_up_when::asked_to_stop));
  BOOST_TEST(run.wait_until_ended(1ms));
  BOOST_TEST(run.wait_until_over());
  BOOST_TEST((run.end_reason() == ec::damaged));
}

BOOST_AUTO_TEST_CASE(links_that_fail_end_the_run_and_links_that_are_stopped_do_not) {
  run_state stopped, failed;
  stopped.cluster_ended(caf::exit_reason::user_shutdown);
  BOOST_TEST(stopped.wait_until_cluster_ended(1ms));
  BOOST_TEST(!stopped.ended());
  failed.cluster_ended(caf::make_error(ec::io_failed, "for a test"));
  BOOST_TEST(failed.wait_until_cluster_ended(1ms));
  BOOST_TEST(failed.ended());
  BOOST_TEST((failed.end_reason() == ec::io_failed));
}

BOOST_AUTO_TEST_CASE(links_that_fail_after_the_end_do_not_change_why_it_came) {
  run_state run;
  run.tree_ended(caf::make_error(ec::damaged, "for a test"));
  run.cluster_ended(caf::make_error(ec::io_failed, "for a test"));
  BOOST_TEST((run.end_reason() == ec::damaged));
}

BOOST_AUTO_TEST_SUITE_END()
