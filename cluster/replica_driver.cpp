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
  if (journal_.start())
    load();
  else
    replica_.self->quit(replica_.error(ec::not_serving, ": the journal is not there"));
}

void replica_driver::stop() {
  close_epoch(ec::not_serving, outcome::unknown);
  drop_core();
  replica_.at = phase::stopped;
}

void replica_driver::on_persisted(std::uint64_t write_epoch, std::uint64_t index) {
  if (!journal_.is_current(write_epoch))
    return;
  if (replica_.at == phase::bootstrapping)
    return load();
  if (replica_.at == phase::raising) {
    term_raised_ = true;
    return load();
  }
  if (replica_.at == phase::installing) {
    copy_.on_log_replaced();
    return load();
  }
  if (replica_.core == nullptr)
    return;
  runtime::fault_point(env_.faults, "replica.persisted");
  backoff_ms_ = 0;
  raft_output out;
  replica_.core->written(index, replica_.now_ms(), out);
  carry_out(out);
}

void replica_driver::on_failed(std::uint64_t write_epoch, const caf::error& why) {
  if (!journal_.is_current(write_epoch) || replica_.at == phase::waiting)
    return;
  if (replica_.at == phase::installing)
    copy_.give_up(); // nothing was replaced; the leader offers it again
  if (runtime::code_of(why) == ec::io_failed) {
    env_.process.fatal(runtime::exit_code::failed, name_ + ": " + runtime::error_text(why));
    return;
  }
  if (runtime::code_of(why) != ec::disk_full) {
    replica_.self->quit(why);
    return;
  }
  // The write left nothing behind, and later ones of this core are refused: a single voter's log ends with what it has
  // acknowledged. With peers the entries may be stored there.
  const bool alone = replica_.core == nullptr || replica_.core->servers().size() <= 1;
  close_epoch(ec::disk_full, alone ? outcome::not_stored : outcome::unknown);
  load_later();
}

void replica_driver::load() {
  replica_.at = phase::loading;
  journal_.begin_epoch();
  journal_.load([this](const group_log& log) { on_loaded(log); },
                [this](const caf::error& why) {
                  if (runtime::code_of(why) == ec::disk_full)
                    load_later();
                  else if (replica_.at != phase::stopped)
                    replica_.self->quit(journal_.no_answer(why));
                });
}

void replica_driver::load_later() {
  drop_core();
  replica_.at = phase::waiting;
  backoff_ms_ = std::clamp(backoff_ms_ * 2, defaults::journal_retry_ms, defaults::journal_retry_ms_max);
  metrics_.reloads.Increment();
  env_.log.warning(name_, "a write failed for lack of space; loads its log again", {{"in_ms", backoff_ms_}});
  timer_.forget(); // the core's own timer is void
  timer_.schedule(replica_.now_ms() + backoff_ms_);
}

void replica_driver::on_loaded(const group_log& log) {
  if (replica_.at == phase::stopped)
    return;
  cut_ = log.cut;
  if (options_.view != nullptr && is_only_voter(log, options_.server_id) && !std::exchange(term_raised_, false)) {
    replica_.at = phase::raising;
    return journal_.raise_term(log.term + 1);
  }
  if (is_empty(log) && options_.bootstrap) {
    replica_.at = phase::bootstrapping;
    env_.log.info(name_, "begins a new group", {{"server", options_.server_id}});
    return journal_.begin_group(); // loaded like any other once it is durable
  }
  auto core = std::make_unique<raft_core>(core_options());
  auto out = core->start(log, replica_.now_ms());
  if (!out) {
    refuse("the log of group " + std::to_string(options_.group) + " in the journal is not whole: " + out.error());
    return;
  }
  replica_.core = std::move(core);
  replica_.core_started_ms = replica_.now_ms();
  replica_.at = phase::running;
  epoch_.forget_leader();
  out->role_changed = false; // opening the epoch below is what a change would do
  open_epoch();
  carry_out(*out);
  take_store();
}

raft_options replica_driver::core_options() const {
  raft_options o;
  o.id = options_.server_id;
  o.seed = static_cast<unsigned>(env_.random.next());
  o.election_ms = options_.election_ms;
  o.heartbeat_ms = options_.heartbeat_ms;
  o.lease_ms = options_.lease_ms;
  o.in_flight_max = defaults::raft_in_flight_max;
  o.trailing_max = defaults::raft_trailing_max;
  o.memory_bytes_max = options_.memory_bytes_max;
  return o;
}

