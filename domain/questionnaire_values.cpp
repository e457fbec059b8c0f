// Values that a form's rules name: of enableWhen, options and limits.
#include "domain/answer_rules.hpp"
#include "domain/json_text.hpp"
#include "domain/questionnaire_compiler.hpp"

namespace epione::domain {

std::optional<rule_value> compile_value(const fhir_object& where, item_type type, std::string_view fhir_type, const json& value) {
  rule_value result;
  result.kind = kind_of(type);
  const auto refuse = [&]() -> std::optional<rule_value> {
    where.problem("the value of type " + quotable(fhir_type) + " does not fit an item of type " + std::string{name(type)},
                  issue_code::structure);
    return std::nullopt;
  };
  const auto moment = [&](std::optional<time_span> parsed) -> std::optional<rule_value> {
    if (!parsed)
      return refuse();
    result.moment = *parsed;
    return result;
  };
  const bool text = value.is_string();
  switch (type) {
    case item_type::boolean:
      if (fhir_type != "Boolean" || !value.is_boolean())
        return refuse();
      result.boolean = value.get<bool>();
      return result;
    case item_type::decimal:
    case item_type::integer:
      if ((fhir_type != "Decimal" && fhir_type != "Integer") || !value.is_number())
        return refuse();
      result.number = value.get<double>();
      return result;
    case item_type::quantity:
      if ((fhir_type == "Decimal" || fhir_type == "Integer") && value.is_number()) {
        result.number = value.get<double>();
        return result;
      }
      if (fhir_type != "Quantity" || !value.is_object() || !value.contains("value") || !value["value"].is_number())
        return refuse();
      result.number = value["value"].get<double>();
      for (const auto* member : {"unit", "code"}) // the code counts where both are given
        if (value.contains(member) && value[member].is_string())
          result.unit = value[member].get<std::string>();
      return result;
    case item_type::date:
    case item_type::date_time:
      if ((fhir_type != "Date" && fhir_type != "DateTime") || !text)
        return refuse();
      result.text = value.get<std::string>();
      return moment(fhir_type == "Date" ? parse_fhir_date(result.text) : parse_fhir_date_time(result.text));
    case item_type::time:
      if (fhir_type != "Time" || !text)
        return refuse();
      result.text = value.get<std::string>();
      return moment(parse_fhir_time(result.text));
    case item_type::reference:
      if (fhir_type != "Reference" || !value.is_object() || !value.contains("reference") || !value["reference"].is_string())
        return refuse();
      result.text = value["reference"].get<std::string>();
      return result;
    case item_type::choice:
    case item_type::open_choice:
      if (fhir_type == "Coding" && value.is_object() && value.contains("code") && value["code"].is_string()) {
        result.text = value["code"].get<std::string>();
        result.is = text_kind::code;
        if (value.contains("system") && value["system"].is_string())
          result.system = value["system"].get<std::string>();
        return result;
      }
      [[fallthrough]];
    case item_type::string:
    case item_type::text:
    case item_type::url:
      if (fhir_type != "String" || !text)
        return refuse();
      result.text = value.get<std::string>();
      result.is = text_kind::free;
      return result;
    case item_type::attachment:
    case item_type::group:
    case item_type::display: break;
  }
  return refuse();
}

namespace {

std::string_view member_text(const json& x, const char* name) {
  const auto found = x.find(name);
  return found != x.end() && found->is_string() ? std::string_view{found->get_ref<const std::string&>()} : std::string_view{};
}

std::optional<rule_break> breaks_written(const form_item& item, std::string_view text) {
  if (auto broken = breaks_length(item, text))
    return broken;
  return item.rules ? breaks_regex(*item.rules, text) : std::nullopt;
}

std::optional<rule_break> breaks_number(const form_item& item, const std::string& digits) {
  if (auto broken = breaks_written(item, digits))
    return broken;
  return item.rules ? breaks_decimal_places(*item.rules, digits) : std::nullopt;
}

std::optional<rule_break> breaks_initial_quantity(const form_item& item, const rule_value& v, const json& value) {
  if (!item.rules)
    return std::nullopt;
  if (!value.is_object())
    return breaks_quantity(*item.rules, {v.number, {}, {}, {}});
  return breaks_quantity(*item.rules,
                         {v.number, member_text(value, "unit"), member_text(value, "code"), member_text(value, "system")});
}

std::optional<rule_break> breaks_initial_code(const form_item& item, const rule_value& v) {
  if (!item.value_set || v.is != text_kind::code || v.system.empty() ||
      item.value_set->look_up(v.system, v.text) != membership::no)
    return std::nullopt;
  return rule_break{"not-an-option", "the code must be one of the value set " + quotable(item.value_set->url, 200)};
}

/// Which of the item's limits an initial value breaks, as an answer would.
std::optional<rule_break> breaks_own_limits(const form_item& item, const rule_value& v, const json& value) {
  answer_value answer;
  answer.kind = v.kind;
  answer.number = v.number;
  answer.moment = v.moment;
  answer.text = v.text;
  std::optional<rule_break> broken;
  switch (item.type) {
    case item_type::integer:
    case item_type::decimal: broken = breaks_number(item, value.dump()); break;
    case item_type::quantity: return breaks_initial_quantity(item, v, value);
    case item_type::choice: return breaks_initial_code(item, v);
    case item_type::open_choice: return v.is == text_kind::code ? breaks_initial_code(item, v) : breaks_written(item, v.text);
    case item_type::string:
    case item_type::text:
    case item_type::url: return breaks_written(item, v.text);
    case item_type::reference: return item.rules ? breaks_reference_type(*item.rules, referenced_type(v.text)) : std::nullopt;
    case item_type::date:
    case item_type::date_time:
    case item_type::time: broken = item.rules ? breaks_regex(*item.rules, v.text) : std::nullopt; break;
    default: return std::nullopt;
  }
  return broken ? broken : breaks_bounds(item, answer);
}

} // namespace

void compile_initial(const fhir_object& source, const compile_context& context, form_item& item) {
  for (const auto& x : source.objects("initial")) {
    x.only({"id", "extension", "modifierExtension", "valueBoolean", "valueDecimal", "valueInteger", "valueDate", "valueDateTime",
            "valueTime", "valueString", "valueUri", "valueAttachment", "valueCoding", "valueQuantity", "valueReference"});
    const auto value = x.choice_of_type("value");
    if (!value) {
      x.problem("initial needs one value[x]", issue_code::required);
      continue;
    }
    if (!is_question(item.type) || item.type == item_type::attachment)
      continue; // que-8 has it; an attachment is not compared
    const bool uri = item.type == item_type::url && value->first == "Uri";
    auto v = compile_value(x, item.type, uri ? "String" : value->first, *value->second);
    if (!v)
      continue;
    if (const auto broken = breaks_own_limits(item, *v, *value->second))
      x.remark(context.options.for_submissions ? issue_severity::error : issue_severity::warning, issue_code_of(broken->code), "",
               "the initial value could not be submitted as it is: " + broken->message);
    item.initial.push_back(std::move(*v));
  }
}

} // namespace epione::domain
