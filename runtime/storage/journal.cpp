// The journal on SQLite. A transaction's way: rows into the WAL, its sync (COMMIT under synchronous=FULL), the mark, its sync.
#include "runtime/storage/journal.hpp"

#include "runtime/mutation.hpp"
#include "runtime/storage/journal_checkpointer.hpp"
#include "runtime/storage/journal_positions.hpp"
#include "runtime/storage/journal_rows.hpp"
#include "runtime/storage/mark_file.hpp"

#include <algorithm>
#include <chrono>
#include <map>
#include <optional>
#include <utility>

namespace epione::runtime {

namespace {

constexpr std::uint32_t journal_cache_kib = 8 * 1024; // interior pages and each group's newest leaf, many times over
constexpr int finish_frames_max = 1'024;              // 4 MiB: what the writer itself moves to finish a checkpoint
constexpr std::uint64_t deletions_per_write =
    64; // rows that go with a write, beside two for each it adds, without a sync of their own
constexpr std::uint64_t deletions_per_maintain = 1'024; // the same for a transaction that only deletes
constexpr std::uint64_t frame_bytes = 4096 + 24;

std::uint64_t nanoseconds() {
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch()).count());
}

const char* synchronous() {
  return mutated(mutation::skip_journal_sync) || mutated(mutation::ignore_missing_tail) ? "NORMAL" : "FULL";
}

class sqlite_journal final : public journal {
public:
  sqlite_journal(disk& d, const std::string& directory, const journal_options& options, mark_file mark)
      : disk_(d), directory_(directory), options_(options), mark_(std::move(mark)),
        connection_(d, directory + "/journal.db", mark_.stored()->number == 0 ? access_mode::create : access_mode::write,
                    journal_format, journal_schema, synchronous(), journal_cache_kib),
        begin_(connection_, "BEGIN IMMEDIATE"), commit_(connection_, "COMMIT"), group_(connection_, insert_group),
        insert_(connection_, "INSERT INTO entry VALUES(?,?,?,?,?,?,?,?,?)"),
        delete_(connection_, "DELETE FROM entry WHERE position BETWEEN ? AND ?"), select_(connection_, select_entry) {
    // After an audit has held the WAL back for long, give its space back.
    connection_.run(("PRAGMA journal_size_limit=" + std::to_string(4 * options.checkpoint_bytes)).c_str());
    sqlite3_wal_hook(connection_.handle(), &sqlite_journal::count_frames, this);
    read_all();
    if (d.allows_threads())
      checkpointer_ = std::make_unique<journal_checkpointer>(d, connection_.path());
  }

  storage_result<messages::group_log> load(std::uint32_t group) override {
    return guarded([&] {
      refuse_when_broken();
      messages::group_log out;
      const auto found = groups_.find(group);
      if (found == groups_.end())
        return out;
      const auto& state = found->second;
      out.term = state.row.term;
      out.voted_for = state.row.voted_for;
      out.cut = state.row.cut;
      auto before = state.row.cut_hash;
      for (auto i = state.cut_index() + 1; i <= state.last; ++i) {
        auto [row, hash] = read_one(group, i);
        if (row.before != before || checksum_of(hash) != row.checksum)
          fail(ec::damaged, connection_.path() + ": group " + std::to_string(group) + ", entry " + std::to_string(i) +
                                ": does not match its checksum or does not continue the entry before it");
        before = hash;
        out.entries.push_back(std::move(row.entry));
      }
      if (mutated(mutation::journal_loses_last) && !out.entries.empty())
        out.entries.pop_back();
      return out;
    });
  }

  storage_result<void> write(const std::vector<messages::journal_write_ptr>& writes) override {
    return transact([&] {
      std::uint64_t bytes = 0, rows = 0;
      for (const auto& w : writes)
        for (const auto& e : w->entries) {
          bytes += e.data->size();
          ++rows;
        }
      check_reserve(bytes);
      staging s{groups_, number_ + 1};
      transaction t{connection_, begin_, commit_};
      delete_some(deletions_per_write + 2 * rows);
      for (const auto& w : writes)
        write_one(s, *w);
      const auto before = nanoseconds();
      if (mutated(mutation::mark_before_commit)) {
        accept(std::move(s));
        write_mark();
        t.commit();
      } else {
        t.commit();
        accept(std::move(s));
        write_mark();
      }
      counters_.last_sync_ns = nanoseconds() - before;
      counters_.entries += rows;
      counters_.bytes += bytes;
    });
  }

