// What is wrong with a FHIR resource, as FHIR's OperationOutcome says it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace epione::domain {

enum class issue_severity : std::uint8_t { error, warning, information };

/// As FHIR writes it: "error".
std::string_view name(issue_severity severity);

/// One of the codes below. A type of its own, so that no sentence is taken for one.
struct issue_type {
  const char* text;
  constexpr operator const char*() const { return text; }
};

/// Codes of http://hl7.org/fhir/issue-type that are used here, and for what.
namespace issue_code {
inline constexpr issue_type invalid{"invalid"};             // not written as its type is; more often there than allowed
inline constexpr issue_type structure{"structure"};         // not FHIR, or not where the form has it
inline constexpr issue_type required{"required"};           // something must be there
inline constexpr issue_type value{"value"};                 // a value of the form itself is not what it should be
inline constexpr issue_type invariant{"invariant"};         // an invariant of the specification, or a rule of the form
inline constexpr issue_type too_long{"too-long"};           // more characters or bytes than allowed
inline constexpr issue_type code_invalid{"code-invalid"};   // not one of the codes that are allowed
inline constexpr issue_type business_rule{"business-rule"}; // asked or not, retired or not
inline constexpr issue_type not_found{"not-found"};         // something named is not there
inline constexpr issue_type not_supported{"not-supported"}; // cannot be checked here
inline constexpr issue_type too_costly{"too-costly"};       // would take too long
inline constexpr issue_type informational{"informational"}; // nothing is wrong
} // namespace issue_code

struct fhir_issue {
  issue_severity severity = issue_severity::error;
  const char* code = issue_code::invalid;
  std::string expression; ///< "QuestionnaireResponse.item[2].item[0].answer[0]"
  std::string link_id;    ///< of the form's item it is about; may be empty
  std::string message;    ///< a sentence for a form designer; never an answer
};

bool has_errors(const std::vector<fhir_issue>& issues);

/// The OperationOutcome's JSON, indented by two spaces; one issue at least, so that it is valid when nothing is wrong.
std::string operation_outcome(const std::vector<fhir_issue>& issues);

} // namespace epione::domain
