#include "actors/shard_store.hpp"

#include "actors/set_aside.hpp"
#include "runtime/directory.hpp"
#include "runtime/mutation.hpp"

#include <algorithm>
#include <chrono>
#include <string>
#include <string_view>
#include <utility>

namespace epione::actors {

using namespace messages;
using caf::make_error;
using runtime::mutated;
using runtime::mutation;
namespace defaults = runtime::defaults;

namespace {

using shard_store_pointer = shard_store_actor::stateful_pointer<shard_store_state>;

struct store_metrics {
  prometheus::Histogram &apply_seconds, &rows, &checkpoint_seconds;
  prometheus::Counter &events, &repeats, &checkpoints, &alarms, &rebuilds;
  prometheus::Gauge& wal;
};

store_metrics make_shard_store_metrics(runtime::metrics& m, std::uint32_t shard) {
  const runtime::metric_labels of_shard{{"shard", std::to_string(shard)}};
  return {m.histogram("epione_apply_seconds", "One transaction of a shard's store", runtime::latency_buckets()),
          m.histogram("epione_apply_commands", "Commands of one transaction of a shard's store", runtime::size_buckets()),
          m.histogram("epione_store_checkpoint_seconds", "One checkpoint of a shard's store", runtime::latency_buckets()),
          m.counter("epione_events_total", "Events applied to a shard's store", of_shard),
          m.counter("epione_apply_repeats_total", "Commands that were in a shard's store already", of_shard),
          m.counter("epione_store_checkpoints_total", "Checkpoints of a shard's store", of_shard),
          m.counter("epione_store_alarms_total", "Committed entries that could not be applied", of_shard),
          m.counter("epione_store_rebuilds_total", "Damaged stores built again from the journal", of_shard),
          m.gauge("epione_store_wal_bytes", "Size of a shard's write-ahead log", of_shard)};
}

/// Number of commands in a batch, read off the array header of domain::encode_batch; only how much gathers depends on it.
std::uint64_t commands_in(const log_entry& e) {
  const std::string_view x = *e.data;
  const auto byte = [&](std::size_t i) { return std::uint64_t{static_cast<std::uint8_t>(x[i])}; };
  if (e.type != entry_type::command || x.size() < 7)
    return 1;
  if ((byte(2) & 0xf0) == 0x90)
    return byte(2) & 0x0f;
  if (byte(2) == 0xdc)
    return byte(3) << 8 | byte(4);
  return byte(2) == 0xdd ? byte(3) << 24 | byte(4) << 16 | byte(5) << 8 | byte(6) : 1;
}

class shard_store_work {
public:
  shard_store_work(shard_store_pointer self, const runtime::environment& env, shard_store_options options)
      : self_(self), state_(self->state), env_(env), options_(std::move(options)),
        name_("store " + std::to_string(options_.shard)), metrics_(make_shard_store_metrics(env.metrics, options_.shard)) {}

  void start() {
    state_.replica = env_.directory->get<replica_actor>("replica " + std::to_string(options_.shard));
    if (state_.replica == nullptr) {
      self_->quit(make_error(ec::not_serving, name_ + ": its replica is not there"));
      return;
    }
    self_->set_exit_handler([this](caf::exit_msg& x) { on_exit(x); });
    self_->send(self_, flush_atom::value); // opens the file
  }

  void on_apply(const log_entries_ptr& entries) {
    if (state_.file == nullptr || entries->empty())
      return; // sent to what was here before; the replica begins anew with the next attach
    const auto next = state_.gathered.empty() ? state_.file->applied().index + 1 : state_.gathered.back().index + 1;
    if (entries->front().index > next && !mutated(mutation::apply_skips_entry)) {
      if (!state_.fed)
        return;
      self_->quit(make_error(ec::unhandled_exception, name_ + ": entry " + std::to_string(next) + " was left out"));
      return;
    }
    state_.fed = true;
    for (const auto& e : *entries) {
      if (e.index < next)
        continue;
      state_.gathered.push_back(e);
      state_.gathered_rows += commands_in(e);
      state_.gathered_bytes += e.data->size();
    }
    if (state_.backoff_ms == 0 &&
        (state_.gathered_rows >= options_.apply_rows_max || state_.gathered_bytes >= options_.apply_bytes_max))
      apply();
    else
      apply_later(options_.apply_delay_ms);
  }

  void on_flush() {
    if (state_.file == nullptr)
      open();
    else
      apply();
  }

