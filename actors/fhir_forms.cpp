// What the FHIR interface answers from the studies alone: the CapabilityStatement, Questionnaires, Patients, and checks.
#include "actors/fhir_form_text.hpp"
#include "actors/fhir_searchset.hpp"
#include "actors/fhir_service.hpp"
#include "domain/canonical.hpp"
#include "domain/compiled_study.hpp"
#include "domain/fhir_answers.hpp"
#include "domain/fhir_assess.hpp"
#include "domain/fhir_outcome.hpp"
#include "domain/fhir_primitive.hpp"
#include "domain/fhir_text.hpp"
#include "domain/limits.hpp"
#include "domain/questionnaire_compiler.hpp"
#include "domain/questionnaire_response.hpp"
#include "runtime/defaults.hpp"

#include <algorithm>
#include <charconv>

namespace epione::actors {

using namespace messages;

namespace {

using domain::append_json_string;

struct named_form {
  const domain::study* study;
  const domain::compiled_form* form;
};

/// The newest version of each form; with `earlier` the others after it, newest first.
std::vector<named_form> all_forms(const runtime::catalog_snapshot& catalog, const std::optional<std::string>& study,
                                  bool earlier) {
  std::vector<named_form> out;
  for (const auto& [id, s] : catalog.studies) {
    if (study && *study != id)
      continue;
    for (const auto& f : s->compiled().forms)
      out.push_back({s.get(), &f});
    if (earlier)
      for (const auto& f : s->compiled().earlier)
        out.push_back({s.get(), f.get()});
  }
  return out;
}

std::string_view status_text(domain::publication_status s) {
  switch (s) {
    case domain::publication_status::draft: return "draft";
    case domain::publication_status::active: return "active";
    case domain::publication_status::retired: return "retired";
    case domain::publication_status::unknown: return "unknown";
  }
  return "unknown";
}

bool contains_ignoring_case(std::string_view text, std::string_view begin) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  return text.size() >= begin.size() &&
         std::equal(begin.begin(), begin.end(), text.begin(), [&](char a, char b) { return lower(a) == lower(b); });
}

template <class Value>
bool is_one_of(const std::optional<std::string>& parameter, const Value& value) {
  if (!parameter)
    return true;
  const auto wanted = alternatives(*parameter);
  return std::any_of(wanted.begin(), wanted.end(), [&](const auto& w) { return w == value; });
}

std::string parameter_text(std::string_view name, std::string_view type, std::string_view documentation) {
  std::string out = R"({"name":")";
  out += name;
  out += R"(","type":")";
  out += type;
  out += R"(","documentation":)";
  append_json_string(out, documentation);
  return out + "}";
}

} // namespace

void fhir_service::metadata(const call_ptr& c) {
  if (!c->only({"mode"}))
    return;
  constexpr std::string_view released = "2026-12-01"; // of this statement; changes with it
  std::string out = R"({"resourceType":"CapabilityStatement","status":"active","date":")";
  out += released;
  out += R"(","kind":"instance","software":{"name":"Epione","version":")" EPIONE_VERSION R"("},"implementation":{"description":)";
  append_json_string(out, "ePRO platform: questionnaires of clinical trials and the patients' responses");
  out += R"(,"url":)";
  append_json_string(out, c->request->base);
  out += R"(},"fhirVersion":"4.0.1","format":["application/fhir+json","json"],"rest":[{"mode":"server","documentation":)";
  append_json_string(out,
                     "Create, update and Bundle are durable when they are answered. A create of a QuestionnaireResponse with "
                     "Idempotency-Key or If-None-Exist may be repeated; that of a Questionnaire always, and without "
                     "If-None-Exist. An update is an amendment: it needs a reason in X-Provenance. A search takes _count (0: the "
                     "total), _summary and _elements, by GET or by POST to _search; Prefer: handling=strict or lenient says "
                     "what becomes of parameters that are not known. Without it those of what is looked for are refused, and "
                     "those of how the answer looks left out of account.");
  const auto interaction = [](std::string_view code) { return R"({"code":")" + std::string{code} + R"("})"; };
  out += R"(,"resource":[{"type":"Patient","interaction":[)" + interaction("read") + R"(],"versioning":"no-version"},)";
  out += R"({"type":"Questionnaire","interaction":[)" + interaction("create") + "," + interaction("read") + "," +
         interaction("vread") + "," + interaction("search-type") +
         R"(],"versioning":"versioned","conditionalCreate":false,"conditionalRead":"modified-since","searchParam":[)" +
         parameter_text("url", "uri", "canonical url") + "," + parameter_text("version", "token", "business version") + "," +
         parameter_text("status", "token", "draft, active, retired or unknown") + "," +
         parameter_text("title", "string", "begins with, whatever the case") + "," +
         parameter_text("_id", "token", "the form's id") +
         R"(],"operation":[{"name":"validate","definition":"http://hl7.org/fhir/OperationDefinition/Resource-validate"}]},)";
  out += R"({"type":"QuestionnaireResponse","interaction":[)";
  bool first = true;
  for (const auto* code : {"create", "read", "vread", "update", "history-instance", "search-type"}) {
    out += (first ? "" : ",") + interaction(code);
    first = false;
  }
  out += R"(],"versioning":"versioned-update","readHistory":true,"updateCreate":false,"conditionalCreate":true,)"
         R"("conditionalRead":"full-support","conditionalUpdate":false,"conditionalDelete":"not-supported","searchParam":[)" +
         parameter_text("_id", "token", "the receipt") + "," + parameter_text("identifier", "token", "system|value") + "," +
         parameter_text("subject", "reference", "Patient/ID") + "," + parameter_text("patient", "reference", "Patient/ID or ID") +
         "," + parameter_text("questionnaire", "reference", "url, url|version or the form's id") + "," +
         parameter_text("authored", "date", "with eq, ne, lt, gt, le, ge, sa, eb") + "," +
         parameter_text("status", "token", "of the response") +
         R"(],"operation":[{"name":"validate","definition":"http://hl7.org/fhir/OperationDefinition/Resource-validate"}]}],)";
  out += R"("interaction":[)" + interaction("batch") + "," + interaction("transaction") + "]}]}";
  c->done({.status = 200, .body = std::move(out)});
}

