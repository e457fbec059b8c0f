// What a node of a cluster stands on beside its tree: who it is, its transport, and how an empty directory becomes a member.
#pragma once

#include "cluster/peer_link.hpp"
#include "cluster/websocket_transport.hpp"
#include "messages/steward.hpp"
#include "node/actor_tree.hpp"
#include "node/cluster_parts.hpp"
#include "node/data_directory.hpp"
#include "runtime/cluster_file.hpp"
#include "runtime/config.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <tl/expected.hpp>

namespace epione::node {

struct node_error;

/// How a node takes part in a cluster.
struct cluster_options {
  std::string node; ///< its name
  runtime::cluster_file file;
};

/// Settings that are not said anywhere else are taken from the cluster's file. Call before the node is started.
void take_cluster_settings(runtime::resolved_config& config, const cluster_options& options);

/// What `epione cluster init` records: the first node of the file is the founder's, the others may join.
membership founding_member(const cluster_options& options);

class cluster_side {
public:
  /// Nothing is listened on yet.
  cluster_side(const cluster_options& options, const runtime::config& config, runtime::log& log, runtime::metrics& metrics,
               runtime::clock& clock, runtime::random_source& random);
  ~cluster_side();

  /// Reads the certificates and opens the port for the other nodes. Fails with a sentence.
  tl::expected<void, std::string> listen();
  /// From now on this node is that member.
  void become(const std::string& cluster, const membership& member, const std::string& http);
  cluster_parts& parts() { return *parts_; }
  /// The tree's links hear of the transport from now on, after tree.start_cluster().
  void start(actor_tree& tree);
  /// Nothing comes from other nodes any more.
  void stop();

  /// Asks the nodes there are to be let in, until they do; writes what they say into the directory. Fails with their reason, or
  /// when asked to stop with an empty one. `waiting` is told what it waits for, every few seconds.
  tl::expected<messages::join_grant, std::string> join(caf::actor_system& system, actor_tree& tree, const std::string& directory,
                                                       const std::string& http, const std::stop_token& stop,
                                                       const std::function<void(const std::string&)>& waiting);

private:
  cluster_options options_;
  cluster::websocket_options socket_;
  cluster::local_identity identity_;
  std::unique_ptr<cluster::websocket_transport> transport_;
  std::unique_ptr<cluster_parts> parts_;
  std::unique_ptr<cluster::peer_event_sender> events_;
};

} // namespace epione::node