  void on_delayed_flush() {
    state_.apply_due = false;
    on_flush();
  }

  void on_checkpoint() {
    state_.checkpoint_due = false;
    if (state_.file == nullptr || !apply())
      return;
    if (is_held()) {
      checkpoint_later(defaults::checkpoint_retry_ms);
      return;
    }
    if (options_.turn != nullptr && !options_.turn->take()) {
      checkpoint_later(defaults::checkpoint_retry_ms);
      return;
    }
    const checkpoint_turn::guard turn{options_.turn.get()};
    checkpoint();
  }

  // ---- being copied, and going on from a copy --------------------------------------------------------------------------

  /// After a whole checkpoint the database file is exactly the store at that point, and changes go to the WAL until the next one.
  caf::result<snapshot_point_ptr> on_hold(std::uint32_t limit_ms) {
    if (state_.file == nullptr || state_.stopping || !apply())
      return make_error(ec::not_serving, name_ + ": its file is not open");
    auto point = mutated(mutation::snapshot_without_tail) ? as_if_checkpointed() : state_.file->checkpoint();
    if (!point) {
      on_error(point.error());
      return make_error(point.error().code, point.error().message);
    }
    if (!*point)
      return make_error(ec::not_serving, name_ + ": a reader is in the way of its checkpoint; try again");
    if ((*point)->index == 0)
      return make_error(ec::not_serving, name_ + ": it is empty");
    ++state_.checkpoints;
    state_.held_until_ns = env_.clock.now_ns() + std::int64_t{limit_ms} * 1'000'000;
    const auto found = std::make_shared<const snapshot_point>(std::move(**point));
    if (found->index > state_.durable) {
      state_.durable = found->index;
      self_->send(state_.replica, durable_atom::value, found);
    }
    return found;
  }

  void on_release() {
    state_.held_until_ns = 0;
    if (state_.file != nullptr && state_.file->wal_bytes() >= options_.checkpoint_bytes &&
        !std::exchange(state_.checkpoint_due, true))
      self_->send(self_, checkpoint_atom::value);
  }

  void on_install(const snapshot_point_ptr& point) {
    if (state_.file != nullptr && state_.file->applied().index >= point->index)
      return; // it was told before
    const auto path = runtime::shard_path(env_.data_directory, options_.shard);
    const auto incoming = runtime::incoming_path(env_.data_directory, options_.shard);
    state_.file.reset();
    drop_gathered();
    if (env_.disk.exists(incoming)) {
      // The log files go first: a new database beside an old -wal would take its rows over.
      for (const char* suffix : {"-wal", "-shm", ""})
        if (auto gone = env_.disk.discard(path + suffix); !gone)
          return on_error(gone.error());
      if (auto moved = env_.disk.rename(incoming, path); !moved)
        return on_error(moved.error());
    }
    env_.log.info(name_, "goes on from another member's file", {{"entry", point->index}});
    open();
  }

  status_report_ptr status() const {
    status_report r{name_, state_.file != nullptr ? "open" : state_.opening_again ? "being built again" : "opening", {}};
    if (state_.file != nullptr) {
      r.details = {{"applied", std::to_string(state_.file->applied().index)},
                   {"events", std::to_string(state_.file->head().seq)},
                   {"durable", std::to_string(state_.durable)},
                   {"gathered_commands", std::to_string(state_.gathered_rows)},
                   {"wal_bytes", std::to_string(state_.file->wal_bytes())},
                   {"checkpoints", std::to_string(state_.checkpoints)}};
      if (const auto bytes = state_.file->file_bytes())
        r.details.emplace_back("size_bytes", std::to_string(*bytes));
    }
    return std::make_shared<const status_report>(std::move(r));
  }

private:
  // ---- opening ---------------------------------------------------------------------------------------------------------

  void open() {
    if (state_.opening_again)
      return;
    runtime::fault_point(env_.faults, "store.open");
    auto file = runtime::open_shard_store(env_.disk, env_.data_directory, options_.shard);
    if (!file) {
      on_error(file.error());
      return;
    }
    state_.file = std::move(*file);
    state_.backoff_ms = 0;
    state_.fed = false;
    const auto& at = state_.file->applied();
    self_->send(state_.replica, attach_atom::value, shard_store_actor{self_}, at.index, at.term);
  }

