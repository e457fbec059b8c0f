#include "actors/shard_region.hpp"

#include "actors/change_desk.hpp"
#include "actors/reply_text.hpp"
#include "domain/event.hpp"
#include "domain/msgpack.hpp"
#include "runtime/defaults.hpp"
#include "runtime/directory.hpp"
#include "runtime/mutation.hpp"

#include <algorithm>
#include <chrono>
#include <set>

namespace epione::actors {

using namespace messages;
using runtime::mutated;
using runtime::mutation;

namespace {

using state_type = shard_region_state;
using shard_region_pointer = shard_region_actor::stateful_pointer<state_type>;

constexpr std::chrono::seconds region_tick{1};
constexpr std::chrono::milliseconds start_look{10};
constexpr const char* too_many_starts = "the shard has just begun to serve and more patients come than it can look up; try again";
constexpr const char* too_much = "the shard has more on its way than it may; try again";

struct region_metrics {
  prometheus::Histogram &checked, &durable;
  prometheus::Counter &stored, &repeats, &conflicts, &refused, &set_aside, &not_now, &alerts, &session_starts,
      &waited_and_started, &waited_in_vain;
  prometheus::Gauge &table, &sessions;
};

region_metrics make_shard_region_metrics(runtime::metrics& m, std::uint32_t shard) {
  const runtime::metric_labels of_shard{{"shard", std::to_string(shard)}};
  const auto outcome = [&](const char* name) -> prometheus::Counter& {
    return m.counter("epione_submissions_total", "Submissions by how they were answered", {{"answer", name}});
  };
  const auto stage = [&](const char* name) -> prometheus::Histogram& {
    return m.histogram("epione_submission_seconds", "From the last byte read to the end of a stage", runtime::latency_buckets(),
                       {{"stage", name}});
  };
  const auto waited = [&](const char* name) -> prometheus::Counter& {
    return m.counter("epione_session_starts_waited_total",
                     "Submissions that waited for a session to be started, by what came of it", {{"outcome", name}});
  };
  return {stage("checked"),
          stage("durable"),
          outcome("stored"),
          outcome("repeat"),
          outcome("conflict"),
          outcome("refused"),
          outcome("set_aside"),
          outcome("not_now"),
          m.counter("epione_alerts_total", "Alerts raised by submissions"),
          m.counter("epione_session_starts_total", "Patient sessions started"),
          waited("started"),
          waited("refused"),
          m.gauge("epione_region_table_entries", "Submissions on their way or not yet applied", of_shard),
          m.gauge("epione_sessions", "Live patient sessions", of_shard)};
}

/// The region's work, one function a message. Lives as long as its actor.
class region {
public:
  region(shard_region_pointer self, const runtime::environment& env, const shard_region_options& options,
         runtime::readiness& readiness)
      : self_(self), state_(self->state), env_(env), options_(options), readiness_(readiness),
        name_("region " + std::to_string(options.shard)), part_("shard " + std::to_string(options.shard)),
        outbox_name_("outbox " + std::to_string(options.shard)), metrics_(make_shard_region_metrics(env.metrics, options.shard)),
        desk_(desk_ports(), env.clock, options.request_limit_ms, options.retry_after_s) {}

  void start() {
    state_.validators.resize(options_.validators);
    state_.readers.resize(options_.readers);
    state_.ramp = start_ramp{options_.session_starts_per_s};
    state_.replica = env_.directory->get<replica_actor>("replica " + std::to_string(options_.shard));
    state_.writer = env_.directory->get<storage_writer_actor>("writer " + std::to_string(options_.shard));
    readiness_.set(part_, "starting");
    // Set before anybody is told of the end, so that a successor's word is the last one.
    state_.on_end = [&readiness = readiness_, part = part_] {
      readiness.set(part, "its region is not running; the log says why");
    };
    self_->set_down_handler([this](caf::down_msg& down) { on_down(down); });
    env_.directory->subscribe(runtime::directory_subscriber{self_});
    self_->send(state_.replica, listen_atom::value, shard_listener{self_});
    self_->delayed_send(self_, region_tick, caf::tick_atom::value);
  }

  // ---- submissions ---------------------------------------------------------------------------------------------------

  void on_submit(ticket t, const submission_ptr& s, const reply_receiver& receiver) {
    runtime::fault_point(env_.faults, "region.submit", s->subject);
    admit({t, receiver, s});
    send_replies();
  }

  // ---- changes of stored submissions, and several stored together ------------------------------------------------------

  void on_change(ticket t, const change_request_ptr& what, const reply_receiver& receiver) {
    if (!state_.serving)
      answer({t, receiver, nullptr}, 503,
             encode_change_results({{503, unavailable_text(description(state_.why_not), outcome::not_stored)}}),
             options_.retry_after_s, elsewhere::yes);
    else
      desk_.on_change(t, what, receiver);
    send_replies();
  }

  /// What the desk asked for.
  void on_replies(const replies_ptr& batch) {
    for (const auto& r : *batch)
      desk_.on_reply(r);
    send_replies();
  }

  void on_list(ticket t, const stored_events_ptr& events, const caf::error& why) {
    desk_.on_list(t, events, why);
    send_replies();
  }

