#include "actors/fhir_service.hpp"

#include "actors/fhir_condition.hpp"
#include "domain/compiled_study.hpp"
#include "domain/fhir_assess.hpp"
#include "domain/fhir_outcome.hpp"
#include "domain/fhir_primitive.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <ctime>

namespace epione::actors {

using namespace messages;

void fhir_service::call::fail(int status, std::string_view code, std::string_view sentence) const {
  fhir_answer a;
  a.status = status;
  a.body = domain::outcome_text(code, sentence);
  done(std::move(a));
}

std::optional<std::string> fhir_service::call::parameter(std::string_view name) const {
  for (const auto& [n, value] : query)
    if (n == name)
      return value;
  return std::nullopt;
}

bool fhir_service::call::only(std::initializer_list<std::string_view> names) const {
  for (const auto& [name, value] : query) {
    if (name == "_format" || name == "_pretty" || std::find(names.begin(), names.end(), name) != names.end())
      continue;
    std::string known = "_format";
    for (const auto n : names)
      known += ", " + std::string{n};
    // To leave a parameter out of account would show, or change, something else than was asked for.
    fail(400, "not-supported", "the query has a parameter that is not known here; known are " + known);
    return false;
  }
  return true;
}

void fhir_service::handle(fhir_request_ptr request, fhir_done done) {
  auto c = std::make_shared<call>();
  c->request = std::move(request);
  c->done = std::move(done);
  const auto& r = *c->request;
  auto query = parse_query(r.query);
  if (!query)
    return c->fail(400, "invalid", "the query holds a broken percent-encoding");
  c->query = std::move(*query);
  const auto format = c->parameter("_format");
  if (format ? !is_json_format(*format) : !takes_json(r.accept.value_or("")))
    return c->fail(406, "not-supported", "only JSON is given: application/fhir+json");
  if (r.method != fhir_request::verb::get && !is_json_content(r.content_type))
    return c->fail(415, "not-supported", "the body must be application/fhir+json or application/json, without Content-Encoding");
  c->wanted = wanted_by(r.prefer.value_or(""));
  std::vector<std::string> path;
  for (std::string_view rest = r.path; !rest.empty();) {
    rest.remove_prefix(1); // each begins with a slash
    const auto end = std::min(rest.find('/'), rest.size());
    auto segment = percent_decoded(rest.substr(0, end), false);
    if (!segment)
      return c->fail(400, "invalid", "the path is not percent-encoded UTF-8");
    path.push_back(std::move(*segment));
    rest.remove_prefix(end);
  }
  route(c, path);
}

void fhir_service::answer_read(const call& c, fhir_answer a, bool version_says_all) const {
  const auto& r = *c.request;
  const auto version = a.version != 0 ? std::to_string(a.version) : a.etag_text;
  if (is_unchanged({r.if_none_match, r.if_modified_since}, {version, a.modified_us, version_says_all})) {
    a.status = 304;
    a.body.clear();
  }
  c.done(std::move(a));
}

void fhir_service::route(const call_ptr& c, const std::vector<std::string>& path) {
  using verb = fhir_request::verb;
  const auto method = c->request->method;
  const auto none = std::string{};
  const auto& type = path.empty() ? none : path[0];
  const auto n = path.size();
  const bool response = type == "QuestionnaireResponse", form = type == "Questionnaire";
  const bool versioned = n == 4 && path[2] == "_history";
  if (n == 0 && method == verb::post)
    return bundle(c);
  if (n == 1 && type == "metadata" && method == verb::get)
    return metadata(c);
  if ((response || form) && n == 2 && path[1] == "$validate" && method == verb::post)
    return validate(c, type);
  if (response && n == 1 && method == verb::post)
    return create(c);
  if (form && n == 1 && method == verb::post)
    return create_form(c);
  if (response && n == 2 && method == verb::put)
    return update(c, path[1]);
  if (method == verb::get) {
    if (response && n == 1)
      return search_responses(c);
    if (response && (n == 2 || versioned))
      return read(c, path[1], versioned ? &path[3] : nullptr);
    if (response && n == 3 && path[2] == "_history")
      return history(c, path[1]);
    if (form && n == 1)
      return search_forms(c);
    if (form && (n == 2 || versioned))
      return read_form(c, path[1], versioned ? &path[3] : nullptr);
    if (type == "Patient" && n == 2)
      return read_patient(c, path[1]);
  }
  c->fail(404, "not-supported", "this server does not do that; /fhir/metadata says what it does");
}

/// The study a response belongs to: the one that is named, else the only one that has the patient and, if need be, the form.
std::shared_ptr<const domain::study> fhir_service::study_for(const call& c, const runtime::catalog_snapshot& catalog,
                                                             std::string_view subject, std::string_view questionnaire,
                                                             std::string& problem) const {
  if (const auto named = c.parameter("study")) {
    const auto found = catalog.studies.find(*named);
    if (found != catalog.studies.end())
      return found->second;
    problem = "unknown study";
    return nullptr;
  }
  if (catalog.studies.size() == 1)
    return catalog.studies.begin()->second;
  std::vector<std::shared_ptr<const domain::study>> has_subject, has_both;
  for (const auto& [id, study] : catalog.studies) {
    if (!study->site_of(subject))
      continue;
    has_subject.push_back(study);
    if (!questionnaire.empty() && domain::find_form(study->compiled(), questionnaire) != nullptr)
      has_both.push_back(study);
  }
  if (has_subject.size() == 1)
    return has_subject.front();
  if (has_both.size() == 1)
    return has_both.front();
  problem = has_subject.empty() ? "no study has this patient" : "several studies have this patient; name one: ?study=ID";
  return nullptr;
}

std::string status_line(int status) {
  constexpr std::array<std::pair<int, const char*>, 13> phrases{{{200, "OK"},
                                                                 {201, "Created"},
                                                                 {304, "Not Modified"},
                                                                 {400, "Bad Request"},
                                                                 {404, "Not Found"},
                                                                 {405, "Method Not Allowed"},
                                                                 {406, "Not Acceptable"},
                                                                 {409, "Conflict"},
                                                                 {412, "Precondition Failed"},
                                                                 {415, "Unsupported Media Type"},
                                                                 {422, "Unprocessable Content"},
                                                                 {500, "Internal Server Error"},
                                                                 {503, "Service Unavailable"}}};
  const auto found = std::find_if(phrases.begin(), phrases.end(), [&](const auto& p) { return p.first == status; });
  return std::to_string(status) + (found == phrases.end() ? "" : " " + std::string{found->second});
}

std::string http_date(std::int64_t us) {
  // Not strftime: names of days and months must not follow the locale.
  constexpr std::array<const char*, 7> days{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  constexpr std::array<const char*, 12> months{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                               "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto seconds = static_cast<std::time_t>(us / 1'000'000);
  std::tm t{};
  gmtime_r(&seconds, &t);
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%s, %02d %s %d %02d:%02d:%02d GMT", days.at(static_cast<std::size_t>(t.tm_wday)),
                t.tm_mday, months.at(static_cast<std::size_t>(t.tm_mon)), t.tm_year + 1900, t.tm_hour, t.tm_min, t.tm_sec);
  return text.data();
}

} // namespace epione::actors
