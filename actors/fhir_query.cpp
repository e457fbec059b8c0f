#include "actors/fhir_query.hpp"

#include "domain/blanks.hpp"
#include "domain/date_text.hpp"
#include "domain/fhir_text.hpp"
#include "domain/hex.hpp"
#include "domain/json_document.hpp"
#include "domain/limits.hpp"
#include "domain/msgpack.hpp"
#include "runtime/defaults.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>

namespace epione::actors {

namespace {

using std::string_view;

std::string lower(string_view text) {
  std::string out{text};
  for (auto& c : out)
    c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return out;
}

bool is_json_type(string_view type) {
  constexpr std::array<string_view, 4> types{"application/fhir+json", "application/json", "text/json", "json"};
  return std::find(types.begin(), types.end(), lower(type)) != types.end();
}

std::optional<std::uint64_t> number_in(string_view text) {
  std::uint64_t out = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc{} && end == text.data() + text.size() ? std::optional{out} : std::nullopt;
}

/// Whether the parameters of a Content-Type name no other charset than UTF-8.
bool says_utf8(string_view parameters) {
  while (!parameters.empty()) {
    auto parameter = domain::take(parameters, ';');
    const auto name = lower(domain::take(parameter, '='));
    if (parameter.size() >= 2 && parameter.front() == '"' && parameter.back() == '"')
      parameter = parameter.substr(1, parameter.size() - 2);
    if (name == "charset" && lower(parameter) != "utf-8" && lower(parameter) != "utf8")
      return false;
  }
  return true;
}

/// The value of the preference `name` (RFC 7240, 2), of several the first; empty where there is none.
string_view preference(string_view prefer, string_view name) {
  while (!prefer.empty()) {
    auto rest = domain::take(prefer, ',');
    auto value = domain::take(rest, ';');
    if (lower(domain::take(value, '=')) != name)
      continue;
    value = domain::trim(value);
    if (value.size() >= 2 && value.front() == '"' && value.back() == '"')
      value = value.substr(1, value.size() - 2);
    return value;
  }
  return {};
}

std::string without_backslashes(string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 1 < text.size())
      ++i;
    out += text[i];
  }
  return out;
}

} // namespace

std::optional<std::string> percent_decoded(string_view text, bool plus_is_space) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i] == '+' && plus_is_space ? ' ' : text[i];
      continue;
    }
    if (i + 2 >= text.size() || domain::hex_digit(text[i + 1]) < 0 || domain::hex_digit(text[i + 2]) < 0)
      return std::nullopt;
    out += static_cast<char>(domain::hex_digit(text[i + 1]) * 16 + domain::hex_digit(text[i + 2]));
    i += 2;
  }
  return domain::valid_utf8(out) ? std::optional{std::move(out)} : std::nullopt;
}

std::string percent_encoded(string_view text) {
  constexpr char digits[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto u = static_cast<unsigned char>(c);
    if (u < 0x80 && (std::isalnum(u) != 0 || c == '-' || c == '.' || c == '_' || c == '~')) {
      out += c;
    } else {
      out += '%';
      out += digits[u >> 4];
      out += digits[u & 15];
    }
  }
  return out;
}

std::optional<query_parameters> parse_query(string_view query) {
  query_parameters out;
  while (!query.empty()) {
    auto pair = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(pair.size() + 1, query.size()));
    if (pair.empty())
      continue;
    const auto equals = std::min(pair.find('='), pair.size());
    auto name = percent_decoded(pair.substr(0, equals), true);
    auto value = percent_decoded(pair.substr(std::min(equals + 1, pair.size())), true);
    if (!name || !value)
      return std::nullopt;
    out.emplace_back(std::move(*name), std::move(*value));
  }
  return out;
}

std::string query_text(const query_parameters& query, string_view without) {
  std::string out;
  for (const auto& [name, value] : query) {
    if (name == without)
      continue;
    out += out.empty() ? "" : "&";
    out += percent_encoded(name) + "=" + percent_encoded(value);
  }
  return out;
}

bool is_result_parameter(string_view name) {
  // Not _count: more than was asked for is never given.
  constexpr std::array<string_view, 8> names{"_sort",  "_include",  "_revinclude", "_summary",
                                             "_total", "_elements", "_contained",  "_containedType"};
  return std::find(names.begin(), names.end(), name.substr(0, name.find(':'))) != names.end();
}

