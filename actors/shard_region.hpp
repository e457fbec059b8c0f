// One shard's front on the node that leads it: the table of what is on its way, the sessions, the limits.
//
// The table outlives sessions. It holds every submission from its arrival until the store has applied it, so a repeat or a
// conflict that comes meanwhile meets the first one here and waits for it; afterwards the session finds it in the store.
#pragma once

#include "actors/patient_session.hpp"
#include "actors/start_ramp.hpp"
#include "messages/interfaces.hpp"
#include "runtime/environment.hpp"
#include "runtime/readiness.hpp"

#include <cstdint>
#include <deque>
#include <functional>
#include <list>
#include <map>
#include <string>
#include <unordered_map>
#include <vector>

namespace epione::actors {

struct shard_region_options {
  std::uint32_t shard = 0;
  std::uint32_t validators = 0, readers = 0;
  std::uint32_t store_lag_max = 0;       ///< submissions on the way or not yet applied
  std::uint64_t store_lag_bytes_max = 0; ///< of their content, repeats that wait included
  std::uint32_t request_limit_ms = 0;    ///< after it the gateway has answered, and nobody waits here any more
  std::uint32_t sessions_max = 0;        ///< the least recently used is dropped beyond
  std::uint32_t session_idle_limit_ms = 0;
  std::uint32_t session_starts_per_s = 1; ///< in the first second of an epoch (start_ramp.hpp)
  std::uint32_t validator_crashes_max = 0;
  std::uint32_t retry_after_s = 0;
};

struct shard_region_state {
  enum class phase : std::uint8_t {
    waiting,   ///< for its session to be started (start_ramp.hpp)
    checking,  ///< with its session
    held,      ///< accepted; waits for those it is stored together with
    proposed,  ///< with the storage_writer, the log or the journal
    committed, ///< durable; not yet in the store
  };

  struct waiter {
    messages::ticket to = 0;
    messages::reply_receiver receiver;
    messages::submission_ptr what;
  };

  struct entry {
    domain::fingerprint fingerprint{};
    std::uint64_t subject_hash = 0, session_serial = 0;
    std::int64_t received_ns = 0;
    phase at = phase::checking;
    std::uint8_t crashes = 0;
    std::uint64_t bytes = 0; ///< of what its waiters have sent
    bool set_aside = false;  ///< proposed as something to look at, not as a submission
    std::uint32_t validator = 0;
    std::string results;           ///< of a check: assessment::results
    messages::command_ptr command; ///< of a whole response, whose answer is its event, and of one that is held
    std::vector<waiter> waiters;   ///< the first one is the sender; the others came with the same key
  };

  struct session {
    messages::patient_session_actor actor;
    std::uint64_t serial = 0;
    std::int64_t used_ns = 0;
    std::uint32_t checking = 0;
    std::list<std::uint64_t>::iterator place; ///< in by_use
  };

  struct waiting_read {
    messages::ticket to = 0;
    messages::read_request_ptr what;
    messages::list_client client;
    std::int64_t asked_ns = 0;
  };

  /// What a dead validator had in hand is known by its DOWN, which may come after the news of its successor.
  struct validator_slot {
    messages::validator_actor now;  ///< null: not running
    messages::validator_actor next; ///< takes over when the end of `now` is known
  };

  shard_region_state() = default;
  ~shard_region_state();

  bool serving = false;
  std::uint64_t epoch = 0, applied = 0;
  ec why_not = ec::not_serving;
  std::unordered_map<domain::receipt, entry> table;
  std::deque<std::pair<std::uint64_t, domain::receipt>> not_applied; ///< by index
  std::unordered_map<std::uint64_t, session> sessions;               ///< by subject_hash
  std::list<std::uint64_t> by_use;                                   ///< least recently used first
  start_ramp ramp{1};
  std::deque<domain::receipt> starts_waiting; ///< of the table, in the order they came
  bool looking = false;                       ///< a message to look at those who wait is on its way
  std::uint64_t next_serial = 1;
  std::uint32_t next_validator = 0;
  std::uint64_t table_bytes = 0;
  std::vector<validator_slot> validators;
  std::vector<messages::store_reader_actor> readers;
  std::unordered_map<messages::ticket, waiting_read> asked_reads;     ///< waiting for the replica's index
  std::multimap<std::uint64_t, waiting_read> held_reads;              ///< waiting for the store to apply up to the key
  std::unordered_multimap<domain::receipt, waiting_read> reads_after; ///< waiting for the outcome of this submission
  std::deque<std::pair<domain::receipt, domain::fingerprint>> set_aside;
  std::vector<std::pair<messages::reply_receiver, messages::replies_ptr>> outgoing;
  messages::replica_actor replica;
  messages::storage_writer_actor writer;
  messages::outbox_actor outbox; ///< null: not running
  std::unordered_map<domain::receipt, bool>
      outbox_commands;          ///< proposed for it, and whether somebody waits; bounded by the outbox
  std::function<void()> on_end; ///< takes the shard's readiness back, however the actor ends
  static inline const char* name = "shard_region";
};

/// Listens to "replica N" of the directory; says in `readiness` why it does not serve. `readiness` must outlive the actor.
messages::shard_region_actor::behavior_type shard_region(messages::shard_region_actor::stateful_pointer<shard_region_state> self,
                                                         const runtime::environment& env, shard_region_options options,
                                                         runtime::readiness& readiness);

} // namespace epione::actors
