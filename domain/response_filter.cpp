#include "domain/response_filter.hpp"

#include "domain/date_text.hpp"
#include "domain/fhir_answers.hpp"
#include "domain/fhir_text.hpp"
#include "domain/limits.hpp"

#include <algorithm>

namespace epione::domain {

namespace {

/// `first` to `last` is what the response says, a day if it names only that.
bool holds(const response_filter::authored_choice& c, std::int64_t first, std::int64_t last) {
  switch (c.prefix) {
    case date_prefix::eq: return first >= c.first_us && last <= c.last_us;
    case date_prefix::ne: return first < c.first_us || last > c.last_us;
    case date_prefix::lt: return first < c.first_us;
    case date_prefix::gt: return last > c.last_us;
    case date_prefix::le: return first <= c.last_us;
    case date_prefix::ge: return last >= c.first_us;
    case date_prefix::sa: return first > c.last_us;
    case date_prefix::eb: return last < c.first_us;
  }
  return false;
}

bool authored_fits(const response_filter& filter, const submission_record& r) {
  if (filter.authored.empty())
    return true;
  auto text = r.authored;
  for (auto& c : text) // RFC 3339 allows small letters
    c = c == 't' ? 'T' : c == 'z' ? 'Z' : c;
  const auto span = parse_fhir_date_time(text);
  if (!span)
    return false;
  return std::all_of(filter.authored.begin(), filter.authored.end(), [&](const auto& choices) {
    return std::any_of(choices.begin(), choices.end(), [&](const auto& c) { return holds(c, span->first, span->last); });
  });
}

bool identifier_fits(const response_filter& filter, const submission_record& r) {
  if (filter.identifiers.empty())
    return true;
  const auto [system, value] = identifier_of(r);
  if (value.empty())
    return false;
  return std::all_of(filter.identifiers.begin(), filter.identifiers.end(), [&](const auto& choices) {
    return std::any_of(choices.begin(), choices.end(),
                       [&](const auto& c) { return (c.any_system || c.system == system) && (c.any_value || c.value == value); });
  });
}

} // namespace

std::string status_of(const submission_record& r) {
  if (r.resource.empty())
    return "completed";
  const auto json = json_document::parse(r.resource, limits::json_depth_max);
  return json ? std::string{json_text_at(*json, 0, "status")} : std::string{};
}

std::pair<std::string, std::string> identifier_of(const submission_record& r) {
  if (r.resource.empty())
    return {std::string{key_system}, r.key};
  const auto json = json_document::parse(r.resource, limits::json_depth_max);
  const auto n = json ? json->find(0, "identifier") : 0;
  if (n == 0)
    return {};
  return {std::string{json_text_at(*json, n, "system")}, std::string{json_text_at(*json, n, "value")}};
}

bool matches(const response_filter& filter, const submission_record& r) {
  if ((!filter.study.empty() && r.study != filter.study) || (!filter.subject.empty() && r.subject != filter.subject))
    return false;
  if (filter.by_form && std::none_of(filter.forms.begin(), filter.forms.end(), [&](const auto& f) {
        return r.study == f.study && r.form == f.form && (f.version.empty() || r.version == f.version);
      }))
    return false;
  if (!authored_fits(filter, r))
    return false;
  if (!filter.statuses.empty() &&
      std::find(filter.statuses.begin(), filter.statuses.end(), status_of(r)) == filter.statuses.end())
    return false;
  return identifier_fits(filter, r);
}

} // namespace epione::domain
