// Which nodes a cluster has and how far each has come: what group 0 says of them. Each change is an event of group 0 that holds
// the whole of it, so the newest one is what is true.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

namespace epione::domain {

/// Action of the event; `before` and `after` are encode(cluster_state), `entity` the node's name.
inline constexpr std::string_view cluster_change_action = "cluster.change";

enum class node_phase : std::uint8_t {
  invited = 1, ///< may join, with an empty directory
  member = 2,  ///< has a directory of the cluster's, under its server id
  leaving = 3, ///< its replicas are taken away, then it is forgotten
};

struct cluster_node {
  std::string name;
  std::string peer; ///< HOST:PORT of its peer links
  std::string http; ///< where its HTTP is, as a text for people
  node_phase phase = node_phase::invited;
  std::uint64_t server_id = 0; ///< of its directory; 0 while invited. Never used again for another directory
  std::string joined_as;       ///< random name of the attempt that joined: asked again, it is told the same
  bool replaced = false;       ///< leaving: is invited again once it is gone
};

struct cluster_state {
  std::uint32_t replication_factor = 0; ///< members a shard is on, as far as there are so many
  std::uint64_t next_server_id = 1;
  std::vector<cluster_node> nodes; ///< by name

  const cluster_node* find(std::string_view name) const;
  cluster_node* find(std::string_view name);
  const cluster_node* find_server(std::uint64_t id) const;
  /// Adds it in its place; there must be none of that name.
  cluster_node& add(cluster_node node);
  void remove(std::string_view name);
};

std::string encode(const cluster_state& s);
/// Fails with a sentence.
tl::expected<cluster_state, std::string> decode_cluster_state(std::string_view bytes);

std::string_view to_text(node_phase phase);

/// Letters, digits, '-' and '_' only, 1 to 32 of them, beginning with a letter or digit: it is part of file names and
/// certificates.
bool is_node_name(std::string_view name);

} // namespace epione::domain