  storage_result<void> cut(std::uint32_t group, const messages::snapshot_point& point) override {
    return transact([&] {
      const auto found = groups_.find(group);
      const auto last = found == groups_.end() ? 0 : found->second.last;
      if (point.index == 0)
        return;
      if (point.index > last)
        fail(ec::invalid, connection_.path() + ": group " + std::to_string(group) + " cannot be cut at entry " +
                              std::to_string(point.index) + ", it ends at " + std::to_string(last));
      if (point.index <= found->second.cut_index())
        return;
      const auto [row, hash] = read_one(group, point.index);
      if (row.entry.term != point.term)
        fail(ec::invalid, connection_.path() + ": group " + std::to_string(group) + " cannot be cut at entry " +
                              std::to_string(point.index) + " of term " + std::to_string(point.term) + ", it is of term " +
                              std::to_string(row.entry.term));
      staging s{groups_, number_ + 1};
      transaction t{connection_, begin_, commit_};
      auto& state = s.of(group);
      state.row.cut = point;
      state.row.cut_hash = hash;
      positions_.cut(group, point.index);
      write_group(s, group, state);
      t.commit();
      accept(std::move(s));
      write_mark();
    });
  }

  storage_result<bool> maintain() override {
    bool more = false;
    auto done = transact([&] {
      more = checkpoint_step();
      move_or_delete();
      more = more || deletable() > 0 || in_the_way();
    });
    if (!done)
      return tl::unexpected(done.error());
    return more;
  }

  journal_counters counters() const override { return counters_; }

  std::vector<std::uint32_t> groups() const override {
    std::vector<std::uint32_t> out;
    for (const auto& [group, state] : groups_)
      out.push_back(group);
    return out;
  }

private:
  using states = std::map<std::uint32_t, group_state>;

  /// What a transaction changes, kept apart until it is durable.
  struct staging {
    const states& before;
    std::uint64_t number;
    states changed{};
    group_state& of(std::uint32_t group) {
      auto [at, added] = changed.try_emplace(group);
      if (const auto known = before.find(group); added && known != before.end())
        at->second = known->second;
      return at->second;
    }
    const group_state* find(std::uint32_t group) const {
      if (const auto at = changed.find(group); at != changed.end())
        return &at->second;
      const auto known = before.find(group);
      return known == before.end() ? nullptr : &known->second;
    }
    /// Known groups and new ones; a known one that is changed counts once.
    std::size_t count() const {
      const auto is_new = [this](const auto& c) { return !before.contains(c.first); };
      return before.size() + static_cast<std::size_t>(std::count_if(changed.begin(), changed.end(), is_new));
    }
  };

  static int count_frames(void* self, sqlite3*, const char*, int frames) {
    auto* j = static_cast<sqlite_journal*>(self);
    j->frames_ = static_cast<std::uint64_t>(frames);
    j->counters_.wal_bytes = j->frames_ * frame_bytes;
    return SQLITE_OK;
  }

  /// After a failure other than a full disk nothing is known of the file any more, and nothing may be promised.
  template <class F>
  storage_result<void> transact(F&& f) {
    auto out = guarded([&] {
      refuse_when_broken();
      leave_old_wal();
      f();
    });
    if (!out)
      positions_.rollback();
    if (!out && (out.error().code == ec::io_failed || out.error().code == ec::damaged)) {
      broken_ = storage_error{out.error().code, {}}; // holds even when there is no memory for the sentence
      static_cast<void>(guarded([&] { broken_->message = out.error().message; }));
    }
    return out;
  }

