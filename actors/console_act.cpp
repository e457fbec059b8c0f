// kill, restart, drain, log-level: what an operator changes. First it is recorded, then it is done.
#include "actors/console_commands.hpp"
#include "actors/console_table.hpp"
#include "runtime/defaults.hpp"

namespace epione::actors::console {

namespace {

using namespace messages;
using nlohmann::ordered_json;
using std::chrono::milliseconds;

/// The console's own name: the actor that would answer is the one that ends.
constexpr std::string_view own_name = "console";

struct order {
  std::string action; ///< "kill", "restart"
  std::string name, supervisor;
  std::int64_t begun_ns = 0;
};

template <class Atom>
void carry_out(const console_call_ptr& call, Atom what, const order& o, const std::string& unrecorded) {
  const auto supervisor = caf::actor_cast<supervisor_actor>(call->find(o.supervisor));
  if (supervisor == nullptr)
    return call->failed(o.supervisor + ", the supervisor of " + o.name + ", is not running; try again");
  ordered_json value{{"actor", o.name}, {"supervisor", o.supervisor}, {"action", o.action}};
  if (o.name == own_name) {
    call->done_acting(o.name + " is started again", value, unrecorded);
    caf::anon_send(supervisor, what, o.name, call->who()); // there will be nobody to tell
    return;
  }
  constexpr milliseconds limit{runtime::defaults::console_order_limit_ms};
  call->self()
      ->request(supervisor, limit, what, o.name, call->who())
      .then(
          [call, o, value, unrecorded](bool) mutable {
            const auto ms = (call->env().clock.now_ns() - o.begun_ns) / 1'000'000;
            value["after_ms"] = ms;
            call->done_acting(o.name + " runs again, after " + duration_text(ms), value, unrecorded);
          },
          [call, o, limit](const caf::error& why) {
            call->failed(o.action + " " + o.name + ": " + console_error_text(why, limit) +
                         (why == caf::sec::request_timeout ? "; status " + o.name + " shows how far it is" : ""));
          });
}

/// Finds who is responsible for the actor, records, and gives the order.
template <class Atom>
void act_on_actor(const console_call_ptr& call, Atom what, const std::string& action) {
  if (call->name().empty())
    return call->usage(action + " needs the name of an actor, as in: " + action + " reader 0");
  survey_options options;
  options.tree = true;
  call->survey(std::move(options), [call, what, action](const console_findings& found) {
    const auto& name = call->name();
    const auto* child = found.child(name);
    if (child == nullptr) {
      if (call->find(name) == nullptr)
        return call->failed("there is no actor \"" + name + "\"; actors lists them all");
      if (found.silent.empty())
        return call->failed(name + " is nobody's child and ends with the process; drain stops the node");
      return call->failed("the supervisor of " + name + " does not answer (" + found.silent.front() + "); kill that one first");
    }
    const order o{action, name, child->supervisor, call->env().clock.now_ns()};
    call->record(action, name, [call, what, o](const std::string& unrecorded) { carry_out(call, what, o, unrecorded); });
  });
}

} // namespace

void kill(const console_call_ptr& call) {
  act_on_actor(call, kill_atom::value, "kill");
}

void restart(const console_call_ptr& call) {
  act_on_actor(call, restart_atom::value, "restart");
}

void drain(const console_call_ptr& call) {
  if (!call->name().empty() && call->ports().cluster)
    return drain_node(call);
  if (!call->name().empty())
    return call->usage("drain takes no name, this node is alone; a reason follows \"because\"");
  if (!call->ports().request_stop)
    return call->failed("this node cannot be stopped from its console; send its process SIGTERM");
  call->record("drain", "node", [call](const std::string& unrecorded) {
    call->done_acting("the node takes nothing new, finishes what it accepted, and stops", {{"action", "drain"}}, unrecorded);
    call->ports().request_stop();
  });
}

void log_level(const console_call_ptr& call) {
  auto& log = call->env().log;
  const auto& wanted = call->name();
  if (wanted.empty() && call->gives_reason())
    return call->usage("log-level changes nothing without a level, and takes no reason then");
  if (wanted.empty()) {
    const std::string now{to_string(log.level())};
    return call->json() ? call->done_json({{"level", now}}) : call->done(now + "\n");
  }
  const auto level = runtime::parse_log_level(wanted);
  if (!level)
    return call->usage("\"" + wanted + "\" is no level; it is one of debug, info, warning, error");
  const std::string before{to_string(log.level())};
  call->record("log-level", wanted, [call, level, before, wanted](const std::string& unrecorded) {
    call->env().log.set_level(*level);
    call->done_acting("logs from " + wanted + " on; before it was " + before, {{"level", wanted}, {"before", before}},
                      unrecorded);
  });
}

} // namespace epione::actors::console
