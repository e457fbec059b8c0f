// Reads all events of a shard, front to back, beside whoever writes them: for exports.
//
// Events are only ever appended and never change. So a walk up to the newest event there was when it began sees one state,
// however long it takes, without a read transaction that would hold up checkpoints and let the write-ahead logs grow for as long.
#pragma once

#include "domain/chain.hpp"
#include "runtime/storage/disk.hpp"
#include "runtime/storage/shard_store.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>

namespace epione::runtime {

/// Index of the newest entry of each group that the journal holds, or held before it was cut. What a single node acknowledged
/// before the call is at or below it. Fails with `not_found` without a journal.
storage_result<std::map<std::uint32_t, std::uint64_t>> journal_ends(disk& d, const std::string& directory);

/// How far a store has come at this moment.
struct store_position {
  std::uint64_t applied = 0; ///< index of the newest entry
  chain_head head;           ///< of its events
};
/// Fails with `not_found` when the store does not exist yet.
storage_result<store_position> read_store_position(disk& d, const std::string& directory, std::uint32_t shard);

/// Gets an event's place and its bytes, which are valid during the call. A failure ends the walk with it.
using event_function = std::function<storage_result<void>(std::uint64_t seq, std::string_view event)>;

/// The events behind `from` (seq 0: all) up to `to`. Fails with `damaged`, naming file and event, when one is missing, does not
/// match its checksum, or the last one is not `to`'s; with `invalid` when `from` is not an event of this store: another
/// directory, or one that was restored from an older backup.
storage_result<void> walk_events(disk& d, const std::string& directory, std::uint32_t shard, const chain_head& from,
                                 const chain_head& to, const event_function& each);

} // namespace epione::runtime
