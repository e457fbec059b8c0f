#include "actor_fixture.hpp"
#include "actors/status.hpp"

#include <boost/test/unit_test.hpp>

using namespace epione;
using namespace epione::actors;
using namespace epione::actors::test;
using messages::status_atom;
using messages::status_report;
using messages::status_report_ptr;

namespace {

struct source_state {
  source_state() = default;
  static inline const char* name = "source";
};

status_source::behavior_type healthy(status_source::stateful_pointer<source_state> self, const runtime::environment& env) {
  runtime::prepare(self, env, "healthy");
  return {[](status_atom) -> status_report_ptr {
    return std::make_shared<const status_report>(status_report{"healthy", "running", {{"queue", "3"}}});
  }};
}

status_source::behavior_type stuck(status_source::stateful_pointer<source_state> self, const runtime::environment& env) {
  runtime::prepare(self, env, "stuck");
  return {[self](status_atom) { return self->make_response_promise<status_report_ptr>(); }};
}

} // namespace

BOOST_FIXTURE_TEST_SUITE(status_of_many, actor_fixture)

BOOST_AUTO_TEST_CASE(one_that_is_stuck_does_not_hide_the_others) {
  const auto pointer_to = [](const auto& x) { return caf::actor_cast<caf::strong_actor_ptr>(x); };
  auto a = runtime::spawn_actor(system, env, healthy);
  auto b = runtime::spawn_actor(system, env, stuck);
  auto c = runtime::spawn_actor(system, env, healthy);
  auto d = runtime::spawn_actor(system, env, healthy);
  self->send_exit(c, caf::exit_reason::user_shutdown);
  run();
  auto collector = runtime::spawn_actor(
      system, env, status_collector,
      status_targets{{"a", pointer_to(a)}, {"b", pointer_to(b)}, {"c", pointer_to(c)}, {"nobody", nullptr}, {"d", pointer_to(d)}},
      std::chrono::milliseconds{200});
  auto answer = self->request(collector, 10s, status_atom::value);
  run();
  advance(199ms);
  BOOST_TEST(self->mailbox().empty());
  advance(1ms);
  status_reports reports;
  answer.receive([&](const status_reports_ptr& x) { reports = *x; },
                 [](const caf::error& why) { BOOST_FAIL(runtime::error_code_text(why)); });
  BOOST_REQUIRE(reports.size() == 5u);
  BOOST_TEST(reports[0].state == "running");
  BOOST_TEST(reports[0].details.size() == 1u);
  BOOST_TEST(reports[1].name == "b");
  BOOST_TEST(reports[1].state == "no answer within 200 ms");
  BOOST_TEST(reports[2].state == "down");
  BOOST_TEST(reports[3].state == "not there");
  BOOST_TEST(reports[4].state == "running");
  for (const auto& x : {a, b, d})
    self->send_exit(x, caf::exit_reason::kill);
  run();
}

BOOST_AUTO_TEST_CASE(asking_nobody_answers_at_once) {
  auto collector = runtime::spawn_actor(system, env, status_collector, status_targets{}, std::chrono::milliseconds{200});
  auto answer = self->request(collector, 10s, status_atom::value);
  run();
  bool answered = false;
  answer.receive([&](const status_reports_ptr& x) { answered = x->empty(); }, [](const caf::error&) {});
  BOOST_TEST(answered);
}

BOOST_AUTO_TEST_SUITE_END()
