// A store's file from another node of a cluster, through the node that runs here: the way new members get theirs.
#pragma once

#include "cli/stop_descriptor.hpp"
#include "runtime/storage/disk.hpp"
#include "runtime/storage/store_copy.hpp"

#include <cstdint>
#include <string>
#include <tl/expected.hpp>

namespace epione::cli {

/// Writes the file of `group` as `node` has it to `path`, once that node has applied entry `index`; compared with the checksum
/// it gives. `directory`: of the node that runs here. Fails with a sentence, and leaves no file.
tl::expected<void, std::string> fetch_store(const std::string& directory, const std::string& node, std::uint32_t group,
                                            std::uint64_t index, const std::string& path, runtime::disk& disk,
                                            const runtime::copy_pace& pace, const stop_descriptor& stop);

} // namespace epione::cli
