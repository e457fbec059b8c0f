// What the FHIR interface answers from the studies alone: the CapabilityStatement, Questionnaires, Patients, and checks.
#include "actors/fhir_service.hpp"
#include "domain/canonical.hpp"
#include "domain/compiled_study.hpp"
#include "domain/digest.hpp"
#include "domain/fhir_answers.hpp"
#include "domain/fhir_assess.hpp"
#include "domain/fhir_outcome.hpp"
#include "domain/fhir_primitive.hpp"
#include "domain/fhir_text.hpp"
#include "domain/limits.hpp"
#include "domain/questionnaire_compiler.hpp"
#include "domain/questionnaire_response.hpp"
#include "domain/toml_reader.hpp"
#include "runtime/defaults.hpp"

#include <algorithm>
#include <array>
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

/// A form's version as FHIR can name it in an address.
std::string version_id(const domain::compiled_form& f) {
  return domain::is_fhir_id(f.version) ? f.version : "1";
}

/// As it was imported, but for its id, which is the one that the study knows it by.
std::string form_text(const domain::compiled_form& f) {
  const auto json = domain::json_document::parse(f.source == nullptr ? std::string_view{"{}"} : std::string_view{*f.source},
                                                 domain::limits::json_depth_max);
  std::string out = R"({"resourceType":"Questionnaire","id":)";
  append_json_string(out, f.id);
  out += R"(,"meta":{"versionId":)";
  append_json_string(out, version_id(f));
  if (json) {
    const auto& j = *json;
    if (const auto meta = j.find(0, "meta"); meta != 0 && j[meta].kind == domain::json_kind::object)
      for (auto n = meta + 1; n < j[meta].end; n = j[n].end) {
        if (j[n].name == "versionId")
          continue;
        out += ',';
        append_json_string(out, j[n].name);
        out += ':';
        domain::append_canonical_json(out, j, n);
      }
    out += '}';
    for (std::uint32_t n = 1; n < j[0].end; n = j[n].end) {
      if (j[n].name == "resourceType" || j[n].name == "id" || j[n].name == "meta")
        continue;
      out += ',';
      append_json_string(out, j[n].name);
      out += ':';
      domain::append_canonical_json(out, j, n);
    }
  } else {
    out += '}';
  }
  return out + "}";
}

/// 12 hexadecimal digits.
std::string digest_text(std::string_view text) {
  std::array<std::uint8_t, 16> bytes{};
  domain::digest<16>{}.add(text).finish(bytes);
  std::string out;
  for (std::size_t i = 0; i < 6; ++i)
    for (const auto nibble : {bytes.at(i) >> 4, bytes.at(i) & 15})
      out += "0123456789abcdef"[nibble];
  return out;
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
  constexpr std::string_view released = "2026-11-30"; // of this statement; changes with it
  std::string out = R"({"resourceType":"CapabilityStatement","status":"active","date":")";
  out += released;
  out += R"(","kind":"instance","software":{"name":"Epione","version":")" EPIONE_VERSION R"("},"implementation":{"description":)";
  append_json_string(out, "ePRO platform: questionnaires of clinical trials and the patients' responses");
  out += R"(,"url":)";
  append_json_string(out, c->request->base);
  out += R"(},"fhirVersion":"4.0.1","format":["application/fhir+json","json"],"rest":[{"mode":"server","documentation":)";
  append_json_string(out, "Create, update and Bundle are durable when they are answered. A create with Idempotency-Key or "
                          "If-None-Exist may be repeated. An update is an amendment: it needs a reason in X-Provenance.");
  const auto interaction = [](std::string_view code) { return R"({"code":")" + std::string{code} + R"("})"; };
  out += R"(,"resource":[{"type":"Patient","interaction":[)" + interaction("read") + R"(],"versioning":"no-version"},)";
  out += R"({"type":"Questionnaire","interaction":[)" + interaction("create") + "," + interaction("read") + "," +
         interaction("vread") + "," + interaction("search-type") + R"(],"versioning":"versioned","searchParam":[)" +
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
         R"("conditionalRead":"not-supported","conditionalUpdate":false,"conditionalDelete":"not-supported","searchParam":[)" +
         parameter_text("_id", "token", "the receipt") + "," + parameter_text("identifier", "token", "system|value") + "," +
         parameter_text("subject", "reference", "Patient/ID") + "," + parameter_text("patient", "reference", "Patient/ID or ID") +
         "," + parameter_text("questionnaire", "reference", "url, url|version or the form's id") + "," +
         parameter_text("authored", "date", "with eq, ne, lt, gt, le, ge, sa, eb") + "," +
         parameter_text("status", "token", "of the response") +
         R"(],"operation":[{"name":"validate","definition":"http://hl7.org/fhir/OperationDefinition/Resource-validate"}]}],)";
  out += R"("interaction":[)" + interaction("batch") + "," + interaction("transaction") + "]}]}";
  c->done({.status = 200, .body = std::move(out)});
}

