#include "actors/journal_writer.hpp"

#include "runtime/mutation.hpp"

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>

namespace epione::actors {

using namespace messages;
using caf::make_error;
using runtime::mutated;
using runtime::mutation;

namespace {

using journal_writer_pointer = journal_actor::stateful_pointer<journal_writer_state>;
constexpr const char* journal_part = "journal";

struct journal_metrics {
  prometheus::Histogram &entries, &bytes, &commit_seconds, &sync_seconds;
  prometheus::Counter &transactions, &written_bytes, &disk_full, &checkpoints;
  prometheus::Gauge& wal;
};

/// 1 KiB, 4 KiB, ... 16 MiB.
std::vector<double> byte_buckets() {
  std::vector<double> buckets;
  for (double x = 1024; x <= 16.0 * 1024 * 1024; x *= 4)
    buckets.push_back(x);
  return buckets;
}

journal_metrics make_journal_writer_metrics(runtime::metrics& m) {
  return {m.histogram("epione_journal_batch_entries", "Log entries of one journal transaction", runtime::size_buckets()),
          m.histogram("epione_journal_batch_bytes", "Bytes of the log entries of one journal transaction", byte_buckets()),
          m.histogram("epione_journal_commit_seconds", "One journal transaction with its sync", runtime::latency_buckets()),
          m.histogram("epione_journal_sync_seconds", "What of it was the commit and the mark, each with its sync",
                      runtime::latency_buckets()),
          m.counter("epione_journal_transactions_total", "Journal transactions, each with one sync"),
          m.counter("epione_journal_bytes_total", "Bytes of log entries written to the journal"),
          m.counter("epione_journal_disk_full_total", "Journal transactions refused for lack of space"),
          m.counter("epione_journal_checkpoints_total", "Checkpoints of the journal"),
          m.gauge("epione_journal_wal_bytes", "Size of the journal's write-ahead log")};
}

class journal_writer_work {
public:
  journal_writer_work(journal_writer_pointer self, const runtime::environment& env, const runtime::journal_options& options)
      : self_(self), state_(self->state), env_(env), options_(options), metrics_(make_journal_writer_metrics(env.metrics)) {}

  /// False when the actor ends: the error is what whoever asks is told.
  bool open(caf::error& why) {
    if (state_.file != nullptr)
      return true;
    auto file = runtime::open_journal(env_.disk, env_.data_directory, options_);
    if (!file) {
      why = end(file.error());
      return false;
    }
    state_.file = std::move(*file);
    env_.log.info(journal_part, "opened");
    return true;
  }

  caf::result<group_log_ptr> load(std::uint32_t group) {
    caf::error why;
    if (!open(why))
      return why;
    flush(); // what a member that has ended still had on its way is part of its log
    runtime::fault_point(env_.faults, "journal.load");
    auto log = state_.file->load(group);
    if (!log)
      return end(log.error());
    return std::make_shared<const group_log>(std::move(*log));
  }

  void on_write(const journal_write_ptr& write, const journal_client& client) {
    if (const auto failed = state_.failed.find(write->group); failed != state_.failed.end() && write->epoch <= failed->second) {
      self_->send(client, failed_atom::value, write->epoch, make_error(ec::disk_full));
      return;
    }
    state_.pending.push_back({write, client});
    if (mutated(mutation::durable_before_written))
      self_->send(client, persisted_atom::value, write->epoch, write->entries.empty() ? 0 : write->entries.back().index);
    flush_soon();
  }

  void on_flush() {
    state_.flush_sent = false;
    caf::error why;
    if (!open(why))
      return;
    flush();
    maintain();
  }

  void on_cut(std::uint32_t group, const snapshot_point_ptr& point) {
    caf::error why;
    if (!open(why))
      return;
    if (auto done = state_.file->cut(group, *point); !done) {
      if (done.error().code == ec::disk_full) // the next checkpoint of the store says it again
        env_.log.warning(journal_part, "could not cut a log", {{"group", group}, {"why", done.error().message}});
      else
        end(done.error());
      return;
    }
    flush_soon();
  }

  status_report_ptr status() const {
    status_report r{journal_part, state_.file != nullptr ? "open" : "opening", {}};
    if (state_.file != nullptr) {
      const auto c = state_.file->counters();
      r.details = {{"transactions", std::to_string(c.transactions)},
                   {"entries", std::to_string(c.entries)},
                   {"wal_bytes", std::to_string(c.wal_bytes)},
                   {"last_sync_us", std::to_string(c.last_sync_ns / 1000)}};
    }
    return std::make_shared<const status_report>(std::move(r));
  }

private:
  /// Whatever is in the mailbox before this message joins the same transaction.
  void flush_soon() {
    if (!std::exchange(state_.flush_sent, true))
      self_->send(self_, flush_atom::value);
  }

