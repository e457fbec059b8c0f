// The node's journal as an actor: whatever all groups have pending goes into one transaction and one sync.
#pragma once

#include "messages/interfaces.hpp"
#include "runtime/environment.hpp"
#include "runtime/storage/journal.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <vector>

namespace epione::actors {

struct journal_writer_state {
  struct gathered {
    messages::journal_write_ptr write;
    messages::journal_client client;
  };
  journal_writer_state() = default;
  std::unique_ptr<runtime::journal> file; ///< null until the first message
  std::vector<gathered> pending;
  bool flush_sent = false;
  std::map<std::uint32_t, std::uint64_t> failed; ///< by group: writes of this epoch and older ones are refused
  std::int64_t upkeep_at_ns = 0;                 ///< not asked for again before
  runtime::journal_counters seen;                ///< what the metrics have been told already
  static inline const char* name = "journal_writer";
};

/// Ends with `damaged` (or `in_use`) and what to do when the journal cannot be opened; ends the process when a write or sync
/// failed.
messages::journal_actor::behavior_type journal_writer(messages::journal_actor::stateful_pointer<journal_writer_state> self,
                                                      const runtime::environment& env, runtime::journal_options options);

} // namespace epione::actors
