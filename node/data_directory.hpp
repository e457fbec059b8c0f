// A node's data directory: who may use it, and what was fixed when it was created.
#pragma once

#include "runtime/config.hpp"
#include "runtime/storage/directory_lock.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <tl/expected.hpp>

namespace epione::node {

/// Which member of a cluster a directory is.
struct membership {
  std::string node;            ///< its name; empty: it has never been part of a cluster of several
  std::uint64_t server_id = 1; ///< never that of another directory
  bool founder = true;         ///< the cluster began on it
  std::string founding;        ///< founder: encode(domain::cluster_state), in hexadecimal digits; empty: none
  /// It has been ready once: the others count on what its journal promised, and without that journal it is none of them any more.
  bool begun = false;
};

/// Held for as long as the node runs.
struct data_directory {
  std::string path;
  std::string cluster; ///< random name given at creation
  membership member;
  std::unique_ptr<runtime::directory_lock> lock;
};

struct directory_error {
  int exit_code = 1;
  std::string message;
};

/// Makes a directory that only its owner may enter (mode 0700), and those above it where they are missing. False when it is there
/// already, which leaves it as it is. Fails with a sentence.
tl::expected<bool, std::string> create_directory(std::string path);

/// A random name for a new cluster.
std::string new_cluster_name();

/// DIR/NAME appears whole or not at all, also after a power loss. Fails with a sentence.
std::optional<std::string> write_durably(const std::string& directory, const std::string& name, const std::string& text);

/// DIR/cluster.json: what was fixed when the directory was created.
std::string identity_path(const std::string& directory);

/// The shard count an existing directory was created with; nothing when there is no such directory or its cluster.json is
/// damaged, which opening it will say.
std::optional<std::uint32_t> shard_count_of(const std::string& directory);

/// What opening it with this configuration would refuse, without opening it: another shard count, a damaged cluster.json. Nothing
/// when there is no such directory yet.
std::optional<directory_error> identity_problem(const runtime::config& config);

/// The random name it was given then; nothing as above.
std::optional<std::string> cluster_of(const std::string& directory);

/// DIR/restoring.json is there while `epione restore` fills a directory: nothing may start from what is there before it is gone.
inline constexpr const char* restoring_file = "restoring.json";
/// Why a directory with half a restore is refused; nothing when it has none.
std::optional<directory_error> unfinished_restore(const std::string& directory);

/// Which member of a cluster the directory is; nothing when there is no readable cluster.json.
std::optional<membership> member_of(const std::string& directory);

/// Why this user should not write into it while no node runs: it belongs to another, whose service could not write what this one
/// makes. `command` is named in the sentence. Nothing when it is this user's, or not there yet.
std::optional<std::string> why_not_owner(const std::string& directory, const std::string& command);

/// Makes a directory (new, or that of a node that was alone) the one a cluster begins with: a name, and what group 0 is to be
/// told of the others. Not while a node runs on it. Fails for one that is part of a cluster already.
tl::expected<void, directory_error> found_cluster(const runtime::config& config, const membership& member);

/// Makes an empty directory that of a member which the cluster has let join.
tl::expected<void, directory_error> write_membership(const std::string& directory, const std::string& cluster,
                                                     std::uint32_t shards, const membership& member);

/// The name under which an empty directory asks to join: random, made once and kept, so that an answer that is lost can be asked
/// for again.
tl::expected<std::string, directory_error> joining_name(const std::string& directory);

/// Whether it holds what a node has stored, or the word of a cluster that it belongs to it.
bool holds_data(const std::string& directory);

/// Creates the directory (mode 0700) without a cluster.json, and takes its lock.
tl::expected<data_directory, directory_error> open_empty_directory(const std::string& directory);

/// Creates the directory (mode 0700) and its cluster.json, or checks that it fits the configuration: format, shard count. Refuses
/// one that another process uses, and one that holds data but no cluster.json.
tl::expected<data_directory, directory_error> open_data_directory(const runtime::config& config);

} // namespace epione::node
