// Looks up what shards' stores hold, over connections of its own, so that reading never waits for the one that writes.
#pragma once

#include "messages/interfaces.hpp"
#include "runtime/environment.hpp"
#include "runtime/storage/shard_store.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <string>

namespace epione::actors {

struct store_reader_state {
  /// A file by its name may be another one later: a damaged store is set aside and built again.
  struct connection {
    std::unique_ptr<runtime::store_reader> file; ///< opened when first asked
    std::uint64_t identity = 0;                  ///< as the disk tells it; 0: it cannot tell
  };
  store_reader_state() = default;
  std::map<std::uint32_t, connection> shards;
  std::uint64_t reads = 0, errors = 0;
  static inline const char* name = "store_reader";
};

/// A file that is not there yet holds nothing. What cannot be read is answered as an error, never guessed.
messages::store_reader_actor::behavior_type store_reader(messages::store_reader_actor::stateful_pointer<store_reader_state> self,
                                                         const runtime::environment& env, std::string name);

} // namespace epione::actors