  void on_verdict(const assessment_ptr& a) {
    if (a->what->amends) {
      desk_.on_verdict(a);
      return send_replies();
    }
    auto found = state_.table.find(a->id);
    // What was refused meanwhile may still have been checked. Its verdict is no word on another request under the same key: that
    // one may have other content, or be stored already, which only its own look-up tells.
    if (found == state_.table.end() || found->second.at != state_type::phase::checking ||
        found->second.waiters.front().what != a->what)
      return;
    runtime::fault_point(env_.faults, "region.verdict", found->second.waiters.front().what->subject);
    leave_session(found->second);
    metrics_.checked.Observe(seconds_since(found->second.received_ns));
    if (a->command == nullptr && a->status == 503) { // no word on what was sent
      auto waiters = std::move(found->second.waiters);
      erase(found);
      for (auto& w : waiters)
        not_now(w, "the studies are being read; try again", outcome::not_stored);
    } else if (a->command == nullptr) {
      metrics_.refused.Increment();
      settle(found, a->status, a->refusal);
    } else {
      found->second.results = a->results;
      if (a->alerts > 0)
        metrics_.alerts.Increment(a->alerts);
      if (a->what->kind != content_kind::data)
        found->second.command = a->command;
      if (a->what->held)
        hold(found);
      else
        propose(found->second, a->command);
    }
    send_replies();
  }

  void on_found(const submission_ptr& s, const stored_event_ptr& event, const caf::error& why) {
    auto found = state_.table.find(s->id);
    if (found == state_.table.end() || !is_in_check_with_sender(found->second))
      return;
    leave_session(found->second);
    const auto record = event == nullptr ? tl::expected<domain::submission_record, std::string>{tl::unexpect, "unread"}
                                         : domain::decode_submission_event(event->bytes);
    auto waiters = std::move(found->second.waiters);
    erase(found);
    if (why || !record) {
      env_.log.error(name_, "a stored submission could not be read", {{"receipt", to_text(s->id)}});
      for (auto& w : waiters)
        not_now(w, "the store could not be read; try again", outcome::unknown); // it may well hold this key
    } else {
      const auto results = results_text(record->scores);
      for (auto& w : waiters)
        answer_settled(w, s->id, record->content_fingerprint, results, event->bytes);
    }
    send_replies();
  }

  // ---- the log's answers -----------------------------------------------------------------------------------------------

  void on_committed(std::uint64_t epoch, std::uint64_t index, const receipts_ptr& receipts) {
    if (epoch != state_.epoch)
      return;
    runtime::fault_point(env_.faults, "region.committed");
    const auto now = env_.clock.now_ns();
    for (const auto& id : *receipts) {
      if (!desk_.idle() && desk_.on_committed(id))
        continue;
      auto found = state_.table.find(id);
      if (found == state_.table.end())
        outbox_committed(index, id);
      if (found == state_.table.end() || found->second.at != state_type::phase::proposed)
        continue;
      auto& e = found->second;
      metrics_.durable.Observe(static_cast<double>(now - e.received_ns) * 1e-9);
      if (e.set_aside) {
        metrics_.set_aside.Increment();
        remember_set_aside(id, e.fingerprint);
        settle(found, 422, set_aside_text(id));
        continue;
      }
      e.at = state_type::phase::committed;
      settle_reads_after(id);
      auto waiters = std::move(e.waiters);
      e.waiters = {};
      metrics_.stored.Increment();
      answer(waiters.front(), 202, e.command == nullptr ? stored_text(id, e.results) : e.command->event);
      for (std::size_t i = 1; i < waiters.size(); ++i)
        answer_settled(waiters[i], id, e.fingerprint, e.results, event_of(e));
      if (index <= state_.applied)
        forget(id);
      else
        state_.not_applied.emplace_back(index, id);
    }
    send_replies();
  }

  void on_refused(std::uint64_t epoch, const receipts_ptr& receipts) {
    if (epoch != state_.epoch)
      return;
    for (const auto& id : *receipts) {
      desk_.on_refused(id);
      auto found = state_.table.find(id);
      if (found == state_.table.end() || found->second.at != state_type::phase::proposed)
        continue;
      auto waiters = std::move(found->second.waiters);
      erase(found);
      for (auto& w : waiters)
        not_here(w, "the shard stopped serving; try again", outcome::not_stored);
    }
    send_replies();
  }

  void on_serving(std::uint64_t epoch) {
    state_.epoch = epoch;
    state_.serving = true;
    state_.ramp.begin(env_.clock.now_ns());
    readiness_.clear(part_);
    env_.log.info(name_, "serving", {{"epoch", epoch}});
    tell_outbox();
  }

  void on_closed(std::uint64_t epoch, ec why, outcome known) {
    if (epoch < state_.epoch)
      return;
    runtime::fault_point(env_.faults, "region.closed");
    if (state_.serving)
      env_.log.warning(name_, "stopped serving", {{"epoch", epoch}, {"why", description(why)}});
    state_.serving = false;
    state_.why_not = why;
    readiness_.set(part_, std::string{description(why)});
    for (auto& [id, e] : state_.table) {
      const bool was_proposed = e.at == state_type::phase::proposed;
      for (auto& w : e.waiters)
        not_here(w, description(why), was_proposed && !mutated(mutation::proposed_as_not_stored) ? known : outcome::not_stored);
    }
    desk_.on_closed(description(why), known);
    state_.table.clear();
    state_.table_bytes = 0;
    state_.starts_waiting.clear();
    state_.not_applied.clear();
    state_.outbox_commands.clear();
    tell_outbox();
    end_all_sessions();
    for (auto& [t, read] : state_.asked_reads)
      refuse_read(read, why);
    for (auto& [index, read] : state_.held_reads)
      refuse_read(read, why);
    for (auto& [id, read] : state_.reads_after)
      refuse_read(read, why);
    state_.asked_reads.clear();
    state_.held_reads.clear();
    state_.reads_after.clear();
    send_replies();
  }

