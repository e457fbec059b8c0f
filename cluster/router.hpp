// Between this node's gateway and the regions of other nodes: carries requests to where their shard is led and answers back, and
// questions between nodes.
//
// It keeps nothing that matters: what is under way when a link ends is answered as unknown, and the gateway sends it again under
// the same key.
#pragma once

#include "cluster/peer_view.hpp"
#include "messages/interfaces.hpp"
#include "runtime/environment.hpp"
#include "runtime/shard_view.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <unordered_map>
#include <vector>

namespace epione::cluster {

struct router_options {
  std::string node; ///< this one
  std::uint32_t shards = 0;
  std::uint32_t request_limit_ms = 0; ///< after it the gateway has answered
  std::size_t under_way_max = 0;      ///< requests of other nodes in hand; more are refused
};

struct router_state {
  /// Sent to another node, not answered yet.
  struct sent {
    std::string node;
    std::uint64_t incarnation = 0;    ///< of that node's program: another one knows nothing of it
    std::int64_t linked_since_us = 0; ///< the link it went over: with that one it may be gone
    std::int64_t until_ns = 0;
    messages::routed_kind kind = messages::routed_kind::submit;
    messages::ticket to = 0;
    messages::reply_receiver replies;
    messages::list_client lists;
    messages::read_request_ptr read;
    caf::typed_response_promise<messages::bytes_ptr> question;
  };
  /// Came from another node, not answered yet.
  struct taken {
    std::string node;
    std::uint64_t number = 0; ///< the other node's
    std::int64_t until_ns = 0;
    std::uint32_t shard = 0;
    bool is_read = false;
  };
  router_state() = default;
  std::vector<messages::shard_region_actor> regions; ///< by number; the first one is unused
  std::unordered_map<std::uint64_t, sent> waiting;   ///< by our number
  std::unordered_map<messages::ticket, taken> in_hand;
  /// Also the tickets of what it hands to regions, which must differ from those of this node's HTTP.
  std::uint64_t next_number = (std::uint64_t{1} << 63) + 1;
  std::int64_t claims_due_ns = 0;
  std::map<std::string, std::int64_t> claimed_ns; ///< when each node last said what it leads
  static inline const char* name = "router";
};

/// `peers` and `shards` outlive the actor.
messages::router_actor::behavior_type router(messages::router_actor::stateful_pointer<router_state> self,
                                             const runtime::environment& env, router_options options, const peer_view& peers,
                                             runtime::shard_view& shards);

} // namespace epione::cluster
