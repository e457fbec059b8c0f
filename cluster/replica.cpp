#include "cluster/replica.hpp"

#include "cluster/invariant.hpp"
#include "runtime/defaults.hpp"
#include "runtime/directory.hpp"

#include <algorithm>
#include <chrono>
#include <typeinfo>

namespace epione::cluster {

using namespace messages;
using caf::make_error;
namespace defaults = runtime::defaults;

namespace {

using pointer = replica_actor::stateful_pointer<replica_state>;
using phase = replica_state::phase;

struct replica_metrics {
  prometheus::Gauge &lag, &memory;
  prometheus::Counter &epochs, &reloads;
};

replica_metrics make_metrics(runtime::metrics& m, std::uint32_t group) {
  const runtime::metric_labels of_shard{{"shard", std::to_string(group)}};
  return {m.gauge("epione_store_lag_entries", "Log entries committed and not yet applied to the shard's store", of_shard),
          m.gauge("epione_log_memory_bytes", "Log entries held in memory", of_shard),
          m.counter("epione_epochs_total", "Epochs opened: starts, changes of leadership, new listeners", of_shard),
          m.counter("epione_replica_reloads_total", "Logs loaded again after a write that failed", of_shard)};
}

bool is_empty(const group_log& log) {
  return log.term == 0 && log.entries.empty() && !log.cut;
}

std::string number(std::uint64_t n) {
  return std::to_string(n);
}

/// The replica's work, one function a message. Lives as long as its actor.
class work {
public:
  work(pointer self, const runtime::environment& env, replica_options options, epoch_counter epochs)
      : self_(self), state_(self->state), env_(env), options_(std::move(options)), epochs_(std::move(epochs)),
        name_("replica " + number(options_.group)), metrics_(make_metrics(env.metrics, options_.group)) {}

  void start() {
    state_.journal = env_.directory->get<journal_actor>("journal");
    if (state_.journal == nullptr) {
      self_->quit(make_error(ec::not_serving, name_ + ": the journal is not there"));
      return;
    }
    self_->monitor(state_.journal);
    self_->set_down_handler([this](caf::down_msg& down) { on_down(down); });
    load();
  }

  // ---- the journal -----------------------------------------------------------------------------------------------------

  void on_persisted(std::uint64_t write_epoch, std::uint64_t index) {
    if (write_epoch != state_.write_epoch)
      return;
    if (state_.at == phase::bootstrapping) {
      load();
      return;
    }
    if (state_.core == nullptr)
      return;
    runtime::fault_point(env_.faults, "replica.persisted");
    state_.backoff_ms = 0;
    raft_output out;
    state_.core->written(index, now_ms(), out);
    carry_out(out);
  }

  void on_failed(std::uint64_t write_epoch, const caf::error& why) {
    if (write_epoch != state_.write_epoch || state_.at == phase::waiting)
      return;
    if (runtime::code_of(why) == ec::io_failed) {
      env_.process.fatal(runtime::exit_code::failed, name_ + ": " + runtime::error_text(why));
      return;
    }
    if (runtime::code_of(why) != ec::disk_full) {
      self_->quit(why);
      return;
    }
    // The write left nothing behind, and later ones of this core are refused: a single voter's log ends with what it has
    // acknowledged. With peers the entries may be stored there.
    const bool alone = state_.core == nullptr || voter_count(state_.core->servers()) <= 1;
    close_epoch(ec::disk_full, alone ? outcome::not_stored : outcome::unknown);
    load_later();
  }

  // ---- the store -------------------------------------------------------------------------------------------------------

  void on_attach(const shard_store_actor& store, std::uint64_t applied, std::uint64_t term) {
    state_.store = nullptr;
    if (state_.serving) {
      // What this epoch has shown may be missing until the store has caught up again.
      close_epoch(ec::not_serving, outcome::unknown);
      open_epoch();
    }
    if (store == nullptr)
      return;
    state_.waiting_store = replica_state::attachment{store, applied, term};
    take_store();
  }

  void on_applied(std::uint64_t index) {
    if (state_.store == nullptr || self_->current_sender() != state_.store)
      return;
    invariant(index >= state_.applied && index <= state_.sent, "a store applies what it was sent, in order");
    state_.applied = index;
    while (!state_.window.empty() && state_.window.front().first <= index) {
      state_.window_bytes -= state_.window.front().second;
      state_.window.pop_front();
    }
    if (state_.core != nullptr)
      state_.core->release(index);
    if (state_.listener != nullptr)
      self_->send(state_.listener, applied_atom::value, index);
    maybe_serve();
    feed();
  }

