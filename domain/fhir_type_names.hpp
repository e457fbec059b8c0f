// The names of FHIR R4's resources and of its types that have elements.
#pragma once

#include <string_view>

namespace epione::domain {

/// "Patient"; also the abstract "Resource" and "DomainResource" (FHIR R4, valueset-resource-types).
bool is_fhir_resource(std::string_view name);
/// "Coding", "BackboneElement" (FHIR R4, datatypes).
bool is_fhir_complex_type(std::string_view name);

} // namespace epione::domain