  /// Another node leads: requests find it there, so nothing is missing here.
  void on_leader(std::uint64_t epoch, const std::string& node) {
    if (epoch < state_.epoch || state_.serving)
      return;
    if (node.empty())
      readiness_.set(part_, "no node is known to lead it");
    else
      readiness_.clear(part_);
  }

  void on_applied(std::uint64_t index) {
    state_.applied = std::max(state_.applied, index);
    while (!state_.not_applied.empty() && state_.not_applied.front().first <= index) {
      const auto id = state_.not_applied.front().second;
      state_.not_applied.pop_front();
      forget(id);
    }
    auto end = state_.held_reads.upper_bound(index);
    for (auto it = state_.held_reads.begin(); it != end; ++it)
      read_now(it->second);
    state_.held_reads.erase(state_.held_reads.begin(), end);
    if (!state_.held_reads.empty()) // more than the store is sent at once
      self_->send(state_.replica, flush_atom::value);
    if (state_.outbox != nullptr && state_.serving)
      self_->send(state_.outbox, applied_atom::value, index);
  }

  // ---- the outbox ------------------------------------------------------------------------------------------------------

  /// Nobody waits for it here: what is lost with the epoch the outbox proposes again.
  void on_propose(const command_ptr& command, bool soon) {
    if (!state_.serving)
      return;
    state_.outbox_commands[command->id] = soon;
    self_->send(state_.writer, propose_atom::value, state_.epoch, command);
  }

  // ---- reads -----------------------------------------------------------------------------------------------------------

  void on_read(ticket t, const read_request_ptr& r, const list_client& client) {
    state_type::waiting_read read{t, r, client, env_.clock.now_ns()};
    if (!state_.serving) {
      refuse_read(read, state_.why_not);
      return;
    }
    if (const auto found = r->after ? state_.table.find(*r->after) : state_.table.end();
        found != state_.table.end() && found->second.at != state_type::phase::committed)
      state_.reads_after.emplace(*r->after, std::move(read));
    else
      ask_index(std::move(read));
  }

  void on_read_index(std::uint64_t epoch, ticket t, std::uint64_t index) {
    auto found = state_.asked_reads.find(t);
    if (found == state_.asked_reads.end())
      return;
    auto read = std::move(found->second);
    state_.asked_reads.erase(found);
    if (epoch != state_.epoch || index == 0) {
      refuse_read(read, ec::not_serving);
    } else if (index <= state_.applied || mutated(mutation::read_before_applied)) {
      read_now(read);
    } else {
      state_.held_reads.emplace(index, std::move(read));
      self_->send(state_.replica, flush_atom::value);
    }
  }

  // ---- who comes and goes ------------------------------------------------------------------------------------------------

  void on_changed(const std::string& name, const caf::strong_actor_ptr& actor) {
    if (auto i = index_of(name, "validator "); i && *i < state_.validators.size()) {
      if (actor != nullptr)
        on_validator(state_.validators[*i], caf::actor_cast<validator_actor>(actor));
    } else if (auto k = index_of(name, "reader "); k && *k < state_.readers.size()) {
      // Whatever a session asked the last one is lost: nothing of it was proposed.
      const bool replaced = state_.readers[*k] != nullptr;
      state_.readers[*k] = caf::actor_cast<store_reader_actor>(actor);
      if (replaced)
        drop_what_is_checked("a reader of the store was restarted; try again");
    } else if (name == outbox_name_) {
      state_.outbox = caf::actor_cast<outbox_actor>(actor);
      state_.outbox_commands.clear();
      if (state_.serving)
        tell_outbox();
    }
  }

  void on_ended(std::uint64_t subject_hash, std::uint64_t serial) {
    auto found = state_.sessions.find(subject_hash);
    if (found == state_.sessions.end() || found->second.serial != serial)
      return; // ended by us
    state_.by_use.erase(found->second.place);
    state_.sessions.erase(found);
    metrics_.sessions.Set(static_cast<double>(state_.sessions.size()));
    for (auto it = state_.table.begin(); it != state_.table.end();) {
      if (it->second.at == state_type::phase::checking && it->second.session_serial == serial) {
        for (auto& w : it->second.waiters)
          not_now(w, "the patient's session was restarted; try again", outcome::not_stored);
        it = erase(it);
      } else {
        ++it;
      }
    }
    send_replies();
  }

  /// Those who wait for their sessions, in the order they came.
  void on_look() {
    state_.looking = false;
    const auto now = env_.clock.now_ns();
    while (!state_.starts_waiting.empty() && start_next(now))
      state_.starts_waiting.pop_front();
    look_soon();
    send_replies();
  }

