// The cluster's file: which nodes there are to begin with and where each is reached. The same file is on every node; a node that
// joins later needs to be in its own copy only.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

namespace epione::runtime {

struct cluster_file {
  struct node {
    std::string name;
    std::string peer;     ///< HOST:PORT of its peer links
    std::string http;     ///< HOST:PORT of its HTTP; empty: as its configuration says
    std::string data_dir; ///< empty: as its configuration says
  };
  std::string path;
  std::uint32_t replication_factor = 3;
  std::uint32_t shards = 0;                  ///< 0: as the configuration says
  std::string certificate, key, authorities; ///< with "{node}" for the node's name; empty: as the configuration says
  std::vector<node> nodes;                   ///< in the file's order; the cluster begins on the first one

  const node* find(std::string_view name) const;
  /// A path of this file for a node: "{node}" replaced, and below the file's own directory unless it is absolute.
  std::string path_for(const std::string& name, const std::string& text) const;
};

/// All problems, a line each, when it cannot be used.
tl::expected<cluster_file, std::string> read_cluster_file(const std::string& path);
/// The same from its text.
tl::expected<cluster_file, std::string> parse_cluster_file(const std::string& path, const std::string& text);

} // namespace epione::runtime
