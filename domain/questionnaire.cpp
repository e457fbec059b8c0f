#include "domain/questionnaire.hpp"

#include <algorithm>
#include <array>

namespace epione::domain {

namespace {

constexpr std::array<std::string_view, 16> type_names{"group",       "display",   "boolean",  "decimal",   "integer", "date",
                                                      "dateTime",    "time",      "string",   "text",      "url",     "choice",
                                                      "open-choice", "reference", "quantity", "attachment"};

} // namespace

std::string_view name(item_type type) {
  return type_names[static_cast<std::size_t>(type)];
}

std::optional<item_type> parse_item_type(std::string_view text) {
  const auto found = std::find(type_names.begin(), type_names.end(), text);
  if (found == type_names.end())
    return std::nullopt;
  return static_cast<item_type>(found - type_names.begin());
}

bool is_question(item_type type) {
  return type != item_type::group && type != item_type::display;
}

value_kind kind_of(item_type type) {
  switch (type) {
    case item_type::group:
    case item_type::display:
    case item_type::attachment: return value_kind::none;
    case item_type::boolean: return value_kind::boolean;
    case item_type::decimal:
    case item_type::integer:
    case item_type::quantity: return value_kind::number;
    case item_type::date:
    case item_type::date_time:
    case item_type::time: return value_kind::moment;
    default: return value_kind::text;
  }
}

std::string small_letters(std::string_view text) {
  std::string small{text};
  for (auto& c : small)
    c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return small;
}

bool same_but_for_case(std::string_view a, std::string_view b) {
  const auto small = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [&](char x, char y) { return small(x) == small(y); });
}

const std::pair<std::string, std::string>* code_set::find(std::string_view system, std::string_view code) const {
  const auto listed = std::lower_bound(codes.begin(), codes.end(), std::pair{system, code}, [](const auto& a, const auto& b) {
    return std::pair<std::string_view, std::string_view>{a.first, a.second} < b;
  });
  if (listed != codes.end() && listed->first == system && listed->second == code)
    return &*listed;
  if (without_case.empty())
    return nullptr;
  const std::pair wanted{std::string{system}, small_letters(code)};
  const auto other = std::lower_bound(without_case.begin(), without_case.end(), std::pair{wanted, std::size_t{0}});
  return other != without_case.end() && other->first == wanted ? &codes[other->second] : nullptr;
}

bool code_set::is_inactive(const std::pair<std::string, std::string>& listed) const {
  return std::binary_search(inactive.begin(), inactive.end(), listed);
}

membership code_set::look_up(std::string_view system, std::string_view code) const {
  if (find(system, code) != nullptr)
    return membership::yes;
  if (!found || open || std::find(open_systems.begin(), open_systems.end(), system) != open_systems.end())
    return membership::unknown;
  return membership::no;
}

std::string_view name(comparison c) {
  switch (c) {
    case comparison::exists: return "exists";
    case comparison::equal: return "=";
    case comparison::not_equal: return "!=";
    case comparison::greater: return ">";
    case comparison::less: return "<";
    case comparison::greater_or_equal: return ">=";
    case comparison::less_or_equal: return "<=";
  }
  return "";
}

std::uint32_t questionnaire::find(std::string_view link_id) const {
  const auto found = std::lower_bound(by_link_id.begin(), by_link_id.end(), link_id,
                                      [this](std::uint32_t i, std::string_view id) { return items[i].link_id < id; });
  return found != by_link_id.end() && items[*found].link_id == link_id ? *found : form_item::none;
}

} // namespace epione::domain
