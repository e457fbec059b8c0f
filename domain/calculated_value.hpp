// What an expression of a form gives, as an answer: how it compares with what was sent, and how it is written.
#pragma once

#include "domain/fhirpath_value.hpp"
#include "domain/questionnaire.hpp"

#include <optional>
#include <string>

namespace epione::domain {

/// Whether an answer that was sent is what the expression gives. Numbers may differ by one part in a million, which a sum in
/// binary fractions stays far below, and by rounding to the decimal places that the item allows; integers not at all. Codes count
/// with their systems where both have one. Quantities are converted.
bool agrees(const form_item& item, const fhirpath::value& calculated, const fhirpath::value& sent);

/// The answer's value[x] as a member of JSON: "\"valueDecimal\":13". Nothing when the value is none for an item of this type.
std::optional<std::string> fhir_answer(const form_item& item, const fhirpath::value& v);

/// The same as canonical msgpack of the short form, as fhir_answer() has it.
std::optional<std::string> short_answer(const form_item& item, const fhirpath::value& v);

} // namespace epione::domain
