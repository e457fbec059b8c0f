// Up to where an export went, so that the next one begins there: a small JSON file.
#pragma once

#include "runtime/storage/shard_store.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <tl/expected.hpp>

namespace epione::cli {

/// What an export with a cursor is about: the next one must be about the same.
struct export_cursor {
  std::string cluster, study;
  std::string form;                                       ///< empty: all
  std::map<std::uint32_t, runtime::chain_head> positions; ///< by shard: the newest event that was looked at
};

/// Nothing when there is no such file yet. Fails with a sentence for one that is none of ours.
tl::expected<std::optional<export_cursor>, std::string> read_export_cursor(const std::string& path);
/// Replaces the file as a whole. Fails with a sentence.
tl::expected<void, std::string> write_export_cursor(const std::string& path, const export_cursor& cursor);

} // namespace epione::cli
