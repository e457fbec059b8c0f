#include "domain/calculated_value.hpp"

#include "domain/canonical.hpp"
#include "domain/ucum.hpp"

#include <algorithm>
#include <cmath>

namespace epione::domain {

namespace {

using fhirpath::decimal;
using fhirpath::moment;
using fhirpath::quantity;
using fhirpath::value;

constexpr double relative_tolerance = 1e-6;
constexpr double absolute_tolerance = 1e-9; // of results near nothing

std::optional<decimal> number_of(const value& v) {
  if (const auto* d = std::get_if<decimal>(&v))
    return *d;
  if (const auto* i = std::get_if<std::int64_t>(&v))
    return decimal{*i};
  return std::nullopt;
}

/// A text member of a FHIR object; empty if there is none.
std::string member(const value& v, std::string_view name) {
  const auto* n = std::get_if<fhirpath::node>(&v);
  fhirpath::collection found;
  if (n != nullptr)
    n->reader->children(*n, name, found);
  const auto text = found.size() == 1 ? fhirpath::text_of(found.front()) : std::nullopt;
  return text.value_or("");
}

struct code_and_system {
  std::string code, system;
};

/// A Coding, or a code alone.
std::optional<code_and_system> code_of(const value& v) {
  if (const auto* text = std::get_if<std::string>(&v))
    return code_and_system{*text, ""};
  auto code = member(v, "code");
  return code.empty() ? std::nullopt : std::optional{code_and_system{std::move(code), member(v, "system")}};
}

const answer_option* find_option(const form_item& item, const code_and_system& c) {
  const auto found = std::find_if(item.options.begin(), item.options.end(), [&](const auto& o) {
    return o.type == option_type::coding && o.value.text == c.code && (c.system.empty() || o.value.system == c.system);
  });
  return found == item.options.end() ? nullptr : &*found;
}

bool close(double calculated, double sent, const form_item& item) {
  auto tolerance = std::max(absolute_tolerance, relative_tolerance * std::abs(calculated));
  if (item.rules && item.rules->max_decimal_places)
    tolerance += 0.5 * std::pow(10.0, -static_cast<double>(std::min(*item.rules->max_decimal_places, 16u)));
  return std::abs(calculated - sent) <= tolerance;
}

std::optional<moment> moment_of(const value& v, item_type type) {
  if (const auto* m = std::get_if<moment>(&v))
    return (m->kind == moment::kind_type::time) == (type == item_type::time) ? std::optional{*m} : std::nullopt;
  const auto* text = std::get_if<std::string>(&v);
  if (text == nullptr)
    return std::nullopt;
  return type == item_type::time   ? fhirpath::parse_time(*text)
         : type == item_type::date ? fhirpath::parse_date(*text)
                                   : fhirpath::parse_date_time(*text);
}

bool same_moment(const value& a, const value& b, item_type type) {
  const auto x = moment_of(a, type), y = moment_of(b, type);
  if (!x || !y)
    return false;
  return x->text() == y->text() || fhirpath::compare(*x, *y, 0) == std::strong_ordering::equal;
}

bool same_quantity(const form_item& item, const value& calculated, const value& sent) {
  const auto* b = std::get_if<quantity>(&sent);
  const auto plain_number = number_of(calculated);
  if (b == nullptr)
    return false;
  if (plain_number)
    return close(plain_number->to_double(), b->value.to_double(), item);
  const auto* a = std::get_if<quantity>(&calculated);
  if (a == nullptr)
    return false;
  const auto converted = fhirpath::convert(*a, b->unit);
  return converted && close(converted->value.to_double(), b->value.to_double(), item);
}

bool same_choice(const value& calculated, const value& sent) {
  if (const auto a = number_of(calculated), b = number_of(sent); a && b)
    return *a == *b;
  for (const auto type : {item_type::date, item_type::time})
    if (same_moment(calculated, sent, type))
      return true;
  const auto a = code_of(calculated), b = code_of(sent);
  return a && b && a->code == b->code && (a->system.empty() || b->system.empty() || a->system == b->system);
}

std::string value_in_quotes(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

/// Rounded to what the item allows, so that the answer keeps the item's own rule.
decimal rounded(const form_item& item, const decimal& d) {
  const int places = item.rules && item.rules->max_decimal_places
                         ? static_cast<int>(std::min<std::uint32_t>(*item.rules->max_decimal_places, decimal::places_max))
                         : decimal::places_max;
  return d.places() > places ? d.round(places) : d.shortest();
}

std::optional<std::string> answer_text(const value& v) {
  auto text = fhirpath::text_of(v);
  return text && !text->empty() ? text : std::nullopt;
}

std::string quantity_json(const form_item& item, const decimal& amount, const std::string& unit) {
  auto text = R"("valueQuantity":{"value":)" + rounded(item, amount).text();
  if (!unit.empty() && unit != "1")
    text += R"(,"unit":)" + value_in_quotes(unit) + R"(,"system":"http://unitsofmeasure.org","code":)" + value_in_quotes(unit);
  return text + "}";
}

std::string coding_json(const code_and_system& c, std::string_view system) {
  return R"("valueCoding":{)" + (system.empty() ? std::string{} : R"("system":)" + value_in_quotes(system) + ",") + R"("code":)" +
         value_in_quotes(c.code) + "}";
}

/// Of a date or time its text as FHIR has it; of a dateTime, for a date, its date.
std::optional<std::string> moment_text(const form_item& item, const value& v) {
  auto m = moment_of(v, item.type);
  if (!m)
    return std::nullopt;
  if (item.type == item_type::date) {
    m->kind = moment::kind_type::date;
    m->given = std::min(m->given, fhirpath::precision::day);
    m->zone_minutes.reset();
  }
  return m->text();
}

/// Of what is stored as a text: dates, times, texts, urls, references.
std::optional<std::string> stored_text(const form_item& item, const value& v) {
  if (kind_of(item.type) == value_kind::moment)
    return moment_text(item, v);
  if (item.type != item_type::reference || std::holds_alternative<std::string>(v))
    return answer_text(v);
  auto text = member(v, "reference");
  return text.empty() ? std::nullopt : std::optional{std::move(text)};
}

/// The value[x] that such a text is in FHIR.
const char* text_type(item_type type) {
  switch (type) {
    case item_type::date: return "valueDate";
    case item_type::date_time: return "valueDateTime";
    case item_type::time: return "valueTime";
    case item_type::url: return "valueUri";
    default: return "valueString";
  }
}

/// A calendar duration in UCUM, a UCUM unit as it is.
std::string ucum_unit(const quantity& q) {
  if (!q.calendar)
    return q.unit;
  const auto unit = fhirpath::parse_time_unit(q.unit);
  using enum fhirpath::time_unit;
  switch (unit.value_or(second)) {
    case year: return "a";
    case month: return "mo";
    case week: return "wk";
    case day: return "d";
    case hour: return "h";
    case minute: return "min";
    case millisecond: return "ms";
    case second: break;
  }
  return "s";
}

} // namespace

bool agrees(const form_item& item, const value& calculated, const value& sent) {
  const auto a = fhirpath::plain(calculated), b = fhirpath::plain(sent);
  switch (item.type) {
    case item_type::boolean: {
      const auto *x = std::get_if<bool>(&a), *y = std::get_if<bool>(&b);
      return x != nullptr && y != nullptr && *x == *y;
    }
    case item_type::integer: {
      const auto x = number_of(a), y = number_of(b);
      return x && y && *x == *y;
    }
    case item_type::decimal: {
      const auto x = number_of(a), y = number_of(b);
      return x && y && close(x->to_double(), y->to_double(), item);
    }
    case item_type::date:
    case item_type::date_time:
    case item_type::time: return same_moment(a, b, item.type);
    case item_type::choice:
    case item_type::open_choice: return same_choice(a, b);
    case item_type::quantity: return same_quantity(item, a, b);
    case item_type::reference:
      return !member(b, "reference").empty() &&
             (answer_text(a) == member(b, "reference") || member(a, "reference") == member(b, "reference"));
    default: return answer_text(a).has_value() && answer_text(a) == answer_text(b);
  }
}

std::optional<std::string> fhir_answer(const form_item& item, const value& v) {
  const auto own = fhirpath::plain(v);
  const auto number = number_of(own);
  switch (item.type) {
    case item_type::boolean:
      if (const auto* b = std::get_if<bool>(&own))
        return std::string{R"("valueBoolean":)"} + (*b ? "true" : "false");
      return std::nullopt;
    case item_type::integer: {
      const auto whole = number ? number->integer() : std::nullopt;
      if (!whole || *whole > fhirpath::integer_max || *whole < fhirpath::integer_min)
        return std::nullopt;
      return R"("valueInteger":)" + std::to_string(*whole);
    }
    case item_type::decimal: return number ? std::optional{R"("valueDecimal":)" + rounded(item, *number).text()} : std::nullopt;
    case item_type::choice:
    case item_type::open_choice: {
      const auto c = code_of(own);
      if (!c) // an option that is a number or a date
        return number && number->integer() ? std::optional{R"("valueInteger":)" + std::to_string(*number->integer())}
                                           : std::nullopt;
      const auto* option = find_option(item, *c);
      const bool is_text = std::holds_alternative<std::string>(own);
      if (option == nullptr && is_text && item.type == item_type::open_choice)
        return R"("valueString":)" + value_in_quotes(c->code);
      return coding_json(*c, option != nullptr ? std::string_view{option->value.system} : std::string_view{c->system});
    }
    case item_type::quantity:
      if (const auto* q = std::get_if<quantity>(&own))
        return quantity_json(item, q->value, ucum_unit(*q));
      return number ? std::optional{quantity_json(item, *number, item.rules ? item.rules->unit : "")} : std::nullopt;
    case item_type::group:
    case item_type::display:
    case item_type::attachment: return std::nullopt;
    default: {
      const auto text = stored_text(item, own);
      if (!text)
        return std::nullopt;
      if (item.type == item_type::reference)
        return R"("valueReference":{"reference":)" + value_in_quotes(*text) + "}";
      return "\"" + std::string{text_type(item.type)} + "\":" + value_in_quotes(*text);
    }
  }
}

std::optional<std::string> short_answer(const form_item& item, const value& v) {
  const auto own = fhirpath::plain(v);
  const auto number = number_of(own);
  if (!fhir_answer(item, v))
    return std::nullopt; // it does not fit
  std::string out;
  switch (item.type) {
    case item_type::boolean: append_bool(out, std::get<bool>(own)); break;
    case item_type::integer: append_int(out, *number->integer()); break;
    case item_type::decimal: append_double(out, rounded(item, *number).to_double()); break;
    case item_type::choice:
    case item_type::open_choice:
      if (const auto c = code_of(own))
        append_string(out, c->code);
      else
        append_int(out, *number->integer());
      break;
    case item_type::quantity: {
      const auto* q = std::get_if<quantity>(&own);
      const auto unit = q != nullptr ? ucum_unit(*q) : item.rules ? item.rules->unit : std::string{};
      const auto amount = rounded(item, q != nullptr ? q->value : *number).to_double();
      if (unit.empty() || unit == "1") {
        append_double(out, amount);
        break;
      }
      append_map_header(out, 3);
      append_string(out, "code"), append_string(out, unit);
      append_string(out, "unit"), append_string(out, unit);
      append_string(out, "value"), append_double(out, amount);
      break;
    }
    default: append_string(out, stored_text(item, own).value_or(""));
  }
  return out;
}

} // namespace epione::domain
