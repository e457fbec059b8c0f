#include "domain/fhirpath_quantity.hpp"

#include "domain/fhirpath_unit.hpp"

#include <algorithm>
#include <array>

namespace epione::domain::fhirpath {

namespace {

/// UCUM's unit of the same length; nothing for years and months, which have none.
std::optional<std::string_view> ucum_of(const quantity& q) {
  if (!q.calendar)
    return q.unit;
  constexpr std::array<std::pair<std::string_view, std::string_view>, 6> units{
      {{"millisecond", "ms"}, {"second", "s"}, {"minute", "min"}, {"hour", "h"}, {"day", "d"}, {"week", "wk"}}};
  for (const auto& [calendar, code] : units)
    if (q.unit == calendar)
      return code;
  return std::nullopt;
}

std::optional<unit_scale> scale_of(const quantity& q) {
  if (const auto code = ucum_of(q))
    return scale_of_unit(*code);
  unit_scale months{{0, 0, 0, 0, 0, 1}};
  months.numerator = decimal{q.unit == "year" ? 12 : 1};
  return months;
}

bool same_unit(const quantity& a, const quantity& b) {
  return a.calendar == b.calendar && a.unit == b.unit;
}

/// In the unit of `target`.
std::optional<quantity> in_unit_of(const quantity& q, const unit_scale& from, const quantity& target, const unit_scale& to) {
  const auto value = rescale(q.value, from, to);
  return value ? std::optional{quantity{*value, target.unit, target.calendar}} : std::nullopt;
}

enum class wanted : std::uint8_t { finer_unit, coarser_unit };

/// Both in one unit of both. Nothing where they do not compare or are too large.
std::optional<std::pair<quantity, quantity>> in_one_unit(const quantity& a, const quantity& b,
                                                         wanted which = wanted::finer_unit) {
  if (same_unit(a, b))
    return std::pair{a, b};
  const auto x = scale_of(a), y = scale_of(b);
  if (!x || !y || x->measures != y->measures)
    return std::nullopt;
  const bool to_first = (x->size() <= y->size()) == (which == wanted::finer_unit);
  const auto first = to_first ? std::optional{a} : in_unit_of(a, *x, b, *y);
  const auto second = to_first ? in_unit_of(b, *y, a, *x) : std::optional{b};
  return first && second ? std::optional{std::pair{*first, *second}} : std::nullopt;
}

bool plain(const quantity& q) {
  return q.unit == "1" && !q.calendar;
}

/// A calendar's year and month as UCUM's mean ones: what `~` compares.
quantity mean_duration(const quantity& q) {
  if (q.calendar && q.unit == "year")
    return {q.value, "a", false};
  if (q.calendar && q.unit == "month")
    return {q.value, "mo", false};
  return q;
}

} // namespace

std::string quantity::text() const {
  const auto number = value.text();
  if (calendar)
    return number + ' ' + unit + (value == decimal{1} ? "" : "s");
  std::string out = number + " '";
  for (const char c : unit) {
    if (c == '\'' || c == '\\')
      out += '\\';
    out += c;
  }
  return out + '\'';
}

std::optional<time_unit> parse_time_unit(std::string_view text) {
  if (text.ends_with('s'))
    text.remove_suffix(1);
  for (auto u = time_unit::year; u <= time_unit::millisecond; u = static_cast<time_unit>(static_cast<int>(u) + 1))
    if (name(u) == text)
      return u;
  return std::nullopt;
}

std::optional<quantity> parse_quantity(std::string_view text) {
  const auto blank = [](char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; };
  auto end = std::find_if(text.begin(), text.end(), [&](char c) { return blank(c) || c == '\''; });
  const auto value = decimal::parse(text.substr(0, static_cast<std::size_t>(end - text.begin())));
  end = std::find_if_not(end, text.end(), blank);
  const auto unit = text.substr(static_cast<std::size_t>(end - text.begin()));
  if (!value)
    return std::nullopt;
  if (unit.empty())
    return !blank(text.back()) ? std::optional{quantity{*value}} : std::nullopt;
  if (unit.size() > 2 && unit.front() == '\'' && unit.find('\'', 1) == unit.size() - 1)
    return quantity{*value, std::string{unit.substr(1, unit.size() - 2)}};
  const auto duration = parse_time_unit(unit);
  return duration ? std::optional{quantity{*value, std::string{name(*duration)}, true}} : std::nullopt;
}

quantity from_ucum(const decimal& value, std::string_view code) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 6> durations{
      {{"a", "year"}, {"mo", "month"}, {"d", "day"}, {"h", "hour"}, {"min", "minute"}, {"s", "second"}}};
  for (const auto& [ucum, calendar] : durations)
    if (code == ucum)
      return {value, std::string{calendar}, true};
  return {value, code.empty() ? "1" : std::string{code}, false};
}