std::vector<std::string> alternatives(string_view value) {
  std::vector<std::string> out(1);
  for (std::size_t i = 0; i < value.size(); ++i) {
    if (value[i] == '\\' && i + 1 < value.size()) {
      if (value[i + 1] == '|' || value[i + 1] == '\\')
        out.back() += value[i];
      out.back() += value[++i];
    } else if (value[i] == ',') {
      out.emplace_back();
    } else {
      out.back() += value[i];
    }
  }
  std::erase_if(out, [](const auto& x) { return x.empty(); });
  return out;
}

domain::response_filter::identifier_choice identifier_choice(string_view text) {
  domain::response_filter::identifier_choice out;
  std::size_t bar = 0;
  while (bar < text.size() && text[bar] != '|')
    bar += text[bar] == '\\' ? 2 : 1;
  if (bar >= text.size()) {
    out.any_system = true;
    out.value = without_backslashes(text);
    return out;
  }
  out.system = without_backslashes(text.substr(0, bar));
  out.value = without_backslashes(text.substr(bar + 1));
  out.any_value = out.value.empty();
  return out;
}

std::optional<domain::response_filter::authored_choice> authored_choice(string_view text) {
  using domain::date_prefix;
  constexpr std::array<std::pair<string_view, date_prefix>, 8> prefixes{{{"eq", date_prefix::eq},
                                                                         {"ne", date_prefix::ne},
                                                                         {"lt", date_prefix::lt},
                                                                         {"gt", date_prefix::gt},
                                                                         {"le", date_prefix::le},
                                                                         {"ge", date_prefix::ge},
                                                                         {"sa", date_prefix::sa},
                                                                         {"eb", date_prefix::eb}}};
  domain::response_filter::authored_choice out;
  for (const auto& [name, prefix] : prefixes) {
    if (text.starts_with(name)) {
      out.prefix = prefix;
      text.remove_prefix(name.size());
      break;
    }
  }
  std::string date{text};
  // A "+" of a zone that was not percent-encoded has become a space.
  std::replace(date.begin(), date.end(), ' ', '+');
  const auto span = domain::parse_fhir_date_time(date);
  if (!span)
    return std::nullopt;
  out.first_us = span->first;
  out.last_us = span->last;
  return out;
}

bool takes_json(string_view accept) {
  if (domain::trim(accept).empty())
    return true;
  while (!accept.empty()) {
    auto range = domain::take(accept, ',');
    const auto type = lower(domain::take(range, ';'));
    bool refused = false;
    while (!range.empty()) {
      const auto parameter = domain::take(range, ';');
      refused = refused || parameter == "q=0" || parameter == "q=0.0" || parameter == "q=0.00" || parameter == "q=0.000";
    }
    if (!refused && (type == "*/*" || type == "application/*" || is_json_type(type)))
      return true;
  }
  return false;
}

bool is_json_format(string_view format) {
  std::string type{domain::take(format, ';')};
  std::replace(type.begin(), type.end(), ' ', '+'); // as in application/fhir+json where "+" was not percent-encoded
  return is_json_type(type);
}

bool is_json_content(string_view content_type) {
  const auto type = domain::take(content_type, ';');
  return type != "json" && is_json_type(type) && says_utf8(content_type);
}

bool is_form_content(string_view content_type) {
  return lower(domain::take(content_type, ';')) == "application/x-www-form-urlencoded" && says_utf8(content_type);
}

wanted_return wanted_by(string_view prefer) {
  const auto value = preference(prefer, "return");
  return value == "minimal"            ? wanted_return::minimal
         : value == "OperationOutcome" ? wanted_return::outcome
                                       : wanted_return::representation;
}

wanted_handling handling_by(string_view prefer) {
  const auto value = preference(prefer, "handling");
  return value == "strict" ? wanted_handling::strict : value == "lenient" ? wanted_handling::lenient : wanted_handling::usual;
}

std::optional<std::uint64_t> version_in_etag(string_view etag) {
  etag = domain::trim(etag);
  if (etag.starts_with("W/"))
    etag.remove_prefix(2);
  if (etag.size() < 3 || etag.front() != '"' || etag.back() != '"')
    return std::nullopt;
  const auto version = number_in(etag.substr(1, etag.size() - 2));
  return version && *version > 0 ? version : std::nullopt;
}

