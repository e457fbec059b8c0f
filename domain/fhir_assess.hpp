// Looking at one QuestionnaireResponse that is to be stored: found its form, checked as a whole, scored, its alerts raised. What
// study::assess() is for submissions in the short form.
#pragma once

#include "domain/fhir_issue.hpp"
#include "domain/study.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace epione::domain {

struct compiled_form;

/// The form of a study that a canonical names: by its url, with or without "|version", or as "Questionnaire/ID", also behind a
/// server's address, or by the bare id that the study knows it by. Null if there is none.
const compiled_form* find_form(const compiled_study& study, std::string_view canonical);

/// The form a submission was answered with; null when the study has it in this version no longer.
const compiled_form* find_form(const compiled_study& study, std::string_view form_id, std::string_view version);

struct response_verdict {
  std::vector<fhir_issue> issues; ///< with an error among them: refused
  std::string form, version, authored;
  std::string answers; ///< as in a submission_record
  std::vector<score> scores;
  std::vector<alert> alerts;
  bool accepted() const { return !has_errors(issues); }
};

/// Why a response is to be stored: only a stored one can turn out to be an error, and nobody's draft is stored.
enum class response_purpose : std::uint8_t { create, amend };

/// `resource` is as stored_resource() makes it. Every problem is listed; no issue repeats an answer.
response_verdict assess_response(const study& study, std::string_view resource, response_purpose purpose, std::int64_t now_us);

} // namespace epione::domain
