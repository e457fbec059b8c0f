#include "actors/shard_region.hpp"

#include "actors/change_desk.hpp"
#include "actors/region_submissions.hpp"
#include "actors/reply_text.hpp"
#include "runtime/directory.hpp"

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace epione::actors {

using namespace messages;

namespace {

using shard_region_pointer = shard_region_actor::stateful_pointer<shard_region_state>;

constexpr std::chrono::seconds region_tick{1};

/// 7 for "reader 7" behind the prefix "reader ".
std::optional<std::uint32_t> place_of(const std::string& name, std::string_view prefix) {
  if (name.compare(0, prefix.size(), prefix) != 0)
    return std::nullopt;
  std::uint32_t value = 0;
  for (auto c : std::string_view{name}.substr(prefix.size())) {
    if (c < '0' || c > '9')
      return std::nullopt;
    value = value * 10 + static_cast<std::uint32_t>(c - '0');
  }
  return value;
}

/// The region's work, one function a message: gives each to the parts it concerns, and sends what they answer. Lives as long as
/// its actor.
class region {
public:
  region(shard_region_pointer self, const runtime::environment& env, const shard_region_options& options,
         runtime::readiness& readiness)
      : self_(self), env_(env), options_(options), readiness_(readiness), name_("region " + std::to_string(options.shard)),
        part_("shard " + std::to_string(options.shard)), outbox_name_("outbox " + std::to_string(options.shard)),
        parts_(self->state.parts.emplace(self, env, options)), standing_(parts_.standing),
        submissions_(self, env, options, parts_, desk_),
        desk_(desk_ports(), env.clock, options.request_limit_ms, options.retry_after_s) {}

  void start() {
    standing_.replica = env_.directory->get<replica_actor>("replica " + std::to_string(options_.shard));
    standing_.writer = env_.directory->get<storage_writer_actor>("writer " + std::to_string(options_.shard));
    readiness_.set(part_, "starting");
    // Set before anybody is told of the end, so that a successor's word is the last one.
    self_->state.on_end = [&readiness = readiness_, part = part_] {
      readiness.set(part, "its region is not running; the log says why");
    };
    self_->set_down_handler([this](caf::down_msg& down) { on_down(down); });
    env_.directory->subscribe(runtime::directory_subscriber{self_});
    self_->send(standing_.replica, listen_atom::value, shard_listener{self_});
    self_->delayed_send(self_, region_tick, caf::tick_atom::value);
  }

  // ---- submissions -----------------------------------------------------------------------------------------------------

  void on_submit(ticket t, const submission_ptr& s, const reply_receiver& receiver) {
    runtime::fault_point(env_.faults, "region.submit", s->subject);
    submissions_.admit({t, receiver, s});
    parts_.answers.send();
  }

  void on_verdict(const assessment_ptr& a) {
    if (a->what->amends)
      desk_.on_verdict(a);
    else
      submissions_.on_verdict(a);
    parts_.answers.send();
  }

  void on_found(const submission_ptr& s, const stored_event_ptr& event, const caf::error& why) {
    submissions_.on_found(s, event, why);
    parts_.answers.send();
  }

  void on_look() {
    submissions_.on_look();
    parts_.answers.send();
  }

  // ---- changes of stored submissions, and several stored together ------------------------------------------------------

  void on_change(ticket t, const change_request_ptr& what, const reply_receiver& receiver) {
    if (standing_.serving)
      desk_.on_change(t, what, receiver);
    else
      parts_.answers.answer(
          receiver,
          {t, 503, encode_change_results({{503, unavailable_text(description(standing_.why_not), outcome::not_stored)}}),
           options_.retry_after_s, elsewhere::yes});
    parts_.answers.send();
  }

  /// What the desk asked for.
  void on_replies(const replies_ptr& batch) {
    for (const auto& r : *batch)
      desk_.on_reply(r);
    parts_.answers.send();
  }

  void on_list(ticket t, const stored_events_ptr& events, const caf::error& why) {
    desk_.on_list(t, events, why);
    parts_.answers.send();
  }

  // ---- the log ---------------------------------------------------------------------------------------------------------

  void on_committed(std::uint64_t epoch, std::uint64_t index, const receipts_ptr& ids) {
    submissions_.on_committed(epoch, index, *ids);
    parts_.answers.send();
  }

  void on_refused(std::uint64_t epoch, const receipts_ptr& ids) {
    submissions_.on_refused(epoch, *ids);
    parts_.answers.send();
  }

  void on_serving(std::uint64_t epoch) {
    standing_.epoch = epoch;
    standing_.serving = true;
    parts_.sessions.begin_ramp();
    readiness_.clear(part_);
    env_.log.info(name_, "serving", {{"epoch", epoch}});
    parts_.outbox.on_serving();
  }

  void on_closed(std::uint64_t epoch, ec why, outcome known) {
    if (epoch < standing_.epoch)
      return;
    runtime::fault_point(env_.faults, "region.closed");
    if (standing_.serving)
      env_.log.warning(name_, "stopped serving", {{"epoch", epoch}, {"why", description(why)}});
    standing_.serving = false;
    standing_.why_not = why;
    readiness_.set(part_, std::string{description(why)});
    submissions_.refuse_all(why, known);
    desk_.on_closed(description(why), known);
    submissions_.clear();
    parts_.outbox.on_closed();
    parts_.sessions.end_all();
    parts_.reads.refuse_all(why);
    parts_.answers.send();
  }

  /// Another node leads: requests find it there, so nothing is missing here.
  void on_leader(std::uint64_t epoch, const std::string& node) {
    if (epoch < standing_.epoch || standing_.serving)
      return;
    if (node.empty())
      readiness_.set(part_, "no node is known to lead it");
    else
      readiness_.clear(part_);
  }

  void on_applied(std::uint64_t index) {
    standing_.applied = std::max(standing_.applied, index);
    submissions_.on_applied(index);
    parts_.reads.on_applied(index);
    parts_.outbox.on_applied(index);
  }

  // ---- reads, and the outbox -------------------------------------------------------------------------------------------

  void on_read(ticket t, const read_request_ptr& what, const list_client& client) { parts_.reads.on_read(t, what, client); }
  void on_read_index(std::uint64_t epoch, ticket t, std::uint64_t index) {
    if (submissions_.on_index(epoch, t, index))
      parts_.answers.send();
    else
      parts_.reads.on_index(epoch, t, index);
  }
  void on_propose(const command_ptr& command, bool soon) { parts_.outbox.on_propose(command, soon); }

  // ---- who comes and goes ------------------------------------------------------------------------------------------------

  void on_changed(const std::string& name, const caf::strong_actor_ptr& actor) {
    if (const auto i = place_of(name, "validator "); i && *i < options_.validators) {
      if (actor != nullptr)
        parts_.checks.on_started(*i, caf::actor_cast<validator_actor>(actor));
    } else if (const auto k = place_of(name, "reader "); k && *k < standing_.readers.size()) {
      auto& reader = standing_.readers[*k];
      const bool replaced = reader != nullptr;
      reader = caf::actor_cast<store_reader_actor>(actor);
      if (replaced)
        submissions_.on_reader_restarted();
      parts_.answers.send();
    } else if (name == outbox_name_) {
      parts_.outbox.on_changed(caf::actor_cast<outbox_actor>(actor));
    }
  }

  void on_down(const caf::down_msg& down) {
    if (const auto place = parts_.checks.on_down(down.source)) {
      std::optional<domain::receipt> culprit;
      if (down.reason == ec::crashed_on_input && down.reason.context().match_elements<std::string>())
        culprit = domain::parse_receipt(down.reason.context().get_as<std::string>(0));
      submissions_.on_validator_down(*place, culprit);
      desk_.on_validator_down(*place, culprit);
      parts_.checks.replace(*place);
    }
    parts_.answers.send();
  }

  void on_ended(std::uint64_t subject_hash, std::uint64_t serial) {
    if (!parts_.sessions.on_ended(subject_hash, serial))
      return;
    parts_.metrics.sessions.Set(static_cast<double>(parts_.sessions.size()));
    submissions_.on_session_ended(serial);
    parts_.answers.send();
  }

  void on_tick() {
    self_->delayed_send(self_, region_tick, caf::tick_atom::value);
    parts_.sessions.end_idle();
    parts_.reads.drop_late();
    submissions_.drop_late();
    parts_.answers.send();
    desk_.on_tick();
    parts_.answers.send();
    parts_.metrics.table.Set(static_cast<double>(parts_.table.size()));
    parts_.metrics.sessions.Set(static_cast<double>(parts_.sessions.size()));
  }

  // ---- for people --------------------------------------------------------------------------------------------------------

  session_lines_ptr newest_sessions(std::uint32_t limit) const { return parts_.sessions.newest(limit); }

  status_report_ptr status() const {
    return std::make_shared<const status_report>(status_report{name_,
                                                               standing_.serving ? "serving" : to_string(standing_.why_not),
                                                               {{"epoch", std::to_string(standing_.epoch)},
                                                                {"on the way", std::to_string(parts_.table.size())},
                                                                {"not applied", std::to_string(parts_.not_applied.size())},
                                                                {"sessions", std::to_string(parts_.sessions.size())},
                                                                {"waiting for a session", std::to_string(parts_.starts.size())},
                                                                {"sessions a second", parts_.sessions.starts_text()},
                                                                {"applied", std::to_string(standing_.applied)}}});
  }

private:
  change_desk_ports desk_ports() {
    change_desk_ports p;
    p.read = [this](ticket t, const read_request_ptr& r) { parts_.reads.on_read(t, r, list_client{self_}); };
    p.submit = [this](ticket t, const submission_ptr& s) { submissions_.admit({t, reply_receiver{self_}, s}); };
    p.check = [this](const submission_ptr& s) {
      const auto v = parts_.checks.pick();
      if (v)
        parts_.checks.send_to(*v, s);
      return v;
    };
    p.propose = [this](const commands_ptr& commands) { submissions_.propose_together(commands); };
    p.release = [this](const domain::receipt& id) { submissions_.release(id); };
    p.answer = [this](const reply_receiver& to, reply r) {
      parts_.answers.answer(to, {r.to, r.status, std::move(r.body), r.retry_after_s});
    };
    return p;
  }

  shard_region_pointer self_;
  const runtime::environment& env_;
  shard_region_options options_;
  runtime::readiness& readiness_;
  std::string name_, part_, outbox_name_;
  region_parts& parts_;
  region_standing& standing_;
  region_submissions submissions_;
  change_desk desk_;
};

} // namespace

region_parts::region_parts(region_pointer self, const runtime::environment& env, const shard_region_options& o)
    : metrics(env.metrics, o.shard), table(o.store_lag_max, o.store_lag_bytes_max),
      sessions(self, env, standing, table, metrics, {o.shard, o.sessions_max, o.session_idle_limit_ms, o.session_starts_per_s}),
      starts(self, sessions), checks(self, table, sessions, o.validators), reads(self, env, standing, table, o.request_limit_ms),
      answers(self, metrics, o.retry_after_s), outbox(self, standing) {
  standing.readers.resize(o.readers);
}

shard_region_state::~shard_region_state() {
  if (on_end)
    on_end();
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
