// Strategies, kinds, counting and escalation; how a supervisor stops is in supervisor_stop_test.cpp.
#include "supervisor_fixture.hpp"

#include <boost/test/unit_test.hpp>

using namespace epione;
using namespace epione::actors;
using namespace epione::actors::test;
using strategy = supervision_strategy;

BOOST_FIXTURE_TEST_SUITE(supervisor_rules, supervisor_fixture)

BOOST_AUTO_TEST_CASE(children_start_in_order_and_are_in_the_directory) {
  start_top({}, {worker("a"), worker("b"), worker("c")});
  BOOST_TEST(happened() == "+a +b +c");
  for (const auto* name : {"a", "b", "c"})
    BOOST_TEST((env.directory->find(name) != nullptr));
}

BOOST_AUTO_TEST_CASE(subscribers_of_the_directory_hear_of_deaths_and_restarts) {
  start_three(strategy::one_for_one);
  auto listener = system.spawn(
      [this](runtime::directory_subscriber::pointer, caf::unit_t) -> runtime::directory_subscriber::behavior_type {
        return {[this](messages::changed_atom, const std::string& name, const caf::strong_actor_ptr& who) {
          events.push_back((who == nullptr ? "gone " : "there ") + name);
        }};
      },
      caf::unit);
  env.directory->subscribe(listener);
  run();
  BOOST_TEST(happened() == "there a there b there c");
  crash("b");
  BOOST_TEST(happened() == "-b +b gone b there b");
  self->send_exit(listener, caf::exit_reason::kill);
}

BOOST_AUTO_TEST_CASE(one_for_one_restarts_only_the_dead_one) {
  start_three(strategy::one_for_one);
  const auto before = env.directory->find("b");
  crash("b");
  BOOST_TEST(happened() == "-b +b");
  BOOST_TEST((env.directory->find("b") != before));
  BOOST_TEST(restarts_total("top", "b") == 1);
  BOOST_TEST(restarts_total("top", "a") == 0);
  BOOST_TEST(log.count("child=b, reason=unhandled_exception: std::bad_alloc, restarts=1") == 1);
}

BOOST_AUTO_TEST_CASE(rest_for_one_stops_those_behind_in_reverse_and_starts_all_in_order) {
  start_three(strategy::rest_for_one);
  crash("a");
  BOOST_TEST(happened() == "-a -c -b +a +b +c");
  crash("b");
  BOOST_TEST(happened() == "-b -c +b +c");
  crash("c");
  BOOST_TEST(happened() == "-c +c"); // the first of its own in the period: at once
}

BOOST_AUTO_TEST_CASE(one_for_all_restarts_everybody) {
  start_three(strategy::one_for_all);
  crash("b");
  BOOST_TEST(happened() == "-b -c -a +a +b +c");
}

BOOST_AUTO_TEST_CASE(several_deaths_at_once_end_in_one_restart_of_the_group) {
  start_three(strategy::rest_for_one);
  for (const auto* name : {"a", "b", "c"})
    self->send_exit(env.directory->find(name), caf::make_error(ec::unhandled_exception));
  run();
  BOOST_TEST(happened() == "-a -b -c +a +b +c");
}

BOOST_AUTO_TEST_CASE(kinds_decide_who_is_started_again) {
  start_top({}, {worker("permanent"), worker("transient", child_kind::transient), worker("temporary", child_kind::temporary)});
  happened();
  end("permanent", caf::exit_reason::user_shutdown);
  BOOST_TEST(happened() == "-permanent +permanent");
  crash("transient");
  BOOST_TEST(happened() == "-transient +transient");
  end("transient", caf::exit_reason::user_shutdown);
  BOOST_TEST(happened() == "-transient");
  crash("temporary");
  BOOST_TEST(happened() == "-temporary");
  advance(10s);
  BOOST_TEST(happened() == "");
  BOOST_TEST((env.directory->find("temporary") == nullptr));
}

