#include "actors/status.hpp"

namespace epione::actors {

using namespace messages;

namespace {

using status_pointer = status_collector_actor::stateful_pointer<status_collector_state>;
using status_promise = caf::typed_response_promise<status_reports_ptr>;

std::string silence_text(const caf::error& why, std::chrono::milliseconds limit) {
  if (why == caf::sec::request_timeout)
    return "no answer within " + std::to_string(limit.count()) + " ms";
  if (why == caf::sec::request_receiver_down)
    return "down";
  return runtime::error_code_text(why);
}

void done_with_one(status_pointer self, status_promise answer) {
  if (--self->state.missing > 0)
    return;
  answer.deliver(std::make_shared<const status_reports>(std::move(self->state.reports)));
  self->quit();
}

} // namespace

status_collector_actor::behavior_type status_collector(status_pointer self, const runtime::environment& env,
                                                       status_targets targets, std::chrono::milliseconds limit) {
  runtime::prepare(self, env, "status_collector");
  self->state.targets = std::move(targets);
  return {
      [self, limit](status_atom) {
        auto& state = self->state;
        auto answer = self->make_response_promise<status_reports_ptr>();
        state.missing = state.targets.size() + 1; // and this handler itself
        for (const auto& [name, actor] : state.targets) {
          const auto place = state.reports.size();
          state.reports.push_back({name, "not there", {}});
          if (actor == nullptr) {
            --state.missing;
            continue;
          }
          self->request(caf::actor_cast<status_source>(actor), limit, status_atom::value)
              .then(
                  [self, place, answer](const status_report_ptr& report) {
                    if (report != nullptr) {
                      self->state.reports[place].state = report->state;
                      self->state.reports[place].details = report->details;
                    }
                    done_with_one(self, answer);
                  },
                  [self, place, answer, limit](const caf::error& why) {
                    self->state.reports[place].state = silence_text(why, limit);
                    done_with_one(self, answer);
                  });
        }
        state.targets.clear();
        done_with_one(self, answer);
        return answer;
      },
  };
}

status_reports collect_status(caf::actor_system& system, const runtime::environment& env, status_targets targets,
                              std::chrono::milliseconds limit) {
  status_reports result;
  caf::scoped_actor self{system, true};
  const auto collector = spawn_actor<caf::hidden>(system, env, status_collector, std::move(targets), limit);
  self->request(collector, limit + std::chrono::seconds{1}, status_atom::value)
      .receive([&](const status_reports_ptr& reports) { result = *reports; },
               [&](const caf::error& why) {
                 env.log.warning("status_collector", "no answer", {{"why", runtime::error_code_text(why)}});
               });
  return result;
}

} // namespace epione::actors