  void on_durable(const snapshot_point_ptr& point) {
    if (state_.core == nullptr || point->index <= state_.core->log().cut_index())
      return; // a later checkpoint will say so again
    raft_output out;
    state_.core->snapshot(*point, now_ms(), out);
    self_->send(state_.journal, cut_atom::value, options_.group, point);
    carry_out(out);
  }

  // ---- who serves ------------------------------------------------------------------------------------------------------

  void on_listen(const shard_listener& listener) {
    close_epoch(ec::stale_epoch, outcome::unknown);
    state_.listener = listener;
    self_->monitor(listener);
    open_epoch();
  }

  void on_propose(std::uint64_t epoch, std::uint64_t batch, const bytes_ptr& bytes, const proposer& who) {
    runtime::fault_point(env_.faults, "replica.propose");
    std::optional<std::uint64_t> index;
    raft_output out;
    if (state_.serving && epoch == state_.epoch)
      index = state_.core->submit(entry_type::command, bytes, now_ms(), out);
    if (!index) {
      self_->send(who, refused_atom::value, epoch, batch);
      return;
    }
    state_.proposals.push_back({*index, batch, who});
    carry_out(out);
  }

  void on_read_index(std::uint64_t epoch, ticket t) {
    // A single voter that leads is the whole quorum. With peers the lease of docs/design.md is asked here.
    const bool lease = state_.serving && epoch == state_.epoch && voter_count(state_.core->servers()) == 1;
    if (state_.listener != nullptr)
      self_->send(state_.listener, read_index_atom::value, epoch, t, lease ? state_.core->commit_index() : std::uint64_t{0});
  }

  void on_flush() {
    feed_now();
    if (state_.store != nullptr)
      self_->send(state_.store, flush_atom::value);
  }

  bool on_drain() {
    feed_now();
    return true;
  }

  void on_feed() {
    state_.feed_due = false;
    feed_now();
  }

  void on_tick(std::uint64_t timer) {
    if (timer != state_.timer)
      return;
    state_.timer_due_ms = 0;
    if (state_.at == phase::waiting) {
      load();
      return;
    }
    if (state_.core == nullptr)
      return;
    raft_output out;
    if (now_ms() >= state_.core->timeout_at_ms())
      state_.core->tick(now_ms(), out);
    carry_out(out);
  }

  status_report_ptr status() const {
    const auto* core = state_.core.get();
    status_report r{name_, phase_text(), {}};
    r.details.emplace_back("epoch", number(state_.epoch));
    if (core != nullptr) {
      r.details.emplace_back("term", number(core->term()));
      r.details.emplace_back("servers", number(core->servers().size()));
      r.details.emplace_back("committed", number(core->commit_index()));
      r.details.emplace_back("last", number(core->log().last()));
      r.details.emplace_back("cut", number(core->log().cut_index()));
      r.details.emplace_back("memory_bytes", number(core->log().bytes()));
    }
    r.details.emplace_back("applied", number(state_.applied));
    r.details.emplace_back("proposals", number(state_.proposals.size()));
    return std::make_shared<const status_report>(std::move(r));
  }

private:
  // ---- loading ---------------------------------------------------------------------------------------------------------

  void load() {
    state_.at = phase::loading;
    state_.write_epoch = next_epoch();
    self_->request(state_.journal, std::chrono::milliseconds{defaults::journal_load_limit_ms}, load_atom::value, options_.group)
        .then([this](const group_log_ptr& log) { on_loaded(*log); },
              [this](caf::error& why) {
                if (runtime::code_of(why) == ec::disk_full)
                  load_later();
                else if (state_.at != phase::stopped)
                  self_->quit(runtime::code_of(why) ? why : make_error(ec::not_serving, name_ + ": the journal did not answer"));
              });
  }

  void load_later() {
    state_.core.reset();
    state_.at = phase::waiting;
    state_.backoff_ms = std::clamp(state_.backoff_ms * 2, defaults::journal_retry_ms, defaults::journal_retry_ms_max);
    metrics_.reloads.Increment();
    env_.log.warning(name_, "a write failed for lack of space; loads its log again", {{"in_ms", state_.backoff_ms}});
    state_.timer_due_ms = 0; // the core's own timer is void
    schedule(now_ms() + state_.backoff_ms);
  }

