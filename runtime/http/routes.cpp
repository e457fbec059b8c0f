#include "runtime/http/routes.hpp"
#include "domain/hex.hpp"

#include <algorithm>
#include <utility>

namespace epione::runtime::http {

namespace {

using std::string_view;

// What any request can be answered with, whatever its route: see parse_head() and the connection's limits.
constexpr std::array submit_statuses{200, 202, 400, 404, 408, 409, 413, 415, 417, 421, 422, 431, 500, 501, 503, 505};
constexpr std::array history_statuses{200, 400, 404, 408, 413, 417, 421, 431, 500, 501, 503, 505};
constexpr std::array fhir_page_statuses{200, 400, 404, 406, 408, 413, 415, 417, 421, 431, 500, 501, 503, 505};
constexpr std::array fhir_read_statuses{200, 304, 400, 404, 406, 408, 413, 415, 417, 421, 431, 500, 501, 503, 505};
constexpr std::array fhir_create_statuses{200, 201, 400, 404, 406, 408, 409, 412, 413,
                                          415, 417, 421, 422, 431, 500, 501, 503, 505};
constexpr std::array fhir_form_create_statuses{200, 201, 400, 404, 406, 408, 409, 413, 415,
                                               417, 421, 422, 431, 500, 501, 503, 505};
constexpr std::array fhir_update_statuses{200, 400, 404, 405, 406, 408, 409, 412, 413,
                                          415, 417, 421, 422, 431, 500, 501, 503, 505};
constexpr std::array fhir_bundle_statuses{200, 400, 404, 405, 406, 408, 409, 412, 413,
                                          415, 417, 421, 422, 431, 500, 501, 503, 505};
constexpr std::array page_statuses{200, 400, 408, 413, 417, 421, 431, 501, 503, 505};

// A path that is written out stands before a pattern that would take it as well.
constexpr std::array<route, route_count> table{{
    {route_id::submit, "submit", method::post, "/patient/data", submit_statuses},
    {route_id::history, "history", method::get, "/patient/{id}", history_statuses},
    {route_id::submission, "submission", method::get, "/patient/{id}/submissions/{receipt}", history_statuses},
    {route_id::healthz, "healthz", method::get, "/healthz", page_statuses},
    {route_id::readyz, "readyz", method::get, "/readyz", page_statuses},
    {route_id::metrics, "metrics", method::get, "/metrics", page_statuses},
    {route_id::openapi, "openapi", method::get, "/openapi.json", page_statuses},
    {route_id::fhir_metadata, "fhir_metadata", method::get, "/fhir/metadata", fhir_page_statuses},
    {route_id::fhir_bundle, "fhir_bundle", method::post, "/fhir", fhir_bundle_statuses},
    {route_id::fhir_response_search, "fhir_response_search", method::get, "/fhir/QuestionnaireResponse", fhir_page_statuses},
    {route_id::fhir_response_create, "fhir_response_create", method::post, "/fhir/QuestionnaireResponse", fhir_create_statuses},
    {route_id::fhir_response_validate, "fhir_response_validate", method::post, "/fhir/QuestionnaireResponse/$validate",
     fhir_page_statuses},
    {route_id::fhir_response_posted_search, "fhir_response_posted_search", method::post, "/fhir/QuestionnaireResponse/_search",
     fhir_page_statuses},
    {route_id::fhir_response_read, "fhir_response_read", method::get, "/fhir/QuestionnaireResponse/{id}", fhir_read_statuses},
    {route_id::fhir_response_update, "fhir_response_update", method::put, "/fhir/QuestionnaireResponse/{id}",
     fhir_update_statuses},
    {route_id::fhir_response_history, "fhir_response_history", method::get, "/fhir/QuestionnaireResponse/{id}/_history",
     fhir_page_statuses},
    {route_id::fhir_response_vread, "fhir_response_vread", method::get, "/fhir/QuestionnaireResponse/{id}/_history/{version}",
     fhir_read_statuses},
    {route_id::fhir_questionnaire_search, "fhir_questionnaire_search", method::get, "/fhir/Questionnaire", fhir_page_statuses},
    {route_id::fhir_questionnaire_create, "fhir_questionnaire_create", method::post, "/fhir/Questionnaire",
     fhir_form_create_statuses},
    {route_id::fhir_questionnaire_validate, "fhir_questionnaire_validate", method::post, "/fhir/Questionnaire/$validate",
     fhir_page_statuses},
    {route_id::fhir_questionnaire_posted_search, "fhir_questionnaire_posted_search", method::post, "/fhir/Questionnaire/_search",
     fhir_page_statuses},
    {route_id::fhir_questionnaire_read, "fhir_questionnaire_read", method::get, "/fhir/Questionnaire/{id}", fhir_read_statuses},
    {route_id::fhir_questionnaire_vread, "fhir_questionnaire_vread", method::get, "/fhir/Questionnaire/{id}/_history/{version}",
     fhir_read_statuses},
    {route_id::fhir_patient_read, "fhir_patient_read", method::get, "/fhir/Patient/{id}", fhir_page_statuses},
}};

/// Takes the first segment off; both begin with a slash.
string_view next_segment(string_view& path) {
  path.remove_prefix(1);
  const auto end = std::min(path.find('/'), path.size());
  const auto segment = path.substr(0, end);
  path.remove_prefix(end);
  return segment;
}

bool matches(string_view pattern, string_view path, std::array<string_view, 2>& segments) {
  std::size_t taken = 0;
  while (!pattern.empty() && !path.empty()) {
    const auto wanted = next_segment(pattern);
    const auto given = next_segment(path);
    if (wanted.starts_with('{')) {
      if (given.empty())
        return false;
      segments[taken++] = given;
    } else if (wanted != given) {
      return false;
    }
  }
  return pattern.empty() && path.empty();
}

} // namespace

std::span<const route, route_count> routes() {
  return table;
}

tl::expected<route_match, route_refusal> find_route(method verb, string_view target) {
  const auto question = std::min(target.find('?'), target.size());
  auto path = target.substr(0, question);
  if (path == "/fhir/") // where clients send a Bundle that join base and nothing
    path.remove_suffix(1);
  const auto wanted = verb == method::head ? method::get : verb;
  route_match out;
  out.query = target.substr(std::min(question + 1, target.size()));
  bool get = false, post = false, put = false, literal = false;
  for (const auto& r : table) {
    const bool is_pattern = r.pattern.find('{') != string_view::npos;
    if (!path.starts_with('/') || (literal && is_pattern) || !matches(r.pattern, path, out.segments))
      continue;
    literal = !is_pattern;
    if (r.verb == wanted) {
      out.found = &r;
      return out;
    }
    (r.verb == method::post ? post : r.verb == method::put ? put : get) = true;
  }
  const bool fhir = path == "/fhir" || path.starts_with("/fhir/");
  if (!get && !post && !put)
    return tl::unexpected{route_refusal{404, {}, fhir}};
  std::string allow = get ? "GET, HEAD" : "";
  for (const auto& [taken, name] : {std::pair{post, "POST"}, std::pair{put, "PUT"}})
    if (taken)
      allow += (allow.empty() ? "" : ", ") + std::string{name};
  return tl::unexpected{route_refusal{405, std::move(allow), fhir}};
}

bool percent_decode(string_view text, bool plus_is_space, std::string& out) {
  out.clear();
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '%') {
      if (i + 2 >= text.size())
        return false;
      const int high = domain::hex_digit(text[i + 1]), low = domain::hex_digit(text[i + 2]);
      if (high < 0 || low < 0)
        return false;
      out += static_cast<char>(high * 16 + low);
      i += 2;
    } else {
      out += c == '+' && plus_is_space ? ' ' : c;
    }
  }
  return true;
}

} // namespace epione::runtime::http
