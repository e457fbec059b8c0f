// The replicated log as journal, replica and store speak of it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace epione::messages {

/// Numbers are libraft's (enum raft_entry_type).
enum class entry_type : std::uint8_t { command = 1, barrier = 2, change = 3 };

struct log_entry {
  std::uint64_t index = 0, term = 0;
  entry_type type = entry_type::command;
  std::shared_ptr<const std::string> data; ///< never null; empty for a barrier
};
using log_entries = std::vector<log_entry>;
using log_entries_ptr = std::shared_ptr<const log_entries>;

/// Up to where a store holds everything durably, with the configuration in force there.
struct snapshot_point {
  std::uint64_t index = 0, term = 0;
  std::string configuration; ///< libraft's encoding
  std::uint64_t configuration_index = 0;
};

/// All that is stored of one group.
struct group_log {
  std::uint64_t term = 0, voted_for = 0;
  std::optional<snapshot_point> cut; ///< the log begins behind it
  log_entries entries;               ///< consecutive; from cut->index + 1, or from 1
};
using group_log_ptr = std::shared_ptr<const group_log>;

/// One group's part of a journal transaction.
struct journal_write {
  std::uint32_t group = 0;
  std::uint64_t epoch = 0; ///< of the replica; comes back with the completion
  std::optional<std::uint64_t> term, voted_for;
  log_entries entries; ///< consecutive; everything stored from entries[0].index on is replaced
};
using journal_write_ptr = std::shared_ptr<const journal_write>;

} // namespace epione::messages
