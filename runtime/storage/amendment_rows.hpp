// The table of shard-NNN.db that says which events amend a submission. Only what was amended is in it, so that a submission costs
// nothing more; all of it can be rebuilt from the events.
#pragma once

#include "runtime/storage/sqlite.hpp"

#include <cstdint>
#include <vector>

namespace epione::runtime {

/// What a store of format 2 lacks. `first` is the event that stored the submission, `version` 2 or more.
inline constexpr const char* format_3_schema =
    "CREATE TABLE amendment(first INTEGER NOT NULL, version INTEGER NOT NULL, seq INTEGER NOT NULL, checksum INTEGER NOT NULL,"
    " PRIMARY KEY(first, version)) WITHOUT ROWID";

/// The writing side; used within the store's transaction. Throws `damaged`.
class amendment_writer {
public:
  explicit amendment_writer(connection& c);
  /// The newest version of the submission; 1 when it was never amended.
  std::uint64_t newest(std::uint64_t first);
  /// The event that made this version; 0: none.
  std::uint64_t find(std::uint64_t first, std::uint64_t version);
  void add(std::uint64_t first, std::uint64_t version, std::uint64_t seq);

private:
  connection& connection_;
  prepared insert_, newest_, find_;
};

class amendment_reader {
public:
  explicit amendment_reader(connection& c);
  /// The events that amend a submission, in the order of their versions. Throws `damaged`.
  std::vector<std::uint64_t> of(std::uint64_t first);

private:
  connection& connection_;
  prepared select_;
};

/// Throws `damaged` unless the table has one row for each of the `events` amendments of the store, of the right submission and
/// version. Within the transaction in which the newest event that was counted is read.
void check_amendments(connection& c, std::uint64_t events);

} // namespace epione::runtime