  void on_tick() {
    self_->delayed_send(self_, region_tick, caf::tick_atom::value);
    const auto oldest_ns = env_.clock.now_ns() - std::int64_t{options_.session_idle_limit_ms} * 1'000'000;
    while (!state_.by_use.empty()) {
      auto& s = state_.sessions.at(state_.by_use.front());
      if (s.used_ns > oldest_ns || s.checking > 0)
        break;
      end_session(state_.by_use.front());
    }
    drop_what_nobody_waits_for();
    desk_.on_tick();
    send_replies();
    metrics_.table.Set(static_cast<double>(state_.table.size()));
    metrics_.sessions.Set(static_cast<double>(state_.sessions.size()));
  }

  session_lines_ptr newest_sessions(std::uint32_t limit) const {
    auto lines = std::make_shared<session_lines>();
    const auto now = env_.clock.now_ns();
    for (auto hash = state_.by_use.rbegin(); hash != state_.by_use.rend() && lines->size() < limit; ++hash) {
      const auto& s = state_.sessions.at(*hash);
      lines->push_back({options_.shard, *hash, (now - s.used_ns) / 1'000'000, s.checking});
    }
    return lines;
  }

  status_report_ptr status() const {
    return std::make_shared<const status_report>(
        status_report{name_,
                      state_.serving ? "serving" : to_string(state_.why_not),
                      {{"epoch", std::to_string(state_.epoch)},
                       {"on the way", std::to_string(state_.table.size())},
                       {"not applied", std::to_string(state_.not_applied.size())},
                       {"sessions", std::to_string(state_.sessions.size())},
                       {"waiting for a session", std::to_string(state_.starts_waiting.size())},
                       {"sessions a second", starts_text()},
                       {"applied", std::to_string(state_.applied)}}});
  }

private:
  using table_iterator = std::unordered_map<domain::receipt, state_type::entry>::iterator;

  void tell_outbox() {
    if (state_.outbox == nullptr)
      return;
    if (state_.serving)
      self_->send(state_.outbox, serving_atom::value, state_.epoch);
    else
      self_->send(state_.outbox, closed_atom::value, state_.epoch);
  }

  void outbox_committed(std::uint64_t index, const domain::receipt& id) {
    const auto command = state_.outbox_commands.find(id);
    if (command == state_.outbox_commands.end())
      return;
    const bool soon = command->second;
    if (index <= state_.applied)
      return forget(id);
    state_.not_applied.emplace_back(index, id);
    if (soon)
      self_->send(state_.replica, flush_atom::value);
  }

  double seconds_since(std::int64_t then_ns) const { return static_cast<double>(env_.clock.now_ns() - then_ns) * 1e-9; }

  static std::optional<std::size_t> index_of(const std::string& name, std::string_view prefix) {
    if (name.compare(0, prefix.size(), prefix) != 0)
      return std::nullopt;
    std::size_t value = 0;
    for (auto c : std::string_view{name}.substr(prefix.size())) {
      if (c < '0' || c > '9')
        return std::nullopt;
      value = value * 10 + static_cast<std::size_t>(c - '0');
    }
    return value;
  }

  void admit(state_type::waiter w) {
    if (!state_.serving)
      return not_here(w, description(state_.why_not), outcome::not_stored);
    const auto& id = w.what->id;
    if (auto found = state_.table.find(id); found != state_.table.end()) {
      auto& e = found->second;
      if (e.at == state_type::phase::committed ||
          (mutated(mutation::answer_repeat_before_commit) && e.fingerprint == w.what->fingerprint))
        answer_settled(w, id, e.fingerprint, e.results, event_of(e));
      else if (state_.table_bytes >= options_.store_lag_bytes_max)
        not_now(w, too_much, outcome::not_stored);
      else
        wait(e, std::move(w)); // nobody is told anything before the first one's outcome is known
      return;
    }
    for (const auto& [aside, fingerprint] : state_.set_aside)
      if (aside == id && fingerprint == w.what->fingerprint)
        return answer(w, 422, set_aside_text(id));
    if (state_.table.size() >= options_.store_lag_max || state_.table_bytes >= options_.store_lag_bytes_max)
      return not_now(w, too_much, outcome::not_stored);
    state_type::entry e;
    e.fingerprint = w.what->fingerprint;
    e.subject_hash = w.what->subject_hash;
    e.received_ns = w.what->received_ns;
    if (has_to_wait(e.subject_hash)) {
      if (state_.starts_waiting.size() >= runtime::defaults::session_starts_waiting_max) {
        metrics_.waited_in_vain.Increment();
        return not_now(w, too_many_starts, outcome::not_stored);
      }
      e.at = state_type::phase::waiting;
      state_.starts_waiting.push_back(id);
      look_soon();
    } else if (const auto* why_not = begin_check(e, w.what); why_not != nullptr) {
      return not_now(w, why_not, outcome::not_stored);
    }
    wait(e, std::move(w));
    state_.table.emplace(id, std::move(e));
  }

  /// Gives it to its patient's session, which is started when there is none. A sentence when that cannot be done.
  const char* begin_check(state_type::entry& e, const submission_ptr& what) {
    const auto v = pick_validator();
    if (!v)
      return "no validator is running; try again";
    auto* session = session_for(what->subject_hash);
    if (session == nullptr)
      return "no reader of the store is running; try again";
    e.at = state_type::phase::checking;
    e.session_serial = session->serial;
    e.validator = *v;
    ++session->checking;
    self_->send(session->actor, submit_atom::value, what, state_.validators[*v].now);
    return nullptr;
  }