  void flush() {
    if (state_.pending.empty())
      return;
    runtime::fault_point(env_.faults, "journal.flush");
    const auto pending = std::exchange(state_.pending, {});
    std::vector<journal_write_ptr> writes;
    writes.reserve(pending.size());
    std::size_t entries = 0, bytes = 0;
    for (const auto& x : pending) {
      writes.push_back(x.write);
      entries += x.write->entries.size();
      for (const auto& e : x.write->entries)
        bytes += e.data->size();
    }
    const auto begun_ns = env_.clock.now_ns();
    const auto done = state_.file->write(writes);
    if (!done && !(mutated(mutation::full_disk_as_written) && done.error().code == ec::disk_full)) {
      fail(pending, done.error());
      return;
    }
    metrics_.commit_seconds.Observe(static_cast<double>(env_.clock.now_ns() - begun_ns) / 1e9);
    metrics_.sync_seconds.Observe(static_cast<double>(state_.file->counters().last_sync_ns) / 1e9);
    metrics_.entries.Observe(static_cast<double>(entries));
    metrics_.bytes.Observe(static_cast<double>(bytes));
    metrics_.transactions.Increment();
    metrics_.written_bytes.Increment(static_cast<double>(bytes));
    report_persisted(pending);
  }

  /// One message for each client and epoch, with the last entry written for it; 0 when its writes held none.
  void report_persisted(const std::vector<journal_writer_state::gathered>& pending) {
    struct completion {
      const journal_writer_state::gathered* first;
      std::uint64_t index;
    };
    if (mutated(mutation::durable_before_written))
      return; // they were told
    std::vector<completion> completions;
    for (const auto& x : pending) {
      auto found = std::find_if(completions.begin(), completions.end(), [&](const completion& c) {
        return c.first->write->epoch == x.write->epoch && c.first->client == x.client;
      });
      if (found == completions.end())
        found = completions.insert(completions.end(), {&x, 0});
      if (!x.write->entries.empty())
        found->index = x.write->entries.back().index;
    }
    for (const auto& c : completions)
      self_->send(c.first->client, persisted_atom::value, c.first->write->epoch, c.index);
  }

  void fail(const std::vector<journal_writer_state::gathered>& pending, const runtime::storage_error& why) {
    if (why.code != ec::disk_full) {
      end(why);
      return;
    }
    metrics_.disk_full.Increment();
    env_.log.error(journal_part, "no space left; what was to be written is refused", {{"why", why.message}});
    for (const auto& x : pending) {
      auto& failed = state_.failed[x.write->group];
      if (failed >= x.write->epoch)
        continue; // told already
      failed = x.write->epoch;
      self_->send(x.client, failed_atom::value, x.write->epoch, make_error(ec::disk_full, why.message));
    }
  }

  void maintain() {
    auto more = state_.file->maintain();
    if (!more && more.error().code != ec::disk_full) {
      end(more.error());
      return;
    }
    const auto c = state_.file->counters();
    metrics_.wal.Set(static_cast<double>(c.wal_bytes));
    metrics_.checkpoints.Increment(static_cast<double>(c.checkpoints - state_.seen.checkpoints));
    state_.seen = c;
    // Soon, but not at once: a checkpoint on a thread of its own says "more" for as long as it lasts.
    if (more && *more && env_.clock.now_ns() >= state_.upkeep_at_ns) {
      constexpr std::chrono::milliseconds pause{5};
      state_.upkeep_at_ns = env_.clock.now_ns() + std::chrono::nanoseconds{pause}.count();
      self_->delayed_send(self_, pause, flush_atom::value);
    }
  }

  caf::error end(const runtime::storage_error& why) {
    auto error = make_error(why.code, why.message);
    if (why.code == ec::io_failed) {
      // What is on disk is unknown, and a second sync may report success for what the first one lost.
      env_.process.fatal(runtime::exit_code::failed, why.message);
    } else {
      env_.log.error(journal_part, "cannot go on", {{"code", to_string(why.code)}, {"why", why.message}});
    }
    self_->quit(error);
    return error;
  }

  journal_writer_pointer self_;
  journal_writer_state& state_;
  const runtime::environment& env_;
  runtime::journal_options options_;
  journal_metrics metrics_;
};

} // namespace

journal_actor::behavior_type journal_writer(journal_writer_pointer self, const runtime::environment& env,
                                            runtime::journal_options options) {
  runtime::prepare(self, env, journal_part);
  auto w = std::make_shared<journal_writer_work>(self, env, options);
  self->send(self, flush_atom::value); // opens the file
  self->state.flush_sent = true;
  return {
      [w](load_atom, std::uint32_t group) { return w->load(group); },
      [w](write_atom, const journal_write_ptr& write, const journal_client& client) { w->on_write(write, client); },
      [w](cut_atom, std::uint32_t group, const snapshot_point_ptr& point) { w->on_cut(group, point); },
      [w](flush_atom) { w->on_flush(); },
      [w](status_atom) { return w->status(); },
  };
}

} // namespace epione::actors
