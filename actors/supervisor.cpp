#include "actors/supervisor.hpp"

#include "actors/supervisor_report.hpp"
#include "runtime/directory.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

// How it works: events (a death, a timer, an order to stop) only change what is wanted of each child; step() then does the next
// thing that brings the children there: one stop at a time, from the last, and then the starts, in order. So a death in the
// middle of a restart needs no rule of its own.

namespace epione::actors {

using namespace messages;

namespace {

using supervisor_pointer = supervisor_actor::stateful_pointer<supervisor_state>;
using child = supervisor_state::child;

bool is_fatal(const caf::error& x) {
  const auto code = runtime::code_of(x);
  return code == ec::damaged || code == ec::io_failed || code == ec::in_use;
}

bool halts(const caf::error& x) {
  const auto code = runtime::code_of(x);
  return code == ec::unknown_command || code == ec::conflicting_apply;
}

bool is_orderly(const caf::error& x) {
  return !x || x == caf::exit_reason::user_shutdown;
}

/// One event or call, with what it works on.
class supervision {
public:
  supervision(supervisor_pointer self, const runtime::environment& env) : self_(self), state_(self->state), env_(env) {}

  void on_down(const caf::down_msg& down);
  void on_timer(std::uint64_t timer);
  using promise = caf::typed_response_promise<bool>;
  promise on_restart(const std::string& name, const std::string& who);
  promise on_kill(const std::string& name, const std::string& who);
  void stop_all(caf::error reason);
  void step();

private:
  caf::strong_actor_ptr& actor_of(const child& c) {
    return (*state_.running)[static_cast<std::size_t>(&c - state_.children.data())];
  }
  void on_end(child& c, const caf::error& reason);
  bool stop_next();
  bool start(child& c);
  bool wait_for_previous(child& c);
  void died(child& c, const caf::error& reason, bool by_operator = false);
  void restart_later(child& c, const caf::error& reason);
  void halt(child& c, const caf::error& reason);
  void give_up(child& c);
  child* find(const std::string& name);
  /// Who must be started before `c` can be; null when nobody is halted there.
  const child* halted_before(const child* c) const;
  promise refusal(const caf::error& why);
  /// The answer to an operator; already given when `c` is null or all is stopping.
  promise order_for(const child* c, const std::string& name);
  void answer_orders(const child& c, const caf::error& why);
  void arm(child& c, std::uint32_t delay_ms);
  /// Those whom the death of `c` concerns, without itself.
  std::vector<child*> concerned(const child& c);

