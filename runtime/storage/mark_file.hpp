// journal.mark: what the journal must hold at least. SQLite silently drops WAL frames after the first one that does not match its
// checksum, so a journal that lost its newest rows looks like an older, healthy one. This file, written and synced after each
// transaction, tells them apart.
//
// Two slots are written in turn, each with a checksum: a write that a crash tears leaves the other slot, which says one
// transaction less. Both slots lie in blocks that are allocated when the file is created, so that marking needs no space later.
#pragma once

#include "runtime/defaults.hpp"
#include "runtime/storage/disk.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace epione::runtime {

struct group_mark {
  std::uint32_t group = 0;
  std::uint64_t last = 0; ///< newest index
  std::uint64_t term = 0; ///< current term, not that of the newest entry
};

struct journal_mark {
  std::uint64_t number = 0; ///< of the newest durable transaction
  std::vector<group_mark> groups;
};

class mark_file {
public:
  static constexpr std::size_t slot_bytes = 4096;
  static constexpr std::size_t groups_max = defaults::journal_groups_max; ///< that fit a slot

  /// Opens or creates. A created file says nothing yet.
  static storage_result<mark_file> open(disk& d, const std::string& path);
  /// What the newer whole slot says; nothing when neither is whole.
  static std::optional<journal_mark> parse(const std::vector<std::uint8_t>& bytes);

  const std::optional<journal_mark>& stored() const { return stored_; }
  /// Writes the slot that is not the newest, and syncs.
  storage_result<void> write(const journal_mark& mark);

private:
  std::unique_ptr<disk_file> file_;
  std::optional<journal_mark> stored_;
  unsigned next_slot_ = 0;
};

} // namespace epione::runtime