// ---- what a step asks for -----------------------------------------------------------------------------------------------------

void replica_driver::carry_out(raft_output& out) {
  for (auto& x : out.writes)
    journal_.write(x);
  members_.send(std::move(out.messages));
  if (out.role_changed && (replica_.leads() || replica_.barrier != 0)) {
    env_.log.info(name_, "changed its role", {{"leads", replica_.leads()}, {"term", replica_.core->term()}});
    close_epoch(ec::not_serving, outcome::unknown);
    open_epoch();
  }
  tell_leader();
  feed_.feed();
  epoch_.report_committed();
  maybe_serve();
  view_.show_when_due();
  const auto committed = replica_.core->commit_index();
  metrics_.lag.Set(static_cast<double>(committed - std::min(feed_.applied(), committed)));
  metrics_.memory.Set(static_cast<double>(replica_.core->log().bytes()));
  timer_.schedule(replica_.core->timeout_at_ms());
}

void replica_driver::tell_leader() {
  if (epoch_.tell_leader())
    view_.show();
}

void replica_driver::open_epoch() {
  if (auto out = epoch_.open())
    carry_out(*out);
}

void replica_driver::close_epoch(ec why, outcome known) {
  const bool served = epoch_.close(why, known);
  changes_.refuse_waiting();
  feed_.on_epoch_end();
  if (served)
    view_.show();
}

void replica_driver::maybe_serve() {
  if (epoch_.maybe_serve())
    view_.show();
}

void replica_driver::on_tick(std::uint64_t timer) {
  if (!timer_.on_tick(timer))
    return;
  if (replica_.at == phase::waiting)
    return load();
  if (replica_.core == nullptr)
    return;
  if (members_.has_been_taken_out()) {
    tell_leader();
    timer_.schedule(replica_.now_ms() + options_.election_ms);
    return;
  }
  raft_output out;
  if (replica_.now_ms() >= replica_.core->timeout_at_ms())
    replica_.core->tick(replica_.now_ms(), out);
  carry_out(out);
  if (changes_.is_transfer_in_vain())
    begin_anew();
}

/// As after a start.
void replica_driver::begin_anew() {
  close_epoch(ec::not_serving, outcome::unknown);
  drop_core();
  timer_.forget();
  load();
}

void replica_driver::drop_core() {
  view_.hide();
  replica_.core.reset();
}

void replica_driver::refuse(const std::string& why) {
  env_.log.error(name_, "refuses to start", {{"why", why}});
  replica_.self->quit(caf::make_error(ec::damaged, why));
}

// ---- the store, and changes of members that wait for the log ------------------------------------------------------------------

void replica_driver::take_store() {
  if (!feed_.offered() || replica_.core == nullptr)
    return;
  const auto applied = feed_.offered()->applied;
  const auto& log = replica_.core->log();
  if (applied <= replica_.core->stored_index() && applied < log.cut_index() && cut_ && copy_.is_here()) {
    const auto store = feed_.offered()->store;
    feed_.forget_offered();
    replica_.self->send(store, install_atom::value, std::make_shared<const snapshot_point>(*cut_));
    return; // it attaches again
  }
  if (const auto why = feed_.misfit(); !why.empty()) {
    refuse(why);
    return;
  }
  feed_.take_offered();
  if (applied + 1 < log.first_in_memory()) // a store that starts again may need what the last one had applied
    refill();
  else
    replica_.core->release(std::min(applied, replica_.core->applicable_index()));
  feed_.feed();
  maybe_serve();
  feed_.answer_waiters();
}

void replica_driver::install(const snapshot_point& point) {
  const auto term = replica_.core->term();
  close_epoch(ec::not_serving, outcome::unknown);
  drop_core();
  feed_.lose_store();
  feed_.forget_offered();
  replica_.at = phase::installing;
  copy_.install(point);
  journal_.begin_epoch();
  journal_.replace(point, term);
}

void replica_driver::refill() {
  feed_.refill([this] {
    if (auto change = changes_.take_waiting()) {
      if (replica_.serving)
        change_members(change->first, change->second);
      else
        change->second.deliver(replica_.error(ec::not_serving, " does not lead any more"));
    }
    feed_.feed();
  });
}

void replica_driver::change_members(const server_change& change, const replica_changes::promise& answer) {
  raft_output out;
  if (!changes_.begin(change, answer, out))
    return;
  carry_out(out);
  view_.show();
}

} // namespace epione::cluster
