// One shard's store as an actor: gathers what is committed, applies many entries in one transaction, writes it down for good when
// enough has gathered, and tells the replica how far it is.
#pragma once

#include "actors/checkpoint_turn.hpp"
#include "messages/interfaces.hpp"
#include "runtime/defaults.hpp"
#include "runtime/environment.hpp"
#include "runtime/storage/shard_store.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>

namespace epione::actors {

struct shard_store_options {
  shard_store_options(std::uint32_t s) : shard(s) {} // NOLINT: a shard alone is a whole set of options
  std::uint32_t shard;
  std::uint32_t apply_rows_max = runtime::defaults::apply_rows_max;
  std::size_t apply_bytes_max = runtime::defaults::apply_bytes_max;
  std::uint32_t apply_delay_ms = runtime::defaults::apply_delay_ms;
  std::uint64_t checkpoint_bytes = runtime::defaults::store_checkpoint_bytes;
  std::shared_ptr<checkpoint_turn> turn; ///< null: checkpoints whenever it likes
};

struct shard_store_state {
  shard_store_state() = default;
  std::unique_ptr<runtime::shard_store> file; ///< null: not open yet, or being built again
  messages::replica_actor replica;
  messages::log_entries gathered;
  std::uint64_t gathered_rows = 0;
  std::size_t gathered_bytes = 0;
  bool fed = false;       ///< something that fits has come since the last attach
  bool apply_due = false; ///< a delayed flush is under way
  bool opening_again = false, built_again = false, checkpoint_due = false, stopping = false;
  std::uint32_t backoff_ms = 0; ///< not 0: the disk is full, what has gathered waits
  std::uint64_t durable = 0, checkpoints = 0;
  std::int64_t held_until_ns = 0; ///< not 0: the file is being copied, and no checkpoint changes it
  static inline const char* name = "shard_store";
};

/// A damaged file is set aside and built again from the journal when the log still begins at entry 1; otherwise it ends with
/// `damaged`. Ends with `unknown_command` or `conflicting_apply` when a committed entry cannot be applied: an alarm.
/// Told to stop (user_shutdown) it applies what it has, writes everything down and tells the replica first.
messages::shard_store_actor::behavior_type shard_store(messages::shard_store_actor::stateful_pointer<shard_store_state> self,
                                                       const runtime::environment& env, shard_store_options options);

} // namespace epione::actors
