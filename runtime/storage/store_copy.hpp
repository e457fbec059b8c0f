// A shard's store as it is at one moment, copied beside whoever writes it; and such a copy made the store of another cluster.
#pragma once

#include "domain/event.hpp"
#include "messages/log.hpp"
#include "runtime/storage/disk.hpp"
#include "runtime/storage/shard_store.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

namespace epione::runtime {

/// What a copy holds.
struct copied_store {
  std::uint64_t index = 0, term = 0; ///< of the newest applied log entry
  chain_head head;                   ///< of its events
  std::uint64_t bytes = 0;           ///< of the file
};

/// Told how many bytes were copied; may take its time. A failure ends the copy with it.
using copy_pace = std::function<storage_result<void>(std::uint64_t bytes)>;

/// Copies DIR/shard-NNN.db to `to`, a new file that is whole and synced afterwards. The copy is of the moment the call begins,
/// within one read transaction: writers go on into the WAL, which starts over once the copy is done. Fails with `not_found`
/// without such a store, with `damaged` when its newest event is not the one its state names.
storage_result<copied_store> copy_store(disk& d, const std::string& directory, std::uint32_t shard, const std::string& to,
                                        const copy_pace& pace);

/// What a store's file holds that nobody writes, a copy that came by another way.
storage_result<copied_store> look_at_store(disk& d, const std::string& directory, std::uint32_t shard);

/// Makes a copied store that of a group whose only members are those of `configuration` (libraft's encoding); with an event it is
/// added to the chain as the next log entry. Returns the point behind which the group's log begins.
storage_result<messages::snapshot_point> adopt_store(disk& d, const std::string& directory, std::uint32_t shard,
                                                     const std::string& configuration, const std::optional<domain::event>& event);

} // namespace epione::runtime
