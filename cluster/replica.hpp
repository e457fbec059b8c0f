// One group's Raft member on this node: takes proposals, has the journal write them, tells who proposed once they are durable,
// and feeds the group's store. It owns the core and nothing on disk, so its death loses nothing: the next one loads the journal.
//
// Its parts: which one it is and how it stands (replica_identity.hpp, replica_standing.hpp), its timer, what it has written
// (replica_journal.hpp), who the others are and where (replica_members.hpp), its store (replica_copy.hpp, replica_feed.hpp), whom
// it serves, with proposals and reads under the lease (replica_epoch.hpp), changes of its members (replica_changes.hpp), and what
// others see (replica_view.hpp). replica_driver.hpp drives the core with them.
#pragma once

#include "cluster/replica_changes.hpp"
#include "cluster/replica_copy.hpp"
#include "cluster/replica_epoch.hpp"
#include "cluster/replica_feed.hpp"
#include "cluster/replica_identity.hpp"
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

/// In the order in which they stand on each other; what each is given says what it needs. They refer to each other and stay where
/// they are.
struct replica_parts {
  replica_parts(replica_pointer self, const runtime::environment& env, replica_options options, epoch_counter epochs)
      : identity(self, env, std::move(options), std::move(epochs)), metrics(env.metrics, identity.options.group) {}
  replica_parts(const replica_parts&) = delete;
  replica_parts& operator=(const replica_parts&) = delete;

  const replica_identity identity;
  replica_standing standing;
  replica_metrics metrics;
  replica_timer timer{identity};
  replica_journal journal{identity};
  replica_members members{identity, standing};
  replica_copy copy{identity, standing};
  replica_feed feed{identity, standing, journal};
  replica_epoch epoch{identity, standing, members, feed, metrics};
  replica_changes changes{identity, standing, members};
  replica_view view{identity, standing, members, feed};
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
