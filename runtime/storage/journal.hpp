// journal.db: terms, votes and log entries of all groups of a node; what makes an answer true.
#pragma once

#include "messages/log.hpp"
#include "runtime/storage/disk.hpp"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace epione::runtime {

struct journal_options {
  std::uint64_t checkpoint_bytes = 0; ///< WAL size that starts a checkpoint
  std::uint64_t reserve_bytes = 0;    ///< below this much free space a write is refused with disk_full
  std::uint64_t spare_rows = 8'192;   ///< rows not needed any more that may stay before those in their way are moved
};

struct journal_counters {
  std::uint64_t transactions = 0, entries = 0, bytes = 0, checkpoints = 0;
  std::uint64_t last_sync_ns = 0, last_checkpoint_ns = 0, wal_bytes = 0;
};

/// One writer; not thread-safe (its owner is one actor). Every row carries a checksum and the hash of the row before in its
/// group; a small separate file (journal.mark) records the last durable index of every group.
class journal {
public:
  virtual ~journal() = default;
  /// All that is stored of a group, checked row by row. `damaged` when a row does not match its checksum or its
  /// predecessor's hash, rows are missing, or the journal is behind its mark: says group, index, and what is missing.
  virtual storage_result<messages::group_log> load(std::uint32_t group) = 0;
  /// One transaction, one sync, then the mark. All or nothing. disk_full: nothing was written, later calls may succeed.
  /// io_failed: the process must end.
  virtual storage_result<void> write(const std::vector<messages::journal_write_ptr>& writes) = 0;
  /// Forgets entries up to point.index (the store holds them durably). Never beyond what is stored.
  virtual storage_result<void> cut(std::uint32_t group, const messages::snapshot_point& point) = 0;
  /// A bounded piece of upkeep (checkpoint, deletion); call when idle or every some writes. True when there is more to do.
  virtual storage_result<bool> maintain() = 0;
  virtual journal_counters counters() const = 0;
  /// Groups of which anything is stored.
  virtual std::vector<std::uint32_t> groups() const { return {}; }
};

/// Opens or creates DIR/journal.db and DIR/journal.mark and checks every group. Group numbers present: see groups().
storage_result<std::unique_ptr<journal>> open_journal(disk& d, const std::string& directory, const journal_options& options);

} // namespace epione::runtime
