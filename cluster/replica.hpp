// One group's Raft member on this node: takes proposals, has the journal write them, tells who proposed once they are durable,
// and feeds the group's store. It owns the core and nothing on disk, so its death loses nothing: the next one loads the journal.
#pragma once

#include "cluster/raft_core.hpp"
#include "messages/interfaces.hpp"
#include "runtime/defaults.hpp"
#include "runtime/environment.hpp"
#include "runtime/shard_view.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

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

struct replica_state {
  enum class phase : std::uint8_t { loading, bootstrapping, raising, running, waiting, installing, stopped };
  struct proposal {
    std::uint64_t index, batch;
    messages::proposer who;
  };
  struct attachment {
    messages::shard_store_actor store;
    std::uint64_t applied, term;
  };
  struct applied_waiter {
    std::uint64_t index;
    caf::typed_response_promise<std::uint64_t> answer;
  };

  replica_state() = default;
  phase at = phase::loading;
  messages::journal_actor journal;
  std::unique_ptr<raft_core> core; ///< null unless running
  std::uint64_t write_epoch = 0;   ///< of the core: its writes and their completions carry it

  std::int64_t core_started_ms = 0;
  std::optional<messages::snapshot_point> cut; ///< of the log as it was loaded

  std::map<std::uint64_t, std::string> nodes; ///< of members that were heard, by id: a new one knows nobody else
  std::uint64_t told_leader = 0;              ///< whom the listener and the view know as leader
  std::string told_without;                   ///< the same of a leader that says this server does not belong to it
  std::optional<std::uint64_t> follow_from;   ///< committed when this epoch's leader was first heard
  bool follow_told = false;
  bool fetching = false;                           ///< another member's store is on its way
  caf::actor_addr fetcher;                         ///< who brings it
  std::optional<messages::snapshot_point> fetched; ///< it is here, and the journal is being told
  std::optional<std::pair<messages::server_change, caf::typed_response_promise<std::uint64_t>>> waiting_change;
  std::int64_t view_due_ms = 0;
  bool term_raised = false;           ///< of the log that is being loaded
  std::int64_t transfer_until_ms = 0; ///< not 0: then a leadership that was to be handed over is given up

  messages::shard_listener listener;
  std::uint64_t epoch = 0;   ///< 0: none is open
  std::uint64_t barrier = 0; ///< index of this epoch's own barrier; 0: not submitted
  bool serving = false, barrier_flushed = false;
  std::deque<proposal> proposals; ///< of this epoch, not committed yet

  messages::shard_store_actor store;
  std::optional<attachment> waiting_store;                  ///< came before the log was loaded
  std::uint64_t applied = 0, sent = 0;                      ///< by, and to the store
  std::deque<std::pair<std::uint64_t, std::size_t>> window; ///< last index and bytes of every chunk not yet applied
  std::size_t window_bytes = 0;
  std::vector<applied_waiter> applied_waiters; ///< bounded by defaults::applied_waiters_max
  bool feed_due = false;                       ///< what is committed goes to the store when the delay is over
  bool refilling = false;                      ///< the journal was asked for entries that are no longer in memory

  std::uint64_t timer = 0;       ///< the one that counts; older ones are ignored
  std::int64_t timer_due_ms = 0; ///< 0: none is running
  std::uint32_t backoff_ms = 0;
  static inline const char* name = "replica";
};

/// Ends with `damaged` when the journal cannot be a log, is behind its store, or no longer has what the store needs.
messages::replica_actor::behavior_type replica(messages::replica_actor::stateful_pointer<replica_state> self,
                                               const runtime::environment& env, replica_options options, epoch_counter epochs);

} // namespace epione::cluster
