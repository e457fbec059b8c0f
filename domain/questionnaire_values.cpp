// Values that a form's rules name: of enableWhen, options and limits.
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

void compile_initial(const fhir_object& source, form_item& item) {
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
    if (auto v = compile_value(x, item.type, uri ? "String" : value->first, *value->second))
      item.initial.push_back(std::move(*v));
  }
}

} // namespace epione::domain