  void wait(state_type::entry& e, state_type::waiter w) {
    e.bytes += w.what->content.size();
    state_.table_bytes += w.what->content.size();
    e.waiters.push_back(std::move(w));
  }

  void propose(state_type::entry& e, const command_ptr& command) {
    e.at = state_type::phase::proposed;
    self_->send(state_.writer, propose_atom::value, state_.epoch, command);
  }

  static std::string_view event_of(const state_type::entry& e) {
    return e.command == nullptr ? std::string_view{} : std::string_view{e.command->event};
  }

  // ---- for the change desk ---------------------------------------------------------------------------------------------

  change_desk_ports desk_ports() {
    change_desk_ports p;
    p.read = [this](ticket t, const read_request_ptr& r) { on_read(t, r, list_client{self_}); };
    p.submit = [this](ticket t, const submission_ptr& s) { admit({t, reply_receiver{self_}, s}); };
    p.check = [this](const submission_ptr& s) {
      const auto v = pick_validator();
      if (v)
        self_->send(state_.validators[*v].now, check_atom::value, s, assessment_client{self_});
      return v;
    };
    p.propose = [this](const commands_ptr& commands) {
      for (const auto& c : *commands)
        if (auto found = state_.table.find(c.id); found != state_.table.end() && found->second.at == state_type::phase::held)
          found->second.at = state_type::phase::proposed;
      self_->send(state_.writer, propose_atom::value, state_.epoch, commands);
    };
    p.release = [this](const domain::receipt& id) { release(id); };
    p.answer = [this](const reply_receiver& to, reply r) {
      answer({r.to, to, nullptr}, r.status, std::move(r.body), r.retry_after_s);
    };
    return p;
  }

  void hold(table_iterator found) {
    found->second.at = state_type::phase::held;
    const auto id = found->first;
    if (!desk_.on_accepted(found->second.waiters.front().to, found->second.command))
      release(id);
  }

  /// It is not to be stored after all: those who came with the same key meanwhile start anew.
  void release(const domain::receipt& id) {
    const auto found = state_.table.find(id);
    if (found == state_.table.end() || found->second.at != state_type::phase::held)
      return;
    auto waiters = std::move(found->second.waiters);
    erase(found);
    for (std::size_t i = 1; i < waiters.size(); ++i)
      admit(std::move(waiters[i]));
  }

  /// Ends an entry that left nothing under its key: those with the same content share the answer, others start anew.
  void settle(table_iterator found, int status, const std::string& body) {
    const auto fingerprint = found->second.fingerprint;
    auto waiters = std::move(found->second.waiters);
    erase(found);
    for (auto& w : waiters) {
      if (w.what->fingerprint == fingerprint)
        answer(w, status, body);
      else
        admit(std::move(w));
    }
  }

  /// Answers a later request under a key whose submission is durable. `event`: what was stored, where a whole response may ask.
  void answer_settled(const state_type::waiter& w, const domain::receipt& id, const domain::fingerprint& first,
                      const std::string& results, std::string_view event) {
    if (w.what->fingerprint == first || mutated(mutation::conflict_as_repeat)) {
      metrics_.repeats.Increment();
      answer(w, 200, w.what->kind == content_kind::data ? repeat_text(id, results) : std::string{event});
    } else {
      metrics_.conflicts.Increment();
      answer(w, 409, conflict_text(id));
    }
  }

  void not_now(const state_type::waiter& w, std::string_view sentence, outcome known, elsewhere hint = elsewhere::no) {
    metrics_.not_now.Increment();
    answer(w, 503, unavailable_text(sentence, known), options_.retry_after_s, hint);
  }

  /// The shard is led by another node now, or soon.
  void not_here(const state_type::waiter& w, std::string_view sentence, outcome known) {
    not_now(w, sentence, known, known == outcome::not_stored ? elsewhere::yes : elsewhere::after_that);
  }

  void answer(const state_type::waiter& w, int status, std::string body, std::uint32_t retry_after_s = 0,
              elsewhere hint = elsewhere::no) {
    auto out = std::find_if(state_.outgoing.begin(), state_.outgoing.end(), [&](const auto& o) { return o.first == w.receiver; });
    if (out == state_.outgoing.end())
      out = state_.outgoing.emplace(state_.outgoing.end(), w.receiver, std::make_shared<replies>());
    out->second->push_back({w.to, status, std::move(body), retry_after_s, hint});
  }

  void send_replies() {
    for (auto& [receiver, batch] : state_.outgoing)
      self_->send(receiver, reply_atom::value, std::move(batch));
    state_.outgoing.clear();
  }

  /// The store has it: from now on the session finds it there.
  void forget(const domain::receipt& id) {
    auto found = state_.table.find(id);
    if (found == state_.table.end()) {
      if (state_.outbox_commands.erase(id) != 0 && state_.outbox != nullptr)
        self_->send(state_.outbox, applied_atom::value, id);
      return;
    }
    const auto hash = found->second.subject_hash;
    const auto serial = found->second.session_serial;
    erase(found);
    auto session = state_.sessions.find(hash);
    // A session that began after this was accepted may have read the store before it was applied.
    if (session != state_.sessions.end() && session->second.serial != serial && !mutated(mutation::forget_to_remember))
      self_->send(session->second.actor, remember_atom::value, domain::key_tag(id));
  }

