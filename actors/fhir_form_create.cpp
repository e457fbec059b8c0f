// FHIR's create of a Questionnaire: a form for a study, or another version of one. What it is called, and whether the study takes
// it, is said where imports go one after the other (actors/study_register.hpp).
#include "actors/fhir_form_text.hpp"
#include "actors/fhir_service.hpp"
#include "domain/fhir_issue.hpp"
#include "domain/fhir_outcome.hpp"
#include "domain/fhir_text.hpp"
#include "domain/questionnaire_compiler.hpp"
#include "domain/questionnaire_response.hpp"
#include "domain/study_addition.hpp"
#include "domain/study_file.hpp"

#include <algorithm>

namespace epione::actors {

using namespace messages;

namespace {

/// Of the lines with which an import is refused; a line that names no file and place is a sentence of its own.
std::vector<domain::fhir_issue> issues_of(std::string_view lines, const char* code) {
  std::vector<domain::fhir_issue> out;
  while (!lines.empty()) {
    const auto line = lines.substr(0, lines.find('\n'));
    lines.remove_prefix(std::min(line.size() + 1, lines.size()));
    const auto place_at = line.find('\t');
    const auto message_at = place_at == std::string_view::npos ? place_at : line.find('\t', place_at + 1);
    std::string message{line};
    if (message_at != std::string_view::npos) {
      const auto place = line.substr(place_at + 1, message_at - place_at - 1);
      message = (place.empty() ? "" : std::string{place} + ": ") + std::string{line.substr(message_at + 1)};
    }
    if (!message.empty())
      out.push_back({domain::issue_severity::error, code, "Questionnaire", {}, std::move(message)});
  }
  return out;
}

} // namespace

/// The id of the study that is to have the form; nothing when the request was answered.
std::optional<std::string> fhir_service::study_for_form(const call& c) const {
  if (!catalog_.ready()) {
    c.done({.status = 503,
            .body = domain::outcome_text("transient", "the studies are being read; try again", "not_stored"),
            .retry_after_s = options_.retry_after_s});
    return std::nullopt;
  }
  const auto snapshot = catalog_.get();
  const auto& studies = snapshot->studies;
  const auto named = c.parameter("study");
  if (named && studies.contains(*named))
    return named;
  if (!named && studies.size() == 1)
    return studies.begin()->first;
  if (named || studies.empty())
    c.fail(404, "not-found", named ? "unknown study" : "there is no study to add it to");
  else
    c.fail(400, "multiple-matches", "there are several studies; name one: ?study=ID");
  return std::nullopt;
}

void fhir_service::create_form(const call_ptr& c) {
  if (!c->only({"study"}))
    return;
  if (c->request->if_none_exist)
    return c->fail(400, "not-supported", "a questionnaire is created without If-None-Exist: the same one again changes nothing");
  auto json = domain::parse_response(c->request->body);
  if (!json)
    return c->done({.status = 400, .body = domain::operation_outcome({json.error()})});
  if (domain::json_text_at(*json, 0, "resourceType") != "Questionnaire")
    return c->fail(400, "structure", "the resource must be a Questionnaire");
  if (is_subset(*json))
    return c->fail(422, "business-rule", subset_refused);
  auto study = study_for_form(*c);
  if (!study)
    return;
  std::vector<domain::fhir_issue> issues;
  domain::file_problems problems{"Questionnaire", issues};
  domain::compile_questionnaire(c->request->body, problems, {});
  if (domain::has_errors(issues))
    return c->done({.status = 422, .body = domain::operation_outcome(issues)});
  domain::form_addition addition{std::move(*study), c->request->body, "fhir", "unknown", {}};
  if (c->request->provenance) {
    auto why = read_provenance(*c->request->provenance);
    if (!why)
      return c->fail(400, "invalid", why.error());
    addition.who = std::move(why->who);
    addition.role = std::move(why->role);
    addition.reason = std::move(why->reason);
  }
  const form_name name{addition.study, {}, std::string{domain::json_text_at(*json, 0, "version")}};
  ports_.add_form(std::make_shared<const domain::form_addition>(std::move(addition)),
                  [this, c, name](ec error, const std::string& text, bool changed) {
                    if (error == ec::none)
                      answer_form(*c, changed ? 201 : 200, {name.study, text, name.version});
                    else
                      refuse_form(*c, error, text);
                  });
}

void fhir_service::refuse_form(const call& c, ec error, const std::string& text) const {
  const auto refuse = [&](int status, const char* code) {
    c.done({.status = status, .body = domain::operation_outcome(issues_of(text, code))});
  };
  if (error == ec::invalid)
    return refuse(422, domain::issue_code::business_rule);
  if (error == ec::conflict)
    return refuse(409, "conflict");
  if (error == ec::not_found)
    return refuse(404, domain::issue_code::not_found);
  c.done({.status = 503,
          .body = domain::outcome_text("transient", text, error == ec::not_serving ? "not_stored" : "unknown"),
          .retry_after_s = options_.retry_after_s});
}

/// This node has read what was stored: an import is answered after that.
void fhir_service::answer_form(const call& c, int status, const form_name& name) const {
  const auto snapshot = catalog_.get();
  fhir_answer a;
  a.status = status;
  a.etag_text = form_version_id(name.version);
  a.location = c.request->base + "/Questionnaire/" + name.form + "/_history/" + a.etag_text;
  a.modified_us = snapshot->form_time(name.study, name.form, name.version);
  const auto study = snapshot->studies.find(name.study);
  const auto* form = study == snapshot->studies.end() ? nullptr : study->second->compiled().find_form(name.form, name.version);
  if (c.wanted == wanted_return::representation && form != nullptr)
    a.body = form_text(*form, a.modified_us);
  else if (c.wanted != wanted_return::minimal) // or a later import has taken the study's form out again
    a.body = domain::outcome_text("informational",
                                  status == 201 ? "the questionnaire is part of the study" : "it was part of the study already",
                                  {}, "information");
  c.done(std::move(a));
}

} // namespace epione::actors
