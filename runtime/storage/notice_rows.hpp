// The tables of shard-NNN.db that say where planned notices are: pending, or dead letters. A notice that is planned in its event
// and in neither table was sent. All of it can be rebuilt from the events.
#pragma once

#include "domain/limits.hpp"
#include "domain/notice_change.hpp"
#include "messages/dead_letter.hpp"
#include "messages/submission.hpp"
#include "runtime/storage/sqlite.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

namespace epione::runtime {

/// What a store of format 1 lacks: these tables, and the state's sum of the rows of subjects, which its next opening fills in.
inline constexpr const char* format_2_schema =
    "ALTER TABLE state ADD COLUMN subjects INTEGER NOT NULL DEFAULT 0;"
    "CREATE TABLE pending_notice(key INTEGER PRIMARY KEY, lane INTEGER NOT NULL, checksum INTEGER NOT NULL);"
    "CREATE TABLE dead_notice(key INTEGER PRIMARY KEY, lane INTEGER NOT NULL, at INTEGER NOT NULL, dropped INTEGER NOT NULL,"
    " checksum INTEGER NOT NULL, reason BLOB NOT NULL);"
    "CREATE TABLE notice_count(id INTEGER PRIMARY KEY CHECK(id = 1), pending INTEGER NOT NULL, dead INTEGER NOT NULL,"
    " checksum INTEGER NOT NULL)";

/// A row's key: ascending with the events, so that new rows are appended.
inline constexpr std::uint64_t notices_an_event = messages::notices_an_event;
static_assert(domain::limits::notices_max <= notices_an_event);
constexpr std::uint64_t notice_row_key(std::uint64_t seq, std::uint32_t number) {
  return seq * notices_an_event + number;
}

/// The writing side; used within the store's transaction, whose end it must be told.
class notice_writer {
public:
  /// Throws `damaged` when the counts do not match their checksum.
  explicit notice_writer(connection& c);
  /// The notices of the event `seq`, pending from now on. Throws `unknown_command`.
  void plan(std::uint64_t seq, std::string_view event_bytes);
  /// False when no notice was in the state that its change leads from: nothing was changed.
  bool change(const std::vector<domain::notice_change>& changes);
  /// Before the commit: how many there are now.
  void save();
  void committed() { saved_ = counts_; }
  void rolled_back() { counts_ = saved_; }

private:
  bool change_one(const domain::notice_change& x);
  void insert_pending(std::uint64_t key, std::uint64_t lane);
  void insert_dead(std::uint64_t key, std::uint64_t lane, std::int64_t at_us, bool dropped, std::string_view reason);

  connection& connection_;
  prepared insert_pending_, select_pending_, delete_pending_, insert_dead_, select_dead_, delete_dead_, save_counts_;
  messages::notice_counts counts_, saved_;
};

/// The reading side.
class notice_reader {
public:
  notice_reader(connection& c, std::uint32_t shard);
  /// `select_event` is the caller's, by seq. Throws `damaged`.
  messages::notice_page pending(prepared& select_event, const messages::notice_question& question);
  messages::dead_letters dead(prepared& select_event, const messages::notice_question& question);
  /// Where the `count` notices of the event `seq` are.
  std::vector<messages::notice_state> states(std::uint64_t seq, std::size_t count);

private:
  connection& connection_;
  std::uint32_t shard_;
  prepared pending_from_, dead_from_;
};

/// Rebuilds from the events what the tables must hold, and compares.
class notice_audit {
public:
  /// `path` of the store, for messages.
  explicit notice_audit(std::string path) : path_(std::move(path)) {}
  /// Reads the tables; within the transaction in which the newest event that was looked at is read. Throws `damaged`.
  void load(connection& c);
  void planned(std::uint64_t seq, std::string_view event_bytes);
  void changed(std::uint64_t seq, std::string_view event_bytes);
  /// A sentence when they differ.
  std::string difference() const;

private:
  struct tables {
    std::unordered_set<std::uint64_t> pending;
    std::unordered_map<std::uint64_t, bool> dead; ///< whether it was dropped
  };
  std::string path_;
  tables stored_, expected_;
};

} // namespace epione::runtime
