// An export from beginning to end: which study, which columns, every submission in order, then the cursor.
#pragma once

#include "cli/commands.hpp"
#include "runtime/config.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace epione::cli {

enum class export_format : std::uint8_t { csv, ndjson };

struct export_options {
  std::string study; ///< empty: the only one there is
  export_format format = export_format::csv;
  std::string form;                     ///< empty: all
  std::optional<std::int64_t> since_us; ///< only what was stored at this time or later; microseconds since 1970-01-01T00:00:00Z
  std::string cursor_file;              ///< empty: none
  std::string output;                   ///< empty: standard output
};

/// Submissions in the order of shard and sequence number: the same directory gives the same bytes. Everything that was
/// acknowledged before the call is in it. Returns the exit code: 4 for damaged data, naming file and event; then no file got its
/// name and no cursor moved.
int run_export(const runtime::config& config, const export_options& options, command_context& context);

} // namespace epione::cli
