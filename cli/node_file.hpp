// DIR/node.json: what a running node listens on, for other programs.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <tl/expected.hpp>

namespace epione::cli {

struct node_facts {
  std::int64_t pid = 0;
  std::string http; ///< "http://127.0.0.1:8080"
  std::string version;
  std::string started; ///< RFC 3339, UTC
};

/// DIR/node.json
std::string node_file_path(const std::string& directory);
/// Whole or not at all: readers see the old file or the new one. Fails with a sentence.
tl::expected<void, std::string> write_node_file(const std::string& directory, const node_facts& facts);
/// Nothing when there is none or it is not ours. The process may be gone all the same: it is removed on a clean stop only.
std::optional<node_facts> read_node_file(const std::string& directory);
void remove_node_file(const std::string& directory);

} // namespace epione::cli
