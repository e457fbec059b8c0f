// How a shard's region stands and whom it works with: what all of its parts look at, and only the region itself changes.
#pragma once

#include "messages/interfaces.hpp"

#include <cstdint>
#include <vector>

namespace epione::actors {

/// For the parts of a region, which know nothing of its state.
using region_pointer = messages::shard_region_actor::pointer;

struct region_standing {
  bool serving = false;
  std::uint64_t epoch = 0;      ///< the replica's newest
  std::uint64_t applied = 0;    ///< index up to which the store has applied the log
  ec why_not = ec::not_serving; ///< unless it serves
  messages::replica_actor replica;
  messages::storage_writer_actor writer;
  std::vector<messages::store_reader_actor> readers; ///< null: not running

  /// The one for this patient; null: not running.
  messages::store_reader_actor reader_of(std::uint64_t subject_hash) const {
    return readers.empty() ? messages::store_reader_actor{} : readers[subject_hash % readers.size()];
  }
};

} // namespace epione::actors
