#include "actors/patient_session.hpp"

#include <algorithm>

namespace epione::actors {

using namespace messages;

namespace {

using pointer = patient_session_actor::stateful_pointer<patient_session_state>;

void check(pointer self, patient_session_state::job& job) {
  job.checking = true;
  self->send(job.validator, check_atom::value, job.what, assessment_client{self});
}

void look_up_or_check(pointer self, patient_session_state::job& job) {
  auto& state = self->state;
  const auto tag = domain::key_tag(job.what->id);
  const bool maybe_known = std::find(state.tags.begin(), state.tags.end(), tag) != state.tags.end();
  if (maybe_known)
    self->send(state.reader, find_atom::value, state.shard, state.subject_hash, job.what->id, store_client{self});
  else
    check(self, job);
}

std::vector<patient_session_state::job>::iterator find_job(patient_session_state& state, const domain::receipt& id) {
  return std::find_if(state.jobs.begin(), state.jobs.end(), [&](const auto& j) { return j.what->id == id; });
}

void on_head(pointer self, const subject_head_ptr& head) {
  auto& state = self->state;
  if (state.head != patient_session_state::head_state::asked)
    return;
  if (head == nullptr) {
    state.head = patient_session_state::head_state::unknown;
    for (auto& job : state.jobs)
      self->send(state.region, found_atom::value, job.what, stored_event_ptr{}, caf::make_error(ec::io_failed));
    state.jobs.clear();
    return;
  }
  state.head = patient_session_state::head_state::known;
  // Keys of an earlier session that were applied meanwhile are in `tags` already.
  state.tags.insert(state.tags.end(), head->tags.begin(), head->tags.end());
  state.tags.shrink_to_fit();
  for (auto& job : state.jobs)
    look_up_or_check(self, job);
}

} // namespace

patient_session_actor::behavior_type patient_session(pointer self, const runtime::environment& env, std::uint32_t shard,
                                                     std::uint64_t subject_hash, shard_region_actor region,
                                                     store_reader_actor reader) {
  runtime::prepare(self, env, "patient_session");
  self->state.region = std::move(region);
  self->state.reader = std::move(reader);
  self->state.subject_hash = subject_hash;
  self->state.shard = shard;
  auto* faults = env.faults;
  return {
      [self, faults](submit_atom, const submission_ptr& s, const validator_actor& validator) {
        runtime::fault_point(faults, "session.submit", s->subject);
        auto& state = self->state;
        state.jobs.push_back({s, validator, false});
        if (state.head == patient_session_state::head_state::known) {
          look_up_or_check(self, state.jobs.back());
        } else if (state.head == patient_session_state::head_state::unknown) {
          state.head = patient_session_state::head_state::asked;
          self->send(state.reader, head_atom::value, state.shard, state.subject_hash, store_client{self});
        }
      },
      [self](recheck_atom, const domain::receipt& id, const validator_actor& validator) {
        auto job = find_job(self->state, id);
        if (job == self->state.jobs.end())
          return; // its verdict came before the validator's end was known
        job->validator = validator;
        if (job->checking) // otherwise the new validator is used when its turn comes
          check(self, *job);
      },
      [self, faults](verdict_atom, const assessment_ptr& a) {
        auto job = find_job(self->state, a->id);
        if (job == self->state.jobs.end())
          return;
        runtime::fault_point(faults, "session.verdict", job->what->subject);
        if (a->command != nullptr)
          self->state.tags.push_back(domain::key_tag(a->id));
        self->send(self->state.region, verdict_atom::value, a, job->what);
        self->state.jobs.erase(job);
      },
      [self](head_atom, std::uint64_t, const subject_head_ptr& head) { on_head(self, head); },
      [self, faults](found_atom, const domain::receipt& id, const stored_event_ptr& event, const caf::error& why) {
        auto job = find_job(self->state, id);
        if (job == self->state.jobs.end())
          return;
        runtime::fault_point(faults, "session.found", job->what->subject);
        if (event == nullptr && !why) {
          check(self, *job);
          return;
        }
        self->send(self->state.region, found_atom::value, job->what, event, why);
        self->state.jobs.erase(job);
      },
      [self](remember_atom, std::uint16_t tag) { self->state.tags.push_back(tag); },
      [self](status_atom) -> status_report_ptr {
        return std::make_shared<const status_report>(status_report{
            "patient_session",
            self->state.jobs.empty() ? "idle" : "checking",
            {{"known keys", std::to_string(self->state.tags.size())}, {"in check", std::to_string(self->state.jobs.size())}}});
      },
  };
}

} // namespace epione::actors
