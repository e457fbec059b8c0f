// A data directory made from a backup: that of a node which is alone, of a new cluster.
#pragma once

#include "node/backup_manifest.hpp"
#include "node/data_directory.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

namespace epione::node {

struct restored {
  std::string cluster;      ///< id of the new one
  backup_manifest manifest; ///< what it was made from
};

/// `directory` must be empty or absent. Every file is compared with its checksum, every chain is walked, and what is wrong leaves
/// the directory as it was. The new cluster has an id of its own, so that its links refuse nodes of the old one; group 0's chain
/// says whom it was restored by (`who`, as "os:NAME") and from what. `tell` gets what is being done.
tl::expected<restored, directory_error> restore_backup(const std::string& backup, const std::string& directory,
                                                       const std::string& who, const std::function<void(std::string_view)>& tell);

} // namespace epione::node
