#include "domain/fhirpath_unit.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <vector>

namespace epione::domain::fhirpath {

namespace {

constexpr std::size_t unit_parts_max = 8;
constexpr int unit_tens_max = 19; // decimals are below 10^20

struct known_unit {
  std::string_view code;
  bool metric; ///< takes prefixes
  unit_dimension measures;
  std::string_view factor;
  int tens = 0;
};

constexpr unit_dimension no_dimension{}, mass_1{1}, length_1{0, 1}, length_3{0, 3}, time_1{0, 0, 1}, per_time{0, 0, -1},
    substance_1{0, 0, 0, 1}, catalytic{0, 0, -1, 1}, arbitrary_1{0, 0, 0, 0, 1}, force_1{1, 1, -2}, pressure_1{1, -1, -2},
    energy_1{1, 2, -2}, power_1{1, 2, -3};

constexpr std::array known_units{
    known_unit{"1", false, no_dimension, "1"},
    known_unit{"%", false, no_dimension, "1", -2},
    known_unit{"[ppth]", false, no_dimension, "1", -3},
    known_unit{"[ppm]", false, no_dimension, "1", -6},
    known_unit{"10*", false, no_dimension, "1", 1},
    known_unit{"10^", false, no_dimension, "1", 1},
    known_unit{"g", true, mass_1, "1"},
    known_unit{"t", true, mass_1, "1", 6},
    known_unit{"[lb_av]", false, mass_1, "453.59237"},
    known_unit{"[oz_av]", false, mass_1, "28.349523125"},
    known_unit{"[stone_av]", false, mass_1, "6350.29318"},
    known_unit{"m", true, length_1, "1"},
    known_unit{"[in_i]", false, length_1, "0.0254"},
    known_unit{"[ft_i]", false, length_1, "0.3048"},
    known_unit{"L", true, length_3, "1", -3},
    known_unit{"l", true, length_3, "1", -3},
    known_unit{"s", true, time_1, "1"},
    known_unit{"min", false, time_1, "60"},
    known_unit{"h", false, time_1, "3600"},
    known_unit{"d", false, time_1, "86400"},
    known_unit{"wk", false, time_1, "604800"},
    known_unit{"mo", false, time_1, "2629800"},
    known_unit{"a", false, time_1, "31557600"},
    known_unit{"Hz", true, per_time, "1"},
    known_unit{"mol", true, substance_1, "1"},
    known_unit{"kat", true, catalytic, "1"},
    known_unit{"N", true, force_1, "1", 3},
    known_unit{"Pa", true, pressure_1, "1", 3},
    known_unit{"bar", true, pressure_1, "1", 8},
    known_unit{"m[Hg]", true, pressure_1, "133322.387415", 3},
    known_unit{"J", true, energy_1, "1", 3},
    known_unit{"cal", true, energy_1, "4.184", 3},
    known_unit{"W", true, power_1, "1", 3},
    known_unit{"[iU]", true, arbitrary_1, "1"},
    known_unit{"[IU]", true, arbitrary_1, "1"},
};

struct unit_prefix {
  std::string_view code;
  int tens;
};

constexpr std::array unit_prefixes{unit_prefix{"da", 1}, unit_prefix{"k", 3},  unit_prefix{"M", 6},  unit_prefix{"G", 9},
                                   unit_prefix{"T", 12}, unit_prefix{"h", 2},  unit_prefix{"d", -1}, unit_prefix{"c", -2},
                                   unit_prefix{"m", -3}, unit_prefix{"u", -6}, unit_prefix{"n", -9}, unit_prefix{"p", -12},
                                   unit_prefix{"f", -15}};

/// One unit with its power: of "cm2{skin}" "cm", 2 and "{skin}".
struct unit_part {
  std::string_view symbol; ///< empty: only an annotation
  std::string_view annotation;
  int power = 1;
};

bool is_decimal_digit(char c) {
  return c >= '0' && c <= '9';
}

std::optional<unit_part> part_of(std::string_view text) {
  unit_part part;
  const auto brace = std::min(text.find('{'), text.size());
  part.annotation = text.substr(brace);
  text = text.substr(0, brace);
  if (!part.annotation.empty() && part.annotation.back() != '}')
    return std::nullopt;
  const bool tens = text.starts_with("10*") || text.starts_with("10^");
  const std::size_t symbol_min = tens ? 3 : 1;
  auto end = text.size();
  while (end > symbol_min && is_decimal_digit(text[end - 1]))
    --end;
  const auto digits = text.substr(end);
  bool negative = false;
  if (!digits.empty() && end > symbol_min && (text[end - 1] == '-' || text[end - 1] == '+'))
    negative = text[--end] == '-';
  if (digits.size() > 2 || (end > 1 && !tens && is_decimal_digit(text.front())) || text.find_first_of("()") != text.npos)
    return std::nullopt;
  part.symbol = text.substr(0, end);
  if (!digits.empty())
    part.power = std::atoi(std::string{digits}.c_str()) * (negative ? -1 : 1);
  if ((part.symbol.empty() && part.annotation.empty()) || (part.symbol == "1" && !digits.empty()))
    return std::nullopt;
  return part;
}

/// Joined by '.' and '/', from left to right; nothing that stands in brackets or braces parts them.
std::optional<std::vector<unit_part>> parts_of(std::string_view code) {
  std::vector<unit_part> parts;
  bool divided = code.starts_with('/');
  if (divided)
    code.remove_prefix(1);
  while (true) {
    int within = 0;
    std::size_t end = 0;
    for (; end < code.size() && (within > 0 || (code[end] != '.' && code[end] != '/')); ++end)
      within += code[end] == '[' || code[end] == '{' ? 1 : code[end] == ']' || code[end] == '}' ? -1 : 0;
    auto part = part_of(code.substr(0, end));
    if (!part || parts.size() == unit_parts_max)
      return std::nullopt;
    part->power *= divided ? -1 : 1;
    parts.push_back(*part);
    if (end == code.size())
      return parts;
    divided = code[end] == '/';
    code.remove_prefix(end + 1);
  }
}

const known_unit* find_known_unit(std::string_view code) {
  const auto found = std::find_if(known_units.begin(), known_units.end(), [&](const auto& u) { return u.code == code; });
  return found == known_units.end() ? nullptr : &*found;
}

/// Multiplies the scale by one part of a unit; false for one that is not known, or when it becomes too large.
bool multiply_by(unit_scale& scale, const unit_part& part) {
  int tens = 0;
  const auto* unit = find_known_unit(part.symbol.empty() ? std::string_view{"1"} : part.symbol);
  for (auto p = unit_prefixes.begin(); unit == nullptr && p != unit_prefixes.end(); ++p)
    if (part.symbol.starts_with(p->code)) {
      unit = find_known_unit(part.symbol.substr(p->code.size()));
      unit = unit != nullptr && unit->metric ? unit : nullptr;
      tens = p->tens;
    }
  if (unit == nullptr)
    return false;
  for (std::size_t i = 0; i < scale.measures.size(); ++i)
    scale.measures[i] += part.power * unit->measures[i];
  scale.tens += part.power * (tens + unit->tens);
  const auto factor = *decimal::parse(unit->factor);
  auto& side = part.power > 0 ? scale.numerator : scale.denominator;
  for (int i = 0; factor != decimal{1} && i < std::abs(part.power); ++i) {
    const auto product = multiply(side, factor);
    if (!product)
      return false;
    side = *product;
  }
  return true;
}

std::optional<decimal> times_ten(std::optional<decimal> value, int power) {
  if (power > unit_tens_max)
    return std::nullopt;
  for (; value && power > 0; --power)
    value = multiply(*value, decimal{10});
  return value;
}

std::optional<std::string> combined(std::string_view a, std::string_view b, int sign) {
  auto parts = parts_of(a);
  const auto others = parts_of(b);
  if (!parts || !others)
    return std::nullopt;
  for (auto other : *others) {
    other.power *= sign;
    const auto same = std::find_if(parts->begin(), parts->end(),
                                   [&](const auto& p) { return p.symbol == other.symbol && p.annotation == other.annotation; });
    if (same == parts->end())
      parts->push_back(other);
    else
      same->power += other.power;
  }
  std::string above, below;
  for (const auto& p : *parts) {
    if (p.power == 0 || (p.symbol == "1" && p.annotation.empty()))
      continue;
    auto& side = p.power > 0 ? above : below;
    side += p.power < 0 ? "/" : above.empty() ? "" : ".";
    side.append(p.symbol);
    if (std::abs(p.power) != 1 || p.symbol.starts_with("10"))
      side += std::to_string(std::abs(p.power));
    side.append(p.annotation);
  }
  above += below;
  return above.empty() ? "1" : above;
}

} // namespace

double unit_scale::size() const {
  return numerator.to_double() / denominator.to_double() * std::pow(10.0, tens);
}

std::optional<unit_scale> scale_of_unit(std::string_view code) {
  const auto parts = parts_of(code);
  if (!parts)
    return std::nullopt;
  unit_scale scale;
  for (const auto& p : *parts)
    if (!multiply_by(scale, p))
      return std::nullopt;
  return scale;
}

std::optional<decimal> rescale(const decimal& value, const unit_scale& from, const unit_scale& to) {
  if (from.measures != to.measures)
    return std::nullopt;
  auto above = std::optional{value}, below = std::optional{decimal{1}};
  if (from.numerator != to.numerator) {
    above = multiply(*above, from.numerator);
    below = multiply(*below, to.numerator);
  }
  if (from.denominator != to.denominator) {
    above = above ? multiply(*above, to.denominator) : above;
    below = below ? multiply(*below, from.denominator) : below;
  }
  const auto tens = from.tens - to.tens;
  above = times_ten(above, tens);
  below = times_ten(below, -tens);
  return above && below ? divide(*above, *below) : std::nullopt;
}

std::optional<std::string> product_unit(std::string_view a, std::string_view b) {
  return combined(a, b, 1);
}

std::optional<std::string> quotient_unit(std::string_view a, std::string_view b) {
  return combined(a, b, -1);
}

} // namespace epione::domain::fhirpath