namespace {

/// What the study is to know the form by: the id of the form with the same url, else the end of its url, its name, the id it
/// came with, or one made of its content; none that another form has.
std::string new_form_id(const domain::compiled_study& study, const domain::json_document& json, std::string_view text) {
  const auto url = domain::json_text_at(json, 0, "url");
  for (const auto& f : study.forms)
    if (!url.empty() && f.form.url == url)
      return f.id;
  const auto name = [&](std::string_view member) { return domain::json_text_at(json, 0, member); };
  const auto made = "form-" + digest_text(text);
  for (const auto candidate : {url.substr(url.find_last_of("/:") + 1), name("name"), name("id"), std::string_view{made}}) {
    if (!domain::is_identifier(candidate) || !domain::is_fhir_id(candidate))
      continue;
    const auto* other = study.find_form(candidate);
    if (other == nullptr || (other->form.url.empty() && url.empty()))
      return std::string{candidate};
  }
  return made;
}

/// Of the lines with which an import is refused.
std::vector<domain::fhir_issue> issues_of(std::string_view lines) {
  std::vector<domain::fhir_issue> out;
  while (!lines.empty()) {
    const auto line = lines.substr(0, lines.find('\n'));
    lines.remove_prefix(std::min(line.size() + 1, lines.size()));
    const auto file = line.substr(0, line.find('\t'));
    const auto rest = line.substr(std::min(file.size() + 1, line.size()));
    const auto place = rest.substr(0, rest.find('\t'));
    const auto message = rest.substr(std::min(place.size() + 1, rest.size()));
    out.push_back({domain::issue_severity::error,
                   domain::issue_code::business_rule,
                   "Questionnaire",
                   {},
                   (place.empty() ? "" : std::string{place} + ": ") + std::string{message}});
  }
  return out;
}

} // namespace

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
  const auto snapshot = catalog_.get();
  const auto named = c->parameter("study");
  const auto study = named                           ? snapshot->studies.find(*named)
                     : snapshot->studies.size() == 1 ? snapshot->studies.begin()
                                                     : snapshot->studies.end();
  if (study == snapshot->studies.end() && (named || snapshot->studies.empty()))
    return c->fail(404, "not-found", named ? "unknown study" : "there is no study to add it to");
  if (study == snapshot->studies.end())
    return c->fail(400, "multiple-matches", "there are several studies; name one: ?study=ID");
  std::vector<domain::fhir_issue> issues;
  domain::file_problems problems{"Questionnaire", issues};
  domain::compile_questionnaire(c->request->body, problems, {});
  if (domain::has_errors(issues))
    return c->done({.status = 422, .body = domain::operation_outcome(issues)});
  auto addition = std::make_shared<domain::study_source>();
  addition->adds_to = study->first;
  addition->forms.push_back({new_form_id(study->second->compiled(), *json, c->request->body), c->request->body});
  std::string who = "fhir";
  if (c->request->provenance) {
    auto why = read_provenance(*c->request->provenance);
    if (!why)
      return c->fail(400, "invalid", why.error());
    who = why->who;
  }
  ports_.import(addition, who, [this, c, addition](ec error, const std::string& text, bool changed) {
    if (error == ec::none)
      return answer_form(*c, changed ? 201 : 200, *addition);
    if (error == ec::invalid)
      return c->done({.status = 422, .body = domain::operation_outcome(issues_of(text))});
    c->done({.status = 503,
             .body = domain::outcome_text("transient", text, error == ec::not_serving ? "not_stored" : "unknown"),
             .retry_after_s = options_.retry_after_s});
  });
}

