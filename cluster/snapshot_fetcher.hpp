// Fetches the files that replicas of this node need from other nodes: one at a time, a few pieces under way, no faster than it
// may.
#pragma once

#include "messages/interfaces.hpp"
#include "messages/snapshot.hpp"
#include "runtime/environment.hpp"
#include "runtime/storage/disk.hpp"

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <utility>

typedef struct XXH3_state_s XXH3_state_t;

namespace epione::cluster {

struct snapshot_fetcher_state {
  struct transfer {
    std::uint32_t group = 0;
    std::string node;
    messages::snapshot_offer offer;
    std::unique_ptr<runtime::disk_file> file;
    std::shared_ptr<XXH3_state_t> hash;
    std::uint64_t written = 0, asked = 0; ///< bytes
    unsigned under_way = 0;
    std::uint64_t round = 0; ///< goes up when pieces are asked for again; answers to an earlier round come too late
    std::map<std::uint64_t, messages::bytes_ptr> early; ///< pieces that came before the one in front of them
    std::int64_t begun_ns = 0, heard_ns = 0;            ///< heard_ns: when something came last
    std::int64_t paced_ns = 0;                          ///< since then its speed is counted, from `paced` bytes on
    std::uint64_t paced = 0;
    bool waiting = false; ///< for its turn, because it is faster than it may be
    bool closing = false; ///< all is here, and the other node is asked for its checksum
  };
  snapshot_fetcher_state() = default;
  std::deque<std::pair<std::uint32_t, std::string>> waiting; ///< groups and nodes, each group once
  std::shared_ptr<transfer> now;                             ///< null: none. Answers to an earlier one find it changed
  std::uint64_t fetched = 0;
  static inline const char* name = "snapshot_fetcher";
};

/// "fetcher" in the directory. Writes files: spawn it with spawn_blocking.
messages::snapshot_fetcher_actor::behavior_type
snapshot_fetcher(messages::snapshot_fetcher_actor::stateful_pointer<snapshot_fetcher_state> self,
                 const runtime::environment& env);

} // namespace epione::cluster
