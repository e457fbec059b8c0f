#include "runtime/http/routes.hpp"

#include <algorithm>

namespace epione::runtime::http {

namespace {

using std::string_view;

// What any request can be answered with, whatever its route: see parse_head() and the connection's limits.
constexpr std::array submit_statuses{200, 202, 400, 404, 408, 409, 413, 415, 417, 421, 422, 431, 500, 501, 503, 505};
constexpr std::array history_statuses{200, 400, 404, 408, 413, 417, 421, 431, 500, 501, 503, 505};
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

int hex_value(char c) {
  if (c >= '0' && c <= '9')
    return c - '0';
  if (c >= 'a' && c <= 'f')
    return c - 'a' + 10;
  if (c >= 'A' && c <= 'F')
    return c - 'A' + 10;
  return -1;
}

} // namespace

std::span<const route, route_count> routes() {
  return table;
}

tl::expected<route_match, route_refusal> find_route(method verb, string_view target) {
  const auto question = std::min(target.find('?'), target.size());
  const auto path = target.substr(0, question);
  const auto wanted = verb == method::head ? method::get : verb;
  route_match out;
  out.query = target.substr(std::min(question + 1, target.size()));
  bool get = false, post = false, literal = false;
  for (const auto& r : table) {
    const bool is_pattern = r.pattern.find('{') != string_view::npos;
    if (!path.starts_with('/') || (literal && is_pattern) || !matches(r.pattern, path, out.segments))
      continue;
    literal = !is_pattern;
    if (r.verb == wanted) {
      out.found = &r;
      return out;
    }
    (r.verb == method::post ? post : get) = true;
  }
  if (!get && !post)
    return tl::unexpected{route_refusal{404, {}}};
  std::string allow = get ? "GET, HEAD" : "";
  if (post)
    allow += get ? ", POST" : "POST";
  return tl::unexpected{route_refusal{405, std::move(allow)}};
}

bool percent_decode(string_view text, bool plus_is_space, std::string& out) {
  out.clear();
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '%') {
      if (i + 2 >= text.size())
        return false;
      const int high = hex_value(text[i + 1]), low = hex_value(text[i + 2]);
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
