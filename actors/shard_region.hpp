// One shard's front on the node that leads it. Its parts: the table of what is on its way (region_table.hpp), the sessions and
// those who wait for one (region_sessions.hpp, start_queue.hpp), who checks what (region_checks.hpp), reads, answers, the
// outbox's commands, what was set aside (region_reads.hpp and so on). What takes a submission through them is
// region_submissions.hpp; changes of what is stored are change_desk.hpp's.
#pragma once

#include "actors/region_answers.hpp"
#include "actors/region_checks.hpp"
#include "actors/region_metrics.hpp"
#include "actors/region_outbox.hpp"
#include "actors/region_reads.hpp"
#include "actors/region_sessions.hpp"
#include "actors/region_set_aside.hpp"
#include "actors/region_standing.hpp"
#include "actors/region_table.hpp"
#include "actors/start_queue.hpp"
#include "messages/interfaces.hpp"
#include "runtime/environment.hpp"
#include "runtime/readiness.hpp"

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <utility>

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

/// In the order in which they stand on each other. They refer to each other and stay where they are.
struct region_parts {
  region_parts(region_pointer self, const runtime::environment& env, const shard_region_options& o);
  region_parts(const region_parts&) = delete;
  region_parts& operator=(const region_parts&) = delete;

  region_metrics metrics;
  region_standing standing;
  region_table table;
  region_sessions sessions;
  start_queue starts;
  region_checks checks;
  region_reads reads;
  region_answers answers;
  region_outbox outbox;
  region_set_aside set_aside;
  /// Committed, by index: submissions and the outbox's commands.
  std::deque<std::pair<std::uint64_t, domain::receipt>> not_applied;
};

struct shard_region_state {
  shard_region_state() = default;
  ~shard_region_state();

  std::function<void()> on_end;      ///< takes the shard's readiness back, however the actor ends
  std::optional<region_parts> parts; ///< from its start on
  static inline const char* name = "shard_region";
};

/// Listens to "replica N" of the directory; says in `readiness` why it does not serve. `readiness` must outlive the actor.
messages::shard_region_actor::behavior_type shard_region(messages::shard_region_actor::stateful_pointer<shard_region_state> self,
                                                         const runtime::environment& env, shard_region_options options,
                                                         runtime::readiness& readiness);

} // namespace epione::actors
