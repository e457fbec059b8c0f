// The link with one other node: gathers what replicas and router have for it into envelopes, opens those that come, and measures
// how far away it is and how its clock goes.
#pragma once

#include "cluster/peer_transport.hpp"
#include "cluster/peer_view.hpp"
#include "messages/interfaces.hpp"
#include "runtime/defaults.hpp"
#include "runtime/environment.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

namespace epione::cluster {

struct peer_link_options {
  std::string node; ///< the other one
  std::size_t window_bytes = runtime::defaults::peer_window_bytes;
  std::uint32_t heartbeat_delay_ms = runtime::defaults::peer_heartbeat_delay_ms;
  std::uint32_t ping_ms = runtime::defaults::peer_ping_ms;
  std::uint32_t clock_offset_max_ms = runtime::defaults::clock_offset_max_ms;
};

struct peer_link_state {
  peer_link_state() = default;
  static inline const char* name = "peer_link";
};

/// `transport`, `identity` and `view` outlive the actor.
messages::peer_link_actor::behavior_type peer_link(messages::peer_link_actor::stateful_pointer<peer_link_state> self,
                                                   const runtime::environment& env, peer_link_options options,
                                                   peer_transport& transport, const local_identity& identity, peer_view& view);

/// Name of a node's link in the directory.
inline std::string peer_link_name(const std::string& node) {
  return "peer " + node;
}

/// What a transport in production tells: each event goes as a message to the node's link, as the directory knows it.
class peer_event_sender final : public peer_events {
public:
  explicit peer_event_sender(std::shared_ptr<runtime::directory> directory) : directory_(std::move(directory)) {}
  void linked(const std::string& node, const link_info& info) override;
  void unlinked(const std::string& node, const std::string& why) override;
  void received(const std::string& node, std::shared_ptr<const std::string> envelope) override;

private:
  messages::peer_link_actor link(const std::string& node) const;
  std::shared_ptr<runtime::directory> directory_;
};

} // namespace epione::cluster