  void on_loaded(const group_log& log) {
    if (state_.at == phase::stopped)
      return;
    if (is_empty(log) && options_.bootstrap) {
      begin_group();
      return;
    }
    raft_options o;
    o.id = options_.server_id;
    o.seed = static_cast<unsigned>(env_.random.next());
    o.election_ms = options_.election_ms;
    o.heartbeat_ms = options_.heartbeat_ms;
    o.in_flight_max = defaults::raft_in_flight_max;
    o.trailing_max = defaults::raft_trailing_max;
    o.memory_bytes_max = options_.memory_bytes_max;
    auto core = std::make_unique<raft_core>(o);
    auto out = core->start(log, now_ms());
    if (!out) {
      refuse("the log of group " + number(options_.group) + " in the journal is not whole: " + out.error());
      return;
    }
    state_.core = std::move(core);
    state_.at = phase::running;
    out->role_changed = false; // opening the epoch below is what a change would do
    open_epoch();
    carry_out(*out);
    take_store();
  }

  /// The explicit act that begins a group; loaded like any other once it is durable.
  void begin_group() {
    state_.at = phase::bootstrapping;
    auto data = encode_configuration({{options_.server_id, options_.address, server_role::voter}});
    journal_write write;
    write.group = options_.group;
    write.epoch = state_.write_epoch;
    write.term = 1;
    write.voted_for = 0;
    write.entries.push_back({1, 1, entry_type::change, std::make_shared<const std::string>(std::move(data))});
    env_.log.info(name_, "begins a new group", {{"server", options_.server_id}});
    self_->send(state_.journal, write_atom::value, std::make_shared<const journal_write>(std::move(write)),
                journal_client{self_});
  }

  // ---- what a step asks for --------------------------------------------------------------------------------------------

  void carry_out(raft_output& out) {
    for (auto& x : out.writes) {
      journal_write write;
      write.group = options_.group;
      write.epoch = state_.write_epoch;
      write.term = x.term;
      write.voted_for = x.voted_for;
      write.entries = std::move(x.entries);
      self_->send(state_.journal, write_atom::value, std::make_shared<const journal_write>(std::move(write)),
                  journal_client{self_});
    }
    if (!out.messages.empty()) {
      invariant(options_.send != nullptr, "a group with one voter has nobody to write to");
      options_.send(options_.group, std::move(out.messages));
    }
    if (out.role_changed) {
      env_.log.info(name_, "changed its role", {{"leads", leads()}, {"term", state_.core->term()}});
      close_epoch(ec::not_serving, outcome::unknown);
      open_epoch();
    }
    feed();
    report_committed();
    maybe_serve();
    metrics_.lag.Set(static_cast<double>(state_.core->commit_index() - std::min(state_.applied, state_.core->commit_index())));
    metrics_.memory.Set(static_cast<double>(state_.core->log().bytes()));
    schedule(state_.core->timeout_at_ms());
  }

  void report_committed() {
    while (!state_.proposals.empty() && state_.proposals.front().index <= state_.core->commit_index()) {
      const auto& p = state_.proposals.front();
      self_->send(p.who, committed_atom::value, state_.epoch, p.batch, p.index);
      state_.proposals.pop_front();
    }
  }

  // ---- epochs ----------------------------------------------------------------------------------------------------------

  std::uint64_t next_epoch() { return epochs_->fetch_add(1) + 1; }

  bool leads() const { return state_.core != nullptr && state_.core->role() == raft_role::leader; }

  void open_epoch() {
    if (state_.listener == nullptr || state_.core == nullptr)
      return;
    invariant(state_.epoch == 0, "an epoch ends before the next begins");
    state_.epoch = next_epoch();
    metrics_.epochs.Increment();
    if (!leads())
      return;
    // A single voter takes all it has stored as committed, and a leader without uncommitted entries appends no barrier: only one
    // of our own proves that what it serves is complete.
    raft_output out;
    const auto index = state_.core->submit(entry_type::barrier, std::make_shared<const std::string>(), now_ms(), out);
    state_.barrier = index.value_or(0);
    carry_out(out);
  }

