// Sees to it that there is a link with every other node of the cluster: those that group 0 names, and before it has said anything
// those of the cluster's file.
#pragma once

#include "cluster/peer_link.hpp"
#include "messages/interfaces.hpp"
#include "runtime/cluster_view.hpp"
#include "runtime/environment.hpp"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace epione::cluster {

struct link_keeper_options {
  std::string node;                ///< this one
  std::vector<peer_address> known; ///< of the cluster's file
  peer_link_options link{};        ///< of every link; its node is set
};

struct link_keeper_state {
  struct link {
    peer_address address;
    messages::peer_link_actor actor;
  };
  link_keeper_state() = default;
  ~link_keeper_state();
  std::map<std::string, link> links; ///< by node
  static inline const char* name = "link_keeper";
};

/// "links" in the directory; each link is "peer NODE" there. All arguments outlive the actor.
messages::link_keeper_actor::behavior_type link_keeper(messages::link_keeper_actor::stateful_pointer<link_keeper_state> self,
                                                       const runtime::environment& env, link_keeper_options options,
                                                       peer_transport& transport, const local_identity& identity,
                                                       peer_view& peers, const runtime::cluster_view& cluster);

/// "HOST:PORT", an IPv6 address in brackets. Nothing when it is none.
std::optional<peer_address> parse_peer_address(const std::string& node, std::string_view text);

} // namespace epione::cluster
