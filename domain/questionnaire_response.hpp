// Checking a whole FHIR R4 QuestionnaireResponse against the form it answers.
//
// The same compiled form as for submissions in the short form (response_check.hpp), but the response as FHIR has it: every item
// where the form has it, every repetition of a group by itself, every value as its type is written. All problems are found at
// once.
#pragma once

#include "domain/fhir_issue.hpp"
#include "domain/json_document.hpp"
#include "domain/questionnaire.hpp"

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace epione::domain {

struct response_context {
  /// Microseconds since 1970 UTC: compared with the form's effectivePeriod when the response does not say when it was authored.
  std::optional<std::int64_t> now_us;
};

/// What is wrong with `response`, in its order; limits::problems_max at most. Takes time linear in the response and the form, and
/// no stack however deep they are. Rules of the form that cannot be checked here are warnings or informations.
std::vector<fhir_issue> check_response(const json_document& response, const questionnaire& form, const response_context& context);

/// The same for a response whose form is not there: that it is not, and what is wrong with the resource's own members.
std::vector<fhir_issue> check_response_without_form(const json_document& response);

/// The response's JSON; an issue instead where it is none.
tl::expected<json_document, fhir_issue> parse_response(std::string_view text);

} // namespace epione::domain