  /// The journal can build a store again only from entry 1.
  void build_again(const std::string& damage) {
    state_.file.reset();
    drop_gathered();
    if (std::exchange(state_.opening_again, true))
      return;
    // What is read from now on may be missing: the replica stops serving before the file is replaced.
    self_->send(state_.replica, attach_atom::value, shard_store_actor{}, std::uint64_t{0}, std::uint64_t{0});
    env_.log.error(name_, "its file is damaged", {{"why", damage}});
    auto journal = env_.directory->get<journal_actor>("journal");
    if (journal == nullptr) {
      self_->quit(make_error(ec::damaged, damage));
      return;
    }
    self_->request(journal, std::chrono::milliseconds{defaults::journal_load_limit_ms}, load_atom::value, options_.shard)
        .then([this, damage](const group_log_ptr& log) { build_again_from(*log, damage); },
              [this, damage](caf::error&) { self_->quit(make_error(ec::damaged, damage)); });
  }

  void build_again_from(const group_log& log, const std::string& damage) {
    if (std::exchange(state_.built_again, true)) {
      refuse(damage + ". It was built again from the journal and is damaged once more: the journal's entries, the disk or the "
                      "program are at fault.");
      return;
    }
    if (log.cut && env_.disk.exists(runtime::incoming_path(env_.data_directory, options_.shard))) {
      // It was about to take this file's place when it ended.
      state_.opening_again = false;
      on_install(std::make_shared<const snapshot_point>(*log.cut));
      return;
    }
    if (log.cut || log.entries.empty()) {
      const auto missing = log.cut
                               ? "its entries 1 to " + std::to_string(log.cut->index) + " were deleted when the store held them"
                               : std::string{"it has no entries of this shard"};
      refuse(damage + ". The journal cannot build it again: " + missing + ". Restore the data directory from a backup.");
      return;
    }
    const auto moved = set_aside(env_.disk, runtime::shard_path(env_.data_directory, options_.shard));
    if (!moved) {
      refuse(damage + ". It cannot be set aside: " + moved.error());
      return;
    }
    metrics_.rebuilds.Increment();
    env_.log.error(name_, "builds its store again from the journal", {{"set_aside", *moved}, {"entries", log.entries.size()}});
    state_.opening_again = false;
    open();
  }

  void refuse(const std::string& why) {
    env_.log.error(name_, "refuses to start", {{"why", why}});
    self_->quit(make_error(ec::damaged, why));
  }

  // ---- applying --------------------------------------------------------------------------------------------------------

  /// False when something is in the way; what has gathered stays.
  bool apply() {
    if (state_.gathered.empty())
      return true;
    runtime::fault_point(env_.faults, "store.apply");
    const auto begun_ns = env_.clock.now_ns();
    const auto done = state_.file->apply(state_.gathered);
    if (!done) {
      on_error(done.error());
      return false;
    }
    metrics_.apply_seconds.Observe(static_cast<double>(env_.clock.now_ns() - begun_ns) / 1e9);
    metrics_.rows.Observe(static_cast<double>(state_.gathered_rows));
    metrics_.events.Increment(static_cast<double>(done->events));
    metrics_.repeats.Increment(static_cast<double>(done->repeats));
    metrics_.wal.Set(static_cast<double>(state_.file->wal_bytes()));
    drop_gathered();
    state_.backoff_ms = 0;
    self_->send(state_.replica, applied_atom::value, state_.file->applied().index);
    if (state_.file->wal_bytes() >= options_.checkpoint_bytes && !std::exchange(state_.checkpoint_due, true))
      self_->send(self_, checkpoint_atom::value);
    return true;
  }

  runtime::storage_result<std::optional<snapshot_point>> as_if_checkpointed() const {
    const auto& a = state_.file->applied();
    return snapshot_point{a.index, a.term, a.configuration, a.configuration_index};
  }

  bool is_held() const { return env_.clock.now_ns() < state_.held_until_ns; }

  void drop_gathered() {
    state_.gathered.clear();
    state_.gathered_rows = 0;
    state_.gathered_bytes = 0;
  }

  void apply_later(std::uint32_t delay_ms) {
    if (!std::exchange(state_.apply_due, true))
      self_->delayed_send(self_, std::chrono::milliseconds{delay_ms}, apply_atom::value, log_entries_ptr{});
  }

  // ---- checkpoints -----------------------------------------------------------------------------------------------------

