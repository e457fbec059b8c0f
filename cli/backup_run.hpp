// epione backup: copies the stores of all groups, each as it is at one moment, and says in a manifest what they hold.
#pragma once

#include "cli/data_source.hpp"
#include "node/backup_manifest.hpp"
#include "runtime/config.hpp"

#include <functional>
#include <string>
#include <string_view>

namespace epione::cli {

struct backup_options {
  std::string directory; ///< new or empty
  std::uint64_t bytes_per_s = runtime::defaults::backup_bytes_per_s;
};

/// Holds at least everything that was acknowledged before the call. On a running node's directory beside that node, which goes on
/// serving; groups that are on other nodes of its cluster only are fetched from them. On the directory of a stopped node that is
/// alone this process recovers what a crash left. `tell` gets what is being done.
source_result<node::backup_manifest> run_backup(const runtime::config& config, const backup_options& options,
                                                const std::function<void(std::string_view)>& tell);

} // namespace epione::cli