std::optional<std::string> unquoted_key(string_view value) {
  if (!value.starts_with('"'))
    return std::string{value};
  if (value.size() < 2 || !value.ends_with('"'))
    return std::nullopt;
  value = value.substr(1, value.size() - 2);
  std::string out;
  for (std::size_t i = 0; i < value.size(); ++i) {
    if (value[i] == '"' || (value[i] == '\\' && (++i == value.size() || (value[i] != '"' && value[i] != '\\'))))
      return std::nullopt;
    out += value[i];
  }
  return out;
}

string_view id_of_reference(string_view reference, string_view type) {
  if (const auto history = reference.find("/_history/"); history != string_view::npos)
    reference = reference.substr(0, history);
  const auto slash = reference.rfind('/');
  if (slash == string_view::npos)
    return {};
  const auto before = reference.substr(0, slash);
  const bool fits = before == type || (before.ends_with(type) && before[before.size() - type.size() - 1] == '/');
  return fits ? reference.substr(slash + 1) : string_view{};
}

std::string encode_cursor(const search_cursor& cursor) {
  std::string out = "2-" + std::to_string(cursor.catalog);
  for (const auto position : cursor.positions)
    out += "-" + std::to_string(position);
  return out;
}

std::optional<search_cursor> decode_cursor(string_view text) {
  if (text.ends_with('-'))
    return std::nullopt;
  search_cursor out;
  const auto form = domain::take(text, '-');
  if (form == "2") { // "1" has the positions only
    const auto catalog = number_in(domain::take(text, '-'));
    if (!catalog)
      return std::nullopt;
    out.catalog = *catalog;
  } else if (form != "1") {
    return std::nullopt;
  }
  while (!text.empty()) {
    const auto position = number_in(domain::take(text, '-'));
    if (!position)
      return std::nullopt;
    out.positions.push_back(*position);
  }
  return out.positions.empty() ? std::nullopt : std::optional{std::move(out)};
}

tl::expected<provenance, std::string> read_provenance(string_view text) {
  using refuse = tl::unexpected<std::string>;
  const auto json = domain::json_document::parse(text, domain::limits::json_depth_max);
  if (!json || domain::json_text_at(*json, 0, "resourceType") != "Provenance")
    return refuse{"X-Provenance must be a Provenance as JSON"};
  const auto& j = *json;
  const auto first_in = [&](std::uint32_t object, string_view name) {
    const auto list = j.find(object, name);
    return list != 0 && j[list].kind == domain::json_kind::array && j[list].count > 0 ? list + 1 : 0;
  };
  /// The text of a CodeableConcept: its own, else what its first coding shows or is.
  const auto concept_text = [&](std::uint32_t concept_node) -> std::string {
    if (const auto own = domain::json_text_at(j, concept_node, "text"); !own.empty())
      return std::string{own};
    const auto coding = first_in(concept_node, "coding");
    if (coding == 0)
      return {};
    const auto display = domain::json_text_at(j, coding, "display");
    return std::string{display.empty() ? domain::json_text_at(j, coding, "code") : display};
  };
  provenance out;
  if (const auto reason = first_in(0, "reason"); reason != 0)
    out.reason = concept_text(reason);
  if (domain::trim(out.reason).empty())
    return refuse{"X-Provenance gives no reason: its reason[0] needs a text, or a coding with a display or code"};
  if (out.reason.size() > runtime::defaults::reason_bytes_max)
    return refuse{"the reason in X-Provenance is longer than " + std::to_string(runtime::defaults::reason_bytes_max) + " bytes"};
  if (const auto agent = first_in(0, "agent"); agent != 0) {
    if (const auto role = first_in(agent, "role"); role != 0)
      out.role = concept_text(role);
    if (const auto type = j.find(agent, "type"); out.role.empty() && type != 0)
      out.role = concept_text(type);
    if (const auto who = j.find(agent, "who"); who != 0) {
      out.who = domain::json_text_at(j, who, "reference");
      if (const auto id = j.find(who, "identifier"); out.who.empty() && id != 0)
        out.who = domain::json_text_at(j, id, "value");
      if (out.who.empty())
        out.who = domain::json_text_at(j, who, "display");
    }
  }
  constexpr std::size_t name_bytes_max = 200;
  if (out.who.size() > name_bytes_max || out.role.size() > name_bytes_max)
    return refuse{"the agent in X-Provenance has a name of more than " + std::to_string(name_bytes_max) + " bytes"};
  out.who = out.who.empty() ? "unknown" : "fhir:" + out.who; // as the client says: nobody has signed in
  if (out.role.empty())
    out.role = "unknown";
  return out;
}

} // namespace epione::actors