  void close_epoch(ec why, outcome known) {
    if (state_.epoch != 0 && state_.listener != nullptr)
      self_->send(state_.listener, closed_atom::value, state_.epoch, why, known);
    state_.epoch = state_.barrier = 0;
    state_.serving = state_.barrier_flushed = false;
    state_.proposals.clear();
  }

  void maybe_serve() {
    if (state_.serving || state_.epoch == 0 || state_.barrier == 0 || !leads() || state_.store == nullptr ||
        state_.core->commit_index() < state_.barrier || state_.applied < state_.barrier)
      return;
    state_.serving = true;
    self_->send(state_.listener, applied_atom::value, state_.applied);
    self_->send(state_.listener, serving_atom::value, state_.epoch);
  }

  // ---- feeding the store -----------------------------------------------------------------------------------------------

  void take_store() {
    if (!state_.waiting_store || state_.core == nullptr)
      return;
    const auto [store, applied, term] = *state_.waiting_store;
    const auto& log = state_.core->log();
    const auto stored = state_.core->stored_index();
    const auto group = "group " + number(options_.group);
    if (applied > stored) {
      refuse("the journal is behind the store of " + group + ": its log ends at entry " + number(stored) +
             ", but the store has applied entry " + number(applied) + "; entries " + number(stored + 1) + " to " +
             number(applied) + " are missing from the journal. Restore the data directory from a backup.");
      return;
    }
    if (applied < log.cut_index()) {
      refuse("the store of " + group + " has applied up to entry " + number(applied) + ", but the journal begins at entry " +
             number(log.cut_index() + 1) + ": entries " + number(applied + 1) + " to " + number(log.cut_index()) +
             " are missing. Restore the data directory from a backup.");
      return;
    }
    if (log.term_of(applied) != term) {
      refuse("the store and the journal of " + group + " disagree: entry " + number(applied) + " has term " + number(term) +
             " in the store and " + number(log.term_of(applied)) + " in the journal. Restore the data directory from a backup.");
      return;
    }
    state_.store = store;
    state_.applied = state_.sent = applied;
    state_.window.clear();
    state_.window_bytes = 0;
    state_.barrier_flushed = false;
    state_.waiting_store.reset();
    self_->monitor(state_.store);
    if (applied + 1 < log.first_in_memory())
      refill();
    else
      state_.core->release(applied);
    feed();
    maybe_serve();
  }

  /// A store that starts again may need what the last one had applied: the journal has it.
  void refill() {
    state_.refilling = true;
    self_->request(state_.journal, std::chrono::milliseconds{defaults::journal_load_limit_ms}, load_atom::value, options_.group)
        .then(
            [this](const group_log_ptr& log) {
              state_.refilling = false;
              if (state_.core == nullptr)
                return;
              state_.core->refill(*log);
              feed();
            },
            [this](caf::error& why) {
              self_->quit(runtime::code_of(why) ? why : make_error(ec::not_serving, name_ + ": the journal did not answer"));
            });
  }

  /// At once while the shard is not served; then what is committed gathers, because each message wakes the store's thread.
  void feed() {
    if (!state_.serving || options_.feed_delay_ms == 0)
      feed_now();
    else if (state_.sent < state_.core->applicable_index() && !std::exchange(state_.feed_due, true))
      self_->delayed_send(self_, std::chrono::milliseconds{options_.feed_delay_ms}, feed_atom::value);
  }

  void feed_now() {
    if (state_.store == nullptr || state_.core == nullptr || state_.refilling)
      return;
    const auto end = state_.core->applicable_index();
    while (state_.sent < end && state_.window_bytes < options_.feed_window_bytes) {
      auto chunk = state_.core->log().copy(state_.sent + 1, end, options_.feed_chunk_bytes);
      std::size_t bytes = 0;
      for (const auto& x : chunk)
        bytes += x.data->size();
      state_.sent = chunk.back().index;
      state_.window.emplace_back(state_.sent, bytes);
      state_.window_bytes += bytes;
      self_->send(state_.store, apply_atom::value, std::make_shared<const log_entries>(std::move(chunk)));
    }
    if (!state_.serving && !state_.barrier_flushed && state_.barrier != 0 && state_.sent >= state_.barrier) {
      state_.barrier_flushed = true; // nobody waits for the store to gather more before the shard serves
      self_->send(state_.store, flush_atom::value);
    }
  }