void fhir_service::search_forms(const call_ptr& c) {
  if (!c->only({"url", "version", "status", "title", "_id", "_count", "_offset", "_summary", "_elements", "study"}) ||
      !c->take_part(true))
    return;
  const auto snapshot = catalog_.get();
  const auto count = c->take_count(options_.page_max);
  if (!count)
    return;
  std::uint32_t offset = 0;
  if (const auto text = c->parameter("_offset")) {
    constexpr std::uint32_t offset_max = 1'000'000;
    const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), offset);
    if (error != std::errc{} || end != text->data() + text->size() || offset > offset_max)
      return c->fail(400, "invalid", "_offset must be between 0 and " + std::to_string(offset_max));
  }
  std::vector<named_form> found;
  // Who asks for a version may mean one that a newer one has replaced.
  for (const auto& f : all_forms(*snapshot, c->parameter("study"), c->parameter("version").has_value())) {
    const auto title = c->parameter("title");
    const auto wanted = title ? alternatives(*title) : std::vector<std::string>{};
    const bool titled = !title || std::any_of(wanted.begin(), wanted.end(),
                                              [&](const auto& w) { return contains_ignoring_case(f.form->form.title.text, w); });
    if (titled && is_one_of(c->parameter("url"), f.form->form.url) && is_one_of(c->parameter("version"), f.form->version) &&
        is_one_of(c->parameter("status"), status_text(f.form->form.status)) && is_one_of(c->parameter("_id"), f.form->id))
      found.push_back(f);
  }
  searchset out{c->request->base + "/Questionnaire"};
  out.add_link("self", query_text(c->query));
  if (*count == 0)
    return c->done({.status = 200, .body = out.text(found.size())});
  for (std::size_t i = offset; i < std::min<std::size_t>(found.size(), std::size_t{offset} + *count); ++i) {
    const auto& form = *found[i].form;
    const auto modified_us = snapshot->form_time(found[i].study->id(), form.id, form.version);
    out.add_match(form.id, part_of_resource(form_text(form, modified_us), c->part));
  }
  out.add_ignored(c->ignored);
  if (found.size() > std::size_t{offset} + *count) {
    const auto rest = query_text(c->query, "_offset");
    out.add_link("next", rest + (rest.empty() ? "" : "&") + "_offset=" + std::to_string(offset + *count));
  }
  c->done({.status = 200, .body = out.text(found.size())});
}