void fhir_service::answer_form(const call& c, int status, const domain::study_source& addition) const {
  domain::compiled_form form;
  form.id = addition.forms[0].name;
  form.source = std::make_shared<const std::string>(addition.forms[0].text);
  if (const auto json = domain::json_document::parse(*form.source, domain::limits::json_depth_max))
    form.version = domain::json_text_at(*json, 0, "version");
  fhir_answer a;
  a.status = status;
  a.etag_text = version_id(form);
  a.location = c.request->base + "/Questionnaire/" + form.id + "/_history/" + a.etag_text;
  if (c.wanted == wanted_return::representation)
    a.body = form_text(form);
  else if (c.wanted == wanted_return::outcome)
    a.body = domain::outcome_text("informational",
                                  status == 201 ? "the questionnaire is part of the study" : "it was part of the study already",
                                  {}, "information");
  c.done(std::move(a));
}

void fhir_service::search_forms(const call_ptr& c) {
  if (!c->only({"url", "version", "status", "title", "_id", "_count", "_offset", "study"}))
    return;
  const auto snapshot = catalog_.get();
  std::uint32_t count = std::min(runtime::defaults::search_page_default, options_.page_max), offset = 0;
  const auto number = [&](std::string_view name, std::uint32_t least, std::uint32_t most, std::uint32_t& out) {
    const auto text = c->parameter(name);
    if (!text)
      return true;
    const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), out);
    if (error == std::errc{} && end == text->data() + text->size() && out >= least && out <= most)
      return true;
    c->fail(400, "invalid", std::string{name} + " must be between " + std::to_string(least) + " and " + std::to_string(most));
    return false;
  };
  if (!number("_count", 1, options_.page_max, count) || !number("_offset", 0, 1'000'000, offset))
    return;
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
  const auto& base = c->request->base;
  const auto link = [&](std::string_view relation, const std::string& query) {
    std::string out = R"({"relation":")" + std::string{relation} + R"(","url":)";
    append_json_string(out, base + "/Questionnaire" + (query.empty() ? "" : "?" + query));
    return out + "}";
  };
  std::string out = R"({"resourceType":"Bundle","type":"searchset","total":)" + std::to_string(found.size()) + R"(,"link":[)";
  out += link("self", c->request->query);
  if (found.size() > std::size_t{offset} + count) {
    const auto rest = query_without(c->request->query, "_offset");
    out += "," + link("next", rest + (rest.empty() ? "" : "&") + "_offset=" + std::to_string(offset + count));
  }
  out += R"(],"entry":[)";
  for (std::size_t i = offset; i < std::min<std::size_t>(found.size(), std::size_t{offset} + count); ++i) {
    out += i == offset ? R"({"fullUrl":)" : R"(,{"fullUrl":)";
    append_json_string(out, base + "/Questionnaire/" + found[i].form->id);
    out += R"(,"resource":)" + form_text(*found[i].form) + R"(,"search":{"mode":"match"}})";
  }
  c->done({.status = 200, .body = out + "]}"});
}

void fhir_service::read_form(const call_ptr& c, const std::string& id, const std::string* version) {
  if (!c->only({"study"}))
    return;
  const auto snapshot = catalog_.get();
  std::vector<named_form> found;
  bool known = false;
  for (const auto& f : all_forms(*snapshot, c->parameter("study"), version != nullptr)) {
    known = known || f.form->id == id;
    if (f.form->id == id && (version == nullptr || *version == version_id(*f.form)))
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
  a.body = form_text(form);
  a.etag_text = version_id(form);
  c->done(std::move(a));
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