  // ---- sessions ----------------------------------------------------------------------------------------------------------

  /// Nobody overtakes those who wait, but for patients whose session is there.
  bool has_to_wait(std::uint64_t subject_hash) const {
    return (!state_.starts_waiting.empty() || !state_.ramp.may_start(env_.clock.now_ns())) &&
           state_.sessions.count(subject_hash) == 0;
  }

  /// False when the first one of those who wait has to wait longer.
  bool start_next(std::int64_t now_ns) {
    const auto found = state_.table.find(state_.starts_waiting.front());
    if (found == state_.table.end() || found->second.at != state_type::phase::waiting)
      return true;
    auto& e = found->second;
    // Told so before its front says "unknown": three quarters of its time, the rest is for storing it.
    const bool late = now_ns - e.received_ns > std::int64_t{options_.request_limit_ms} * 750'000;
    if (!late && state_.sessions.count(e.subject_hash) == 0 && !state_.ramp.may_start(now_ns))
      return false;
    const auto* why_not = late ? too_many_starts : begin_check(e, e.waiters.front().what);
    if (why_not == nullptr) {
      metrics_.waited_and_started.Increment();
      return true;
    }
    metrics_.waited_in_vain.Increment();
    auto waiters = std::move(e.waiters);
    erase(found);
    for (auto& w : waiters)
      not_now(w, why_not, outcome::not_stored);
    return true;
  }

  void look_soon() {
    if (state_.looking || state_.starts_waiting.empty())
      return;
    state_.looking = true;
    self_->delayed_send(self_, start_look, flush_atom::value);
  }

  std::string starts_text() const {
    const auto limit = state_.ramp.starts_per_s(env_.clock.now_ns());
    return limit == 0 ? "no limit" : std::to_string(limit);
  }

  state_type::session* session_for(std::uint64_t hash) {
    const auto now = env_.clock.now_ns();
    if (auto found = state_.sessions.find(hash); found != state_.sessions.end()) {
      found->second.used_ns = now;
      state_.by_use.splice(state_.by_use.end(), state_.by_use, found->second.place);
      return &found->second;
    }
    const auto& reader = state_.readers.empty() ? store_reader_actor{} : state_.readers[hash % state_.readers.size()];
    if (reader == nullptr)
      return nullptr;
    if (state_.sessions.size() >= options_.sessions_max)
      end_least_used();
    const auto serial = state_.next_serial++;
    auto actor = runtime::spawn_uncounted(*self_, env_, patient_session, options_.shard, hash, shard_region_actor{self_}, reader);
    caf::actor_cast<caf::abstract_actor*>(actor)->attach_functor(
        [me = shard_region_actor{self_}, hash, serial](const caf::error&) {
          caf::anon_send(me, ended_atom::value, hash, serial);
        });
    state_.ramp.started(now);
    metrics_.session_starts.Increment();
    auto& s = state_.sessions[hash];
    s.actor = std::move(actor);
    s.serial = serial;
    s.used_ns = now;
    s.place = state_.by_use.insert(state_.by_use.end(), hash);
    return &s;
  }

  /// A session that was told to end may still be at work on what was refused meanwhile: its word does not count any more.
  bool is_in_check_with_sender(const state_type::entry& e) const {
    if (e.at != state_type::phase::checking)
      return false;
    const auto s = state_.sessions.find(e.subject_hash);
    return s != state_.sessions.end() && s->second.serial == e.session_serial && self_->current_sender() == s->second.actor;
  }

  table_iterator erase(table_iterator it) {
    state_.table_bytes -= it->second.bytes;
    settle_reads_after(it->first);
    return state_.table.erase(it);
  }

  void leave_session(state_type::entry& e) {
    auto s = state_.sessions.find(e.subject_hash);
    if (s != state_.sessions.end() && s->second.serial == e.session_serial && s->second.checking > 0)
      --s->second.checking;
  }

  void end_session(std::uint64_t hash) {
    auto found = state_.sessions.find(hash);
    if (mutated(mutation::session_takes_pending_along))
      std::erase_if(state_.table, [hash](const auto& x) {
        return x.second.subject_hash == hash && x.second.at == state_type::phase::committed;
      });
    self_->send_exit(found->second.actor, caf::exit_reason::user_shutdown);
    state_.by_use.erase(found->second.place);
    state_.sessions.erase(found);
  }

  void end_least_used() {
    for (auto hash : state_.by_use) {
      if (state_.sessions.at(hash).checking == 0) {
        end_session(hash);
        return;
      }
    }
  }

  void end_all_sessions() {
    while (!state_.by_use.empty())
      end_session(state_.by_use.front());
  }

  void drop_what_is_checked(std::string_view sentence) {
    for (auto it = state_.table.begin(); it != state_.table.end();) {
      if (it->second.at == state_type::phase::checking) {
        for (auto& w : it->second.waiters)
          not_now(w, sentence, outcome::not_stored);
        it = erase(it);
      } else {
        ++it;
      }
    }
    end_all_sessions();
    send_replies();
  }

