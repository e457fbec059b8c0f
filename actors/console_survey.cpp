#include "actors/console_survey.hpp"

#include "actors/supervisor.hpp"

#include <algorithm>

namespace epione::actors {

using namespace messages;

namespace {

using console_survey_pointer = console_survey_actor::stateful_pointer<console_survey_state>;

std::string reason_text(const caf::error& why, std::chrono::milliseconds limit) {
  if (why == caf::sec::request_timeout)
    return "no answer within " + std::to_string(limit.count()) + " ms";
  return why == caf::sec::request_receiver_down ? "down" : runtime::error_code_text(why);
}

/// Everything asked for is there, or its time is over.
void finish(console_survey_pointer self) {
  auto& state = self->state;
  auto& found = *state.found;
  for (std::size_t i = 0; i < found.actors.size(); ++i) {
    auto& facts = found.actors[i];
    if (const auto waiting = state.mailboxes[i] ? state.mailboxes[i]->messages.load() : runtime::mailbox_sample::not_answered;
        waiting != runtime::mailbox_sample::not_answered)
      facts.mailbox = static_cast<std::uint64_t>(waiting);
    if (const auto* child = found.child(facts.name))
      facts.child = *child;
  }
  state.answer.deliver(console_findings_ptr{std::move(state.found)});
  self->quit();
}

void one_less(console_survey_pointer self) {
  if (--self->state.missing == 0)
    finish(self);
}

void ask_status(console_survey_pointer self, std::size_t place, const caf::strong_actor_ptr& actor) {
  const auto limit = self->state.options.limit;
  ++self->state.missing;
  self->request(caf::actor_cast<status_source>(actor), limit, status_atom::value)
      .then(
          [self, place](const status_report_ptr& report) {
            auto& facts = self->state.found->actors[place];
            facts.answered = report != nullptr;
            if (report != nullptr) {
              facts.state = report->state;
              facts.details = report->details;
            }
            one_less(self);
          },
          [self, place, limit](const caf::error& why) {
            self->state.found->actors[place].state = reason_text(why, limit);
            one_less(self);
          });
}

void ask_children(console_survey_pointer self, const std::string& name, const caf::strong_actor_ptr& supervisor) {
  ++self->state.missing;
  self->request(caf::actor_cast<supervisor_actor>(supervisor), self->state.options.limit, children_atom::value)
      .then(
          [self](const child_reports_ptr& reports) {
            auto& all = self->state.found->children;
            all.insert(all.end(), reports->begin(), reports->end());
            one_less(self);
          },
          [self, name](const caf::error&) {
            self->state.found->silent.push_back(name);
            one_less(self);
          });
}

void ask(console_survey_pointer self, const runtime::environment& env) {
  auto& state = self->state;
  const auto seconds = static_cast<double>(env.clock.now_ns() - state.begun_ns) / 1e9;
  state.missing = 1; // this function itself
  for (std::size_t i = 0; i < state.options.targets.size(); ++i) {
    const auto& [name, actor] = state.options.targets[i];
    if (actor == nullptr)
      continue;
    const auto now = runtime::messages_handled(actor);
    if (now && state.handled[i] && state.options.window.count() > 0 && seconds > 0)
      state.found->actors[i].rate = static_cast<double>(*now - *state.handled[i]) / seconds;
    ask_status(self, i, actor);
  }
  for (const auto& [name, actor] : state.options.supervisors)
    ask_children(self, name, actor);
  one_less(self);
}

} // namespace

const std::string* actor_facts::detail(std::string_view key) const {
  const auto found = std::find_if(details.begin(), details.end(), [&](const auto& d) { return d.first == key; });
  return found == details.end() ? nullptr : &found->second;
}

const actor_facts* console_findings::find(std::string_view name) const {
  const auto found = std::find_if(actors.begin(), actors.end(), [&](const auto& a) { return a.name == name; });
  return found == actors.end() ? nullptr : &*found;
}

const child_report* console_findings::child(std::string_view name) const {
  const auto found = std::find_if(children.begin(), children.end(), [&](const auto& c) { return c.name == name; });
  return found == children.end() ? nullptr : &*found;
}

bool is_supervisor(const caf::strong_actor_ptr& who) {
  // name() is the constant of the actor's state, whatever the actor is doing.
  const auto* local = dynamic_cast<const caf::local_actor*>(caf::actor_cast<caf::abstract_actor*>(who));
  return local != nullptr && std::string_view{local->name()} == supervisor_state::name;
}

console_survey_actor::behavior_type console_survey(console_survey_pointer self, const runtime::environment& env,
                                                   survey_options options) {
  runtime::prepare(self, env, "console_survey");
  self->state.options = std::move(options);
  return {
      [self, &env](status_atom) {
        auto& state = self->state;
        state.answer = self->make_response_promise<console_findings_ptr>();
        state.begun_ns = env.clock.now_ns();
        for (const auto& [name, actor] : state.options.targets) {
          actor_facts facts;
          facts.name = name;
          facts.state = "not there";
          facts.supervises = actor != nullptr && is_supervisor(actor);
          state.found->actors.push_back(std::move(facts));
          // Before anything else is asked, which would wait there as well.
          state.mailboxes.push_back(actor != nullptr ? std::make_shared<runtime::mailbox_sample>() : nullptr);
          if (actor != nullptr)
            runtime::ask_for_mailbox(actor, state.mailboxes.back());
          state.handled.push_back(actor != nullptr ? runtime::messages_handled(actor) : std::nullopt);
        }
        auto answer = state.answer;
        if (state.options.window.count() > 0)
          self->delayed_send(self, state.options.window, caf::tick_atom::value);
        else
          ask(self, env);
        return answer;
      },
      [self, &env](caf::tick_atom) { ask(self, env); },
  };
}

} // namespace epione::actors