  /// Tries again later when something is in the way.
  void checkpoint() {
    runtime::fault_point(env_.faults, "store.checkpoint");
    const auto begun_ns = env_.clock.now_ns();
    auto point = state_.file->checkpoint();
    if (!point) {
      if (point.error().code == ec::disk_full) {
        env_.log.error(name_, "could not checkpoint", {{"why", point.error().message}});
        checkpoint_later(defaults::journal_retry_ms_max);
      } else {
        on_error(point.error());
      }
      return;
    }
    if (!*point) { // a reader was in the way
      checkpoint_later(defaults::checkpoint_retry_ms);
      return;
    }
    metrics_.checkpoint_seconds.Observe(static_cast<double>(env_.clock.now_ns() - begun_ns) / 1e9);
    metrics_.checkpoints.Increment();
    metrics_.wal.Set(static_cast<double>(state_.file->wal_bytes()));
    ++state_.checkpoints;
    if ((*point)->index > state_.durable) {
      state_.durable = (*point)->index;
      self_->send(state_.replica, durable_atom::value, std::make_shared<const snapshot_point>(std::move(**point)));
    }
  }

  void checkpoint_later(std::uint32_t delay_ms) {
    if (!std::exchange(state_.checkpoint_due, true))
      self_->delayed_send(self_, std::chrono::milliseconds{delay_ms}, checkpoint_atom::value);
  }

  // ---- everything else -------------------------------------------------------------------------------------------------

  void on_error(const runtime::storage_error& why) {
    switch (why.code) {
      case ec::damaged: build_again(why.message); return;
      case ec::disk_full:
        // What is committed cannot be refused: it waits, and the replica stops sending when its window is full.
        state_.backoff_ms = std::clamp(state_.backoff_ms * 2, defaults::journal_retry_ms, defaults::journal_retry_ms_max);
        env_.log.error(name_, "no space left; tries again", {{"in_ms", state_.backoff_ms}, {"why", why.message}});
        apply_later(state_.backoff_ms);
        return;
      case ec::io_failed: env_.process.fatal(runtime::exit_code::failed, why.message); break;
      case ec::unknown_command:
      case ec::conflicting_apply:
        metrics_.alarms.Increment();
        env_.log.error(name_, "ALARM: a committed entry cannot be applied; the shard stops",
                       {{"code", to_string(why.code)}, {"why", why.message}});
        break;
      default: env_.log.error(name_, "cannot go on", {{"code", to_string(why.code)}, {"why", why.message}});
    }
    self_->quit(make_error(why.code, why.message));
  }

  void on_exit(const caf::exit_msg& x) {
    if (x.reason != caf::exit_reason::user_shutdown || state_.file == nullptr) {
      self_->quit(x.reason);
    } else if (!std::exchange(state_.stopping, true)) {
      // What is committed gathers in the replica; it comes before the answer.
      const auto limit = std::chrono::milliseconds{defaults::store_last_feed_limit_ms};
      self_->request(state_.replica, limit, drain_atom::value)
          .then([this](bool) { write_down(); }, [this](caf::error&) { write_down(); });
    }
  }

  void write_down() {
    if (state_.file != nullptr && apply() && !is_held())
      checkpoint(); // the turn is not waited for: all stores stop now
    self_->quit(caf::exit_reason::user_shutdown);
  }

  shard_store_pointer self_;
  shard_store_state& state_;
  const runtime::environment& env_;
  shard_store_options options_;
  std::string name_;
  store_metrics metrics_;
};

} // namespace

shard_store_actor::behavior_type shard_store(shard_store_pointer self, const runtime::environment& env,
                                             shard_store_options options) {
  runtime::prepare(self, env, "store " + std::to_string(options.shard));
  auto w = std::make_shared<shard_store_work>(self, env, std::move(options));
  w->start();
  return {
      [w](apply_atom, const log_entries_ptr& entries) {
        if (entries != nullptr)
          w->on_apply(entries);
        else
          w->on_delayed_flush(); // its own, when gathering has lasted long enough
      },
      [w](flush_atom) { w->on_flush(); },
      [w](checkpoint_atom) { w->on_checkpoint(); },
      [w](hold_atom, std::uint32_t limit_ms) { return w->on_hold(limit_ms); },
      [w](release_atom) { w->on_release(); },
      [w](install_atom, const snapshot_point_ptr& point) { w->on_install(point); },
      [w](status_atom) { return w->status(); },
  };
}

} // namespace epione::actors
