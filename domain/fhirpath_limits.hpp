// How large an expression may be and how much one evaluation may do. docs/fhirpath.md says the same to form designers.
#pragma once

#include <cstddef>
#include <cstdint>

namespace epione::domain::fhirpath {

inline constexpr std::size_t expression_bytes_max = 16 * 1024;        // one expression; the longest published ones have 4 KiB
inline constexpr std::size_t expression_depth_max = 200;              // of its tree: brackets in each other, or terms of one sum
inline constexpr std::size_t pattern_bytes_max = 1'000;               // of a regular expression
inline constexpr std::int64_t pattern_memory_bytes_max = 1024 * 1024; // of a compiled one: bounds its program and so its time

/// What one evaluation may use. Reaching a limit ends it with a problem, never with a part of the result.
struct evaluation_limits {
  /// Nodes visited, values made, comparisons; a long string counts by its length. About 50 ns each, so that the worst expression
  /// takes a tenth of a second.
  std::uint64_t steps_max = 2'000'000;
  std::size_t items_max = 100'000;           ///< of one collection
  std::size_t string_bytes_max = 256 * 1024; ///< of one string
};

} // namespace epione::domain::fhirpath
