// One group's Raft member on this node: takes proposals, has the journal write them, tells who proposed once they are durable,
// and feeds the group's store. It owns the core and nothing on disk, so its death loses nothing: the next one loads the journal.
//
// Its parts: what it has written (replica_journal.hpp), who the others are and where (replica_members.hpp), changes of them
// (replica_changes.hpp), whom it serves, with proposals and reads under the lease (replica_epoch.hpp), its store
// (replica_feed.hpp, replica_copy.hpp), what others see (replica_view.hpp), and its timer. replica_driver.hpp drives the core
// with them.
#pragma once

#include "cluster/replica_changes.hpp"
#include "cluster/replica_copy.hpp"
#include "cluster/replica_epoch.hpp"
#include "cluster/replica_feed.hpp"
#include "cluster/replica_journal.hpp"
#include "cluster/replica_members.hpp"
#include "cluster/replica_metrics.hpp"
#include "cluster/replica_options.hpp"
#include "cluster/replica_standing.hpp"
#include "cluster/replica_timer.hpp"
#include "cluster/replica_view.hpp"
#include "messages/interfaces.hpp"
#include "runtime/environment.hpp"

#include <optional>
#include <utility>

namespace epione::cluster {

/// In the order in which they stand on each other. They refer to each other and stay where they are.
struct replica_parts {
  replica_parts(replica_pointer self, const runtime::environment& env, replica_options options, epoch_counter epochs)
      : standing(self, env, std::move(options), std::move(epochs)), metrics(env.metrics, standing.options.group) {}
  replica_parts(const replica_parts&) = delete;
  replica_parts& operator=(const replica_parts&) = delete;

  replica_standing standing;
  replica_metrics metrics;
  replica_journal journal{standing};
  replica_members members{standing};
  replica_feed feed{standing, journal};
  replica_epoch epoch{standing, members, feed, metrics};
  replica_changes changes{standing, members};
  replica_copy copy{standing};
  replica_view view{standing, members, feed};
  replica_timer timer{standing};
};

struct replica_state {
  replica_state() = default;
  std::optional<replica_parts> parts; ///< from its start on
  static inline const char* name = "replica";
};

/// Ends with `damaged` when the journal cannot be a log, is behind its store, or no longer has what the store needs.
messages::replica_actor::behavior_type replica(messages::replica_actor::stateful_pointer<replica_state> self,
                                               const runtime::environment& env, replica_options options, epoch_counter epochs);

} // namespace epione::cluster