  /// The gateway has answered what is older than its limit: later requests under the same key that still wait for the first one,
  /// reads, and checks that nobody will finish.
  void drop_what_nobody_waits_for() {
    const auto oldest_ns = env_.clock.now_ns() - std::int64_t{options_.request_limit_ms} * 1'000'000;
    const auto late = [&](const auto& read) { return read.second.asked_ns < oldest_ns; };
    std::erase_if(state_.asked_reads, late);
    std::erase_if(state_.held_reads, late);
    std::erase_if(state_.reads_after, late);
    std::set<std::pair<std::uint64_t, std::uint64_t>> stuck; // patients and their sessions
    for (auto& [id, e] : state_.table) {
      auto& w = e.waiters;
      while (w.size() > 1 && w[1].what->received_ns < oldest_ns) { // the first one is whom the entry's outcome is for
        e.bytes -= w[1].what->content.size();
        state_.table_bytes -= w[1].what->content.size();
        w.erase(w.begin() + 1);
      }
      if (e.at == state_type::phase::checking && e.received_ns < oldest_ns)
        stuck.emplace(e.subject_hash, e.session_serial);
    }
    if (!stuck.empty())
      drop_stuck(stuck);
  }

  void drop_stuck(const std::set<std::pair<std::uint64_t, std::uint64_t>>& stuck) {
    env_.log.warning(name_, "submissions were not checked within the limit and are refused",
                     {{"patients", std::uint64_t{stuck.size()}}});
    for (const auto& [hash, serial] : stuck)
      if (auto session = state_.sessions.find(hash); session != state_.sessions.end() && session->second.serial == serial)
        end_session(hash); // whatever it still waits for will not come
    for (auto it = state_.table.begin(); it != state_.table.end();) {
      auto& e = it->second;
      if (e.at == state_type::phase::checking && stuck.count({e.subject_hash, e.session_serial}) != 0) {
        for (auto& w : e.waiters)
          not_now(w, "it was not checked within the limit; try again", outcome::not_stored);
        it = erase(it);
      } else {
        ++it;
      }
    }
    send_replies();
  }

  // ---- validators --------------------------------------------------------------------------------------------------------

  std::optional<std::uint32_t> pick_validator() {
    const auto n = static_cast<std::uint32_t>(state_.validators.size());
    for (std::uint32_t i = 0; i < n; ++i) {
      const auto v = state_.next_validator++ % n;
      if (state_.validators[v].now != nullptr)
        return v;
    }
    return std::nullopt;
  }

  void on_validator(state_type::validator_slot& slot, validator_actor actor) {
    self_->monitor(actor);
    if (slot.now != nullptr && slot.now != actor) {
      slot.next = std::move(actor);
      return;
    }
    slot.now = std::move(actor);
    check_parked();
  }

  void on_down(const caf::down_msg& down) {
    for (std::uint32_t i = 0; i < state_.validators.size(); ++i) {
      auto& slot = state_.validators[i];
      if (slot.next != nullptr && slot.next.address() == down.source)
        slot.next = nullptr; // it was given nothing yet
      if (slot.now == nullptr || slot.now.address() != down.source)
        continue;
      slot.now = nullptr;
      std::optional<domain::receipt> culprit;
      if (down.reason == ec::crashed_on_input && down.reason.context().match_elements<std::string>())
        culprit = domain::parse_receipt(down.reason.context().get_as<std::string>(0));
      recheck_those_of(i, culprit);
      desk_.on_validator_down(i, culprit);
      slot.now = std::exchange(slot.next, {});
      if (slot.now != nullptr)
        check_parked();
    }
    send_replies();
  }

  /// What validator `i` had in hand goes to another one, except for what ended it the last time it may.
  void recheck_those_of(std::uint32_t i, const std::optional<domain::receipt>& culprit) {
    std::vector<domain::receipt> ids;
    for (const auto& [id, e] : state_.table)
      if (e.at == state_type::phase::checking && e.validator == i)
        ids.push_back(id);
    std::sort(ids.begin(), ids.end()); // the same order in every run of a simulation
    for (const auto& id : ids) {
      auto& e = state_.table.at(id);
      if (culprit && id == *culprit && ++e.crashes >= options_.validator_crashes_max)
        put_aside(id, e);
      else
        recheck(e);
    }
  }

  void recheck(state_type::entry& e) {
    const auto v = pick_validator();
    e.validator = v ? *v : parked;
    auto session = state_.sessions.find(e.subject_hash);
    if (v && session != state_.sessions.end())
      self_->send(session->second.actor, recheck_atom::value, e.waiters.front().what, state_.validators[*v].now);
  }

  void check_parked() {
    std::vector<domain::receipt> ids;
    for (const auto& [id, e] : state_.table)
      if (e.at == state_type::phase::checking && e.validator == parked)
        ids.push_back(id);
    std::sort(ids.begin(), ids.end());
    for (const auto& id : ids)
      recheck(state_.table.at(id));
  }

  /// Nothing a patient sent is thrown away, not even what cannot be checked: it becomes an event for people to look at.
  void put_aside(const domain::receipt& id, state_type::entry& e) {
    const auto& s = *e.waiters.front().what;
    env_.log.error(name_, "a submission ended its validator several times and is set aside",
                   {{"receipt", to_text(id)}, {"crashes", std::uint64_t{e.crashes}}});
    domain::event event;
    event.time_us = env_.clock.wall_us();
    event.who = "subject:" + s.subject;
    event.role = "patient";
    event.action = "submission.set-aside";
    event.entity = s.study + "/" + s.subject + "/" + to_text(id);
    if (s.kind == content_kind::data)
      event.after = s.content;
    else
      domain::append_string(event.after, s.content);
    event.reason = "its check failed " + std::to_string(e.crashes) + " times";
    auto command = std::make_shared<domain::command>();
    command->type = domain::command_type::record;
    command->subject_hash = s.subject_hash;
    command->id = id;
    command->content = s.fingerprint;
    command->event = domain::encode(event);
    leave_session(e);
    e.set_aside = true;
    propose(e, command);
  }

