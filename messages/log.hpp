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

/// A change of who belongs to a group: one server at a time (dissertation, 4.1).
struct server_change {
  enum class kind : std::uint8_t {
    add,     ///< as a stand-by: gets everything, counts for nothing
    promote, ///< a stand-by that is nearly caught up becomes a voter
    remove
  };
  kind what = kind::add;
  std::uint64_t id = 0;
  std::string node; ///< add: its node's name
  std::string seen; ///< members it was decided on (roster() of cluster/configuration.hpp): with others it is refused. Empty: any
};
using server_change_ptr = std::shared_ptr<const server_change>;

/// One group's part of a journal transaction.
struct journal_write {
  std::uint32_t group = 0;
  std::uint64_t epoch = 0; ///< of the replica; comes back with the completion
  std::optional<std::uint64_t> term, voted_for;
  /// Everything stored of the group's log is replaced by a store that holds everything up to here: the log begins behind it.
  std::optional<snapshot_point> reset;
  log_entries entries; ///< consecutive; everything stored from entries[0].index on is replaced
};
using journal_write_ptr = std::shared_ptr<const journal_write>;

} // namespace epione::messages
