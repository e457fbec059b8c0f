// What stands behind HTTP: admission, the way to the shard, a deadline for every ticket, the text of reads.
//
// Every ticket gets exactly one reply: from its region, or here when the region is gone or the time is up.
#pragma once

#include "messages/interfaces.hpp"
#include "runtime/catalog_view.hpp"
#include "runtime/environment.hpp"
#include "runtime/front.hpp"
#include "runtime/shard_view.hpp"

#include <cstdint>
#include <deque>
#include <optional>
#include <unordered_map>
#include <vector>

namespace epione::actors {

/// Where shards are led, for a node of a cluster.
struct gateway_cluster {
  const runtime::shard_view* shards = nullptr; ///< null: every shard is here
  std::uint32_t leader_wait_ms = 0;            ///< how long a request may wait for its shard to have a leader
};

struct gateway_options {
  gateway_cluster cluster{};
  std::uint32_t shards = 0;
  std::uint32_t in_flight_per_shard_max = 0; ///< credits
  std::uint32_t request_limit_ms = 0;
  std::uint32_t retry_after_s = 0;
};

struct gateway_state {
  struct shard {
    messages::shard_region_actor region; ///< null: not running
    std::uint32_t in_flight = 0;
  };
  struct waiting {
    std::uint32_t shard = 0;
    bool is_read = false;
    // Of a node of a cluster:
    bool unknown = false;                ///< an earlier attempt may have stored it
    bool again = false;                  ///< it was sent once more after such an attempt
    std::int64_t no_leader_ns = 0;       ///< when it first found nobody who leads its shard; 0: it always did
    bool held = false;                   ///< it waits for its shard to be led
    std::string node;                    ///< whom it was sent to; empty: here
    messages::submission_ptr submission; ///< to be sent again
    messages::read_request_ptr read;
    messages::change_request_ptr change;
  };
  /// What a request under /fhir needs of a shard: whoever asked gets the answer.
  struct inner {
    messages::reply_receiver receiver; ///< null: a read
    messages::list_client reader;
    messages::read_request_ptr what; ///< of a read
  };
  gateway_state() = default;
  /// By number; the first one stands for the FHIR service: only what is in flight counts there.
  std::vector<shard> shards;
  messages::fhir_actor fhir;                                  ///< null: not running
  std::unordered_map<messages::ticket, inner> inner_requests; ///< of those under way
  std::unordered_map<messages::ticket, waiting> under_way;
  std::deque<std::pair<std::int64_t, messages::ticket>> deadlines; ///< all limits are equal, so this is in order
  messages::router_actor router;                                   ///< null: not running
  std::deque<messages::ticket> leaderless; ///< waiting for their shards to be led; some may have been answered
  bool looking = false;                    ///< a look at them is due
  bool draining = false;
  std::optional<caf::typed_response_promise<bool>> drained;
  static inline const char* name = "gateway";
};

/// `sink` and `catalog` must outlive the actor.
messages::gateway_actor::behavior_type gateway(messages::gateway_actor::stateful_pointer<gateway_state> self,
                                               const runtime::environment& env, gateway_options options,
                                               runtime::reply_sink& sink, const runtime::catalog_view& catalog);

} // namespace epione::actors
