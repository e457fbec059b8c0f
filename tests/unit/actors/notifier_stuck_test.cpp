// What a notifier does while a call to the other side does not return: time goes on inside that call.
#include "tests/unit/actors/notifier_fixture.hpp"

using namespace epione;
using namespace epione::actors;
using namespace epione::actors::test;

namespace {

struct stuck_fixture : notifier_fixture {
  stuck_fixture() {
    options.make = [this](const runtime::channel_ports& ports) {
      stops.push_back(ports.stop);
      return std::make_unique<scripted_channel>(script);
    };
    script.answer = [this](const outgoing&) {
      if (script.messages.size() == 1) {
        pass(stuck_for);
        sent_meanwhile = sent_notices();
      }
      return sent();
    };
  }
  std::chrono::milliseconds stuck_for = 60s; ///< in the first call
  std::size_t sent_meanwhile = 0;
  std::vector<std::stop_token> stops; ///< of each sender
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(stuck_senders, stuck_fixture)

BOOST_AUTO_TEST_CASE(the_next_notice_goes_out_at_its_rate_while_the_first_hangs) {
  options.concurrency = 2;
  options.rate = {60, 60'000};
  stuck_for = 2s;
  start();
  hand_over({make(1), make(2)});
  BOOST_TEST(sent_meanwhile == 1U);
  BOOST_TEST(sent_notices() == 2U);
}

BOOST_AUTO_TEST_CASE(one_that_does_not_return_is_abandoned_and_its_message_sent_by_another) {
  start();
  hand_over({make(1)});
  BOOST_TEST(log.count("a sender is stuck and is given up") == 1U);
  BOOST_TEST(sent_meanwhile == 1U);
  BOOST_REQUIRE(stops.size() == 2U);
  BOOST_TEST(stops[0].stop_requested());
  BOOST_TEST(!stops[1].stop_requested());
  BOOST_REQUIRE(script.messages.size() == 2U);
  BOOST_TEST(script.messages[0].key == script.messages[1].key);
  BOOST_REQUIRE(outcome_of(1).has_value()); // one only: what the abandoned one says in the end counts no more
  BOOST_TEST(outcome_of(1)->sent);
  BOOST_TEST(detail("under way") == "0");
  BOOST_TEST(metrics.text().find("epione_channel_tries_total{channel=\"doctor\",result=\"time_limit\"} 1") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(one_within_its_limit_is_not_abandoned) {
  stuck_for = 34s; // timeout_ms, and the margin in which a sender keeps it itself
  start();
  hand_over({make(1)});
  BOOST_TEST(log.count("a sender is stuck and is given up") == 0U);
  BOOST_TEST(script.messages.size() == 1U);
  BOOST_TEST(outcome_of(1)->sent);
}

BOOST_AUTO_TEST_CASE(an_abandoned_one_that_opens_the_breaker_leaves_the_trial_to_another) {
  options.concurrency = 2;
  options.breaker_failures = 1;
  stuck_for = 3min;
  start();
  hand_over({make(1)});
  BOOST_TEST(log.count("the channel does not work") == 1U);
  BOOST_TEST(sent_meanwhile == 1U);
}

BOOST_AUTO_TEST_SUITE_END()
