// The rules a form sets for single answers, for submissions in the short form and whole QuestionnaireResponses alike.
//
// Each function looks at one rule and gives what is broken, or nothing. Messages name the rule, never the answer.
#pragma once

#include "domain/answer_value.hpp"
#include "domain/fhir_issue.hpp"
#include "domain/questionnaire.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace epione::domain {

struct rule_break {
  const char* code; ///< "max-length", "min-length", "min-value", "max-value", "regex", "max-decimal-places", "unit", ...
  std::string message;
};

/// FHIR's issue type for such a code.
issue_type issue_code_of(std::string_view rule_code);

/// Characters, not bytes, of UTF-8.
std::size_t characters(std::string_view text);

/// maxLength and minLength.
std::optional<rule_break> breaks_length(const form_item& item, std::string_view text);
/// minValue and maxValue.
std::optional<rule_break> breaks_bounds(const form_item& item, const answer_value& v);
/// regex; the whole text must match.
std::optional<rule_break> breaks_regex(const item_rules& rules, std::string_view text);
/// maxDecimalPlaces; `digits` is the number as it was written.
std::optional<rule_break> breaks_decimal_places(const item_rules& rules, std::string_view digits);

/// A quantity as it was given; empty where it says nothing.
struct quantity_view {
  double value = 0;
  std::string_view unit, code, system;
};
/// minQuantity, maxQuantity, unitOption and unitValueSet.
std::optional<rule_break> breaks_quantity(const item_rules& rules, const quantity_view& q);

/// An attachment as it was given; `bytes` is nothing when neither its data nor its size is there.
struct attachment_view {
  std::string_view content_type;
  std::optional<std::uint64_t> bytes;
};
/// maxSize and mimeType.
std::optional<rule_break> breaks_attachment(const item_rules& rules, const attachment_view& a);

/// referenceResource; `type` is the resource's type or empty when the reference does not say.
std::optional<rule_break> breaks_reference_type(const item_rules& rules, std::string_view type);
/// The type of resource that a literal reference names ("Patient" of "https://x/fhir/Patient/1/_history/2"); empty if it names
/// none.
std::string_view referenced_type(std::string_view reference);

} // namespace epione::domain
