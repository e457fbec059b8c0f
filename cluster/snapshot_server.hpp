// Gives other nodes the files of this one's stores, one file and one piece at a time. A store's file stays as it is while it is
// copied (shard_store, hold): nothing is copied here first, and writes go on into its WAL. It is let go when the copy is done,
// when nobody has asked for a piece for some time, or when it took more than twice as long as it should (runtime::copy_hold_ms).
#pragma once

#include "messages/interfaces.hpp"
#include "runtime/environment.hpp"
#include "runtime/storage/database_pages.hpp"

#include <cstdint>
#include <memory>
#include <string>

typedef struct XXH3_state_s XXH3_state_t;

namespace epione::cluster {

struct snapshot_server_state {
  /// The file that is being copied.
  struct transfer {
    std::uint64_t number = 0, size = 0, hashed = 0;
    std::uint32_t group = 0;
    std::string node;
    std::uint64_t requester = 0; ///< of that node
    messages::shard_store_actor store;
    std::unique_ptr<runtime::database_pages> pages;
    std::shared_ptr<XXH3_state_t> hash; ///< of what was sent so far, in order
    std::int64_t until_ns = 0, heard_ns = 0;
  };
  snapshot_server_state() = default;
  ~snapshot_server_state();      ///< lets go of the store, however it ends
  std::unique_ptr<transfer> now; ///< null: none
  bool opening = false;
  bool looking = false; ///< whether a look at its end is due
  std::uint64_t transfers = 0;
  static inline const char* name = "snapshot_server";
};

/// "snapshots" in the directory. Reads files: spawn it with spawn_blocking.
messages::snapshot_server_actor::behavior_type
snapshot_server(messages::snapshot_server_actor::stateful_pointer<snapshot_server_state> self, const runtime::environment& env);

} // namespace epione::cluster
