// Looks at what a node would stand on and says what will go wrong before it does. Reads, and writes only files of its own.
#pragma once

#include "runtime/config.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace epione::cli {

enum class finding_level : std::uint8_t { good, note, warning, problem };

struct finding {
  std::string check; ///< "data directory", "clock", ...
  finding_level level = finding_level::good;
  std::string text; ///< what was found; from warning on also what to do
};

std::string_view to_string(finding_level level);

/// Whether a node with this configuration may use its data directory, and whether one does.
std::vector<finding> examine_directory(const runtime::config& config);
std::vector<finding> examine_clock();
/// Writes and syncs a small file some times in the directory, or where it would be created.
std::vector<finding> examine_disk(const runtime::config& config);
std::vector<finding> examine_limits(const runtime::config& config);
std::vector<finding> examine_versions();

} // namespace epione::cli