  supervisor_pointer self_;
  supervisor_state& state_;
  const runtime::environment& env_;
};

std::vector<child*> supervision::concerned(const child& c) {
  std::vector<child*> result;
  for (auto& other : state_.children) {
    const bool after = &other > &c;
    const auto strategy = state_.options.strategy;
    if (&other != &c &&
        (strategy == supervision_strategy::one_for_all || (strategy == supervision_strategy::rest_for_one && after)))
      result.push_back(&other);
  }
  return result;
}

void supervision::arm(child& c, std::uint32_t delay_ms) {
  c.timer = ++state_.timers;
  self_->delayed_send(self_, std::chrono::milliseconds{delay_ms}, restart_atom::value, c.timer);
}

// ---- events --------------------------------------------------------------------------------------------------------

void supervision::on_down(const caf::down_msg& down) {
  for (auto& c : state_.children) {
    auto& actor = actor_of(c);
    if (actor != nullptr && actor->address() == down.source) {
      actor = nullptr;
      c.timer = 0;
      env_.directory->remove(c.spec.name);
      on_end(c, down.reason);
      step();
      return;
    }
    if (c.state == child_state::blocked && c.previous == down.source) {
      c.previous = nullptr;
      c.state = child_state::down;
      c.timer = 0;
      step();
      return;
    }
  }
}

void supervision::on_timer(std::uint64_t timer) {
  const auto c = std::find_if(state_.children.begin(), state_.children.end(), [&](const auto& x) { return x.timer == timer; });
  if (timer != 0 && c != state_.children.end()) {
    c->timer = 0;
    switch (c->state) {
      case child_state::delayed: c->state = child_state::down; break;
      case child_state::stopping:
        env_.log.warning(state_.part, "child did not stop in time and is killed",
                         {{"child", c->spec.name}, {"limit_ms", c->spec.stop_limit_ms}});
        c->state = child_state::killed;
        self_->send_exit(actor_of(*c), caf::exit_reason::kill);
        arm(*c, runtime::defaults::kill_limit_ms);
        break;
      case child_state::killed:
      case child_state::blocked: give_up(*c); break;
      default: break;
    }
  }
  step();
}

/// Nothing can end an actor that is inside a blocking call. While stopping the others still get their turn; otherwise two
/// incarnations would work on the same files, so that the only safe way on is up.
void supervision::give_up(child& c) {
  c.state = child_state::stuck;
  if (c.by_operator && !state_.stopping) {
    env_.log.error(state_.part, "child is stuck: it was killed and has not ended, and is started again when it has",
                   {{"child", c.spec.name}});
    return;
  }
  c.wanted = c.must_stop = false;
  c.previous = nullptr;
  env_.log.error(state_.part, "child is stuck: it was killed and has not ended", {{"child", c.spec.name}});
  if (!state_.stopping)
    stop_all(caf::make_error(ec::io_failed, c.spec.name + " was killed and has not ended after " +
                                                std::to_string(runtime::defaults::kill_limit_ms) +
                                                " ms: it is inside a call that does not return, probably to the disk. Check the "
                                                "disk and start the node again."));
}

void supervision::stop_all(caf::error reason) {
  if (state_.stopping)
    return;
  state_.stopping = true;
  state_.last_reason = std::move(reason);
  for (auto& c : state_.children) {
    answer_orders(c, caf::make_error(ec::not_serving, state_.part + " is stopping"));
    c.wanted = false;
    c.must_stop = actor_of(c) != nullptr && c.state != child_state::stuck;
    if (c.state == child_state::delayed || c.state == child_state::blocked)
      c.state = child_state::down;
  }
}

// ---- an operator's word --------------------------------------------------------------------------------------------

child* supervision::find(const std::string& name) {
  const auto found =
      std::find_if(state_.children.begin(), state_.children.end(), [&](const child& c) { return c.spec.name == name; });
  return found == state_.children.end() ? nullptr : &*found;
}

const child* supervision::halted_before(const child* c) const {
  if (state_.options.strategy != supervision_strategy::rest_for_one)
    return nullptr;
  for (const auto& other : state_.children)
    if (&other < c && other.halted)
      return &other;
  return nullptr;
}

supervision::promise supervision::refusal(const caf::error& why) {
  auto answer = self_->make_response_promise<bool>();
  answer.deliver(why);
  return answer;
}

supervision::promise supervision::order_for(const child* c, const std::string& name) {
  if (c == nullptr)
    return refusal(caf::make_error(ec::not_found, state_.part + " has no child " + name));
  if (state_.stopping)
    return refusal(caf::make_error(ec::not_serving, state_.part + " is stopping"));
  auto answer = self_->make_response_promise<bool>();
  state_.orders.push_back({static_cast<std::size_t>(c - state_.children.data()), answer});
  return answer;
}

void supervision::answer_orders(const child& c, const caf::error& why) {
  const auto index = static_cast<std::size_t>(&c - state_.children.data());
  std::erase_if(state_.orders, [&](auto& order) {
    if (order.child != index)
      return false;
    if (why)
      order.answer.deliver(why);
    else
      order.answer.deliver(true);
    return true;
  });
}

supervision::promise supervision::on_restart(const std::string& name, const std::string& who) {
  auto* c = find(name);
  if (const auto* stands_on = halted_before(c); stands_on != nullptr)
    return refusal(
        caf::make_error(ec::invalid, stands_on->spec.name + ", on which " + name + " stands, is halted; restart it first"));
  auto answer = order_for(c, name);
  if (c == nullptr || state_.stopping)
    return answer;
  env_.log.warning(state_.part, "child is started again by an operator", {{"child", name}, {"who", who}});
  auto all = concerned(*c);
  all.push_back(c);
  for (auto* each : all) {
    if (each != c && !each->halted && !each->wanted)
      continue; // it has ended for good
    each->wanted = true;
    each->must_stop = actor_of(*each) != nullptr;
    each->by_operator = each->must_stop;
    if (std::exchange(each->halted, false))
      each->halted_gauge->Set(0);
    if (!each->must_stop && each->state != child_state::blocked) {
      each->state = child_state::down;
      each->timer = 0;
    }
  }
  step();
  return answer;
}

supervision::promise supervision::on_kill(const std::string& name, const std::string& who) {
  auto* c = find(name);
  if (c != nullptr && !state_.stopping && actor_of(*c) == nullptr)
    return refusal(caf::make_error(ec::invalid, name + " does not run: it is " + text(c->state) + "; restart starts it"));
  auto answer = order_for(c, name);
  if (c == nullptr || state_.stopping)
    return answer;
  env_.log.warning(state_.part, "child is killed by an operator", {{"child", name}, {"who", who}});
  c->by_operator = true;
  self_->send_exit(actor_of(*c), caf::exit_reason::kill);
  return answer;
}

// ---- an end, and what follows --------------------------------------------------------------------------------------

void supervision::on_end(child& c, const caf::error& reason) {
  const bool was_to_stop = std::exchange(c.must_stop, false);
  const bool by_operator = std::exchange(c.by_operator, false);
  c.state = c.halted ? child_state::halted : c.wanted ? child_state::down : child_state::ended;
  if (is_fatal(reason)) {
    env_.log.error(state_.part, "child ended, the node cannot go on",
                   {{"child", c.spec.name}, {"reason", runtime::error_text(reason)}});
    if (state_.stopping && !is_fatal(state_.last_reason))
      state_.last_reason = reason;
    stop_all(reason);
  } else if (state_.stopping) {
    env_.log.info(state_.part, "child stopped", {{"child", c.spec.name}, {"reason", runtime::error_text(reason)}});
  } else if (halts(reason)) {
    halt(c, reason);
  } else if (was_to_stop) {
    env_.log.info(state_.part, "child stopped because of another",
                  {{"child", c.spec.name}, {"reason", runtime::error_text(reason)}});
  } else {
    died(c, reason, by_operator);
  }
}

void supervision::died(child& c, const caf::error& reason, bool by_operator) {
  const bool again = c.spec.kind == child_kind::permanent || (c.spec.kind == child_kind::transient && !is_orderly(reason));
  if (!again) {
    c.wanted = false;
    c.state = child_state::ended;
    env_.log.info(state_.part, "child ended", {{"child", c.spec.name}, {"reason", runtime::error_text(reason)}});
    answer_orders(c, caf::error{});
    return;
  }
  if (by_operator) {
    env_.log.info(state_.part, "child ended by an operator, is started again at once", {{"child", c.spec.name}});
  } else if (runtime::code_of(reason) == ec::crashed_on_input) {
    c.input_crashes_total->Increment();
    env_.log.warning(state_.part, "child ended by its input, is started again at once",
                     {{"child", c.spec.name}, {"reason", runtime::error_text(reason)}});
  } else {
    restart_later(c, reason);
  }
  if (state_.stopping)
    return;
  for (auto* other : concerned(c)) {
    other->wanted = !other->halted && other->spec.kind != child_kind::temporary;
    other->must_stop = actor_of(*other) != nullptr;
    if (other->wanted && other->state == child_state::ended)
      other->state = child_state::down;
  }
}

/// Counts, and either gives `c` its delay or escalates.
void supervision::restart_later(child& c, const caf::error& reason) {
  const auto now = env_.clock.now_ns();
  const auto oldest = now - std::int64_t{state_.options.restart_period_ms} * 1'000'000;
  std::size_t recent = 0;
  c.recent_ns.push_back(now);
  for (auto& each : state_.children) {
    while (!each.recent_ns.empty() && each.recent_ns.front() <= oldest)
      each.recent_ns.pop_front();
    recent += each.recent_ns.size();
  }
  const auto own = c.recent_ns.size();
  if (recent > state_.options.restarts_max) {
    env_.log.error(state_.part, "too many restarts, gives up",
                   {{"child", c.spec.name},
                    {"reason", runtime::error_text(reason)},
                    {"restarts_max", state_.options.restarts_max},
                    {"period_ms", state_.options.restart_period_ms}});
    const auto below = runtime::code_of(reason) == ec::restart_intensity ? runtime::context_text(reason) : std::string{};
    stop_all(caf::make_error(ec::restart_intensity, below.empty() ? c.spec.name : c.spec.name + " > " + below));
    return;
  }
  ++c.restarts;
  c.restarts_total->Increment();
  std::uint32_t delay_ms = 0;
  if (own > 1) // doubling stops well before the shift could overflow
    delay_ms = std::min(runtime::defaults::restart_delay_ms << std::min<std::size_t>(own - 2, 10),
                        runtime::defaults::restart_delay_ms_max);
  env_.log.warning(
      state_.part, "child ended, is started again",
      {{"child", c.spec.name}, {"reason", runtime::error_text(reason)}, {"restarts", c.restarts}, {"delay_ms", delay_ms}});
  if (delay_ms > 0) {
    c.state = child_state::delayed;
    arm(c, delay_ms);
  }
}

void supervision::halt(child& c, const caf::error& reason) {
  env_.log.error(state_.part, "halted: stays down until an operator acts",
                 {{"child", c.spec.name}, {"reason", runtime::error_text(reason)}});
  auto all = concerned(c);
  all.push_back(&c);
  for (auto* each : all) {
    each->halted = true;
    each->wanted = false;
    each->must_stop = actor_of(*each) != nullptr;
    if (!each->must_stop)
      each->state = child_state::halted;
    each->halted_gauge->Set(1);
  }
}

// ---- towards what is wanted ----------------------------------------------------------------------------------------

void supervision::step() {
  if (stop_next())
    return;
  if (state_.stopping) {
    self_->quit(state_.last_reason);
    return;
  }
  for (auto& c : state_.children) {
    if (!c.wanted || c.state == child_state::running)
      continue;
    const bool started = c.state == child_state::down && start(c);
    if (state_.stopping)
      return; // that start was one failure too many
    if (!started && state_.options.strategy != supervision_strategy::one_for_one)
      return; // those behind it stand on it
  }
}

/// Whether somebody still has to stop; tells the last of them if nobody was told yet.
bool supervision::stop_next() {
  child* last = nullptr;
  for (auto& c : state_.children) {
    if (!c.must_stop)
      continue;
    if (c.state == child_state::stopping || c.state == child_state::killed || c.state == child_state::stuck)
      return true;
    last = &c;
  }
  if (last == nullptr)
    return false;
  const bool at_once = last->spec.stop_limit_ms == 0;
  last->state = at_once ? child_state::killed : child_state::stopping;
  self_->send_exit(actor_of(*last), at_once ? caf::exit_reason::kill : caf::exit_reason::user_shutdown);
  arm(*last, at_once ? runtime::defaults::kill_limit_ms : last->spec.stop_limit_ms);
  return true;
}

/// After this supervisor's predecessor was killed its children may still be in their last call. True when there is one to wait
/// for.
bool supervision::wait_for_previous(child& c) {
  const auto previous = env_.directory->find(c.spec.name);
  if (previous == nullptr)
    return false;
  c.state = child_state::blocked;
  c.previous = previous->address();
  self_->monitor(previous);
  arm(c, runtime::defaults::kill_limit_ms);
  return true;
}

bool supervision::start(child& c) {
  if (wait_for_previous(c))
    return false;
  caf::strong_actor_ptr actor;
  try {
    actor = c.spec.start();
  } catch (...) { // whatever it was: what() may quote anything
    actor = nullptr;
  }
  if (actor == nullptr) {
    died(c, caf::make_error(ec::not_serving, std::string{"it could not be started"}));
    self_->send(self_, restart_atom::value, std::uint64_t{0}); // not at once: step() is at work
    return false;
  }
  c.state = child_state::running;
  c.started_ns = env_.clock.now_ns();
  env_.log.debug(state_.part, "child started", {{"child", c.spec.name}, {"restarts", c.restarts}});
  actor_of(c) = actor;
  env_.directory->put(c.spec.name, actor);
  answer_orders(c, caf::error{});
  self_->monitor(actor); // one that has ended already reports it at once
  return true;
}

} // namespace

supervisor_state::~supervisor_state() {
  for (auto& order : orders)
    order.answer.deliver(caf::make_error(ec::not_serving, part + " has ended"));
}

supervisor_actor::behavior_type supervisor(supervisor_pointer self, const runtime::environment& env, std::string name,
                                           supervisor_options options, std::vector<child_spec> children) {
  runtime::prepare(self, env, name);
  auto& state = self->state;
  state.part = name;
  state.options = options;
  state.running = std::make_shared<std::vector<caf::strong_actor_ptr>>(children.size());
  for (auto& spec : children) {
    child c;
    const runtime::metric_labels labels{{"supervisor", name}, {"child", spec.name}};
    c.restarts_total = &env.metrics.counter("epione_restarts_total", "Children started again after their death", labels);
    c.input_crashes_total = &env.metrics.counter("epione_input_crashes_total", "Deaths by the input worked on", labels);
    c.halted_gauge = &env.metrics.gauge("epione_halted", "1: stays down until an operator acts", labels);
    c.halted_gauge->Set(0);
    c.spec = std::move(spec);
    state.children.push_back(std::move(c));
  }
  self->set_down_handler([self, &env](caf::down_msg& down) { supervision{self, env}.on_down(down); });
  self->set_exit_handler([self, &env](caf::exit_msg& order) {
    if (!order.reason)
      return;
    supervision now{self, env};
    now.stop_all(order.reason);
    now.step();
  });
  // An end that cannot be waited for (killed, an exception in here): the children must not run unsupervised.
  self->attach_functor([running = state.running](const caf::error&) {
    for (const auto& actor : *running)
      if (actor != nullptr)
        caf::anon_send_exit(actor, caf::exit_reason::kill);
  });
  self->send(self, restart_atom::value, std::uint64_t{0});
  return {
      [self, &env](restart_atom, std::uint64_t timer) { supervision{self, env}.on_timer(timer); },
      [self, &env](children_atom) { return children_of(self->state, env); },
      [self, &env](restart_atom, const std::string& name, const std::string& who) {
        return supervision{self, env}.on_restart(name, who);
      },
      [self, &env](kill_atom, const std::string& name, const std::string& who) {
        return supervision{self, env}.on_kill(name, who);
      },
      [self, &env](status_atom) { return status_of(self->state, env); },
  };
}

} // namespace epione::actors
