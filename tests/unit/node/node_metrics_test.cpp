// What is looked up for /metrics says what is so.
#include "node/node_metrics.hpp"

#include "tests/unit/actors/actor_fixture.hpp"

#include <boost/test/unit_test.hpp>
#include <cstdio>

using namespace epione;
using namespace epione::node;
using actors::test::actor_fixture;

namespace {

using worker = caf::typed_actor<caf::reacts_to<std::int32_t>>;
struct worker_state {
  worker_state() = default;
  static inline const char* name = "worker";
};

worker::behavior_type make_worker(worker::stateful_pointer<worker_state> self, const runtime::environment& env) {
  runtime::prepare(self, env, "worker");
  return {[](std::int32_t) {}};
}

struct looked_at : actor_fixture {
  runtime::admission admitted{7};
  node_metrics looked_up{metrics, admitted, *env.directory};
  worker a = runtime::spawn_actor(system, env, make_worker);

  looked_at() { env.directory->put("a", caf::actor_cast<caf::strong_actor_ptr>(a)); }
  ~looked_at() {
    self->send_exit(a, caf::exit_reason::user_shutdown);
    run();
  }
  double gauge(const char* name, const runtime::metric_labels& labels = {}) { return metrics.gauge(name, "", labels).Value(); }
  double waiting_for_a() { return gauge("epione_mailbox_messages", {{"actor", "a"}}); }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(node_metrics_suite, looked_at)

BOOST_AUTO_TEST_CASE(memory_time_and_files_are_those_of_the_process) {
  looked_up.refresh();
  auto& seconds = metrics.counter("process_cpu_seconds_total", "");
  const auto files = gauge("process_open_fds"), used = seconds.Value();
  BOOST_TEST(gauge("process_resident_memory_bytes") > 1e6);
  BOOST_TEST(files >= 3); // standard input, output and error
  BOOST_TEST(gauge("process_max_fds") >= files);
  auto* another = std::tmpfile();
  volatile unsigned busy = 0;
  while (seconds.Value() <= used) {
    for (unsigned i = 0; i < 100'000; ++i)
      busy = busy + i;
    looked_up.refresh();
  }
  BOOST_TEST(gauge("process_open_fds") == files + 1);
  std::fclose(another);
}

BOOST_AUTO_TEST_CASE(admission_shows_how_near_its_limit_is) {
  admitted.acquire();
  looked_up.refresh();
  BOOST_TEST(gauge("epione_admitted_requests") == 1);
  BOOST_TEST(gauge("epione_admitted_requests_max") == 7);
}

BOOST_AUTO_TEST_CASE(a_mailbox_is_shown_as_it_was_when_its_actor_was_asked) {
  for (int i = 0; i < 5; ++i)
    self->send(a, 1);
  looked_up.refresh();
  run();
  looked_up.refresh();
  BOOST_TEST(waiting_for_a() == 5);
  run();
  looked_up.refresh();
  BOOST_TEST(waiting_for_a() == 0);
  BOOST_TEST(gauge("epione_actors_unresponsive") == 0);
}

BOOST_AUTO_TEST_CASE(an_actor_that_does_not_get_on_shows_and_is_asked_only_once) {
  looked_up.refresh();
  BOOST_TEST(gauge("epione_actors_unresponsive") == 0); // it had no time yet
  looked_up.refresh();
  looked_up.refresh();
  BOOST_TEST(gauge("epione_actors_unresponsive") == 1);
  BOOST_TEST(scheduler.jobs.size() == 1u);
  run();
  looked_up.refresh();
  BOOST_TEST(gauge("epione_actors_unresponsive") == 0);
  BOOST_TEST(waiting_for_a() == 0); // its one question does not count
}

BOOST_AUTO_TEST_CASE(whoever_is_gone_has_no_mailbox) {
  self->send(a, 1);
  looked_up.refresh();
  run();
  looked_up.refresh();
  BOOST_TEST(waiting_for_a() == 1);
  env.directory->remove("a");
  looked_up.refresh();
  BOOST_TEST(waiting_for_a() == 0);
}

BOOST_AUTO_TEST_SUITE_END()