std::optional<time_unit> duration_unit(const quantity& q) {
  if (q.calendar)
    return parse_time_unit(q.unit);
  constexpr std::array<std::pair<std::string_view, time_unit>, 6> units{{{"wk", time_unit::week},
                                                                         {"d", time_unit::day},
                                                                         {"h", time_unit::hour},
                                                                         {"min", time_unit::minute},
                                                                         {"s", time_unit::second},
                                                                         {"ms", time_unit::millisecond}}};
  for (const auto& [code, unit] : units)
    if (q.unit == code)
      return unit;
  return parse_time_unit(q.unit); // 'month' is no code of UCUM, and means the calendar's
}

std::optional<quantity> convert(const quantity& q, std::string_view unit) {
  const auto duration = parse_time_unit(unit);
  const quantity target{{}, std::string{duration ? name(*duration) : unit}, duration.has_value()};
  if (same_unit(q, target))
    return q;
  const auto from = scale_of(q), to = scale_of(target);
  return from && to ? in_unit_of(q, *from, target, *to) : std::nullopt;
}

std::optional<std::strong_ordering> compare(const quantity& a, const quantity& b) {
  const auto both = in_one_unit(a, b);
  return both ? std::optional{both->first.value <=> both->second.value} : std::nullopt;
}

bool equivalent(const quantity& a, const quantity& b) {
  const auto both = in_one_unit(mean_duration(a), mean_duration(b), wanted::coarser_unit);
  if (!both)
    return false;
  const auto &x = both->first.value, &y = both->second.value;
  const int places = std::min(x.shortest().places(), y.shortest().places());
  return x.round(places) == y.round(places);
}

std::optional<quantity> add(const quantity& a, const quantity& b) {
  const auto both = in_one_unit(a, b);
  const auto sum = both ? add(both->first.value, both->second.value) : std::nullopt;
  return sum ? std::optional{quantity{*sum, both->first.unit, both->first.calendar}} : std::nullopt;
}

std::optional<quantity> multiply(const quantity& a, const quantity& b) {
  const auto product = multiply(a.value, b.value);
  if (plain(a) || plain(b)) {
    const auto& with_unit = plain(a) ? b : a;
    return product ? std::optional{quantity{*product, with_unit.unit, with_unit.calendar}} : std::nullopt;
  }
  const auto x = ucum_of(a), y = ucum_of(b);
  const auto unit = x && y ? product_unit(*x, *y) : std::nullopt;
  return product && unit ? std::optional{quantity{*product, *unit}} : std::nullopt;
}

std::optional<quantity> divide(const quantity& a, const quantity& b) {
  if (plain(b)) {
    const auto quotient = divide(a.value, b.value);
    return quotient ? std::optional{quantity{*quotient, a.unit, a.calendar}} : std::nullopt;
  }
  if (const auto both = in_one_unit(a, b)) {
    const auto quotient = divide(both->first.value, both->second.value);
    return quotient ? std::optional{quantity{*quotient}} : std::nullopt;
  }
  const auto x = ucum_of(a), y = ucum_of(b);
  const auto unit = x && y ? quotient_unit(*x, *y) : std::nullopt;
  const auto quotient = divide(a.value, b.value);
  return quotient && unit ? std::optional{quantity{*quotient, *unit}} : std::nullopt;
}

} // namespace epione::domain::fhirpath