void fhir_service::read_form(const call_ptr& c, const std::string& id, const std::string* version) {
  if (!c->only({"study", "_summary", "_elements"}) || !c->take_part(false))
    return;
  const auto snapshot = catalog_.get();
  std::vector<named_form> found;
  bool known = false;
  for (const auto& f : all_forms(*snapshot, c->parameter("study"), version != nullptr)) {
    known = known || f.form->id == id;
    if (f.form->id == id && (version == nullptr || *version == form_version_id(f.form->version)))
      found.push_back(f);
  }
  const bool same = std::all_of(found.begin(), found.end(), [&](const auto& f) {
    return f.form->source == found.front().form->source ||
           (f.form->source != nullptr && found.front().form->source != nullptr && *f.form->source == *found.front().form->source);
  });
  if (found.empty())
    return c->fail(404, "not-found", known ? "the questionnaire has no such version" : "no study has such a questionnaire");
  if (!same)
    return c->fail(400, "multiple-matches", "several studies have a questionnaire of this id; name one: ?study=ID");
  const auto& form = *found.front().form;
  fhir_answer a;
  a.modified_us = snapshot->form_time(found.front().study->id(), form.id, form.version);
  a.body = part_of_resource(form_text(form, a.modified_us), c->part);
  a.etag_text = form_version_id(form.version);
  // Its status and some dates may change under the same version.
  answer_read(*c, std::move(a), false);
}

void fhir_service::read_patient(const call_ptr& c, const std::string& id) {
  if (!c->only({"study"}))
    return;
  const auto subject = domain::subject_of_patient(id);
  if (!subject)
    return c->fail(404, "not-found", "there is no such patient");
  const auto snapshot = catalog_.get();
  std::string problem;
  const auto study = study_for(*c, *snapshot, *subject, {}, problem);
  const auto site = study == nullptr ? std::nullopt : study->site_of(*subject);
  if (study == nullptr && problem.starts_with("several"))
    return c->fail(400, "multiple-matches", problem);
  if (!site)
    return c->fail(404, "not-found", "there is no such patient");
  const auto& sites = study->compiled().sites;
  const auto where = std::find_if(sites.begin(), sites.end(), [&](const auto& s) { return s.id == *site; });
  std::string out = R"({"resourceType":"Patient","id":)";
  append_json_string(out, id);
  out += R"(,"identifier":[{"system":)";
  append_json_string(out, "urn:epione:study:" + percent_encoded(study->id()) + ":subject");
  out += R"(,"value":)";
  append_json_string(out, *subject);
  out += R"(}],"managingOrganization":{"identifier":{"system":)";
  append_json_string(out, "urn:epione:study:" + percent_encoded(study->id()) + ":site");
  out += R"(,"value":)";
  append_json_string(out, *site);
  out += '}';
  if (where != sites.end() && !where->name.empty()) {
    out += R"(,"display":)";
    append_json_string(out, where->name);
  }
  c->done({.status = 200, .body = out + "}}"});
}

void fhir_service::validate(const call_ptr& c, std::string_view type) {
  if (!c->only({"mode", "profile", "study"}))
    return;
  auto json = domain::parse_response(c->request->body);
  if (!json)
    return c->done({.status = 400, .body = domain::operation_outcome({json.error()})});
  std::string text = c->request->body;
  if (domain::json_text_at(*json, 0, "resourceType") == "Parameters") {
    const auto list = json->find(0, "parameter");
    std::uint32_t resource = 0;
    for (auto n = list + 1; list != 0 && n < (*json)[list].end; n = (*json)[n].end)
      if (domain::json_text_at(*json, n, "name") == "resource")
        resource = json->find(n, "resource");
    if (resource == 0)
      return c->fail(400, "required", "Parameters has no parameter \"resource\" with a resource");
    text.clear();
    domain::append_canonical_json(text, *json, resource);
    json = domain::parse_response(text);
  }
  if (!json || domain::json_text_at(*json, 0, "resourceType") != type)
    return c->fail(400, "structure", "the resource must be a " + std::string{type});
  if (type == "Questionnaire") {
    std::vector<domain::fhir_issue> issues;
    domain::file_problems problems{std::string{type}, issues};
    domain::compile_questionnaire(text, problems, {.for_submissions = false});
    return c->done({.status = 200, .body = domain::operation_outcome(issues)});
  }
  const auto snapshot = catalog_.get();
  const auto canonical = domain::json_text_at(*json, 0, "questionnaire");
  const domain::compiled_form* form = nullptr;
  for (const auto& [id, study] : snapshot->studies)
    if (form == nullptr && (!c->parameter("study") || *c->parameter("study") == id) && !canonical.empty())
      form = domain::find_form(study->compiled(), canonical);
  const auto issues = form == nullptr ? domain::check_response_without_form(*json)
                                      : domain::check_response(*json, form->form, {.now_us = clock_.wall_us()});
  c->done({.status = 200, .body = domain::operation_outcome(issues)});
}

} // namespace epione::actors
