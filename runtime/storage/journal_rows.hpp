// The tables of journal.db and what makes a row of them trustworthy; shared by the journal and the audit.
//
// Entries lie in the order they were written, not by group: a transaction of all groups then fills a few pages at the end of the
// table instead of one or more a group (docs/benchmarks.md). Where a group's entries are is kept in memory, 8 bytes each.
#pragma once

#include "messages/log.hpp"
#include "runtime/storage/sqlite.hpp"

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace epione::runtime {

inline constexpr file_format journal_format{0x45504a4c /* EPJL */, 1, "journal"};
extern const char* const journal_schema;

/// XXH3-128 over a row and the hash of the row before it in its group. It tells damage, not a forger: that is what the shards'
/// BLAKE2b chain and its anchors are for.
using row_hash = std::array<std::uint8_t, 16>;

row_hash hash_of(const messages::log_entry& entry, std::uint32_t group, std::uint64_t number, const row_hash& before);
/// What the row's column `checksum` holds.
std::uint64_t checksum_of(const row_hash& hash);

/// Everything of a group but its entries. `number` is that of the transaction which wrote it.
struct group_row {
  std::uint64_t term = 0, voted_for = 0, number = 0;
  std::optional<messages::snapshot_point> cut;
  row_hash cut_hash{}; ///< of the entry at the cut
};

void bind(prepared& insert, std::uint32_t group, const group_row& row);
extern const char* const insert_group;

struct group_state {
  group_row row;
  std::uint64_t last = 0;
  row_hash last_hash{};
  std::uint64_t last_number = 0; ///< of the transaction that wrote the newest entry
  std::uint64_t cut_index() const { return row.cut ? row.cut->index : 0; }
};

/// All groups, each row checked. Throws `damaged`.
std::vector<std::pair<std::uint32_t, group_row>> read_groups(connection& c);

/// Where everything lies. A group's row of a position may be one from before its cut, which only has not been deleted yet.
struct journal_index {
  std::map<std::uint32_t, std::vector<std::pair<std::uint64_t, std::uint64_t>>> entries; ///< group: (index, position), sorted
  std::uint64_t lowest = 1, next = 1;                                                    ///< positions
};
journal_index read_index(connection& c);

/// One entry, with what its row says beside it.
struct entry_row {
  messages::log_entry entry;
  std::uint64_t number = 0, checksum = 0;
  row_hash before{};
};
extern const char* const select_entry; ///< by position
/// Uses and resets `select`. Throws `damaged` unless group and index are there.
entry_row read_entry(connection& c, prepared& select, std::uint64_t position, std::uint32_t group, std::uint64_t index);

/// Reads the entries behind the cut, checks each against its checksum, its predecessor and the index it should have, and hands it
/// over. Fills `last` to `last_number` of `state`. Throws `damaged`, naming group and index.
void read_entries(connection& c, const journal_index& index, std::uint32_t group, group_state& state,
                  const std::function<void(messages::log_entry&&, std::uint64_t position)>& entry);

/// Throws `damaged` when the journal is behind its mark, naming what is missing.
struct journal_mark;
void check_mark(const std::string& path, const journal_mark& mark,
                const std::vector<std::pair<std::uint32_t, group_state>>& groups);

} // namespace epione::runtime
