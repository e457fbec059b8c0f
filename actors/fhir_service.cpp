#include "actors/fhir_service.hpp"

#include "actors/fhir_condition.hpp"
#include "domain/compiled_study.hpp"
#include "domain/fhir_assess.hpp"
#include "domain/fhir_outcome.hpp"
#include "domain/fhir_primitive.hpp"
#include "runtime/defaults.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <ctime>

namespace epione::actors {

using namespace messages;

namespace {

struct posted_search_refusal {
  int status;
  const char* code;
  std::string sentence;
};

/// The search by GET that one by POST stands for (FHIR R4, RESTful API, "search").
tl::expected<fhir_request_ptr, posted_search_refusal> search_in(const fhir_request& posted) {
  const auto refuse = [](int status, const char* code, std::string sentence) {
    return tl::unexpected(posted_search_refusal{status, code, std::move(sentence)});
  };
  if (!is_form_content(posted.content_type) && !(posted.body.empty() && posted.content_type.empty()))
    return refuse(415, "not-supported",
                  "the parameters of a search must come as application/x-www-form-urlencoded, without Content-Encoding");
  constexpr auto most = runtime::defaults::search_bytes_max;
  if (posted.query.size() + posted.body.size() > most)
    return refuse(400, "too-long",
                  "the parameters of a search have " + std::to_string(most) + " bytes together at most; ask for less at once");
  auto out = std::make_shared<fhir_request>(posted);
  out->method = fhir_request::verb::get;
  out->path.resize(out->path.find('/', 1));
  out->query += (out->query.empty() || out->body.empty() ? "" : "&") + out->body;
  out->body.clear();
  out->content_type.clear();
  return out;
}

} // namespace

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

bool fhir_service::call::only(std::initializer_list<std::string_view> names) {
  const auto known = [&](std::string_view name) {
    return name == "_format" || name == "_pretty" || std::find(names.begin(), names.end(), name) != names.end();
  };
  const bool reads = request->method == fhir_request::verb::get;
  query_parameters kept;
  for (auto& [name, value] : query) {
    const auto plain = std::string_view{name}.substr(0, name.find_first_of(":."));
    const auto twice = [n = std::string_view{name}, v = std::string_view{value}](const auto& p) {
      return p.first == n && p.second != v;
    };
    if (known(name)) {
      // Twice means both: of these a response may have several, or the search looks for itself.
      constexpr std::array<std::string_view, 5> several{"authored", "identifier", "subject", "patient", "subject:Patient"};
      if (std::find(several.begin(), several.end(), name) == several.end() && std::any_of(kept.begin(), kept.end(), twice)) {
        fail(400, "not-supported", name + " is given twice, which would mean both; a comma means either");
        return false;
      }
      kept.emplace_back(std::move(name), std::move(value));
    } else if (known(plain)) { // FHIR R4, search, "modifiers": one that is not known must be refused
      fail(400, "not-supported", std::string{plain} + " is known here without modifier and chain only");
      return false;
    } else if (reads &&
               (handling == wanted_handling::lenient || (handling == wanted_handling::usual && is_result_parameter(name)))) {
      ignored.push_back(std::move(name));
    } else {
      // To leave what is looked for out of account would show other patients than were asked for.
      std::string known_ones = "_format, _pretty";
      for (const auto n : names)
        known_ones += ", " + std::string{n};
      fail(400, "not-supported",
           "the query has a parameter that is not known here" + (name.size() <= 64 ? ": " + name : std::string{}) +
               "; known are " + known_ones + (reads ? "; Prefer: handling=lenient leaves others out of account" : ""));
      return false;
    }
  }
  query = std::move(kept);
  return true;
}

bool fhir_service::call::take_part(bool counts) {
  auto wanted_one = read_wanted_part(parameter("_summary"), parameter("_elements"));
  if (!wanted_one)
    return fail(400, "invalid", wanted_one.error()), false;
  if (!counts && wanted_one->what == wanted_part::choice::count)
    return fail(400, "invalid", "_summary=count is for what finds several; this is one resource"), false;
  part = std::move(*wanted_one);
  return true;
}

std::optional<std::uint32_t> fhir_service::call::take_count(std::uint32_t most) {
  auto count = std::min(runtime::defaults::search_page_default, most);
  for (auto& [name, value] : query) {
    if (name != "_count")
      continue;
    std::uint64_t wanted_count = 0;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), wanted_count);
    if (error != std::errc{} || end != value.data() + value.size()) {
      fail(400, "invalid", "_count must be a number; of more than " + std::to_string(most) + " entries a page has that many");
      return std::nullopt;
    }
    count = static_cast<std::uint32_t>(std::min<std::uint64_t>(wanted_count, most));
    value = std::to_string(count);
  }
  return part.what == wanted_part::choice::count ? 0 : count;
}

void fhir_service::handle(fhir_request_ptr request, fhir_done done) {
  auto c = std::make_shared<call>();
  c->request = std::move(request);
  c->done = std::move(done);
  if (is_posted_search(*c->request)) {
    auto search = search_in(*c->request);
    if (!search)
      return c->fail(search.error().status, search.error().code, search.error().sentence);
    c->request = std::move(*search);
  }
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
  c->handling = handling_by(r.prefer.value_or(""));
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
