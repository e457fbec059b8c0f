// toX() and convertsToX() (N1 section 5.5).
#include "domain/fhirpath_case.hpp"
#include "domain/fhirpath_functions.hpp"

#include <algorithm>
#include <array>

namespace epione::domain::fhirpath {

namespace {

using enum argument_scope;
using converted = std::optional<value>;

template <class T>
converted as_converted(std::optional<T> v) {
  return v ? converted{value{std::move(*v)}} : std::nullopt;
}

const std::string* text_in(const value& v) {
  return std::get_if<std::string>(&v);
}

converted to_boolean(const call&, const value& v) {
  if (std::holds_alternative<bool>(v))
    return v;
  constexpr std::array<std::string_view, 6> yes{"true", "t", "yes", "y", "1", "1.0"}, no{"false", "f", "no", "n", "0", "0.0"};
  const auto text = text_in(v) != nullptr ? lower_case(*text_in(v)) : "";
  if (std::find(yes.begin(), yes.end(), text) != yes.end())
    return value{true};
  if (std::find(no.begin(), no.end(), text) != no.end())
    return value{false};
  decimal number{2};
  if (const auto* i = std::get_if<std::int64_t>(&v))
    number = decimal{*i};
  else if (const auto* d = std::get_if<decimal>(&v))
    number = *d;
  return number == decimal{1} || number.zero() ? converted{value{number == decimal{1}}} : std::nullopt;
}

converted to_integer(const call&, const value& v) {
  if (std::holds_alternative<std::int64_t>(v))
    return v;
  if (const auto* b = std::get_if<bool>(&v))
    return value{std::int64_t{*b}};
  const auto read =
      text_in(v) != nullptr && text_in(v)->find('.') == std::string::npos ? decimal::parse(*text_in(v)) : std::nullopt;
  const auto whole = read ? read->integer() : std::nullopt;
  return whole && *whole >= integer_min && *whole <= integer_max ? converted{value{*whole}} : std::nullopt;
}

converted to_decimal(const call&, const value& v) {
  if (std::holds_alternative<decimal>(v))
    return v;
  if (const auto* i = std::get_if<std::int64_t>(&v))
    return value{decimal{*i}};
  if (const auto* b = std::get_if<bool>(&v))
    return value{*decimal::parse(*b ? "1.0" : "0.0")};
  return text_in(v) != nullptr ? as_converted(decimal::parse(*text_in(v))) : std::nullopt;
}

converted to_string(const call& c, const value& v) {
  auto text = text_of(v);
  if (text)
    c.run.spend_text(text->size());
  return as_converted(std::move(text));
}

converted to_date(const call&, const value& v) {
  if (const auto* text = text_in(v))
    return as_converted(parse_date(*text));
  const auto* m = std::get_if<moment>(&v);
  if (m == nullptr || m->kind == moment::kind_type::time)
    return std::nullopt;
  moment date;
  date.year = m->year;
  date.month = m->month;
  date.day = m->day;
  date.given = std::min(m->given, precision::day);
  return value{date};
}

converted to_date_time(const call&, const value& v) {
  if (const auto* text = text_in(v))
    return as_converted(parse_date_time(*text));
  const auto* m = std::get_if<moment>(&v);
  if (m == nullptr || m->kind == moment::kind_type::time)
    return std::nullopt;
  auto with_time = *m;
  with_time.kind = moment::kind_type::date_time;
  return value{with_time};
}

converted to_time(const call&, const value& v) {
  if (const auto* text = text_in(v))
    return as_converted(parse_time(*text));
  const auto* m = std::get_if<moment>(&v);
  return m != nullptr && m->kind == moment::kind_type::time ? converted{v} : std::nullopt;
}

converted to_quantity(const call& c, const value& v) {
  std::optional<quantity> q;
  if (const auto* given = std::get_if<quantity>(&v))
    q = *given;
  else if (const auto* text = text_in(v))
    q = parse_quantity(*text);
  else if (const auto number = to_decimal(c, v))
    q = quantity{std::get<decimal>(*number)};
  const auto unit = c.arguments() > 0 ? c.text(0) : std::nullopt;
  return as_converted(q && unit ? convert(*q, *unit) : q);
}

template <converted (*Convert)(const call&, const value&)>
converted converted_input(const call& c) {
  const auto v = c.run.single(c.input, c.name());
  return v ? Convert(c, *v) : std::nullopt;
}

template <converted (*Convert)(const call&, const value&)>
collection to(const call& c) {
  return one_or_none(converted_input<Convert>(c));
}

template <converted (*Convert)(const call&, const value&)>
collection converts(const call& c) {
  const auto result = converted_input<Convert>(c);
  return c.input.empty() ? collection{} : one(result.has_value());
}

constexpr std::string_view conversions = "Conversions";
constexpr std::array conversion_table{
    function{"toBoolean", 0, 0, outer, to<to_boolean>, conversions},
    function{"toInteger", 0, 0, outer, to<to_integer>, conversions},
    function{"toDecimal", 0, 0, outer, to<to_decimal>, conversions},
    function{"toString", 0, 0, outer, to<to_string>, conversions},
    function{"toDate", 0, 0, outer, to<to_date>, conversions},
    function{"toDateTime", 0, 0, outer, to<to_date_time>, conversions},
    function{"toTime", 0, 0, outer, to<to_time>, conversions},
    function{"toQuantity", 0, 1, outer, to<to_quantity>, conversions},
    function{"convertsToBoolean", 0, 0, outer, converts<to_boolean>, conversions},
    function{"convertsToInteger", 0, 0, outer, converts<to_integer>, conversions},
    function{"convertsToDecimal", 0, 0, outer, converts<to_decimal>, conversions},
    function{"convertsToString", 0, 0, outer, converts<to_string>, conversions},
    function{"convertsToDate", 0, 0, outer, converts<to_date>, conversions},
    function{"convertsToDateTime", 0, 0, outer, converts<to_date_time>, conversions},
    function{"convertsToTime", 0, 0, outer, converts<to_time>, conversions},
    function{"convertsToQuantity", 0, 1, outer, converts<to_quantity>, conversions},
};

} // namespace

std::span<const function> conversion_functions() {
  return conversion_table;
}

} // namespace epione::domain::fhirpath
