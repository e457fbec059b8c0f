// The port between links and the network: production carries envelopes over WebSocket and TLS, the simulator over its own links.
#pragma once

#include "messages/peer.hpp"

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>

namespace epione::cluster {

using messages::link_info;

/// Versions of what is said on a link. A program speaks its own and the one before, so that a cluster is upgraded node by node.
inline constexpr std::uint32_t peer_protocol_min = 1;
inline constexpr std::uint32_t peer_protocol_max = 1;

struct peer_address {
  std::string node, host;
  std::uint16_t port = 0;
  std::uint64_t server_id = 0; ///< of the node's directory; 0: it has none, or that is not known
  std::uint64_t ids_given = 0; ///< every server id below it was given to some directory; 0: not known

  /// Whether a directory with this server id is one that was replaced: its id was given, and the node has another or none now.
  bool is_replaced(std::uint64_t shown) const { return shown != 0 && shown < ids_given && shown != server_id; }
  bool operator==(const peer_address&) const = default;
};

/// What this node says of itself on its links. Membership changes while they are there: a node joins, or is restored.
/// Thread-safe.
class local_identity {
public:
  /// `incarnation`: random, new with each start of the program.
  local_identity(std::string node, std::string version, std::uint64_t incarnation)
      : node_(std::move(node)), version_(std::move(version)), incarnation_(incarnation) {}

  const std::string& node() const { return node_; }
  std::uint64_t server_id() const {
    std::lock_guard guard{mutex_};
    return server_id_;
  }
  /// From now on new links say this; links that are there keep what they said until reconnect().
  void set_membership(std::string cluster, std::uint64_t server_id) {
    std::lock_guard guard{mutex_};
    cluster_ = std::move(cluster);
    server_id_ = server_id;
  }
  messages::hello hello() const {
    std::lock_guard guard{mutex_};
    return {peer_protocol_min, peer_protocol_max, node_, cluster_, version_, server_id_, incarnation_};
  }

private:
  const std::string node_, version_;
  const std::uint64_t incarnation_;
  mutable std::mutex mutex_;
  std::string cluster_;
  std::uint64_t server_id_ = 0;
};

/// What a transport tells; called from any thread, but for one node in order and one at a time: linked, received ..., unlinked.
class peer_events {
public:
  virtual ~peer_events() = default;
  virtual void linked(const std::string& node, const link_info& info) = 0;
  virtual void unlinked(const std::string& node, const std::string& why) = 0;
  virtual void received(const std::string& node, std::shared_ptr<const std::string> envelope) = 0;
};

/// Carries envelopes between nodes, in order and not changed, or not at all. Thread-safe.
class peer_transport {
public:
  virtual ~peer_transport() = default;
  /// `events` outlives stop().
  virtual void start(peer_events& events) = 0;
  /// Nothing is told after it has returned.
  virtual void stop() = 0;
  /// Have a link with this node from now on; the smaller node name dials. Again with another address: that one from now on.
  virtual void keep(const peer_address& address) = 0;
  /// End the link, and refuse it from now on.
  virtual void forget(const std::string& node) = 0;
  /// Close the link with this node (empty: every link) gently and make it anew: what this node says of itself has changed, or
  /// whoever had the link was started again and knows nothing of it.
  virtual void reconnect(const std::string& node) = 0;
  /// False: no link, or more than the limit is queued for it: nothing was taken.
  virtual bool send(const std::string& node, std::shared_ptr<const std::string> envelope) = 0;
};

} // namespace epione::cluster