  /// Before the first write: what an earlier process left (connection::rewrite_wal()) goes to the database file, and the WAL
  /// begins from its start. Without space that waits, and writes with it.
  void leave_old_wal() {
    if (!old_wal_)
      return;
    connection_.rewrite_wal(disk_);
    if (!connection_.restart_wal())
      fail(ec::disk_full, connection_.path() + ": another process reads it just now; writing begins when that has ended");
    old_wal_ = false;
    counters_.wal_bytes = 0;
  }

  void refuse_when_broken() const {
    if (broken_)
      throw storage_failure{*broken_};
  }

  void read_all() {
    std::vector<std::pair<std::uint32_t, group_state>> all;
    const auto index = read_index(connection_);
    positions_.open(index.lowest, index.next);
    for (auto& read : read_groups(connection_)) {
      const auto group = read.first;
      group_state state;
      state.row = std::move(read.second);
      read_entries(connection_, index, group, state,
                   [&](messages::log_entry&& e, std::uint64_t position) { positions_.opened(group, e.index, position); });
      number_ = std::max({number_, state.row.number, state.last_number});
      all.emplace_back(group, std::move(state));
    }
    check_mark(connection_.path(), *mark_.stored(), all);
    for (auto& [group, state] : all)
      groups_.emplace(group, std::move(state));
    if (mark_.stored()->number < number_) {
      connection_.rewrite_wal(disk_); // what is read now may never have reached the disk, and a store may apply it at once
      write_mark();
    }
  }

  void check_reserve(std::uint64_t bytes) {
    const auto free = disk_.free_bytes(directory_);
    if (free < options_.reserve_bytes + bytes)
      fail(ec::disk_full, directory_ + ": " + std::to_string(free) + " bytes are free, " +
                              std::to_string(options_.reserve_bytes) +
                              " of them are kept in reserve; make space on that file system");
  }

  void write_one(staging& s, const messages::journal_write& w) {
    const bool is_new = s.find(w.group) == nullptr;
    if (is_new && (w.group >= (1u << 15) || s.count() >= mark_file::groups_max))
      fail(ec::invalid, connection_.path() + ": no place for group " + std::to_string(w.group) + "; at most " +
                            std::to_string(mark_file::groups_max) + " are kept");
    auto& state = s.of(w.group);
    if (w.term || w.voted_for || is_new) {
      if (is_new || !mutated(mutation::term_not_stored))
        state.row.term = w.term.value_or(state.row.term);
      if (!mutated(mutation::vote_not_stored))
        state.row.voted_for = w.voted_for.value_or(state.row.voted_for);
      write_group(s, w.group, state);
    }
    if (w.reset)
      reset(s, w.group, state, *w.reset);
    if (w.entries.empty())
      return;
    const auto from = w.entries.front().index;
    if (from == 0 || from > state.last + 1 || from <= state.cut_index())
      fail(ec::invalid, connection_.path() + ": group " + std::to_string(w.group) + ": entry " + std::to_string(from) +
                            " does not continue a log of entries " + std::to_string(state.cut_index() + 1) + " to " +
                            std::to_string(state.last));
    if (from <= state.last)
      forget_from(w.group, state, from);
    for (const auto& e : w.entries)
      append(s, w.group, state, e);
  }

  /// What the group's log held goes; the hash of the entry at the new cut is not known here, so the rows behind it continue
  /// zeros.
  void reset(staging& s, std::uint32_t group, group_state& state, const messages::snapshot_point& point) {
    if (point.index <= state.cut_index())
      fail(ec::invalid, connection_.path() + ": group " + std::to_string(group) + ": a log that begins behind entry " +
                            std::to_string(state.cut_index()) + " is not replaced by one that begins behind entry " +
                            std::to_string(point.index));
    for (auto i = state.cut_index() + 1; i <= state.last; ++i) {
      const auto position = positions_.find(group, i);
      delete_.bind(1, position).bind(2, position).run();
    }
    positions_.reset(group, point.index + 1);
    state.row.cut = point;
    state.row.cut_hash = {};
    state.last = point.index;
    state.last_hash = {};
    state.last_number = 0;
    write_group(s, group, state);
  }

