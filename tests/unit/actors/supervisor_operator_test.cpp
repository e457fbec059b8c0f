// An operator's word: restart and kill of a child.
#include "supervisor_fixture.hpp"

#include <boost/test/unit_test.hpp>
#include <optional>

using namespace epione;
using namespace epione::actors;
using namespace epione::actors::test;
using strategy = supervision_strategy;

namespace {

struct operator_fixture : supervisor_fixture {
  /// "done", an error's text, or "waits".
  template <class Atom>
  std::string order(Atom what, const std::string& name, std::chrono::milliseconds wait = 0ms) {
    auto pending = self->request(top, 10s, what, name, std::string{"os:nurse"});
    run();
    if (wait.count() > 0)
      advance(wait);
    if (self->mailbox().empty())
      return "waits";
    std::string result;
    pending.receive([&](bool) { result = "done"; }, [&](caf::error& why) { result = runtime::context_text(why); });
    return result;
  }
  std::string restart(const std::string& name, std::chrono::milliseconds wait = 0ms) {
    return order(messages::restart_atom::value, name, wait);
  }
  std::string kill(const std::string& name) { return order(messages::kill_atom::value, name); }

  std::string state_of(const std::string& name) {
    messages::child_reports_ptr reports;
    auto pending = self->request(top, 1s, messages::children_atom::value);
    run();
    pending.receive([&](const messages::child_reports_ptr& x) { reports = x; }, [](caf::error&) {});
    BOOST_REQUIRE(reports != nullptr);
    for (const auto& report : *reports)
      if (report.name == name)
        return report.state;
    return "not there";
  }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(operators_orders, operator_fixture)

BOOST_AUTO_TEST_CASE(a_restart_stops_those_behind_and_starts_all_in_order_and_then_answers) {
  start_three(strategy::rest_for_one);
  BOOST_TEST(restart("b") == "done");
  BOOST_TEST(happened() == "-c -b +b +c");
  BOOST_TEST(log.count("child is started again by an operator, child=b, who=os:nurse") == 1);
}

BOOST_AUTO_TEST_CASE(a_kill_is_a_death_and_those_behind_follow) {
  start_three(strategy::rest_for_one);
  BOOST_TEST(kill("a") == "done");
  BOOST_TEST(happened() == "-a -c -b +a +b +c");
}

BOOST_AUTO_TEST_CASE(neither_counts_as_a_restart) {
  start_three(strategy::one_for_one, 2);
  for (int i = 0; i < 10; ++i) {
    BOOST_TEST(kill("a") == "done");
    BOOST_TEST(restart("b") == "done");
  }
  BOOST_TEST(!top_ended());
  BOOST_TEST(restarts_total("top", "a") == 0);
  crash("c");
  crash("c");
  BOOST_TEST(!top_ended());
}

BOOST_AUTO_TEST_CASE(what_is_halted_is_started_again_with_those_behind_it) {
  start_three(strategy::rest_for_one);
  end("b", caf::make_error(ec::unknown_command));
  BOOST_TEST(happened() == "-b -c");
  BOOST_TEST(state_of("b") == "halted");
  BOOST_TEST(restart("c") == "b, on which c stands, is halted; restart it first");
  BOOST_TEST(kill("b") == "b does not run: it is halted; restart starts it");
  BOOST_TEST(restart("b") == "done");
  BOOST_TEST(happened() == "+b +c");
  BOOST_TEST(state_of("b") == "running");
  BOOST_TEST(
      metrics.gauge("epione_halted", "1: stays down until an operator acts", {{"supervisor", "top"}, {"child", "b"}}).Value() ==
      0);
}

BOOST_AUTO_TEST_CASE(a_restart_ends_a_back_off) {
  start_three(strategy::one_for_one);
  crash("a");
  crash("a"); // waits 20 ms now
  happened();
  BOOST_TEST(restart("a") == "done");
  BOOST_TEST(happened() == "+a");
  advance(1s);
  BOOST_TEST(happened() == ""); // the back-off's own timer starts nobody twice
}

BOOST_AUTO_TEST_CASE(an_ended_transient_child_is_started_by_name) {
  start_top({}, {worker("a", child_kind::transient)});
  end("a", caf::exit_reason::user_shutdown);
  happened();
  BOOST_TEST(restart("a") == "done");
  BOOST_TEST(happened() == "+a");
}

BOOST_AUTO_TEST_CASE(a_stubborn_child_is_killed_after_its_limit_and_the_answer_waits_for_it) {
  stubborn["a"] = true;
  start_top({}, {worker("a", child_kind::permanent, 100)});
  happened();
  BOOST_TEST(restart("a") == "waits");
  BOOST_TEST(state_of("a") == "stopping");
  advance(100ms);
  BOOST_TEST(happened() == "-a +a");
  BOOST_TEST(!top_ended());
}

BOOST_AUTO_TEST_CASE(names_that_are_not_its_childrens_are_refused) {
  start_three(strategy::one_for_one);
  BOOST_TEST(restart("d") == "top has no child d");
  BOOST_TEST(kill("") == "top has no child ");
  BOOST_TEST(happened() == "");
}

BOOST_AUTO_TEST_CASE(whoever_waits_hears_when_the_supervisor_stops) {
  stubborn["a"] = true;
  start_top({}, {worker("a", child_kind::permanent, 1'000)});
  auto pending = self->request(top, 10s, messages::restart_atom::value, std::string{"a"}, std::string{"os:nurse"});
  run();
  self->send_exit(top, caf::exit_reason::user_shutdown);
  run();
  std::string result;
  pending.receive([&](bool) { result = "done"; }, [&](caf::error& why) { result = runtime::context_text(why); });
  BOOST_TEST(result == "top is stopping");
  advance(1s);
  advance(1s);
  BOOST_TEST(top_ended());
}

BOOST_AUTO_TEST_SUITE_END()
