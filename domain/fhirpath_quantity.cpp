#include "domain/fhirpath_quantity.hpp"

#include <algorithm>
#include <array>

namespace epione::domain::fhirpath {

namespace {

/// What a unit measures; units of one kind differ by a factor.
enum class measured : std::uint8_t { nothing, number, mass, length, volume, duration, months, substance, pressure };

struct unit_row {
  std::string_view code;
  measured kind;
  std::string_view factor; ///< to the first one of its kind
};

// UCUM codes, and calendar durations with a "$" before them.
constexpr std::array unit_rows{
    unit_row{"1", measured::number, "1"},
    unit_row{"%", measured::number, "0.01"},
    unit_row{"g", measured::mass, "1"},
    unit_row{"kg", measured::mass, "1000"},
    unit_row{"mg", measured::mass, "0.001"},
    unit_row{"ug", measured::mass, "0.000001"},
    unit_row{"ng", measured::mass, "0.000000001"},
    unit_row{"pg", measured::mass, "0.000000000001"},
    unit_row{"[lb_av]", measured::mass, "453.59237"},
    unit_row{"[oz_av]", measured::mass, "28.349523125"},
    unit_row{"m", measured::length, "1"},
    unit_row{"km", measured::length, "1000"},
    unit_row{"dm", measured::length, "0.1"},
    unit_row{"cm", measured::length, "0.01"},
    unit_row{"mm", measured::length, "0.001"},
    unit_row{"um", measured::length, "0.000001"},
    unit_row{"nm", measured::length, "0.000000001"},
    unit_row{"[in_i]", measured::length, "0.0254"},
    unit_row{"[ft_i]", measured::length, "0.3048"},
    unit_row{"L", measured::volume, "1"},
    unit_row{"l", measured::volume, "1"},
    unit_row{"dL", measured::volume, "0.1"},
    unit_row{"dl", measured::volume, "0.1"},
    unit_row{"cL", measured::volume, "0.01"},
    unit_row{"mL", measured::volume, "0.001"},
    unit_row{"ml", measured::volume, "0.001"},
    unit_row{"uL", measured::volume, "0.000001"},
    unit_row{"ul", measured::volume, "0.000001"},
    unit_row{"fL", measured::volume, "0.000000000000001"},
    unit_row{"cm3", measured::volume, "0.001"},
    unit_row{"dm3", measured::volume, "1"},
    unit_row{"m3", measured::volume, "1000"},
    unit_row{"s", measured::duration, "1"},
    unit_row{"ms", measured::duration, "0.001"},
    unit_row{"min", measured::duration, "60"},
    unit_row{"h", measured::duration, "3600"},
    unit_row{"d", measured::duration, "86400"},
    unit_row{"wk", measured::duration, "604800"},
    unit_row{"mo", measured::duration, "2629800"},
    unit_row{"a", measured::duration, "31557600"},
    unit_row{"$millisecond", measured::duration, "0.001"},
    unit_row{"$second", measured::duration, "1"},
    unit_row{"$minute", measured::duration, "60"},
    unit_row{"$hour", measured::duration, "3600"},
    unit_row{"$day", measured::duration, "86400"},
    unit_row{"$week", measured::duration, "604800"},
    unit_row{"$month", measured::months, "1"},
    unit_row{"$year", measured::months, "12"},
    unit_row{"mol", measured::substance, "1"},
    unit_row{"mmol", measured::substance, "0.001"},
    unit_row{"umol", measured::substance, "0.000001"},
    unit_row{"nmol", measured::substance, "0.000000001"},
    unit_row{"pmol", measured::substance, "0.000000000001"},
    unit_row{"Pa", measured::pressure, "1"},
    unit_row{"kPa", measured::pressure, "1000"},
    unit_row{"mm[Hg]", measured::pressure, "133.322387415"},
};

struct scale {
  measured kind = measured::nothing, per = measured::nothing;
  decimal factor;
};

const unit_row* find_row(std::string_view code, bool calendar) {
  for (const auto& row : unit_rows)
    if (row.code.starts_with('$') == calendar && row.code.substr(calendar ? 1 : 0) == code)
      return &row;
  return nullptr;
}

std::optional<scale> scale_of(const quantity& q) {
  if (const auto* row = find_row(q.unit, q.calendar))
    return scale{row->kind, measured::nothing, *decimal::parse(row->factor)};
  const auto slash = q.unit.find('/');
  if (q.calendar || slash == std::string::npos)
    return std::nullopt;
  const auto* upper = find_row(std::string_view{q.unit}.substr(0, slash), false);
  const auto* lower = find_row(std::string_view{q.unit}.substr(slash + 1), false);
  if (upper == nullptr || lower == nullptr)
    return std::nullopt;
  const auto factor = divide(*decimal::parse(upper->factor), *decimal::parse(lower->factor));
  return factor && !factor->zero() ? std::optional{scale{upper->kind, lower->kind, *factor}} : std::nullopt;
}

bool same_unit(const quantity& a, const quantity& b) {
  return a.calendar == b.calendar && a.unit == b.unit;
}

/// In the unit of `target`.
std::optional<quantity> rescale(const quantity& q, const scale& from, const quantity& target, const scale& to) {
  const auto in_base = multiply(q.value, from.factor);
  const auto value = in_base ? divide(*in_base, to.factor) : std::nullopt;
  return value ? std::optional{quantity{*value, target.unit, target.calendar}} : std::nullopt;
}

enum class wanted : std::uint8_t { finer_unit, coarser_unit };

/// Both in one unit of both. Nothing where they do not compare or are too large.
std::optional<std::pair<quantity, quantity>> in_one_unit(const quantity& a, const quantity& b,
                                                         wanted which = wanted::finer_unit) {
  if (same_unit(a, b))
    return std::pair{a, b};
  const auto x = scale_of(a), y = scale_of(b);
  if (!x || !y || x->kind != y->kind || x->per != y->per)
    return std::nullopt;
  const bool to_first = (x->factor <= y->factor) == (which == wanted::finer_unit);
  const auto first = to_first ? std::optional{a} : rescale(a, *x, b, *y);
  const auto second = to_first ? rescale(b, *y, a, *x) : std::optional{b};
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
  if (!from || !to || from->kind != to->kind || from->per != to->per)
    return std::nullopt;
  return rescale(q, *from, target, *to);
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
  if (!plain(a) && !plain(b))
    return std::nullopt;
  const auto product = multiply(a.value, b.value);
  const auto& with_unit = plain(a) ? b : a;
  return product ? std::optional{quantity{*product, with_unit.unit, with_unit.calendar}} : std::nullopt;
}

std::optional<quantity> divide(const quantity& a, const quantity& b) {
  if (plain(b)) {
    const auto quotient = divide(a.value, b.value);
    return quotient ? std::optional{quantity{*quotient, a.unit, a.calendar}} : std::nullopt;
  }
  const auto both = in_one_unit(a, b);
  const auto quotient = both ? divide(both->first.value, both->second.value) : std::nullopt;
  return quotient ? std::optional{quantity{*quotient}} : std::nullopt;
}

} // namespace epione::domain::fhirpath
