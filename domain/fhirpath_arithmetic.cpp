// + - * / div mod & (N1 sections 6.6 and 6.7).
#include "domain/fhirpath_evaluation.hpp"

namespace epione::domain::fhirpath {

namespace {

bool is_number(const value& v) {
  return std::holds_alternative<std::int64_t>(v) || std::holds_alternative<decimal>(v);
}

decimal number(const value& v) {
  const auto* i = std::get_if<std::int64_t>(&v);
  return i != nullptr ? decimal{*i} : std::get<decimal>(v);
}

quantity as_quantity(const value& v) {
  const auto* q = std::get_if<quantity>(&v);
  return q != nullptr ? *q : quantity{number(v)};
}

template <class T>
std::optional<value> wrapped(std::optional<T> v) {
  return v ? std::optional{value{std::move(*v)}} : std::nullopt;
}

/// An Integer when both were, nothing beyond its range.
std::optional<value> like_both(const value& a, const value& b, std::optional<decimal> result) {
  if (!result || std::holds_alternative<decimal>(a) || std::holds_alternative<decimal>(b))
    return wrapped(result);
  const auto whole = result->integer();
  return whole && *whole >= integer_min && *whole <= integer_max ? std::optional{value{*whole}} : std::nullopt;
}

struct division {
  decimal quotient, remainder;
};

/// Truncated; the remainder has the sign of a.
std::optional<division> divide_whole(const decimal& a, const decimal& b) {
  const auto exact = divide(a, b);
  if (!exact)
    return std::nullopt;
  auto quotient = exact->truncate();
  const auto rest = [&] {
    const auto product = multiply(quotient, b);
    return product ? subtract(a, *product) : std::nullopt;
  };
  auto remainder = rest();
  // The division may have been rounded up to a whole number.
  if (!remainder || (!remainder->zero() && remainder->negative() != a.negative())) {
    quotient = *add(quotient, decimal{a.negative() == b.negative() ? -1 : 1});
    remainder = rest();
  }
  return remainder ? std::optional{division{quotient, *remainder}} : std::nullopt;
}

bool is_moment_sum(operation o, const value& a, const value& b) {
  return (o == operation::add || o == operation::subtract) && std::holds_alternative<moment>(a) &&
         std::holds_alternative<quantity>(b);
}

std::optional<value> calculate_numbers(operation o, const value& a, const value& b) {
  const auto x = number(a), y = number(b);
  switch (o) {
    case operation::add: return like_both(a, b, add(x, y));
    case operation::subtract: return like_both(a, b, subtract(x, y));
    case operation::multiply: return like_both(a, b, multiply(x, y));
    case operation::divide: return wrapped(divide(x, y));
    default: break;
  }
  const auto d = divide_whole(x, y);
  if (!d)
    return std::nullopt;
  return o == operation::whole_divide ? like_both(value{std::int64_t{0}}, value{std::int64_t{0}}, d->quotient)
                                      : like_both(a, b, d->remainder);
}

std::optional<value> calculate_quantities(operation o, const quantity& a, const quantity& b) {
  switch (o) {
    case operation::add: return wrapped(add(a, b));
    case operation::subtract: return wrapped(add(a, quantity{-b.value, b.unit, b.calendar}));
    case operation::multiply: return wrapped(multiply(a, b));
    default: return wrapped(divide(a, b));
  }
}

} // namespace

collection evaluation::calculate(operation o, std::span<const value> a, std::span<const value> b) {
  if (o == operation::concatenate) {
    auto text = string(a, "&").value_or("") + string(b, "&").value_or("");
    spend_text(text.size());
    return one(std::move(text));
  }
  const auto x = single(a, name(o)), y = single(b, name(o));
  if (!x || !y)
    return {};
  const bool whole = o == operation::whole_divide || o == operation::remainder;
  if (is_number(*x) && is_number(*y))
    return one_or_none(calculate_numbers(o, *x, *y));
  const bool quantities =
      (std::holds_alternative<quantity>(*x) || is_number(*x)) && (std::holds_alternative<quantity>(*y) || is_number(*y));
  if (quantities && !whole)
    return one_or_none(calculate_quantities(o, as_quantity(*x), as_quantity(*y)));
  if (o == operation::add && std::holds_alternative<std::string>(*x) && std::holds_alternative<std::string>(*y)) {
    auto text = std::get<std::string>(*x) + std::get<std::string>(*y);
    spend_text(text.size());
    return one(std::move(text));
  }
  if (!is_moment_sum(o, *x, *y))
    fail(std::string{name(o)} + " does not take " + type_of(*x) + " and " + type_of(*y));
  const auto& amount = std::get<quantity>(*y);
  const auto unit = duration_unit(amount);
  if (!unit)
    fail("only durations can be added to a date or time: years, months, weeks, days, hours, minutes, seconds, milliseconds");
  const auto sum = add(std::get<moment>(*x), o == operation::add ? amount.value : -amount.value, *unit);
  if (sum.error == moment_error::unit_of_time)
    fail("only hours, minutes, seconds and milliseconds can be added to a time");
  if (sum.error == moment_error::out_of_range)
    fail("the date is outside of the years 1 to 9999");
  return one(sum.value);
}

std::optional<value> evaluation::sum(const value& a, const value& b) {
  auto result = calculate(operation::add, {&a, 1}, {&b, 1});
  return result.empty() ? std::nullopt : std::optional{std::move(result.front())};
}

std::optional<value> evaluation::quotient(const value& a, const value& b) {
  auto result = calculate(operation::divide, {&a, 1}, {&b, 1});
  return result.empty() ? std::nullopt : std::optional{std::move(result.front())};
}

} // namespace epione::domain::fhirpath
