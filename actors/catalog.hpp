// Group 0: the studies. Every import is an event of this group's chain; what is published is built from those events alone, so
// that all nodes and every restart see the same.
#pragma once

#include "actors/study_register.hpp"
#include "messages/interfaces.hpp"
#include "runtime/catalog_view.hpp"
#include "runtime/cluster_view.hpp"
#include "runtime/environment.hpp"
#include "runtime/readiness.hpp"
#include "runtime/shard_view.hpp"
#include "runtime/storage/shard_store.hpp"

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace epione::actors {

/// Opens a reading connection to group 0's store.
using open_reader = std::function<runtime::storage_result<std::unique_ptr<runtime::store_reader>>()>;

struct catalog_state {
  using import_promise = caf::typed_response_promise<std::string, bool, std::uint64_t>;
  struct import {
    std::uint64_t number = 0;
    messages::study_source_ptr source;    ///< a whole study, or
    messages::form_addition_ptr addition; ///< one form for a study
    std::string who;
    import_promise answer;
    std::string id;          ///< of the study
    std::string answered;    ///< id that is answered
    std::uint64_t batch = 0; ///< 0: not proposed
    std::uint64_t index = 0; ///< 0: not committed
  };

  /// What the leader of group 0 has imported for this node, which has not read it yet.
  struct import_ahead {
    std::uint64_t number = 0, seq = 0;
    std::string answered;
    bool changed = false;
    import_promise answer;
  };

  /// An event that changes no study, proposed and not yet durable.
  struct record {
    std::uint64_t batch = 0;
    caf::typed_response_promise<bool> answer;
  };

  catalog_state() = default;
  /// However the actor ends, nobody waits for an answer that will not come.
  ~catalog_state();
  messages::replica_actor replica;
  std::unique_ptr<runtime::store_reader> reader;
  study_register studies;
  bool serving = false, following = false;
  bool cluster_change = false; ///< one is on its way into group 0, or not read again yet
  std::uint64_t epoch = 0, applied = 0, batches = 0, imports = 0;
  std::function<void()> on_end; ///< takes the catalog's readiness back, however the actor ends
  std::optional<import> current;
  std::deque<record> records;     ///< bounded by defaults::records_waiting_max
  std::deque<import> waiting;     ///< bounded by defaults::imports_waiting_max
  std::deque<import_ahead> ahead; ///< each until it is read, or for defaults::request_limit_ms
  static inline const char* name = "catalog";
};

/// Finds "replica 0" in the directory; says in `readiness` why it does not serve, which must outlive the actor. It
/// reads files: spawn it with spawn_blocking. A store that cannot be read ends it with the store's error.
///
/// An import is answered after it is durable, applied and published on this node, also where another one leads group 0;
/// ec::invalid, ec::conflict and ec::not_found list all problems, "file\tplace\tmessage" a line. After another error than those
/// and ec::not_serving it is unknown whether it was stored: importing the same again is safe.
messages::catalog_actor::behavior_type catalog(messages::catalog_actor::stateful_pointer<catalog_state> self,
                                               const runtime::environment& env, runtime::catalog_view& view,
                                               runtime::readiness& readiness);

/// The same on a node of a cluster: what group 0 says of its nodes is published in `cluster`, and imports and records that come
/// to a node that does not lead group 0 are handed on to the one that does, if there is a "router".
messages::catalog_actor::behavior_type catalog_of_cluster(messages::catalog_actor::stateful_pointer<catalog_state> self,
                                                          const runtime::environment& env, runtime::catalog_view& view,
                                                          runtime::readiness& readiness, runtime::cluster_view& cluster,
                                                          const runtime::shard_view& shards);

/// The same with a store of the caller's.
messages::catalog_actor::behavior_type catalog_reading(messages::catalog_actor::stateful_pointer<catalog_state> self,
                                                       const runtime::environment& env, runtime::catalog_view& view,
                                                       runtime::readiness& readiness, open_reader open);

} // namespace epione::actors
