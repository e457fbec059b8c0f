#include "actors/region_submissions.hpp"

#include "actors/reply_text.hpp"
#include "domain/event.hpp"
#include "runtime/mutation.hpp"

namespace epione::actors {

using namespace messages;
using runtime::mutated;
using runtime::mutation;

namespace {

constexpr const char* too_many_starts = "the shard has just begun to serve and more patients come than it can look up; try again";
constexpr const char* too_much = "the shard has more on its way than it may; try again";

} // namespace

region_submissions::region_submissions(region_pointer self, const runtime::environment& env, const shard_region_options& options,
                                       region_parts& parts, change_desk& desk)
    : self_(self), env_(env), options_(options), name_("region " + std::to_string(options.shard)), standing_(parts.standing),
      parts_(parts), table_(parts.table), checks_(parts.checks), answers_(parts.answers), metrics_(parts.metrics), desk_(desk) {}

// ---- admitted ----------------------------------------------------------------------------------------------------------------

void region_submissions::admit(region_table::waiter w) {
  if (!standing_.serving)
    return answers_.not_here(w, description(standing_.why_not), outcome::not_stored);
  const auto what = w.what;
  if (auto* first = table_.find(what->id); first != nullptr)
    return join(*first, std::move(w));
  if (parts_.set_aside.has(*what)) {
    auto text = set_aside_text(what->id);
    region_table::waiters one;
    one.push_back(std::move(w));
    return refuse(std::move(one), 422, std::move(text));
  }
  if (!table_.has_room_for_entry())
    return answers_.not_now(w, too_much, outcome::not_stored);
  entry e;
  e.fingerprint = what->fingerprint;
  e.subject_hash = what->subject_hash;
  e.received_ns = what->received_ns;
  if (parts_.starts.has_to_wait(e.subject_hash)) {
    if (parts_.starts.is_full()) {
      metrics_.waited_in_vain.Increment();
      return answers_.not_now(w, too_many_starts, outcome::not_stored);
    }
    e.at = phase::waiting;
    parts_.starts.push(what->id);
  } else if (const auto* why_not = checks_.begin(e, what); why_not != nullptr) {
    return answers_.not_now(w, why_not, outcome::not_stored);
  }
  table_.add(what->id, std::move(e), std::move(w));
}

/// A later request under the same key.
void region_submissions::join(entry& e, region_table::waiter w) {
  if (e.at == phase::committed || (mutated(mutation::answer_repeat_before_commit) && e.fingerprint == w.what->fingerprint))
    answers_.answer_settled(w, w.what->id, e.fingerprint, e.results, e.event());
  else if (!table_.has_room_for_waiter())
    answers_.not_now(w, too_much, outcome::not_stored);
  else
    table_.wait(e, std::move(w)); // nobody is told anything before the first one's outcome is known
}

void region_submissions::on_look() {
  parts_.starts.on_look([this](const domain::receipt& id) { return start_next(id); });
}

/// False when it has to wait longer.
bool region_submissions::start_next(const domain::receipt& id) {
  auto* e = table_.find(id, phase::waiting);
  if (e == nullptr)
    return true;
  // Told so before its front says "unknown": three quarters of its time, the rest is for storing it.
  const bool late = env_.clock.now_ns() - e->received_ns > std::int64_t{options_.request_limit_ms} * 750'000;
  if (!late && !parts_.sessions.has(e->subject_hash) && !parts_.sessions.may_start())
    return false;
  const auto* why_not = late ? too_many_starts : checks_.begin(*e, e->who.front().what);
  if (why_not == nullptr) {
    metrics_.waited_and_started.Increment();
    return true;
  }
  metrics_.waited_in_vain.Increment();
  answers_.not_now(take(id), why_not, outcome::not_stored);
  return true;
}

// ---- checked -----------------------------------------------------------------------------------------------------------------

void region_submissions::on_verdict(const assessment_ptr& a) {
  auto* e = table_.find(a->id, phase::checking);
  // What was refused meanwhile may still have been checked. Its verdict is no word on another request under the same key: that
  // one may have other content, or be stored already, which only its own look-up tells.
  if (e == nullptr || (e->who.front().what != a->what && !mutated(mutation::verdict_of_another)))
    return;
  runtime::fault_point(env_.faults, "region.verdict", a->what->subject);
  checks_.end(*e);
  metrics_.checked.Observe(static_cast<double>(env_.clock.now_ns() - e->received_ns) * 1e-9);
  if (a->command == nullptr && a->status == 503) // no word on what was sent
    return answers_.not_now(take(a->id), "the studies are being read; try again", outcome::not_stored);
  if (a->command == nullptr) {
    metrics_.refused.Increment();
    return settle(a->id, a->status, a->refusal);
  }
  e->results = a->results;
  if (a->alerts > 0)
    metrics_.alerts.Increment(a->alerts);
  if (a->what->kind != content_kind::data)
    e->command = a->command;
  if (a->what->held)
    hold(a->id, *e);
  else
    propose(*e, a->command);
}

void region_submissions::on_found(const submission_ptr& s, const stored_event_ptr& event, const caf::error& why) {
  const auto* e = table_.find(s->id);
  if (e == nullptr || !checks_.is_with_sender(*e))
    return;
  checks_.end(*e);
  const auto record = event == nullptr ? tl::expected<domain::submission_record, std::string>{tl::unexpect, "unread"}
                                       : domain::decode_submission_event(event->bytes);
  const auto who = take(s->id);
  if (why || !record) {
    env_.log.error(name_, "a stored submission could not be read", {{"receipt", to_text(s->id)}});
    answers_.not_now(who, "the store could not be read; try again", outcome::unknown); // it may well hold this key
    return;
  }
  const auto results = results_text(record->scores);
  for (const auto& w : who)
    answers_.answer_settled(w, s->id, record->content_fingerprint, results, event->bytes);
}

void region_submissions::on_validator_down(std::uint32_t place, const std::optional<domain::receipt>& culprit) {
  checks_.recheck(place, culprit, [this](const domain::receipt& id, entry& e) {
    return ++e.crashes >= options_.validator_crashes_max && put_aside(id, e);
  });
}

bool region_submissions::put_aside(const domain::receipt& id, entry& e) {
  env_.log.error(name_, "a submission ended its validator several times and is set aside",
                 {{"receipt", to_text(id)}, {"crashes", std::uint64_t{e.crashes}}});
  const auto command = set_aside_command(*e.who.front().what, e.crashes, env_.clock.wall_us());
  checks_.end(e);
  e.set_aside = true;
  propose(e, command);
  return true;
}

void region_submissions::on_session_ended(std::uint64_t serial) {
  refuse_if([serial](const entry& e) { return e.at == phase::checking && e.session_serial == serial; },
            "the patient's session was restarted; try again");
}

void region_submissions::on_reader_restarted() {
  refuse_if([](const entry& e) { return e.at == phase::checking; }, "a reader of the store was restarted; try again");
  parts_.sessions.end_all();
}

// ---- stored together
// -----------------------------------------------------------------------------------------------------------

void region_submissions::hold(const domain::receipt& id, entry& e) {
  e.at = phase::held;
  if (!desk_.on_accepted(e.who.front().to, e.command))
    release(id);
}

void region_submissions::propose_together(const commands_ptr& commands) {
  for (const auto& c : *commands)
    if (auto* e = table_.find(c.id, phase::held); e != nullptr)
      e->at = phase::proposed;
  self_->send(standing_.writer, propose_atom::value, standing_.epoch, commands);
}

void region_submissions::release(const domain::receipt& id) {
  if (table_.find(id, phase::held) == nullptr)
    return;
  auto who = take(id);
  for (std::size_t i = 1; i < who.size(); ++i)
    admit(std::move(who[i]));
}

// ---- proposed
// ------------------------------------------------------------------------------------------------------------------

void region_submissions::propose(entry& e, const command_ptr& command) {
  e.at = phase::proposed;
  self_->send(standing_.writer, propose_atom::value, standing_.epoch, command);
}

void region_submissions::on_committed(std::uint64_t epoch, std::uint64_t index, const std::vector<domain::receipt>& ids) {
  if (epoch != standing_.epoch)
    return;
  runtime::fault_point(env_.faults, "region.committed");
  for (const auto& id : ids) {
    parts_.set_aside.forget(id);
    if (!desk_.idle() && desk_.on_committed(id))
      continue;
    if (auto* e = table_.find(id); e == nullptr) {
      if (parts_.outbox.on_committed(index, id))
        parts_.not_applied.emplace_back(index, id);
    } else if (e->at == phase::proposed) {
      committed(index, id, *e);
    }
  }
}

void region_submissions::committed(std::uint64_t index, const domain::receipt& id, entry& e) {
  metrics_.durable.Observe(static_cast<double>(env_.clock.now_ns() - e.received_ns) * 1e-9);
  if (e.set_aside) {
    metrics_.set_aside.Increment();
    parts_.set_aside.remember(id, e.fingerprint);
    return settle(id, 422, set_aside_text(id));
  }
  e.at = phase::committed;
  parts_.reads.on_settled(id);
  const auto who = std::exchange(e.who, {});
  metrics_.stored.Increment();
  const auto& shown =
      mutated(mutation::receipt_of_another) && !parts_.not_applied.empty() ? parts_.not_applied.back().second : id;
  answers_.answer(who.front(), 202, e.command == nullptr ? stored_text(shown, e.results) : e.command->event);
  for (std::size_t i = 1; i < who.size(); ++i)
    answers_.answer_settled(who[i], id, e.fingerprint, e.results, e.event());
  if (index <= standing_.applied)
    forget(id);
  else
    parts_.not_applied.emplace_back(index, id);
}

void region_submissions::on_refused(std::uint64_t epoch, const std::vector<domain::receipt>& ids) {
  if (epoch != standing_.epoch)
    return;
  for (const auto& id : ids) {
    desk_.on_refused(id);
    if (table_.find(id, phase::proposed) != nullptr)
      answers_.not_here(take(id), "the shard stopped serving; try again", outcome::not_stored);
  }
}

void region_submissions::on_applied(std::uint64_t index) {
  auto& waiting = parts_.not_applied;
  while (!waiting.empty() && waiting.front().first <= index) {
    const auto id = waiting.front().second;
    waiting.pop_front();
    forget(id);
  }
}

/// The store has it: from now on the session finds it there.
void region_submissions::forget(const domain::receipt& id) {
  const auto* e = table_.find(id);
  if (e == nullptr)
    return parts_.outbox.on_applied(id);
  const auto hash = e->subject_hash, serial = e->session_serial;
  take(id);
  const auto* session = parts_.sessions.find(hash);
  // A session that began after this was accepted may have read the store before it was applied.
  if (session != nullptr && session->serial != serial && !mutated(mutation::forget_to_remember))
    self_->send(session->actor, remember_atom::value, domain::key_tag(id));
}

// ---- ended
// -----------------------------------------------------------------------------------------------------------------------

region_table::waiters region_submissions::take(const domain::receipt& id) {
  auto who = table_.take(id);
  parts_.reads.on_settled(id);
  return who;
}

/// Ends an entry that left nothing under its key: those with the same content share the answer, others start anew.
void region_submissions::settle(const domain::receipt& id, int status, const std::string& body) {
  const auto fingerprint = table_.find(id)->fingerprint;
  region_table::waiters same, others;
  for (auto& w : take(id))
    (w.what->fingerprint == fingerprint ? same : others).push_back(std::move(w));
  refuse(std::move(same), status, body);
  for (auto& w : others)
    admit(std::move(w));
}

/// A refusal says that nothing is stored under the key. A node that leads no more without knowing it may have looked before
/// another one stored something; so it is told only by who has led all the time since.
void region_submissions::refuse(region_table::waiters who, int status, std::string body) {
  const auto t = ~messages::ticket{0} - refusals_made_++; // far from those of requests
  refusals_.emplace(t, refusal{std::move(who), status, std::move(body)});
  self_->send(standing_.replica, read_index_atom::value, standing_.epoch, t);
}

bool region_submissions::on_index(std::uint64_t epoch, ticket t, std::uint64_t index) {
  const auto found = refusals_.find(t);
  if (found == refusals_.end())
    return false;
  const auto x = std::move(found->second);
  refusals_.erase(found);
  if (index == 0 || epoch != standing_.epoch)
    answers_.not_here(x.who, "the shard stopped serving; try again", outcome::not_stored);
  else
    for (const auto& w : x.who)
      answers_.answer(w, x.status, x.body);
  return true;
}

template <class Predicate>
void region_submissions::refuse_if(Predicate which, std::string_view sentence) {
  for (const auto& [id, who] : table_.take_if(which)) {
    answers_.not_now(who, sentence, outcome::not_stored);
    parts_.reads.on_settled(id);
  }
}

void region_submissions::drop_late() {
  const auto oldest_ns = env_.clock.now_ns() - std::int64_t{options_.request_limit_ms} * 1'000'000;
  table_.drop_waiters_before(oldest_ns);
  std::set<std::pair<std::uint64_t, std::uint64_t>> stuck; // patients and their sessions
  for (const auto& [id, e] : table_)
    if (e.at == phase::checking && e.received_ns < oldest_ns)
      stuck.emplace(e.subject_hash, e.session_serial);
  if (!stuck.empty())
    drop_stuck(stuck);
}

void region_submissions::drop_stuck(const std::set<std::pair<std::uint64_t, std::uint64_t>>& stuck) {
  env_.log.warning(name_, "submissions were not checked within the limit and are refused",
                   {{"patients", std::uint64_t{stuck.size()}}});
  for (const auto& [hash, serial] : stuck)
    if (parts_.sessions.find(hash, serial) != nullptr)
      parts_.sessions.end(hash); // whatever it still waits for will not come
  refuse_if([&](const entry& e) { return e.at == phase::checking && stuck.count({e.subject_hash, e.session_serial}) != 0; },
            "it was not checked within the limit; try again");
}

void region_submissions::refuse_all(ec why, outcome known) {
  for (const auto& [id, e] : table_) {
    const bool was_proposed = e.at == phase::proposed && !mutated(mutation::proposed_as_not_stored);
    answers_.not_here(e.who, description(why), was_proposed ? known : outcome::not_stored);
  }
  for (const auto& [t, x] : refusals_)
    answers_.not_here(x.who, description(why), outcome::not_stored);
}

void region_submissions::clear() {
  table_.clear();
  parts_.starts.clear();
  parts_.not_applied.clear();
  parts_.set_aside.clear();
  refusals_.clear();
}

} // namespace epione::actors
