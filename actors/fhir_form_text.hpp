// A Questionnaire as FHIR shows it. Pure functions.
#pragma once

#include "domain/compiled_study.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace epione::actors {

/// A form's version as FHIR names it in an address: itself where FHIR allows it as an id, else "x-" and its bytes in hexadecimal,
/// of a long one "x--" and its digest, and "x-none" where there is none. Two versions never have the same.
std::string form_version_id(std::string_view version);

/// As it was imported, in canonical form, but for its id, which is the one that the study knows it by, and what a server says in
/// meta: its version and since when it is as it is (microseconds since 1970; 0: not known).
std::string form_text(const domain::compiled_form& form, std::int64_t modified_us);

} // namespace epione::actors