  void remember_set_aside(const domain::receipt& id, const domain::fingerprint& fingerprint) {
    state_.set_aside.emplace_back(id, fingerprint);
    if (state_.set_aside.size() > runtime::defaults::set_aside_remembered_max)
      state_.set_aside.pop_front();
  }

  // ---- reads -------------------------------------------------------------------------------------------------------------

  void ask_index(state_type::waiting_read read) {
    const auto t = read.to;
    self_->send(state_.replica, read_index_atom::value, state_.epoch, t);
    state_.asked_reads.emplace(t, std::move(read));
  }

  /// What became of the submission is known: if it is stored, it is among what is committed now.
  void settle_reads_after(const domain::receipt& id) {
    if (state_.reads_after.empty())
      return;
    const auto [begin, end] = state_.reads_after.equal_range(id);
    for (auto it = begin; it != end; ++it)
      ask_index(std::move(it->second));
    state_.reads_after.erase(begin, end);
  }

  void read_now(const state_type::waiting_read& read) {
    const auto n = state_.readers.size();
    const auto& reader = n == 0 ? store_reader_actor{} : state_.readers[read.what->subject_hash % n];
    if (reader == nullptr)
      refuse_read(read, ec::not_serving);
    else
      self_->send(reader, list_atom::value, read.to, read.what, read.client);
  }

  void refuse_read(const state_type::waiting_read& read, ec why) {
    self_->send(read.client, list_atom::value, read.to, read.what, stored_events_ptr{}, caf::make_error(why));
  }

  static constexpr std::uint32_t parked = ~std::uint32_t{0};

  shard_region_pointer self_;
  state_type& state_;
  const runtime::environment& env_;
  shard_region_options options_;
  runtime::readiness& readiness_;
  std::string name_, part_, outbox_name_;
  region_metrics metrics_;
  change_desk desk_;
};

} // namespace

shard_region_state::~shard_region_state() {
  if (on_end)
    on_end();
  for (auto& [hash, s] : sessions)
    caf::anon_send_exit(s.actor, caf::exit_reason::user_shutdown);
}

shard_region_actor::behavior_type shard_region(shard_region_pointer self, const runtime::environment& env,
                                               shard_region_options options, runtime::readiness& readiness) {
  runtime::prepare(self, env, "region " + std::to_string(options.shard));
  auto r = std::make_shared<region>(self, env, options, readiness);
  r->start();
  return {
      [r](submit_atom, ticket t, const submission_ptr& s, const reply_receiver& receiver) { r->on_submit(t, s, receiver); },
      [r](read_atom, ticket t, const read_request_ptr& request, const list_client& client) { r->on_read(t, request, client); },
      [r](change_atom, ticket t, const change_request_ptr& what, const reply_receiver& receiver) {
        r->on_change(t, what, receiver);
      },
      [r](reply_atom, const replies_ptr& batch) { r->on_replies(batch); },
      [r](list_atom, ticket t, const read_request_ptr&, const stored_events_ptr& events, const caf::error& why) {
        r->on_list(t, events, why);
      },
      [r](verdict_atom, const assessment_ptr& a) { r->on_verdict(a); },
      [r](found_atom, const submission_ptr& s, const stored_event_ptr& e, const caf::error& why) { r->on_found(s, e, why); },
      [r](committed_atom, std::uint64_t epoch, std::uint64_t index, const receipts_ptr& receipts) {
        r->on_committed(epoch, index, receipts);
      },
      [r](refused_atom, std::uint64_t epoch, const receipts_ptr& receipts) { r->on_refused(epoch, receipts); },
      [r](serving_atom, std::uint64_t epoch) { r->on_serving(epoch); },
      [r](closed_atom, std::uint64_t epoch, ec why, outcome known) { r->on_closed(epoch, why, known); },
      [r](applied_atom, std::uint64_t index) { r->on_applied(index); },
      [r](read_index_atom, std::uint64_t epoch, ticket t, std::uint64_t index) { r->on_read_index(epoch, t, index); },
      [r](leader_atom, std::uint64_t epoch, const std::string& node) { r->on_leader(epoch, node); },
      [](follow_atom, std::uint64_t) {},
      [r](propose_atom, const command_ptr& command, bool soon) { r->on_propose(command, soon); },
      [r](ended_atom, std::uint64_t hash, std::uint64_t serial) { r->on_ended(hash, serial); },
      [r](changed_atom, const std::string& name, const caf::strong_actor_ptr& actor) { r->on_changed(name, actor); },
      [r](flush_atom) { r->on_look(); },
      [r](caf::tick_atom) { r->on_tick(); },
      [r](sessions_atom, std::uint32_t limit) -> session_lines_ptr { return r->newest_sessions(limit); },
      [r](status_atom) -> status_report_ptr { return r->status(); },
  };
}

} // namespace epione::actors
