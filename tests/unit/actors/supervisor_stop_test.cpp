// How a supervisor stops: in reverse, within limits, and what happens when it is killed itself.
#include "supervisor_fixture.hpp"

#include <boost/test/unit_test.hpp>

using namespace epione;
using namespace epione::actors;
using namespace epione::actors::test;
using strategy = supervision_strategy;

BOOST_FIXTURE_TEST_SUITE(supervisor_stops, supervisor_fixture)

BOOST_AUTO_TEST_CASE(told_to_stop_it_stops_its_children_in_reverse_and_then_itself) {
  start_three(strategy::one_for_one);
  self->send_exit(top, caf::exit_reason::user_shutdown);
  run();
  BOOST_TEST(happened() == "-c -b -a -top");
  BOOST_TEST((ends["top"] == caf::exit_reason::user_shutdown));
  BOOST_TEST(env.directory->all().empty());
}

BOOST_AUTO_TEST_CASE(nested_supervisors_are_stopped_with_all_below) {
  start_top({}, {worker("a"), nested("inner", {}, {worker("x"), worker("y")}), worker("b")});
  happened();
  self->send_exit(top, caf::exit_reason::user_shutdown);
  run();
  BOOST_TEST(happened() == "-b -y -x -inner -a -top");
}

BOOST_AUTO_TEST_CASE(a_child_that_does_not_stop_in_time_is_killed_and_the_rest_gets_its_turn) {
  stubborn["b"] = true;
  start_three(strategy::one_for_one);
  self->send_exit(top, caf::exit_reason::user_shutdown);
  run();
  BOOST_TEST(happened() == "-c");
  advance(99ms);
  BOOST_TEST(happened() == "");
  advance(1ms);
  BOOST_TEST(happened() == "-b -a -top");
  BOOST_TEST((ends["top"] == caf::exit_reason::user_shutdown));
  BOOST_TEST(log.count("did not stop in time") == 1);
}

BOOST_AUTO_TEST_CASE(a_limit_of_zero_kills_at_once) {
  stubborn["a"] = true;
  start_top({}, {worker("a", child_kind::permanent, 0)});
  happened();
  self->send_exit(top, caf::exit_reason::user_shutdown);
  run();
  BOOST_TEST(happened() == "-a -top");
}

BOOST_AUTO_TEST_CASE(a_group_restart_kills_who_does_not_stop_in_time) {
  stubborn["c"] = true;
  start_three(strategy::rest_for_one);
  crash("b");
  BOOST_TEST(happened() == "-b");
  advance(100ms);
  BOOST_TEST(happened() == "-c +b +c");
}

BOOST_AUTO_TEST_CASE(told_to_stop_in_the_middle_of_a_group_restart_it_starts_nobody) {
  stubborn["c"] = true;
  start_three(strategy::rest_for_one);
  crash("a");
  self->send_exit(top, caf::exit_reason::user_shutdown);
  run();
  BOOST_TEST(happened() == "-a");
  advance(100ms);
  BOOST_TEST(happened() == "-c -b -top");
}

BOOST_AUTO_TEST_CASE(told_to_stop_during_a_delay_it_does_not_wait_for_it) {
  start_top({}, {worker("a")});
  crash("a");
  crash("a");
  happened();
  self->send_exit(top, caf::exit_reason::user_shutdown);
  run();
  BOOST_TEST(happened() == "-top");
  advance(1s);
  BOOST_TEST(happened() == "");
}

BOOST_AUTO_TEST_CASE(told_to_stop_before_the_first_start_it_starts_nobody) {
  top = spawn_supervisor("top", {}, {worker("a")});
  self->send_exit(top, caf::exit_reason::user_shutdown);
  run();
  BOOST_TEST((ends["top"] == caf::exit_reason::user_shutdown));
  BOOST_TEST((env.directory->find("a") == nullptr));
}

BOOST_AUTO_TEST_CASE(a_child_that_fails_to_write_on_its_way_down_is_not_hushed_up) {
  stubborn["b"] = true;
  start_three(strategy::one_for_one);
  self->send_exit(top, caf::exit_reason::user_shutdown);
  run();
  // What a store does whose last checkpoint fails.
  auto& b = dynamic_cast<caf::event_based_actor&>(*caf::actor_cast<caf::abstract_actor*>(env.directory->find("b")));
  b.set_exit_handler([&b](caf::exit_msg&) { b.quit(caf::make_error(ec::io_failed, std::string{"shard-001.db"})); });
  end("b", caf::exit_reason::user_shutdown);
  BOOST_TEST(happened() == "-c -b -a -top");
  BOOST_TEST(runtime::error_text(ends["top"]) == "io_failed: shard-001.db");
}

BOOST_AUTO_TEST_CASE(nobody_outlives_a_killed_supervisor) {
  start_top({}, {nested("inner", {}, {worker("x"), worker("y")}), worker("a")});
  happened();
  self->send_exit(top, caf::exit_reason::kill);
  run();
  for (const auto* name : {"inner", "x", "y", "a"})
    BOOST_TEST((env.directory->find(name) == nullptr), name);
}

BOOST_AUTO_TEST_CASE(killed_in_the_middle_of_stopping_it_leaves_nobody_behind) {
  stubborn["c"] = true;
  start_three(strategy::one_for_one);
  self->send_exit(top, caf::exit_reason::user_shutdown);
  run();
  self->send_exit(top, caf::exit_reason::kill);
  run();
  BOOST_TEST(env.directory->all().empty());
}

BOOST_AUTO_TEST_CASE(the_successor_of_a_killed_supervisor_waits_for_the_last_calls_of_its_children) {
  start_top({}, {nested("inner", {}, {worker("x")})});
  happened();
  const auto old = env.directory->find("x");
  auto* busy = dynamic_cast<caf::resumable*>(caf::actor_cast<caf::abstract_actor*>(old));
  self->send_exit(env.directory->find("inner"), caf::exit_reason::kill);
  scheduler.run_jobs_filtered([&](caf::resumable* job) { return job != busy; });
  BOOST_TEST(happened() == "-inner +inner"); // x is still inside a call
  run();
  BOOST_TEST(happened() == "-x +x");
  BOOST_TEST((env.directory->find("x") != old));
}

BOOST_AUTO_TEST_CASE(a_child_that_cannot_even_be_killed_ends_the_supervisor_instead_of_running_twice) {
  stubborn["b"] = true;
  start_three(strategy::rest_for_one);
  auto* busy = dynamic_cast<caf::resumable*>(caf::actor_cast<caf::abstract_actor*>(env.directory->find("b")));
  const auto run_others = [&] { scheduler.run_jobs_filtered([&](caf::resumable* job) { return job != busy; }); };
  self->send_exit(env.directory->find("a"), caf::error{ec::unhandled_exception});
  run_others();
  for (const auto time : {std::chrono::milliseconds{100}, std::chrono::milliseconds{runtime::defaults::kill_limit_ms}}) {
    scheduler.advance_time(time);
    run_others();
  }
  BOOST_TEST(happened() == "-a -c -top");
  BOOST_TEST((runtime::code_of(ends["top"]) == ec::io_failed));
  BOOST_TEST(log.count("child is stuck") == 1);
}

BOOST_AUTO_TEST_SUITE_END()
