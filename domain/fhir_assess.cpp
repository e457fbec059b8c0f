#include "domain/fhir_assess.hpp"

#include "domain/compiled_study.hpp"
#include "domain/fhir_answers.hpp"
#include "domain/fhir_text.hpp"
#include "domain/questionnaire_response.hpp"
#include "domain/response_check.hpp"

#include <algorithm>
#include <array>

namespace epione::domain {

namespace {

constexpr std::string_view id_prefix = "Questionnaire/";
constexpr const char* questionnaire_place = "QuestionnaireResponse.questionnaire";

/// "ID" of "ID", "Questionnaire/ID" and "http://host/fhir/Questionnaire/ID"; empty for another url.
std::string_view id_in(std::string_view canonical) {
  if (canonical.find('/') == std::string_view::npos)
    return canonical;
  const auto at = canonical.rfind(id_prefix);
  if (at == std::string_view::npos || (at != 0 && canonical[at - 1] != '/'))
    return {};
  const auto id = canonical.substr(at + id_prefix.size());
  return id.find('/') == std::string_view::npos ? id : std::string_view{};
}

void refuse(response_verdict& v, issue_type code, const char* place, std::string message) {
  v.issues.push_back({issue_severity::error, code, place, "", std::move(message)});
}

void check_status(std::string_view status, response_purpose purpose, response_verdict& v) {
  constexpr const char* place = "QuestionnaireResponse.status";
  if (status == "in-progress")
    refuse(v, issue_code::business_rule, place, "a response that is in progress is not stored; send it when it is completed");
  else if (status == "entered-in-error" && purpose == response_purpose::create)
    refuse(v, issue_code::business_rule, place, "only a response that is stored can be marked as entered in error, by an update");
}

/// Once a form is retired it is no longer answered; what was authored while it was in force may still come in.
void check_retired(const questionnaire& form, const json_document& json, response_verdict& v) {
  if (form.status != publication_status::retired)
    return;
  const auto authored = parse_fhir_date_time(json_text_at(json, 0, "authored"));
  if (!authored || !form.valid_until || authored->first > form.valid_until->last)
    refuse(v, issue_code::business_rule, questionnaire_place,
           "the questionnaire is retired; only responses that were authored before its effectivePeriod ended are taken");
}

/// The whole response was checked already, each repetition by itself. Beside each other, repetitions can break these rules
/// without being wrong.
bool is_of_repetitions(const std::string& code) {
  constexpr std::array<std::string_view, 5> codes{"required", "not-enabled", "max-occurs", "min-occurs", "exclusive-option"};
  return std::find(codes.begin(), codes.end(), code) != codes.end();
}

std::vector<problem> problems_beside(const std::vector<problem>& all) {
  std::vector<problem> out;
  std::copy_if(all.begin(), all.end(), std::back_inserter(out), [](const auto& p) { return !is_of_repetitions(p.code); });
  return out;
}

void score_and_alert(const compiled_form& form, answers_check& answers, response_verdict& v) {
  std::vector<std::optional<score>> scores;
  for (const auto& rule : form.scores)
    scores.push_back(compute(rule, answers, scores, form.scores));
  for (const auto& rule : form.alerts)
    if (is_raised(rule, answers, scores))
      v.alerts.push_back({rule.id});
  for (auto& s : scores)
    if (s)
      v.scores.push_back(std::move(*s));
}

/// Scores what was sent. An item's limit is that of one repetition: where all of them together are more, it is lifted, so that no
/// answer is left out of an alert.
void read_and_score(const compiled_form& form, response_verdict& v) {
  std::vector<problem> problems;
  answers_check answers{form.form, problems};
  answers.run(v.answers, v.authored);
  const auto is_too_many = [](const problem& p) { return p.code == "max-occurs"; };
  if (std::any_of(problems.begin(), problems.end(), is_too_many)) {
    auto lifted = form.form;
    for (auto& item : lifted.items)
      item.max_occurs = ~std::size_t{0};
    problems.clear();
    answers_check again{lifted, problems};
    again.run(v.answers, v.authored);
    const bool beyond_all_limits = std::any_of(problems.begin(), problems.end(), is_too_many);
    if (!beyond_all_limits)
      problems = problems_beside(problems);
    if (problems.empty())
      return score_and_alert(form, again, v);
  } else {
    problems = problems_beside(problems);
  }
  for (const auto& p : problems)
    v.issues.push_back({issue_severity::error, issue_code::invalid, "QuestionnaireResponse", p.link_id, p.message});
  if (problems.empty())
    score_and_alert(form, answers, v);
}

} // namespace

const compiled_form* find_form(const compiled_study& study, std::string_view canonical) {
  const auto bar = canonical.find('|');
  const auto url = canonical.substr(0, bar);
  const auto version = bar == std::string_view::npos ? std::string_view{} : canonical.substr(bar + 1);
  const auto fits = [&](const compiled_form& f) { return version.empty() || f.version == version; };
  for (const auto& f : study.forms)
    if (!f.form.url.empty() && f.form.url == url && fits(f))
      return &f;
  const auto id = id_in(url);
  for (const auto& f : study.forms)
    if (!id.empty() && f.id == id && fits(f))
      return &f;
  // A version that was replaced is still answered, by who has it on a phone.
  if (!version.empty())
    for (const auto& f : study.earlier)
      if (f->version == version && ((!f->form.url.empty() && f->form.url == url) || (!id.empty() && f->id == id)))
        return f.get();
  return nullptr;
}

const compiled_form* find_form(const compiled_study& study, std::string_view form_id, std::string_view version) {
  return study.find_form(form_id, version);
}

response_verdict assess_response(const study& study, std::string_view resource, response_purpose purpose, std::int64_t now_us) {
  response_verdict v;
  const auto json = parse_response(resource);
  if (!json) {
    v.issues.push_back(json.error());
    return v;
  }
  const auto canonical = json_text_at(*json, 0, "questionnaire");
  const auto* form = canonical.empty() ? nullptr : find_form(study.compiled(), canonical);
  if (form == nullptr) {
    if (canonical.empty())
      refuse(v, issue_code::required, questionnaire_place,
             "questionnaire is missing: the url and version, or the id, of the form");
    else
      refuse(v, issue_code::not_found, questionnaire_place, "the study has no such questionnaire, or not in this version");
    return v;
  }
  v.form = form->id;
  v.version = form->version;
  v.authored = json_text_at(*json, 0, "authored");
  v.issues = check_response(*json, form->form, {.now_us = now_us});
  // It was found by the name that the study gives it, which need not be the one within the form.
  std::erase_if(v.issues, [](const auto& i) {
    return i.expression == questionnaire_place && std::string_view{i.code} == issue_code::not_found.text;
  });
  check_status(json_text_at(*json, 0, "status"), purpose, v);
  check_retired(form->form, *json, v);
  if (!v.accepted())
    return v;
  v.answers = short_answers(*json, form->form);
  read_and_score(*form, v);
  return v;
}

} // namespace epione::domain
