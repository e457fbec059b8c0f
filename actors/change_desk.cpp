#include "actors/change_desk.hpp"

#include "actors/reply_text.hpp"
#include "domain/event.hpp"
#include "domain/fhir_issue.hpp"
#include "runtime/defaults.hpp"

#include <algorithm>
#include <utility>

namespace epione::actors {

using namespace messages;

namespace {

std::string issue_text(domain::issue_type code, std::string sentence) {
  return domain::operation_outcome({{domain::issue_severity::error, code, "", "", std::move(sentence)}});
}

/// Who is told of an amendment: those whom alerts concern that were not raised before.
void keep_new_notices(domain::submission_record& after, const domain::submission_record& before) {
  std::erase_if(after.notices, [&](const auto& n) {
    return n.rule.empty() ||
           std::any_of(before.alerts.begin(), before.alerts.end(), [&](const auto& a) { return a.rule == n.rule; });
  });
}

} // namespace

void change_desk::on_change(ticket t, const change_request_ptr& what, const reply_receiver& receiver) {
  if (jobs_ >= runtime::defaults::changes_waiting_max)
    return refuse(receiver, t, "the shard has as many changes waiting as it may; try again", outcome::not_stored);
  ++jobs_;
  auto& queue = queues_[what->subject_hash];
  job next;
  next.to = t;
  next.receiver = receiver;
  next.what = what;
  queue.push_back(std::move(next));
  if (queue.size() == 1)
    start(what->subject_hash);
}

change_desk::job* change_desk::current(std::uint64_t subject_hash) {
  const auto found = queues_.find(subject_hash);
  return found == queues_.end() || found->second.empty() ? nullptr : &found->second.front();
}

void change_desk::start(std::uint64_t subject_hash) {
  auto& now = *current(subject_hash);
  const auto request = now.what; // an answer may come, and end the job, before the last step has begun
  for (const auto& c : request->changes) {
    step s;
    s.what = std::make_shared<const submission>(c.what);
    s.ticket = next_ticket_++;
    places_[s.ticket] = {subject_hash, static_cast<std::uint32_t>(now.steps.size())};
    now.steps.push_back(std::move(s));
  }
  const auto steps = now.steps;
  for (const auto& s : steps) {
    if (places_.count(s.ticket) == 0)
      return; // the job has failed
    if (!s.what->amends) {
      ports_.submit(s.ticket, s.what);
      continue;
    }
    auto r = std::make_shared<read_request>();
    r->study = s.what->study;
    r->subject = s.what->subject;
    r->subject_hash = s.what->subject_hash;
    r->shard = s.what->shard;
    r->id = s.what->id;
    ports_.read(s.ticket, std::move(r));
  }
}

void change_desk::on_list(ticket t, const stored_events_ptr& events, const caf::error& why) {
  const auto found = places_.find(t);
  if (found == places_.end())
    return;
  const auto [hash, at] = found->second;
  if (why || events == nullptr)
    not_now(hash, at, "the store could not be read; try again", outcome::not_stored);
  else
    check_stored(hash, at, events);
}

void change_desk::check_stored(std::uint64_t hash, std::uint32_t at, const stored_events_ptr& events) {
  auto& s = current(hash)->steps[at];
  const auto expected = current(hash)->what->changes[at].expected;
  if (events->empty())
    return fail(hash, at, 404, issue_text(domain::issue_code::not_found, "there is no such response"));
  s.stored = events->front();
  const std::uint64_t version = 1 + s.stored.amendments.size();
  const auto& newest = s.stored.amendments.empty() ? s.stored.bytes : s.stored.amendments.back().bytes;
  const auto record = domain::decode_record_event(newest);
  if (!record || record->study != s.what->study || record->subject != s.what->subject)
    return fail(hash, at, 404, issue_text(domain::issue_code::not_found, "there is no such response"));
  if (version > 1 && record->content_fingerprint == s.what->fingerprint && (expected == 0 || expected + 1 == version)) {
    s.result = change_result{200, newest}; // the same amendment again: it was stored, and its answer lost
    return go_on(hash);
  }
  if (expected != 0 && expected != version)
    return fail(hash, at, 412,
                issue_text(domain::issue_type{"conflict"}, "If-Match names version " + std::to_string(expected) +
                                                               ", but the current one is " + std::to_string(version) +
                                                               "; read it again, and amend that"));
  if (s.stored.amendments.size() >= runtime::defaults::amendments_max)
    return fail(hash, at, 422,
                issue_text(domain::issue_type{"too-costly"},
                           "a response is amended " + std::to_string(runtime::defaults::amendments_max) + " times at most"));
  if (!has_checked(hash, at))
    not_now(hash, at, "no validator is running; try again", outcome::not_stored);
}

bool change_desk::has_checked(std::uint64_t hash, std::uint32_t at) {
  auto& s = current(hash)->steps[at];
  s.validator = ports_.check(s.what);
  return s.validator.has_value();
}

bool change_desk::on_accepted(ticket t, const command_ptr& command) {
  const auto found = places_.find(t);
  if (found == places_.end())
    return false;
  const auto [hash, at] = found->second;
  current(hash)->steps[at].command = command;
  go_on(hash);
  return true;
}

void change_desk::on_reply(const reply& r) {
  const auto found = places_.find(r.to);
  if (found == places_.end())
    return;
  const auto [hash, at] = found->second;
  if (r.status != 200 && r.status != 202)
    return fail(hash, at, r.status, r.body);
  current(hash)->steps[at].result = change_result{r.status == 202 ? 201 : 200, r.body};
  go_on(hash);
}

void change_desk::on_verdict(const assessment_ptr& a) {
  for (auto& [hash, queue] : queues_) {
    auto& steps = queue.front().steps;
    for (std::uint32_t at = 0; at < steps.size(); ++at) {
      if (steps[at].what != a->what || steps[at].command != nullptr)
        continue;
      if (a->command == nullptr)
        return fail(hash, at, a->status, a->refusal);
      return amend(hash, at, *a);
    }
  }
}

void change_desk::amend(std::uint64_t hash, std::uint32_t at, const assessment& a) {
  auto& s = current(hash)->steps[at];
  const auto& wanted = current(hash)->what->changes[at];
  const auto& newest = s.stored.amendments.empty() ? s.stored.bytes : s.stored.amendments.back().bytes;
  auto before = domain::decode_record_event(newest);
  auto after = domain::decode_record_event(a.command->event);
  if (!before || !after)
    return fail(hash, at, 500, issue_text(domain::issue_type{"exception"}, "the stored response could not be read"));
  if (after->form != before->form)
    return fail(hash, at, 422,
                issue_text(domain::issue_code::business_rule, "an amendment answers the same questionnaire as what it amends"));
  domain::amendment change;
  change.version = 2 + s.stored.amendments.size();
  after->key = before->key;
  keep_new_notices(*after, *before);
  change.before = std::move(*before);
  change.after = std::move(*after);
  change.who = wanted.who;
  change.role = wanted.role;
  change.reason = wanted.reason;
  auto command = std::make_shared<domain::command>();
  command->type = change.after.notices.empty() ? domain::command_type::amendment : domain::command_type::amendment_with_notices;
  command->subject_hash = s.what->subject_hash;
  command->id = s.what->id;
  command->content = s.what->fingerprint;
  command->event = domain::encode_amendment_event(change);
  s.command = std::move(command);
  go_on(hash);
}

/// Proposes the job once every step is ready, and answers it once every one is done.
void change_desk::go_on(std::uint64_t hash) {
  auto& now = *current(hash);
  if (std::any_of(now.steps.begin(), now.steps.end(), [](const auto& s) { return !s.result && s.command == nullptr; }))
    return;
  if (std::all_of(now.steps.begin(), now.steps.end(), [](const auto& s) { return s.result.has_value(); })) {
    std::vector<change_result> results;
    for (auto& s : now.steps)
      results.push_back(std::move(*s.result));
    ports_.answer(now.receiver, {now.to, 200, encode_change_results(results)});
    return end(hash);
  }
  if (std::exchange(now.proposed, true))
    return;
  auto commands = std::make_shared<std::vector<domain::command>>();
  for (std::uint32_t at = 0; at < now.steps.size(); ++at) {
    const auto& s = now.steps[at];
    if (s.result)
      continue;
    commands->push_back(*s.command);
    if (s.what->amends)
      amending_[s.what->id] = {hash, at};
  }
  ports_.propose(std::move(commands));
}

bool change_desk::on_committed(const domain::receipt& id) {
  const auto found = amending_.find(id);
  if (found == amending_.end())
    return false;
  const auto [hash, at] = found->second;
  amending_.erase(found);
  auto& s = current(hash)->steps[at];
  s.result = change_result{200, s.command->event};
  go_on(hash);
  return true;
}

void change_desk::on_refused(const domain::receipt& id) {
  const auto found = amending_.find(id);
  if (found == amending_.end())
    return;
  const auto [hash, at] = found->second;
  not_now(hash, at, "the shard stopped serving; try again", outcome::not_stored);
}

void change_desk::on_closed(std::string_view why, outcome known) {
  for (const auto& [hash, queue] : queues_)
    for (const auto& j : queue)
      refuse(j.receiver, j.to, why, j.proposed ? known : outcome::not_stored);
  queues_.clear();
  places_.clear();
  amending_.clear();
  jobs_ = 0;
}

void change_desk::on_validator_down(std::uint32_t validator, const std::optional<domain::receipt>& culprit) {
  std::vector<place> concerned;
  for (const auto& [hash, queue] : queues_)
    for (std::uint32_t at = 0; at < queue.front().steps.size(); ++at)
      if (const auto& s = queue.front().steps[at]; s.validator == validator && s.command == nullptr && !s.result)
        concerned.push_back({hash, at});
  for (const auto& [hash, at] : concerned) {
    const auto* now = current(hash);
    if (now == nullptr || at >= now->steps.size() || now->steps[at].validator != validator)
      continue; // failed with another one
    if (culprit == now->steps[at].what->id)
      fail(hash, at, 422,
           issue_text(domain::issue_type{"exception"},
                      "checking this response failed; nothing was stored, and the operator is told"));
    else if (!has_checked(hash, at))
      not_now(hash, at, "no validator is running; try again", outcome::not_stored);
  }
}

/// The gateway has answered what is older than its limit. What is proposed is waited for all the same: its outcome is not ours.
void change_desk::on_tick() {
  const auto oldest_ns = clock_.now_ns() - std::int64_t{request_limit_ms_} * 1'000'000;
  std::vector<std::uint64_t> late;
  for (auto& [hash, queue] : queues_) {
    for (auto j = queue.begin() + 1; j < queue.end();) {
      const bool over = j->what->received_ns < oldest_ns;
      jobs_ -= over;
      j = over ? queue.erase(j) : j + 1;
    }
    if (!queue.front().proposed && queue.front().what->received_ns < oldest_ns)
      late.push_back(hash);
  }
  for (const auto hash : late)
    not_now(hash, 0, "it was not checked within the limit; try again", outcome::not_stored);
}

void change_desk::not_now(std::uint64_t hash, std::uint32_t at, std::string_view sentence, outcome known) {
  fail(hash, at, 503, unavailable_text(sentence, known));
}

void change_desk::refuse(const reply_receiver& to, ticket t, std::string_view sentence, outcome known) {
  ports_.answer(to, {t, 503, encode_change_results({{503, unavailable_text(sentence, known)}}), retry_after_s_});
}

/// Nothing of the job is stored, unless it was proposed already.
void change_desk::fail(std::uint64_t hash, std::uint32_t at, int status, std::string text) {
  auto& now = *current(hash);
  ports_.answer(now.receiver,
                {now.to, status, encode_change_results({{status, std::move(text)}}, at), status == 503 ? retry_after_s_ : 0});
  std::vector<domain::receipt> held;
  for (const auto& s : now.steps)
    if (!s.what->amends && s.command != nullptr && !s.result && !now.proposed)
      held.push_back(s.what->id);
  end(hash);
  for (const auto& id : held)
    ports_.release(id);
}

void change_desk::end(std::uint64_t hash) {
  auto queue = queues_.find(hash);
  for (const auto& s : queue->second.front().steps) {
    places_.erase(s.ticket);
    if (const auto found = amending_.find(s.what->id); found != amending_.end() && found->second.subject_hash == hash)
      amending_.erase(found);
  }
  queue->second.pop_front();
  --jobs_;
  if (queue->second.empty())
    queues_.erase(queue);
  else
    start(hash);
}

} // namespace epione::actors
