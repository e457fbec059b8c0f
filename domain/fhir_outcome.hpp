// OperationOutcomes with one issue: what a request as a whole failed with.
#pragma once

#include <string>
#include <string_view>

namespace epione::domain {

/// `code` of http://hl7.org/fhir/issue-type. `detail`, if not empty, is the code of a coding of ours: "not_stored", "unknown".
std::string outcome_text(std::string_view code, std::string_view sentence, std::string_view detail = {},
                         std::string_view severity = "error");

/// The issue type that fits an HTTP status best.
const char* issue_code_of_status(int status);

} // namespace epione::domain
