#include "actors/fhir_condition.hpp"

#include "domain/blanks.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>

namespace epione::actors {

namespace {

using std::string_view;

std::optional<int> digits_in(string_view text) {
  int out = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc{} && end == text.data() + text.size() && text.size() <= 4 ? std::optional{out} : std::nullopt;
}

std::optional<unsigned> month_in(string_view text) {
  constexpr std::array<string_view, 12> names{"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto found = std::find(names.begin(), names.end(), text);
  return found == names.end() ? std::nullopt : std::optional{static_cast<unsigned>(found - names.begin()) + 1};
}

/// The parts between blanks and the marks that stand between the parts of a date; nothing for more than there can be.
struct date_words {
  std::array<string_view, 8> words{};
  std::size_t count = 0;
};
std::optional<date_words> words_of(string_view text) {
  constexpr string_view between = " ,-:";
  date_words out;
  while (true) {
    const auto first = text.find_first_not_of(between);
    if (first == string_view::npos)
      return out;
    text.remove_prefix(first);
    const auto size = std::min(text.find_first_of(between), text.size());
    if (out.count == out.words.size())
      return std::nullopt;
    out.words[out.count++] = text.substr(0, size);
    text.remove_prefix(size);
  }
}

} // namespace

bool holds_etag(string_view list, string_view version) {
  list = domain::trim(list);
  if (list == "*")
    return true;
  while (!list.empty()) {
    if (list.front() == ',' || list.front() == ' ' || list.front() == '\t') {
      list.remove_prefix(1);
      continue;
    }
    if (list.starts_with("W/"))
      list.remove_prefix(2);
    if (!list.starts_with('"'))
      return false; // no list of entity tags
    const auto end = list.find('"', 1);
    if (end == string_view::npos)
      return false;
    if (list.substr(1, end - 1) == version)
      return true;
    list.remove_prefix(end + 1);
  }
  return false;
}

std::optional<std::int64_t> parse_http_date(string_view text) {
  // Sun, 06 Nov 1994 08:49:37 GMT / Sunday, 06-Nov-94 08:49:37 GMT / Sun Nov  6 08:49:37 1994
  const auto parts = words_of(text);
  if (!parts)
    return std::nullopt;
  const auto& w = parts->words;
  const bool asctime = parts->count == 7;
  if (!asctime && (parts->count != 8 || w[7] != "GMT"))
    return std::nullopt;
  const auto month = month_in(asctime ? w[1] : w[2]);
  const auto day = digits_in(asctime ? w[2] : w[1]);
  auto year = digits_in(asctime ? w[6] : w[3]);
  const auto hour_at = asctime ? 3u : 4u;
  const auto hour = digits_in(w[hour_at]), minute = digits_in(w[hour_at + 1]), second = digits_in(w[hour_at + 2]);
  if (!month || !day || !year || !hour || !minute || !second || *hour > 23 || *minute > 59 || *second > 60)
    return std::nullopt;
  if (!asctime && w[3].size() == 2)
    *year += *year < 70 ? 2000 : 1900;
  const std::chrono::year_month_day date{std::chrono::year{*year}, std::chrono::month{*month},
                                         std::chrono::day{static_cast<unsigned>(*day)}};
  if (!date.ok())
    return std::nullopt;
  const std::int64_t days = std::chrono::sys_days{date}.time_since_epoch().count();
  return days * 86'400 + *hour * 3'600 + *minute * 60 + *second;
}

bool is_unchanged(const read_condition& asked, const resource_state& now) {
  if (asked.if_none_match && now.version_says_all)
    return !now.version.empty() && holds_etag(*asked.if_none_match, now.version);
  if (!asked.if_modified_since || now.modified_us == 0)
    return false;
  const auto since = parse_http_date(*asked.if_modified_since);
  return since && now.modified_us / 1'000'000 <= *since;
}

} // namespace epione::actors
