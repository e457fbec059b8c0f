// Which concepts of a code system the filters of a value set keep (FHIR R4, ValueSet.compose.include.filter).
#pragma once

#include "domain/fhir_json.hpp"

#include <optional>
#include <vector>

namespace epione::domain {

/// Every concept of a CodeSystem, front to back, each before those that lie in it.
std::vector<const json*> concepts_of(const json& code_system);

/// Those that all `filters` (the list ValueSet.compose.include.filter) keep, in the same order. The hierarchy is that of concepts
/// in concepts. Nothing when that cannot be said: an operator or a property that is not known here, or a concept that is not
/// there. `work` grows by the concepts that were looked at.
std::optional<std::vector<const json*>> filtered_concepts(const json& code_system, const json& filters, std::size_t& work);

} // namespace epione::domain
