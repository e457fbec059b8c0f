#include "domain/answer_rules.hpp"

#include "domain/canonical.hpp"
#include "domain/fhir_issue.hpp"
#include "domain/limits.hpp"
#include "domain/ucum.hpp"

#include <algorithm>
#include <charconv>
#include <re2/re2.h>

namespace epione::domain {

namespace {

std::string number_text(double number) {
  std::string text;
  append_json_number(text, number);
  return text;
}

std::string shown(const rule_value& bound) {
  if (bound.kind != value_kind::number)
    return bound.text;
  return number_text(bound.number) + (bound.unit.empty() ? "" : " " + bound.unit);
}

/// Digits behind the point, with what an exponent adds or takes: 2 of "1.50", 0 of "1.5e3", 3 of "1e-3".
std::int64_t decimal_places(std::string_view digits) {
  const auto e = digits.find_first_of("eE");
  const auto mantissa = digits.substr(0, e);
  const auto point = mantissa.find('.');
  auto places = point == std::string_view::npos ? 0 : static_cast<std::int64_t>(mantissa.size() - point - 1);
  if (e != std::string_view::npos) {
    auto exponent = digits.substr(e + 1);
    if (exponent.starts_with('+'))
      exponent.remove_prefix(1);
    int power = 0;
    std::from_chars(exponent.data(), exponent.data() + exponent.size(), power);
    places -= power;
  }
  return std::max<std::int64_t>(places, 0);
}

bool is_unit(const unit_choice& u, const quantity_view& q) {
  if (!q.code.empty() && !u.code.empty())
    return q.code == u.code && (q.system.empty() || u.system.empty() || q.system == u.system);
  return !q.unit.empty() && (q.unit == u.display || q.unit == u.code);
}

std::optional<rule_break> breaks_unit(const item_rules& rules, const quantity_view& q) {
  if (!rules.units.empty() &&
      std::none_of(rules.units.begin(), rules.units.end(), [&](const auto& u) { return is_unit(u, q); })) {
    std::string list;
    for (std::size_t i = 0; i < rules.units.size() && i < limits::allowed_max; ++i)
      list += (i == 0 ? "" : ", ") + (rules.units[i].code.empty() ? rules.units[i].display : rules.units[i].code);
    return rule_break{"unit", "the quantity must be in one of the units " + list};
  }
  if (rules.unit_set && rules.unit_set->look_up(q.system, q.code) == membership::no)
    return rule_break{"unit", "the quantity's unit must be one of the value set " + rules.unit_set->url};
  return std::nullopt;
}

/// A quantity against a limit. Without units on either side the numbers are compared.
std::optional<rule_break> breaks_limit(const quantity_view& q, const rule_value& limit, bool is_max) {
  const auto unit = q.code.empty() ? q.unit : q.code;
  auto value = q.value;
  if (!limit.unit.empty() && unit != limit.unit) {
    const auto converted = unit.empty() ? std::nullopt : convert_unit(q.value, unit, limit.unit);
    if (!converted)
      return rule_break{"unit", "the quantity's unit cannot be compared with that of the limit, " + shown(limit)};
    value = *converted;
  }
  if (is_max && value > limit.number)
    return rule_break{"max-value", "the quantity must not be more than " + shown(limit)};
  if (!is_max && value < limit.number)
    return rule_break{"min-value", "the quantity must not be less than " + shown(limit)};
  return std::nullopt;
}

} // namespace

issue_type issue_code_of(std::string_view rule_code) {
  return rule_code == "max-length" || rule_code == "max-size" ? issue_code::too_long : issue_code::invariant;
}

std::size_t characters(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

std::optional<rule_break> breaks_length(const form_item& item, std::string_view text) {
  if (!item.max_length && !item.min_length)
    return std::nullopt;
  const auto length = characters(text);
  if (item.max_length && length > *item.max_length)
    return rule_break{"max-length", "the answer must have " + std::to_string(*item.max_length) + " characters at most"};
  if (item.min_length && length < *item.min_length)
    return rule_break{"min-length", "the answer must have " + std::to_string(*item.min_length) + " characters or more"};
  return std::nullopt;
}

std::optional<rule_break> breaks_bounds(const form_item& item, const answer_value& v) {
  if (item.min_value && holds(v, comparison::less, *item.min_value))
    return rule_break{"min-value", "the answer must not be less than " + shown(*item.min_value)};
  if (item.max_value && holds(v, comparison::greater, *item.max_value))
    return rule_break{"max-value", "the answer must not be more than " + shown(*item.max_value)};
  return std::nullopt;
}

std::optional<rule_break> breaks_regex(const item_rules& rules, std::string_view text) {
  if (!rules.regex || re2::RE2::FullMatch(re2::StringPiece{text.data(), text.size()}, *rules.regex))
    return std::nullopt;
  return rule_break{"regex", "the answer must match the regular expression " + rules.regex->pattern()};
}

std::optional<rule_break> breaks_decimal_places(const item_rules& rules, std::string_view digits) {
  if (!rules.max_decimal_places || decimal_places(digits) <= *rules.max_decimal_places)
    return std::nullopt;
  return rule_break{"max-decimal-places",
                    "the answer must have " + std::to_string(*rules.max_decimal_places) + " decimal places at most"};
}

std::optional<rule_break> breaks_quantity(const item_rules& rules, const quantity_view& q) {
  if (auto broken = breaks_unit(rules, q))
    return broken;
  if (rules.min_quantity)
    if (auto broken = breaks_limit(q, *rules.min_quantity, false))
      return broken;
  return rules.max_quantity ? breaks_limit(q, *rules.max_quantity, true) : std::nullopt;
}

std::optional<rule_break> breaks_attachment(const item_rules& rules, const attachment_view& a) {
  if (rules.max_size && a.bytes && static_cast<double>(*a.bytes) > *rules.max_size * 1024 * 1024)
    return rule_break{"max-size", "the attachment must not be larger than " + number_text(*rules.max_size) + " MB"};
  if (rules.mime_types.empty())
    return std::nullopt;
  std::string type{a.content_type.substr(0, a.content_type.find(';'))};
  std::transform(type.begin(), type.end(), type.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? char(c + 32) : c; });
  const auto fits = [&](const std::string& allowed) {
    return type == allowed ||
           (allowed.ends_with("/*") && type.starts_with(std::string_view{allowed}.substr(0, allowed.size() - 1)));
  };
  if (std::any_of(rules.mime_types.begin(), rules.mime_types.end(), fits))
    return std::nullopt;
  std::string list;
  for (const auto& t : rules.mime_types)
    list += (list.empty() ? "" : ", ") + t;
  return rule_break{"mime-type", "the attachment must be of type " + list};
}

std::optional<rule_break> breaks_reference_type(const item_rules& rules, std::string_view type) {
  if (rules.reference_types.empty() || type.empty() ||
      std::find(rules.reference_types.begin(), rules.reference_types.end(), type) != rules.reference_types.end())
    return std::nullopt;
  std::string list;
  for (const auto& t : rules.reference_types)
    list += (list.empty() ? "" : ", ") + t;
  return rule_break{"reference-type", "the reference must be to a resource of type " + list};
}

std::string_view referenced_type(std::string_view reference) {
  const auto is_type = [](std::string_view s) {
    return !s.empty() && s.front() >= 'A' && s.front() <= 'Z' &&
           std::all_of(s.begin(), s.end(), [](char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); });
  };
  if (const auto history = reference.find("/_history/"); history != std::string_view::npos)
    reference = reference.substr(0, history);
  const auto slash = reference.rfind('/');
  if (slash == std::string_view::npos || slash + 1 == reference.size())
    return {};
  const auto before = reference.substr(0, slash);
  const auto start = before.rfind('/');
  const auto type = start == std::string_view::npos ? before : before.substr(start + 1);
  return is_type(type) ? type : std::string_view{};
}

} // namespace epione::domain
