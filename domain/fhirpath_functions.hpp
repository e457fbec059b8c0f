// The functions of expressions: a table that the parser, the evaluator and docs/fhirpath.md agree on.
#pragma once

#include "domain/fhirpath_evaluation.hpp"

#include <span>
#include <string_view>

namespace epione::domain::fhirpath {

/// What a function's arguments are evaluated on.
enum class argument_scope : std::uint8_t {
  outer,      ///< on what is around the path, as everything at the front of a path
  each_item,  ///< on each item of its input, with $this and $index
  accumulate, ///< the first one also with $total
  type,       ///< it is a type
};

struct function {
  std::string_view name;
  std::uint8_t arguments_min, arguments_max;
  argument_scope scope;
  collection (*run)(const call&); ///< null: known and not supported
  std::string_view group;         ///< the heading in docs/fhirpath.md
};

/// Null when there is none of this name.
const function* find_function(std::string_view name);
/// Sorted by name.
std::span<const function> all_functions();

// One table a file, put together by all_functions().
std::span<const function> filter_functions();
std::span<const function> collection_functions();
std::span<const function> string_functions();
std::span<const function> coded_functions();
std::span<const function> number_functions();
std::span<const function> conversion_functions();
std::span<const function> fhir_functions();

} // namespace epione::domain::fhirpath