BOOST_AUTO_TEST_CASE(a_group_restart_takes_ended_transient_children_along_but_no_temporary_ones) {
  start_top({strategy::one_for_all, 10, 1'000},
            {worker("a"), worker("transient", child_kind::transient), worker("temporary", child_kind::temporary)});
  end("transient", caf::exit_reason::user_shutdown);
  happened();
  crash("a");
  BOOST_TEST(happened() == "-a -temporary +a +transient");
}

BOOST_AUTO_TEST_CASE(too_many_restarts_in_the_period_end_the_supervisor_with_the_childs_name) {
  start_three(strategy::one_for_one, 2);
  crash("a");
  crash("b");
  BOOST_TEST(happened() == "-a +a -b +b");
  crash("c");
  BOOST_TEST(happened() == "-c -b -a -top");
  BOOST_TEST((runtime::code_of(ends["top"]) == ec::restart_intensity));
  BOOST_TEST(runtime::context_text(ends["top"]) == "c");
}

BOOST_AUTO_TEST_CASE(restarts_older_than_the_period_do_not_count) {
  start_three(strategy::one_for_one, 2);
  for (int i = 0; i < 20; ++i) {
    crash("a");
    advance(501ms); // at most two within any 1,000 ms
  }
  BOOST_TEST(!top_ended());
  BOOST_TEST((env.directory->find("a") != nullptr));
  BOOST_TEST(restarts_total("top", "a") == 20);
}

BOOST_AUTO_TEST_CASE(the_first_restart_is_immediate_and_the_next_ones_wait_longer_and_longer) {
  start_three(strategy::one_for_one);
  crash("a");
  BOOST_TEST(happened() == "-a +a");
  for (const auto delay : {20ms, 40ms, 80ms}) {
    crash("a");
    advance(delay - 1ms);
    BOOST_TEST(happened() == "-a");
    advance(1ms);
    BOOST_TEST(happened() == "+a");
  }
  crash("b"); // another child has a count of its own
  BOOST_TEST(happened() == "-b +b");
}

BOOST_AUTO_TEST_CASE(a_delayed_child_keeps_those_behind_it_waiting) {
  start_three(strategy::rest_for_one);
  crash("b");
  crash("b");
  BOOST_TEST(happened() == "-b -c +b +c -b -c");
  crash("a");
  BOOST_TEST(happened() == "-a +a");
  advance(20ms);
  BOOST_TEST(happened() == "+b +c");
}

BOOST_AUTO_TEST_CASE(a_death_by_input_restarts_at_once_and_is_not_counted) {
  start_three(strategy::one_for_one, 2);
  for (int i = 0; i < 50; ++i)
    end("a", caf::make_error(ec::crashed_on_input, std::string{"00ff"}));
  BOOST_TEST(!top_ended());
  BOOST_TEST((env.directory->find("a") != nullptr));
  BOOST_TEST(restarts_total("top", "a") == 0);
}

BOOST_AUTO_TEST_CASE(a_fatal_error_stops_everybody_and_is_passed_on_as_it_was) {
  for (const auto code : {ec::damaged, ec::io_failed, ec::in_use}) {
    ends.clear();
    start_three(strategy::one_for_one);
    end("b", caf::make_error(code, std::string{"journal.db: row 7"}));
    BOOST_TEST(happened() == "-b -c -a -top");
    BOOST_TEST((runtime::code_of(ends["top"]) == code));
    BOOST_TEST(runtime::context_text(ends["top"]) == "journal.db: row 7");
  }
}

BOOST_AUTO_TEST_CASE(a_halt_keeps_the_child_and_those_behind_it_down) {
  for (const auto code : {ec::unknown_command, ec::conflicting_apply}) {
    start_three(strategy::rest_for_one);
    end("b", caf::make_error(code, std::string{"shard-003.db: entry 7"}));
    BOOST_TEST(happened() == "-b -c");
    advance(10s);
    crash("a");
    BOOST_TEST(happened() == "-a +a");
    advance(10s);
    BOOST_TEST(happened() == "");
    const auto report = status(top);
    BOOST_TEST(report->state == "halted");
    BOOST_TEST(report->details[1].second == "halted, restarts 0");
    BOOST_TEST(report->details[2].second == "halted, restarts 0");
    BOOST_TEST(
        metrics.gauge("epione_halted", "1: stays down until an operator acts", {{"supervisor", "top"}, {"child", "b"}}).Value() ==
        1);
    self->send_exit(top, caf::exit_reason::user_shutdown);
    run();
    BOOST_TEST(happened() == "-a -top");
  }
  BOOST_TEST(log.count("halted: stays down") == 2);
}

BOOST_AUTO_TEST_CASE(siblings_of_a_halted_child_go_on_under_one_for_one) {
  start_three(strategy::one_for_one);
  end("b", caf::make_error(ec::unknown_command, std::string{"entry 7"}));
  crash("a");
  crash("c");
  BOOST_TEST(happened() == "-b -a +a -c +c");
  BOOST_TEST((env.directory->find("b") == nullptr));
}

BOOST_AUTO_TEST_CASE(a_start_that_fails_counts_as_a_restart_and_is_tried_again) {
  failing_starts["b"] = 2;
  start_top({strategy::rest_for_one, 10, 1'000}, {worker("a"), worker("b"), worker("c")});
  BOOST_TEST(happened() == "+a"); // the second attempt failed as well, the third is delayed
  BOOST_TEST(restarts_total("top", "b") == 2);
  advance(20ms);
  BOOST_TEST(happened() == "+b +c");
  BOOST_TEST(log.count("secret") == 0);
}

BOOST_AUTO_TEST_CASE(a_start_that_fails_does_not_hold_up_others_under_one_for_one) {
  failing_starts["b"] = 2;
  start_top({strategy::one_for_one, 10, 1'000}, {worker("a"), worker("b"), worker("c")});
  BOOST_TEST(happened() == "+a +c");
  advance(20ms);
  BOOST_TEST(happened() == "+b");
}

BOOST_AUTO_TEST_CASE(a_start_that_always_fails_escalates) {
  failing_starts["b"] = 100;
  start_top({strategy::rest_for_one, 3, 1'000}, {worker("a"), worker("b"), worker("c")});
  for (int i = 0; i < 5; ++i)
    advance(80ms);
  BOOST_TEST(happened() == "+a -a -top");
  BOOST_TEST((runtime::code_of(ends["top"]) == ec::restart_intensity));
}

BOOST_AUTO_TEST_CASE(a_child_that_is_dead_when_it_is_first_watched_is_noticed) {
  int starts = 0;
  start_top({strategy::one_for_one, 10, 1'000}, {{"a", child_kind::permanent, 100, [&] {
                                                    auto actor = spawn_worker("a");
                                                    if (++starts == 1) {
                                                      self->send_exit(actor, caf::exit_reason::kill);
                                                      scheduler.prioritize(actor);
                                                      scheduler.run_once();
                                                    }
                                                    return actor;
                                                  }}});
  BOOST_TEST(happened() == "+a -a +a");
  BOOST_TEST((env.directory->find("a") != nullptr));
}

BOOST_AUTO_TEST_CASE(a_late_death_notice_of_somebody_else_changes_nothing) {
  start_three(strategy::one_for_one);
  const auto old = env.directory->find("a");
  crash("a");
  caf::anon_send(caf::actor_cast<caf::actor>(top), caf::down_msg{old->address(), caf::exit_reason::kill});
  run();
  BOOST_TEST(happened() == "-a +a");
}

BOOST_AUTO_TEST_CASE(escalation_restarts_the_supervisor_below_and_then_ends_the_one_above) {
  const supervisor_options once{strategy::one_for_one, 1, 1'000};
  start_top(once, {nested("inner", once, {worker("x")}), worker("y")});
  BOOST_TEST(happened() == "+inner +y +x");
  crash("x");
  BOOST_TEST(happened() == "-x +x");
  crash("x"); // one too many for inner: top starts it anew
  BOOST_TEST(happened() == "-x -inner +inner +x");
  crash("x");
  crash("x"); // one too many for top as well
  BOOST_TEST(happened() == "-x +x -x -inner -y -top");
  BOOST_TEST((runtime::code_of(ends["top"]) == ec::restart_intensity));
  BOOST_TEST(runtime::context_text(ends["top"]) == "inner > x");
}

BOOST_AUTO_TEST_CASE(a_fatal_error_deep_below_reaches_the_top) {
  start_top({}, {worker("y"), nested("inner", {}, {worker("x"), worker("z")})});
  happened();
  end("x", caf::make_error(ec::damaged, std::string{"shard-003.db"}));
  BOOST_TEST(happened() == "-x -z -inner -y -top");
  BOOST_TEST(runtime::error_text(ends["top"]) == "damaged: shard-003.db");
}

BOOST_AUTO_TEST_CASE(status_lists_every_child) {
  start_three(strategy::one_for_one);
  crash("b");
  advance(7s);
  const auto report = status(top);
  BOOST_TEST(report->name == "top");
  BOOST_TEST(report->state == "running");
  BOOST_REQUIRE(report->details.size() == 3u);
  BOOST_TEST(report->details[1].first == "b");
  BOOST_TEST(report->details[1].second == "running, restarts 1, age 7 s");
}

BOOST_AUTO_TEST_SUITE_END()
