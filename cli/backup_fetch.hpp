// A store's file from another node of a cluster, through the node that runs here: the way new members get theirs.
#pragma once

#include "cli/stop_descriptor.hpp"
#include "runtime/storage/disk.hpp"
#include "runtime/storage/store_copy.hpp"

#include <chrono>
#include <cstdint>
#include <string>
#include <tl/expected.hpp>

namespace epione::cli {

/// A group's file, and whom it is to be had from.
struct wanted_store {
  std::string directory; ///< of the node that runs here
  std::string node;      ///< that has it
  std::uint32_t group = 0;
  std::uint64_t index = 0;       ///< entry of the log that the file must hold
  std::uint64_t bytes_per_s = 0; ///< how fast it is fetched at most, which `pace` sees to
};

/// Writes it to `path`, once that node has applied the entry; compared with the checksum that node gives. Refuses a file that
/// would take longer than that node keeps it as it is. `patience`: how long that node is asked for it, of which what was used is
/// taken. Fails with a sentence, and leaves no file.
tl::expected<void, std::string> fetch_store(const wanted_store& wanted, const std::string& path,
                                            std::chrono::steady_clock::duration& patience, runtime::disk& disk,
                                            const runtime::copy_pace& pace, const stop_descriptor& stop);

} // namespace epione::cli
