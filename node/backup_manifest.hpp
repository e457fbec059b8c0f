// manifest.json of a backup: what it holds, written last. A directory without one is no backup, or half of one.
#pragma once

#include "node/data_directory.hpp"
#include "runtime/storage/store_copy.hpp"

#include <cstdint>
#include <string>
#include <tl/expected.hpp>
#include <vector>

namespace epione::node {

inline constexpr const char* manifest_file = "manifest.json";

struct backup_group {
  std::uint32_t group = 0;
  std::string file;                  ///< name within the backup
  std::uint64_t bytes = 0;           ///< of the file
  std::string checksum;              ///< BLAKE2b-256 of it, in hexadecimal digits
  std::uint64_t index = 0, term = 0; ///< of the newest applied log entry
  std::uint64_t events = 0;          ///< in the group's chain
  std::string head;                  ///< hash of the newest one, in hexadecimal digits
};

struct backup_manifest {
  std::string cluster, version;     ///< id of the cluster; of the program
  std::int64_t time_us = 0;         ///< wall clock when it was complete
  std::int64_t store_format = 0;    ///< of the files
  std::uint32_t shards = 0;         ///< fixed when the cluster was created
  std::vector<backup_group> groups; ///< 0 to shards, in order
  std::uint64_t events() const;
  std::uint64_t bytes() const;
};

std::string to_json(const backup_manifest& m);
/// Appears whole or not at all, also after a power loss. Fails with a sentence.
tl::expected<void, std::string> write_manifest(const std::string& backup, const backup_manifest& m);
/// Checked: its own checksum, that it has every group, and the names and sizes of the files. Exit code 4 for a backup that is not
/// whole, 1 for one that this version does not know.
tl::expected<backup_manifest, directory_error> read_manifest(const std::string& backup);

/// Name of a group's file within a backup.
std::string backup_file_name(std::uint32_t group);

/// BLAKE2b-256 of a file, in hexadecimal digits. Fails with a sentence.
tl::expected<std::string, std::string> checksum_of_file(const std::string& path, const runtime::copy_pace& pace = {});

} // namespace epione::node
