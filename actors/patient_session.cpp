#include "actors/patient_session.hpp"

#include "runtime/mutation.hpp"

#include <algorithm>

namespace epione::actors {

using namespace messages;
using runtime::mutated;
using runtime::mutation;

namespace {

using patient_session_pointer = patient_session_actor::stateful_pointer<patient_session_state>;

bool knows(const patient_session_state& state, std::uint16_t tag) {
  return std::find(state.tags.begin(), state.tags.end(), tag) != state.tags.end();
}

/// The validator answers the region. The key counts as known from now on: if the submission is refused, a look-up finds nothing.
void check(patient_session_pointer self, const submission_ptr& what, const validator_actor& validator) {
  auto& state = self->state;
  const auto tag = domain::key_tag(what->id);
  if (!knows(state, tag))
    state.tags.push_back(tag);
  self->send(validator, check_atom::value, what, assessment_client{state.region});
}

/// True when the store was asked and the job has to wait.
bool look_up_or_check(patient_session_pointer self, const patient_session_state::job& job) {
  auto& state = self->state;
  if (!knows(state, domain::key_tag(job.what->id))) {
    check(self, job.what, job.validator);
    return false;
  }
  self->send(state.reader, find_atom::value, state.shard, state.subject_hash, job.what->id, store_client{self});
  return true;
}

std::vector<patient_session_state::job>::iterator find_job(patient_session_state& state, const domain::receipt& id) {
  return std::find_if(state.jobs.begin(), state.jobs.end(), [&](const auto& j) { return j.what->id == id; });
}

void on_head(patient_session_pointer self, const subject_head_ptr& head) {
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
  if (!mutated(mutation::lose_keys_on_restart))
    state.tags.insert(state.tags.end(), head->tags.begin(), head->tags.end());
  if (mutated(mutation::forget_oldest_key) && !head->tags.empty())
    std::erase(state.tags, head->tags.front());
  state.tags.shrink_to_fit();
  std::erase_if(state.jobs, [&](const auto& job) { return !look_up_or_check(self, job); });
}

} // namespace

patient_session_actor::behavior_type patient_session(patient_session_pointer self, const runtime::environment& env,
                                                     std::uint32_t shard, std::uint64_t subject_hash, shard_region_actor region,
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
        patient_session_state::job job{s, validator};
        if (state.head == patient_session_state::head_state::known && !look_up_or_check(self, job))
          return;
        state.jobs.push_back(std::move(job));
        if (state.head == patient_session_state::head_state::unknown) {
          state.head = patient_session_state::head_state::asked;
          self->send(state.reader, head_atom::value, state.shard, state.subject_hash, store_client{self});
        }
      },
      [self](recheck_atom, const submission_ptr& s, const validator_actor& validator) {
        auto job = find_job(self->state, s->id);
        if (job == self->state.jobs.end())
          check(self, s, validator);
        else
          job->validator = validator; // to be used when its turn comes
      },
      [self](head_atom, std::uint64_t, const subject_head_ptr& head) { on_head(self, head); },
      [self, faults](found_atom, const domain::receipt& id, const stored_event_ptr& event, const caf::error& why) {
        auto job = find_job(self->state, id);
        if (job == self->state.jobs.end())
          return;
        runtime::fault_point(faults, "session.found", job->what->subject);
        if (event == nullptr && !why)
          check(self, job->what, job->validator);
        else
          self->send(self->state.region, found_atom::value, job->what, event, why);
        self->state.jobs.erase(job);
      },
      [self](remember_atom, std::uint16_t tag) { self->state.tags.push_back(tag); },
      [self](status_atom) -> status_report_ptr {
        return std::make_shared<const status_report>(
            status_report{"patient_session",
                          self->state.jobs.empty() ? "idle" : "looking up",
                          {{"known keys", std::to_string(self->state.tags.size())},
                           {"being looked up", std::to_string(self->state.jobs.size())}}});
      },
  };
}

} // namespace epione::actors
