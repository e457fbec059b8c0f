// What one group's replica is given at its start.
#pragma once

#include "runtime/defaults.hpp"
#include "runtime/shard_view.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

namespace epione::cluster {

/// Address of a server that was alone when it was written down: it had no name yet.
inline constexpr const char* nameless = "self";

struct replica_options {
  replica_options(std::uint32_t g) : group(g) {} // NOLINT: a group alone is a whole set of options
  std::uint32_t group;
  std::uint64_t server_id = 1;    ///< of this node in the group's configuration
  std::string address = nameless; ///< of this node
  bool bootstrap = true;          ///< an empty journal begins a new group with this node as its only voter
  std::uint32_t election_ms = runtime::defaults::raft_election_ms;
  std::uint32_t heartbeat_ms = runtime::defaults::raft_heartbeat_ms;
  std::size_t feed_window_bytes = runtime::defaults::store_feed_window_bytes; ///< sent to the store and not yet applied
  std::size_t feed_chunk_bytes = runtime::defaults::store_feed_chunk_bytes;   ///< of one message to the store
  std::uint32_t feed_delay_ms = runtime::defaults::store_feed_delay_ms;       ///< how long committed entries gather for the store
  std::size_t memory_bytes_max = runtime::defaults::replica_memory_bytes_max; ///< of applied entries that stay in memory
  std::uint32_t lease_ms = runtime::defaults::raft_lease_ms;
  runtime::shard_view* view = nullptr; ///< told how the group is; null: nobody looks
};

/// Start value of a node's epochs; shared by all replicas, so that no epoch is ever used twice within a process.
using epoch_counter = std::shared_ptr<std::atomic<std::uint64_t>>;

} // namespace epione::cluster
