#include "cluster/replica_driver.hpp"

#include "runtime/defaults.hpp"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

namespace epione::cluster {

using namespace messages;
namespace defaults = runtime::defaults;

namespace {

bool is_empty(const group_log& log) {
  return log.term == 0 && log.entries.empty() && !log.cut;
}

} // namespace

// ---- the journal --------------------------------------------------------------------------------------------------------------

void replica_driver::start() {
  if (parts_.journal.start())
    load();
  else
    replica_.self->quit(replica_.error(ec::not_serving, ": the journal is not there"));
}

void replica_driver::stop() {
  close_epoch(ec::not_serving, outcome::unknown);
  drop_core();
  standing_.at = phase::stopped;
}

void replica_driver::on_persisted(std::uint64_t write_epoch, std::uint64_t index) {
  if (!parts_.journal.is_current(write_epoch))
    return;
  if (standing_.at == phase::bootstrapping)
    return load();
  if (standing_.at == phase::raising) {
    term_raised_ = true;
    return load();
  }
  if (standing_.at == phase::installing) {
    parts_.copy.on_log_replaced();
    return load();
  }
  if (standing_.core() == nullptr)
    return;
  runtime::fault_point(replica_.env.faults, "replica.persisted");
  backoff_ms_ = 0;
  raft_output out;
  standing_.core()->written(index, replica_.now_ms(), out);
  carry_out(out);
}

void replica_driver::on_failed(std::uint64_t write_epoch, const caf::error& why) {
  if (!parts_.journal.is_current(write_epoch) || standing_.at == phase::waiting)
    return;
  if (standing_.at == phase::installing)
    parts_.copy.give_up(); // nothing was replaced; the leader offers it again
  if (runtime::code_of(why) == ec::io_failed) {
    replica_.env.process.fatal(runtime::exit_code::failed, replica_.name + ": " + runtime::error_text(why));
    return;
  }
  if (runtime::code_of(why) != ec::disk_full) {
    replica_.self->quit(why);
    return;
  }
  // The write left nothing behind, and later ones of this core are refused: a single voter's log ends with what it has
  // acknowledged. With peers the entries may be stored there.
  const bool alone = standing_.core() == nullptr || standing_.core()->servers().size() <= 1;
  close_epoch(ec::disk_full, alone ? outcome::not_stored : outcome::unknown);
  load_later();
}

void replica_driver::load() {
  standing_.at = phase::loading;
  parts_.journal.begin_epoch();
  parts_.journal.load([this](const group_log& log) { on_loaded(log); },
                      [this](const caf::error& why) {
                        if (runtime::code_of(why) == ec::disk_full)
                          load_later();
                        else if (standing_.at != phase::stopped)
                          replica_.self->quit(parts_.journal.no_answer(why));
                      });
}

void replica_driver::load_later() {
  drop_core();
  standing_.at = phase::waiting;
  backoff_ms_ = std::clamp(backoff_ms_ * 2, defaults::journal_retry_ms, defaults::journal_retry_ms_max);
  parts_.metrics.reloads.Increment();
  replica_.env.log.warning(replica_.name, "a write failed for lack of space; loads its log again", {{"in_ms", backoff_ms_}});
  parts_.timer.forget(); // the core's own timer is void
  parts_.timer.schedule(replica_.now_ms() + backoff_ms_);
}

void replica_driver::on_loaded(const group_log& log) {
  if (standing_.at == phase::stopped)
    return;
  cut_ = log.cut;
  if (replica_.options.view != nullptr && is_only_voter(log, replica_.options.server_id) && !std::exchange(term_raised_, false)) {
    standing_.at = phase::raising;
    return parts_.journal.raise_term(log.term + 1);
  }
  if (is_empty(log) && replica_.options.bootstrap) {
    standing_.at = phase::bootstrapping;
    replica_.env.log.info(replica_.name, "begins a new group", {{"server", replica_.options.server_id}});
    return parts_.journal.begin_group(); // loaded like any other once it is durable
  }
  auto core = std::make_unique<raft_core>(core_options());
  auto out = core->start(log, replica_.now_ms());
  if (!out) {
    refuse("the log of group " + std::to_string(replica_.options.group) + " in the journal is not whole: " + out.error());
    return;
  }
  standing_.set_core(std::move(core));
  standing_.core_started_ms = replica_.now_ms();
  standing_.at = phase::running;
  parts_.epoch.forget_leader();
  out->role_changed = false; // opening the epoch below is what a change would do
  open_epoch();
  carry_out(*out);
  take_store();
}

raft_options replica_driver::core_options() const {
  raft_options o;
  o.id = replica_.options.server_id;
  o.seed = static_cast<unsigned>(replica_.env.random.next());
  o.election_ms = replica_.options.election_ms;
  o.heartbeat_ms = replica_.options.heartbeat_ms;
  o.lease_ms = replica_.options.lease_ms;
  o.in_flight_max = defaults::raft_in_flight_max;
  o.trailing_max = defaults::raft_trailing_max;
  o.memory_bytes_max = replica_.options.memory_bytes_max;
  return o;
}

// ---- what a step asks for -----------------------------------------------------------------------------------------------------

void replica_driver::carry_out(raft_output& out) {
  for (auto& x : out.writes)
    parts_.journal.write(x);
  parts_.members.send(std::move(out.messages));
  if (out.role_changed && (standing_.leads() || standing_.barrier != 0)) {
    replica_.env.log.info(replica_.name, "changed its role", {{"leads", standing_.leads()}, {"term", standing_.core()->term()}});
    close_epoch(ec::not_serving, outcome::unknown);
    open_epoch();
  }
  tell_leader();
  parts_.feed.feed();
  parts_.epoch.report_committed();
  maybe_serve();
  parts_.view.show_when_due();
  const auto committed = standing_.core()->commit_index();
  parts_.metrics.lag.Set(static_cast<double>(committed - std::min(parts_.feed.applied(), committed)));
  parts_.metrics.memory.Set(static_cast<double>(standing_.core()->log().bytes()));
  parts_.timer.schedule(standing_.core()->timeout_at_ms());
}

void replica_driver::tell_leader() {
  if (parts_.epoch.tell_leader())
    parts_.view.show();
}

void replica_driver::open_epoch() {
  if (auto out = parts_.epoch.open())
    carry_out(*out);
}

void replica_driver::close_epoch(ec why, outcome known) {
  const bool served = parts_.epoch.close(why, known);
  parts_.changes.refuse_waiting();
  parts_.feed.on_epoch_end();
  if (served)
    parts_.view.show();
}

void replica_driver::maybe_serve() {
  if (parts_.epoch.maybe_serve())
    parts_.view.show();
}

void replica_driver::on_tick(std::uint64_t timer) {
  if (!parts_.timer.on_tick(timer))
    return;
  if (standing_.at == phase::waiting)
    return load();
  if (standing_.core() == nullptr)
    return;
  if (parts_.members.has_been_taken_out()) {
    tell_leader();
    parts_.timer.schedule(replica_.now_ms() + replica_.options.election_ms);
    return;
  }
  raft_output out;
  if (replica_.now_ms() >= standing_.core()->timeout_at_ms())
    standing_.core()->tick(replica_.now_ms(), out);
  carry_out(out);
  if (parts_.changes.is_transfer_in_vain())
    begin_anew();
}

/// As after a start.
void replica_driver::begin_anew() {
  close_epoch(ec::not_serving, outcome::unknown);
  drop_core();
  parts_.timer.forget();
  load();
}

void replica_driver::drop_core() {
  parts_.view.hide();
  standing_.set_core(nullptr);
}

void replica_driver::refuse(const std::string& why) {
  replica_.env.log.error(replica_.name, "refuses to start", {{"why", why}});
  replica_.self->quit(caf::make_error(ec::damaged, why));
}

// ---- the store, and changes of members that wait for the log ------------------------------------------------------------------

void replica_driver::take_store() {
  if (!parts_.feed.offered() || standing_.core() == nullptr)
    return;
  const auto applied = parts_.feed.offered()->applied;
  const auto& log = standing_.core()->log();
  if (applied <= standing_.core()->stored_index() && applied < log.cut_index() && cut_ && parts_.copy.is_here()) {
    const auto store = parts_.feed.offered()->store;
    parts_.feed.forget_offered();
    replica_.self->send(store, install_atom::value, std::make_shared<const snapshot_point>(*cut_));
    return; // it attaches again
  }
  if (const auto why = parts_.feed.misfit(); !why.empty()) {
    refuse(why);
    return;
  }
  parts_.feed.take_offered();
  if (applied + 1 < log.first_in_memory()) // a store that starts again may need what the last one had applied
    refill();
  else
    standing_.core()->release(std::min(applied, standing_.core()->applicable_index()));
  parts_.feed.feed();
  maybe_serve();
  parts_.feed.answer_waiters();
}

void replica_driver::install(const snapshot_point& point) {
  const auto term = standing_.core()->term();
  close_epoch(ec::not_serving, outcome::unknown);
  drop_core();
  parts_.feed.lose_store();
  parts_.feed.forget_offered();
  standing_.at = phase::installing;
  parts_.copy.install(point);
  parts_.journal.begin_epoch();
  parts_.journal.replace(point, term);
}

void replica_driver::refill() {
  parts_.feed.refill([this] {
    if (auto change = parts_.changes.take_waiting()) {
      if (standing_.serving)
        change_members(change->first, change->second);
      else
        change->second.deliver(replica_.error(ec::not_serving, " does not lead any more"));
    }
    parts_.feed.feed();
  });
}

void replica_driver::change_members(const server_change& change, const replica_changes::promise& answer) {
  raft_output out;
  if (!parts_.changes.begin(change, answer, out))
    return;
  carry_out(out);
  parts_.view.show();
}

} // namespace epione::cluster