  void append(staging& s, std::uint32_t group, group_state& state, const messages::log_entry& e) {
    if (e.index != state.last + 1)
      fail(ec::invalid, connection_.path() + ": group " + std::to_string(group) + ": entry " + std::to_string(e.index) +
                            " follows entry " + std::to_string(state.last));
    const auto before = state.last_hash;
    const auto hash = hash_of(e, group, s.number, before);
    insert(positions_.append(group, e.index), group, e, s.number, before, checksum_of(hash));
    state.last = e.index;
    state.last_hash = hash;
    state.last_number = s.number;
  }

  void insert(std::uint64_t position, std::uint32_t group, const messages::log_entry& e, std::uint64_t number,
              const row_hash& before, std::uint64_t checksum) {
    const resetting r{insert_};
    insert_.bind(1, position)
        .bind(2, group)
        .bind(3, e.index)
        .bind(4, e.term)
        .bind(5, static_cast<std::uint64_t>(e.type))
        .bind(6, number)
        .bind(7, {reinterpret_cast<const char*>(before.data()), before.size()})
        .bind(8, checksum)
        .bind(9, *e.data);
    insert_.step();
  }

  /// Removes entry `from` and all behind it.
  void forget_from(std::uint32_t group, group_state& state, std::uint64_t from) {
    for (auto i = from + (mutated(mutation::truncate_wrong_index) ? 1u : 0u); i <= state.last; ++i) {
      const auto position = positions_.find(group, i);
      delete_.bind(1, position).bind(2, position).run();
    }
    if (from - 1 == state.cut_index()) {
      state.last_hash = state.row.cut_hash;
      state.last_number = 0;
    } else {
      const auto [row, hash] = read_one(group, from - 1);
      state.last_hash = hash;
      state.last_number = row.number;
    }
    state.last = from - 1;
  }

  std::pair<entry_row, row_hash> read_one(std::uint32_t group, std::uint64_t index) {
    auto row = read_entry(connection_, select_, positions_.find(group, index), group, index);
    auto hash = hash_of(row.entry, group, row.number, row.before);
    return {std::move(row), hash};
  }

  void write_group(staging& s, std::uint32_t group, group_state& state) {
    state.row.number = s.number;
    const resetting r{group_};
    bind(group_, group, state.row);
    group_.step();
  }

  /// Rows before the oldest that is needed.
  std::uint64_t deletable() const { return positions_.floor() - positions_.lowest(); }

  void delete_some(std::uint64_t rows) {
    rows = std::min(rows, deletable());
    if (rows == 0)
      return;
    delete_.bind(1, positions_.lowest()).bind(2, positions_.lowest() + rows - 1).run();
    positions_.deleted_before(positions_.lowest() + rows);
  }

  /// A group that is seldom written and cut keeps everything behind its oldest entry from being deleted.
  bool in_the_way() const { return positions_.present() > 2 * positions_.needed() + options_.spare_rows; }

  void move_or_delete() {
    const bool moving = deletable() == 0 && in_the_way();
    if (deletable() == 0 && !moving)
      return;
    staging s{groups_, number_};
    transaction t{connection_, begin_, commit_};
    if (moving) {
      const auto until = positions_.lowest() + std::min(deletions_per_maintain, positions_.present());
      for (const auto& p : positions_.needed_before(until)) {
        const auto [row, hash] = read_one(p.group, p.index);
        insert(positions_.move(p), p.group, row.entry, row.number, row.before, row.checksum);
      }
      delete_.bind(1, positions_.lowest()).bind(2, until - 1).run();
      positions_.deleted_before(until);
    } else {
      delete_some(deletions_per_maintain);
    }
    t.commit();
    accept(std::move(s));
  }

  void accept(staging&& s) {
    for (auto& [group, state] : s.changed)
      groups_.insert_or_assign(group, std::move(state));
    positions_.commit();
    number_ = s.number;
    ++counters_.transactions;
  }

