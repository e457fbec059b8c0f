// Children that note when they start and end, and a supervisor over them.
#pragma once

#include "actor_fixture.hpp"
#include "actors/supervisor.hpp"

#include <boost/test/unit_test.hpp>
#include <map>
#include <stdexcept>

namespace epione::actors::test {

struct supervisor_fixture : actor_fixture {
  using strategy = supervision_strategy;

  ~supervisor_fixture() {
    for (auto& [name, actor] : env.directory->all())
      caf::anon_send_exit(actor, caf::exit_reason::kill);
    if (top)
      caf::anon_send_exit(top, caf::exit_reason::kill);
    run();
  }

  /// A child that ends on an exit message; stubborn: only when killed.
  caf::strong_actor_ptr spawn_worker(const std::string& name) {
    if (failing_starts[name] > 0) {
      --failing_starts[name];
      throw std::runtime_error("secret");
    }
    events.push_back("+" + name);
    auto worker = system.spawn(
        [this](caf::event_based_actor* me, const std::string& name) -> caf::behavior {
          runtime::prepare(me, env, name);
          if (stubborn[name])
            me->set_exit_handler([](caf::exit_msg&) {});
          me->attach_functor([this, name](const caf::error&) { events.push_back("-" + name); });
          return {[](int) {}};
        },
        name);
    return caf::actor_cast<caf::strong_actor_ptr>(worker);
  }

  child_spec worker(const std::string& name, child_kind kind = child_kind::permanent, std::uint32_t stop_limit_ms = 100) {
    return {name, kind, stop_limit_ms, [this, name] { return spawn_worker(name); }};
  }

  messages::supervisor_actor spawn_supervisor(const std::string& name, supervisor_options options,
                                              std::vector<child_spec> children) {
    auto result = runtime::spawn_actor(system, env, supervisor, name, options, std::move(children));
    result->attach_functor([this, name](const caf::error& why) {
      events.push_back("-" + name);
      ends[name] = why;
    });
    return result;
  }

  /// A supervisor as a child.
  child_spec nested(const std::string& name, supervisor_options options, std::vector<child_spec> children) {
    return {name, child_kind::permanent, 1'000, [this, name, options, children] {
              events.push_back("+" + name);
              return caf::actor_cast<caf::strong_actor_ptr>(spawn_supervisor(name, options, children));
            }};
  }

  void start_top(supervisor_options options, std::vector<child_spec> children) {
    top = spawn_supervisor("top", options, std::move(children));
    run();
  }

  void start_three(supervision_strategy s, std::uint32_t restarts_max = 10) {
    start_top({s, restarts_max, 1'000}, {worker("a"), worker("b"), worker("c")});
    events.clear();
  }

  template <class Reason>
  void end(const std::string& name, Reason reason) {
    auto actor = env.directory->find(name);
    BOOST_REQUIRE_MESSAGE(actor != nullptr, name + " is not there");
    self->send_exit(actor, caf::error{std::move(reason)});
    run();
  }
  void crash(const std::string& name) { end(name, caf::make_error(ec::unhandled_exception, std::string{"std::bad_alloc"})); }

  /// What happened since the last call: "-c -b +b +c".
  std::string happened() {
    std::string result;
    for (const auto& event : events)
      result += (result.empty() ? "" : " ") + event;
    events.clear();
    return result;
  }

  bool top_ended() const { return ends.count("top") != 0; }

  messages::status_report_ptr status(const messages::supervisor_actor& of) {
    messages::status_report_ptr result;
    auto answer = self->request(of, 1s, messages::status_atom::value);
    run();
    answer.receive([&](const messages::status_report_ptr& x) { result = x; }, [](const caf::error&) {});
    BOOST_REQUIRE(result != nullptr);
    return result;
  }

  double restarts_total(const std::string& supervisor, const std::string& child) {
    return metrics
        .counter("epione_restarts_total", "Children started again after their death",
                 {{"supervisor", supervisor}, {"child", child}})
        .Value();
  }

  std::vector<std::string> events;
  std::map<std::string, int> failing_starts;
  std::map<std::string, bool> stubborn;
  std::map<std::string, caf::error> ends;
  messages::supervisor_actor top;
};

} // namespace epione::actors::test
