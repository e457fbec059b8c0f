// Gathers a shard's commands into log entries. While one batch is on its way the next one gathers, so that batches grow with the
// load and an idle shard writes at once.
#pragma once

#include "messages/interfaces.hpp"
#include "runtime/environment.hpp"

#include <cstdint>
#include <deque>
#include <string>

namespace epione::actors {

struct storage_writer_options {
  std::uint32_t batch_commands_max = 0;
  std::size_t batch_bytes_max = 0;
};

struct storage_writer_state {
  storage_writer_state() = default;
  std::uint64_t epoch = 0, next_batch = 1, batch_on_its_way = 0;
  bool flush_sent = false;
  std::deque<messages::command_ptr> gathered;
  std::deque<messages::commands_ptr> gathered_together; ///< each in one entry
  messages::receipts_ptr on_its_way;
  messages::replica_actor replica;
  messages::shard_region_actor region;
  std::uint64_t batches = 0, commands = 0;
  static inline const char* name = "storage_writer";
};

/// One batch is on its way at a time; commands of an epoch that is over are dropped (their region has answered for them).
messages::storage_writer_actor::behavior_type
storage_writer(messages::storage_writer_actor::stateful_pointer<storage_writer_state> self, const runtime::environment& env,
               std::uint32_t shard, storage_writer_options options);

} // namespace epione::actors
