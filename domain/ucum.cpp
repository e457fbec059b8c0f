#include "domain/ucum.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace epione::domain {

namespace {

/// Powers of metre, gram, second, kelvin, mole, and of what is only counted in itself (international units).
using dimension = std::array<int, 6>;

struct unit {
  double factor = 1; ///< to the base units
  double offset = 0; ///< added after it: temperatures
  dimension powers{};
};

struct named_unit {
  std::string_view code;
  bool metric; ///< takes prefixes
  double factor;
  dimension powers;
  double offset = 0;
};

constexpr dimension plain{}, length{1}, mass{0, 1}, duration{0, 0, 1}, temperature{0, 0, 0, 1}, amount{0, 0, 0, 0, 1}, volume{3},
    pressure{-1, 1, -2}, energy{2, 1, -2}, frequency{0, 0, -1}, arbitrary_units{0, 0, 0, 0, 0, 1};

constexpr named_unit units[] = {
    {"m", true, 1, length},
    {"g", true, 1, mass},
    {"s", true, 1, duration},
    {"K", true, 1, temperature},
    {"mol", true, 1, amount},
    {"L", true, 1e-3, volume},
    {"l", true, 1e-3, volume},
    {"min", false, 60, duration},
    {"h", false, 3600, duration},
    {"d", false, 86400, duration},
    {"wk", false, 7 * 86400, duration},
    {"mo", false, 2629800, duration},
    {"a", false, 31557600, duration},
    {"Cel", true, 1, temperature, 273.15},
    {"[degF]", false, 5.0 / 9, temperature, 459.67 * 5 / 9},
    {"[in_i]", false, 0.0254, length},
    {"[ft_i]", false, 0.3048, length},
    {"[yd_i]", false, 0.9144, length},
    {"[mi_i]", false, 1609.344, length},
    {"[lb_av]", false, 453.59237, mass},
    {"[oz_av]", false, 28.349523125, mass},
    {"[stone_av]", false, 6350.29318, mass},
    {"t", true, 1e6, mass},
    {"Pa", true, 1e3, pressure},
    {"bar", true, 1e8, pressure},
    {"m[Hg]", true, 133322.387415e3, pressure},
    {"m[H2O]", true, 9806.65e3, pressure},
    {"J", true, 1e3, energy},
    {"cal", true, 4184, energy},
    {"Hz", true, 1, frequency},
    {"%", false, 0.01, plain},
    {"1", false, 1, plain},
    {"[ppth]", false, 1e-3, plain},
    {"[ppm]", false, 1e-6, plain},
    {"[iU]", true, 1, arbitrary_units},
    {"[IU]", true, 1, arbitrary_units},
};

struct prefix {
  std::string_view code;
  double factor;
};

constexpr prefix prefixes[] = {{"da", 10},  {"k", 1e3},  {"M", 1e6},  {"G", 1e9},  {"T", 1e12},  {"h", 100},  {"d", 0.1},
                               {"c", 0.01}, {"m", 1e-3}, {"u", 1e-6}, {"n", 1e-9}, {"p", 1e-12}, {"f", 1e-15}};

const named_unit* find_unit(std::string_view code) {
  const auto* found = std::find_if(std::begin(units), std::end(units), [&](const auto& u) { return u.code == code; });
  return found == std::end(units) ? nullptr : found;
}

/// One unit with its prefix, no power: "mg".
std::optional<unit> simple_unit(std::string_view code) {
  if (const auto* u = find_unit(code))
    return unit{u->factor, u->offset, u->powers};
  for (const auto& p : prefixes)
    if (code.starts_with(p.code))
      if (const auto* u = find_unit(code.substr(p.code.size())); u != nullptr && u->metric)
        return unit{p.factor * u->factor, u->offset, u->powers};
  return std::nullopt;
}

/// A unit or number with its power: "m2", "10*9".
std::optional<unit> component(std::string_view code) {
  int power = 1;
  for (const std::string_view ten : {"10*", "10^"})
    if (code.starts_with(ten)) {
      auto digits = code.substr(ten.size());
      const bool negative = digits.starts_with('-');
      if (negative || digits.starts_with('+'))
        digits.remove_prefix(1);
      if (digits.size() != 1 && digits.size() != 2)
        return std::nullopt;
      int exponent = 0;
      for (const char c : digits) {
        if (c < '0' || c > '9')
          return std::nullopt;
        exponent = 10 * exponent + (c - '0');
      }
      return unit{std::pow(10.0, negative ? -exponent : exponent)};
    }
  if (code.size() > 1 && code.back() >= '1' && code.back() <= '9') {
    power = code.back() - '0';
    code.remove_suffix(1);
    if (code.back() == '-' || code.back() == '+') {
      power = code.back() == '-' ? -power : power;
      code.remove_suffix(1);
    }
  }
  auto u = simple_unit(code);
  if (!u || power == 1)
    return u;
  u->factor = std::pow(u->factor, power);
  u->offset = 0; // a difference of temperatures
  for (auto& p : u->powers)
    p *= power;
  return u;
}

/// Without what stands in braces, which UCUM gives no meaning: "{score}".
std::optional<std::string_view> without_annotation(std::string_view code) {
  const auto open = code.find('{');
  if (open == std::string_view::npos)
    return code;
  if (code.back() != '}')
    return std::nullopt;
  return open == 0 ? std::string_view{"1"} : code.substr(0, open);
}

/// A whole code: components joined by '.' and '/', from left to right. Parentheses are not read.
std::optional<unit> parse_unit(std::string_view code) {
  unit result;
  bool divide = false;
  std::size_t parts = 0;
  if (code.starts_with('/')) {
    divide = true;
    code.remove_prefix(1);
  }
  while (true) {
    const auto end = std::min(code.find_first_of("./"), code.size());
    const auto plain_code = end == 0 ? std::nullopt : without_annotation(code.substr(0, end));
    const auto part = plain_code ? component(*plain_code) : std::nullopt;
    if (!part || ++parts > 8)
      return std::nullopt;
    result.factor = divide ? result.factor / part->factor : result.factor * part->factor;
    result.offset = parts == 1 && !divide ? part->offset : 0;
    for (std::size_t i = 0; i < result.powers.size(); ++i)
      result.powers[i] += divide ? -part->powers[i] : part->powers[i];
    if (end == code.size())
      return result;
    divide = code[end] == '/';
    code.remove_prefix(end + 1);
  }
}

} // namespace

std::optional<double> convert_unit(double value, std::string_view from, std::string_view to) {
  if (from == to)
    return value;
  const auto a = parse_unit(from);
  const auto b = parse_unit(to);
  if (!a || !b || a->powers != b->powers)
    return std::nullopt;
  const auto exact = (value * a->factor + a->offset - b->offset) / b->factor;
  // Twelve digits are more than anything is measured with, and hide that 0.1 kg are not quite 100 g in binary.
  const auto scale = exact == 0 ? 0 : std::pow(10.0, 12 - std::ceil(std::log10(std::fabs(exact))));
  return scale == 0 || !std::isfinite(scale) ? exact : std::round(exact * scale) / scale;
}

} // namespace epione::domain
