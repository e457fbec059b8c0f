// The XHTML of a narrative: Narrative.div (FHIR R4, narrative, "XHTML" and the invariants txt-1 and txt-2).
//
// What stands there is shown to people by whoever gets the resource, so that scripts, forms and frames must not. One pass over
// the text without recursion; it says what is wrong and never what is written there.
#pragma once

#include "domain/fhir_issue.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace epione::domain {

struct narrative_finding {
  issue_severity severity = issue_severity::error;
  issue_type code = issue_code::structure;
  std::string message; ///< a sentence; names an element or attribute, never the text
};

/// What is wrong with `div`: the first error, or warnings. Errors: XML that is not well-formed, another element around it than a
/// div in the namespace of XHTML, elements in each other more than 100 deep, and what txt-1 does not allow. Warnings: nothing to
/// be read in it (txt-2, which one of HL7's own examples breaks), and entities that only HTML knows.
std::vector<narrative_finding> check_narrative(std::string_view div);

} // namespace epione::domain