  void write_mark() {
    journal_mark mark;
    mark.number = number_;
    for (const auto& [group, state] : groups_)
      mark.groups.push_back({group, state.last, state.row.term});
    if (auto written = mark_.write(mark); !written) {
      // The rows are durable already, so this is not a refusal that leaves nothing behind.
      auto error = written.error();
      error.code = ec::io_failed;
      throw storage_failure{std::move(error)};
    }
  }

  /// True when there is more to do soon.
  bool checkpoint_step() {
    if (checkpointer_ == nullptr) {
      if (counters_.wal_bytes >= next_checkpoint_bytes())
        finish_checkpoint();
      return false;
    }
    if (auto ended = checkpointer_->finished()) {
      if (!*ended) {
        retry_bytes_ = counters_.wal_bytes + options_.checkpoint_bytes / 4;
        throw storage_failure{ended->error()};
      }
      const auto left = static_cast<std::int64_t>(frames_) - (*ended)->done;
      if (left <= finish_frames_max || ++rounds_ >= 4) {
        rounds_ = 0;
        finish_checkpoint();
      } else {
        checkpointer_->start();
        return true;
      }
    } else if (counters_.wal_bytes >= next_checkpoint_bytes()) {
      checkpointer_->start();
    }
    return checkpointer_->busy();
  }

  std::uint64_t next_checkpoint_bytes() const { return std::max(options_.checkpoint_bytes, retry_bytes_); }

  /// Moves what is left while no write can come between, so that the next one starts the WAL from its beginning.
  void finish_checkpoint() {
    const auto before = nanoseconds();
    const auto out = connection_.checkpoint();
    counters_.last_checkpoint_ns = nanoseconds() - before;
    ++counters_.checkpoints;
    // A reader (an audit) in the way: try again when a quarter more has gathered.
    retry_bytes_ = out.complete ? 0 : counters_.wal_bytes + options_.checkpoint_bytes / 4;
    if (out.complete)
      counters_.wal_bytes = 0;
  }

  bool old_wal_ = true; ///< what an earlier process wrote is still in the WAL
  disk& disk_;
  std::string directory_;
  journal_options options_;
  mark_file mark_;
  connection connection_;
  prepared begin_, commit_, group_, insert_, delete_, select_;
  std::unique_ptr<journal_checkpointer> checkpointer_;
  states groups_;
  journal_positions positions_;
  std::uint64_t number_ = 0; ///< of the newest transaction
  std::uint64_t frames_ = 0, retry_bytes_ = 0;
  unsigned rounds_ = 0;
  journal_counters counters_;
  std::optional<storage_error> broken_;
};

} // namespace

storage_result<std::unique_ptr<journal>> open_journal(disk& d, const std::string& directory, const journal_options& options) {
  return guarded([&] {
    constexpr const char* advice = "restore the data directory from a backup or from another member of the cluster";
    const auto path = directory + "/journal.db", mark_path = directory + "/journal.mark";
    const bool there = d.exists(path);
    if (there && !d.exists(mark_path))
      fail(ec::damaged, mark_path + ": is missing; without it nobody can tell whether " + path + " is whole; " + advice);
    auto mark = mark_file::open(d, mark_path);
    if (!mark)
      throw storage_failure{mark.error()};
    if (there && !mark->stored())
      fail(ec::damaged, mark_path + ": holds no whole mark; without it nobody can tell whether " + path + " is whole; " + advice);
    if (!there && mark->stored() && mark->stored()->number > 0)
      fail(ec::damaged,
           path + ": is missing, and " + std::to_string(mark->stored()->number) + " durable transactions with it; " + advice);
    if (!mark->stored())
      if (auto written = mark->write({}); !written)
        throw storage_failure{written.error()};
    auto out = guarded(
        [&]() -> std::unique_ptr<journal> { return std::make_unique<sqlite_journal>(d, directory, options, std::move(*mark)); });
    if (!out && out.error().code == ec::not_found)
      fail(ec::damaged, path + ": is empty, but its mark says that it held transactions; " + advice);
    if (!out)
      throw storage_failure{std::move(out.error())};
    return std::move(*out);
  });
}

} // namespace epione::runtime
