// Functions on numbers (N1 section 5.7). Roots, powers with fractions and logarithms are computed in binary and have 15 digits;
// everything else is exact.
#include "domain/fhirpath_functions.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

namespace epione::domain::fhirpath {

namespace {

using enum argument_scope;

struct operand {
  decimal value;
  bool integer = false;
};

std::optional<operand> number(const call& c, std::span<const value> items) {
  const auto v = c.run.single(items, c.name());
  if (!v)
    return std::nullopt;
  if (const auto* i = std::get_if<std::int64_t>(&*v))
    return operand{decimal{*i}, true};
  const auto* d = std::get_if<decimal>(&*v);
  if (d == nullptr)
    c.run.fail(c.name() + " takes a number, here is " + type_of(*v));
  return operand{*d};
}

collection whole(const decimal& d) {
  const auto i = d.integer();
  return i && *i >= integer_min && *i <= integer_max ? one(*i) : collection{};
}

/// Rounded to 15 digits; nothing when it is no number, or too large.
collection approximate(double x) {
  if (!std::isfinite(x) || std::abs(x) >= 1e20)
    return {};
  const int before_point = x == 0 ? 1 : static_cast<int>(std::floor(std::log10(std::abs(x)))) + 1;
  std::array<char, 64> text;
  const auto end = std::to_chars(text.data(), text.data() + text.size(), x, std::chars_format::fixed,
                                 std::clamp(15 - before_point, 0, decimal::places_max));
  const auto d = decimal::parse({text.data(), end.ptr});
  return d ? one(d->shortest()) : collection{};
}

collection abs(const call& c) {
  const auto v = c.run.single(c.input, "abs()");
  if (v && std::holds_alternative<quantity>(*v)) {
    auto q = std::get<quantity>(*v);
    q.value = q.value.negative() ? -q.value : q.value;
    return one(std::move(q));
  }
  const auto n = number(c, c.input);
  if (!n)
    return {};
  const auto positive = n->value.negative() ? -n->value : n->value;
  return n->integer ? whole(positive) : one(positive);
}

collection ceiling(const call& c) {
  const auto n = number(c, c.input);
  return n ? whole(n->value.ceiling()) : collection{};
}

collection floor(const call& c) {
  const auto n = number(c, c.input);
  return n ? whole(n->value.floor()) : collection{};
}

collection truncate(const call& c) {
  const auto n = number(c, c.input);
  return n ? whole(n->value.truncate()) : collection{};
}

collection round(const call& c) {
  const auto n = number(c, c.input);
  const auto places = c.arguments() > 0 ? c.integer(0) : std::optional<std::int64_t>{0};
  if (places && *places < 0)
    c.run.fail("round() takes a number of decimal places from 0");
  if (!n || !places)
    return {};
  return one(n->value.round(static_cast<int>(std::min<std::int64_t>(*places, decimal::places_max))));
}

collection exp(const call& c) {
  const auto n = number(c, c.input);
  return n ? approximate(std::exp(n->value.to_double())) : collection{};
}

collection ln(const call& c) {
  const auto n = number(c, c.input);
  return n && !n->value.negative() ? approximate(std::log(n->value.to_double())) : collection{};
}

collection log(const call& c) {
  const auto n = number(c, c.input);
  const auto to = c.argument(0);
  const auto base = number(c, to);
  if (!n || !base || n->value <= decimal{} || base->value <= decimal{} || base->value == decimal{1})
    return {};
  return approximate(std::log(n->value.to_double()) / std::log(base->value.to_double()));
}

collection sqrt(const call& c) {
  const auto n = number(c, c.input);
  return n && !n->value.negative() ? approximate(std::sqrt(n->value.to_double())) : collection{};
}

/// By repeated squaring; nothing when it is too large. A product that is too small for 16 places becomes 0.
std::optional<decimal> whole_power(decimal base, std::int64_t exponent) {
  std::optional<decimal> result{decimal{1}};
  while (exponent > 0) {
    if (exponent % 2 == 1)
      result = multiply(*result, base);
    exponent /= 2;
    if (!result || exponent == 0)
      return result;
    const auto squared = multiply(base, base);
    if (!squared)
      return std::nullopt;
    base = *squared;
  }
  return result;
}

collection power(const call& c) {
  const auto n = number(c, c.input);
  const auto to = c.argument(0);
  const auto exponent = number(c, to);
  if (!n || !exponent)
    return {};
  const auto whole_exponent = exponent->value.integer();
  if (!whole_exponent || (*whole_exponent < 0 && !n->integer))
    return approximate(std::pow(n->value.to_double(), exponent->value.to_double()));
  const auto result = whole_power(n->value, std::abs(*whole_exponent));
  if (!result)
    return {};
  if (*whole_exponent < 0)
    return one_or_none(divide(decimal{1}, *result));
  return n->integer && exponent->integer ? whole(*result) : one(*result);
}

constexpr std::string_view numbers = "Numbers";
constexpr std::array number_table{
    function{"abs", 0, 0, outer, abs, numbers},     function{"ceiling", 0, 0, outer, ceiling, numbers},
    function{"exp", 0, 0, outer, exp, numbers},     function{"floor", 0, 0, outer, floor, numbers},
    function{"ln", 0, 0, outer, ln, numbers},       function{"log", 1, 1, outer, log, numbers},
    function{"power", 1, 1, outer, power, numbers}, function{"round", 0, 1, outer, round, numbers},
    function{"sqrt", 0, 0, outer, sqrt, numbers},   function{"truncate", 0, 0, outer, truncate, numbers},
};

} // namespace

std::span<const function> number_functions() {
  return number_table;
}

} // namespace epione::domain::fhirpath
