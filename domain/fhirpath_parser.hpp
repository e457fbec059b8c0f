// From an expression's text to its tree, by the grammar of FHIRPath N1 (2.0.0, appendix B).
#pragma once

#include "domain/fhirpath_ast.hpp"

#include <string_view>

namespace epione::domain::fhirpath {

/// Throws a failure with the offset of the byte that does not fit, and what could stand there. Functions, the number of their
/// arguments, types, $index and $total, and literal patterns are checked as well.
syntax_tree parse(std::string_view text);

} // namespace epione::domain::fhirpath