  // ---- everything else -------------------------------------------------------------------------------------------------

  void on_down(const caf::down_msg& down) {
    if (state_.journal != nullptr && down.source == state_.journal.address()) {
      // The supervisor starts everything behind the journal again.
      close_epoch(ec::not_serving, outcome::unknown);
      state_.core.reset();
      state_.at = phase::stopped;
    } else if (state_.store != nullptr && down.source == state_.store.address()) {
      state_.store = nullptr;
    } else if (state_.listener != nullptr && down.source == state_.listener.address()) {
      state_.listener = nullptr;
      close_epoch(ec::not_serving, outcome::unknown);
    }
  }

  void refuse(const std::string& why) {
    env_.log.error(name_, "refuses to start", {{"why", why}});
    self_->quit(make_error(ec::damaged, why));
  }

  std::int64_t now_ms() const { return env_.clock.now_ns() / 1'000'000; }

  /// One timer runs at a time unless an earlier one is needed; a later due time is found when it fires.
  void schedule(std::int64_t due_ms) {
    if (state_.timer_due_ms != 0 && state_.timer_due_ms <= due_ms)
      return;
    state_.timer_due_ms = due_ms;
    self_->delayed_send(self_, std::chrono::milliseconds{std::max<std::int64_t>(1, due_ms - now_ms())}, caf::tick_atom::value,
                        ++state_.timer);
  }

  std::string phase_text() const {
    switch (state_.at) {
      case phase::loading: return "loading";
      case phase::bootstrapping: return "beginning";
      case phase::waiting: return "waiting for space";
      case phase::stopped: return "stopped";
      case phase::running: break;
    }
    return state_.serving ? "serving" : leads() ? "leading" : "following";
  }

  pointer self_;
  replica_state& state_;
  const runtime::environment& env_;
  replica_options options_;
  epoch_counter epochs_;
  std::string name_;
  replica_metrics metrics_;
};

} // namespace

replica_actor::behavior_type replica(pointer self, const runtime::environment& env, replica_options options,
                                     epoch_counter epochs) {
  const auto name = "replica " + std::to_string(options.group);
  runtime::prepare(self, env, name);
  // The text of a broken rule holds no entry's content, and names the fault better than its type.
  self->set_exception_handler([&env, name](caf::scheduled_actor*, std::exception_ptr& x) -> caf::error {
    try {
      std::rethrow_exception(x);
    } catch (const invariant_violation& broken) {
      env.log.error(name, "a rule is broken", {{"rule", broken.what()}});
      return make_error(ec::unhandled_exception, std::string{broken.what()});
    } catch (const std::exception& other) {
      env.log.error(name, "ended by an exception", {{"type", typeid(other).name()}});
    } catch (...) {
      env.log.error(name, "ended by an exception");
    }
    return make_error(ec::unhandled_exception);
  });
  auto w = std::make_shared<work>(self, env, std::move(options), std::move(epochs));
  w->start();
  return {
      [w](persisted_atom, std::uint64_t epoch, std::uint64_t index) { w->on_persisted(epoch, index); },
      [w](failed_atom, std::uint64_t epoch, const caf::error& why) { w->on_failed(epoch, why); },
      [w](attach_atom, const shard_store_actor& store, std::uint64_t applied, std::uint64_t term) {
        w->on_attach(store, applied, term);
      },
      [w](applied_atom, std::uint64_t index) { w->on_applied(index); },
      [w](durable_atom, const snapshot_point_ptr& point) { w->on_durable(point); },
      [w](listen_atom, const shard_listener& listener) { w->on_listen(listener); },
      [w](propose_atom, std::uint64_t epoch, std::uint64_t batch, const bytes_ptr& bytes, const proposer& who) {
        w->on_propose(epoch, batch, bytes, who);
      },
      [w](read_index_atom, std::uint64_t epoch, ticket t) { w->on_read_index(epoch, t); },
      [w](flush_atom) { w->on_flush(); },
      [w](drain_atom) { return w->on_drain(); },
      [w](feed_atom) { w->on_feed(); },
      [w](caf::tick_atom, std::uint64_t timer) { w->on_tick(timer); },
      [w](status_atom) { return w->status(); },
  };
}

} // namespace epione::cluster
