// What limits an answer: maxLength and the extensions.
#include "domain/json_text.hpp"
#include "domain/questionnaire_compiler.hpp"

#include <algorithm>
#include <re2/re2.h>

namespace epione::domain {

namespace {

constexpr std::string_view fhir_base = "http://hl7.org/fhir/StructureDefinition/";
constexpr std::string_view sdc_base = "http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-";

std::string fhir_url(std::string_view name) {
  return std::string{fhir_base}.append(name);
}

std::string sdc_url(std::string_view name) {
  return std::string{sdc_base}.append(name);
}

std::string name_of_extension(std::string_view url) {
  return std::string{url.substr(url.rfind('/') + 1)};
}

std::optional<std::size_t> extension_count(const fhir_object& x, std::string_view url) {
  const auto value = extension_value(x, url);
  if (!value)
    return std::nullopt;
  if (value->first != "Integer" || !value->second->is_number_integer() || value->second->get<double>() < 0 ||
      value->second->get<double>() > 2147483647.0) {
    x.problem("extension", name_of_extension(url) + " needs valueInteger, a whole number from 0", issue_code::value);
    return std::nullopt;
  }
  return value->second->get<std::size_t>();
}

bool has_order(item_type type) {
  return kind_of(type) == value_kind::moment || type == item_type::integer || type == item_type::decimal;
}

std::optional<rule_value> extension_bound(const fhir_object& x, std::string_view url, item_type type) {
  const auto value = extension_value(x, url);
  if (!value)
    return std::nullopt;
  if (!has_order(type)) {
    x.problem("extension", name_of_extension(url) + " is for items of type integer, decimal, date, dateTime and time");
    return std::nullopt;
  }
  return compile_value(x, type, value->first, *value->second);
}

std::optional<std::string> extension_code(const fhir_object& x, const char* member) {
  const auto code = x.string(member);
  if (!code && !x.has(member))
    x.problem(std::string{"it needs "} + member, issue_code::required);
  return code;
}

void compile_lengths(const fhir_object& x, form_item& item) {
  if (const auto length = x.integer("maxLength")) {
    if (*length < 1)
      x.problem("maxLength", "it must be 1 or more", issue_code::value);
    else
      item.max_length = static_cast<std::size_t>(*length);
  }
  item.min_length = extension_count(x, fhir_url("minLength"));
  if (item.min_length && item.max_length && *item.min_length > *item.max_length)
    x.problem("maxLength", "it is less than minLength, so that nothing could be answered");
}

void compile_bounds(const fhir_object& x, form_item& item) {
  if (item.type == item_type::quantity)
    return; // with the quantities
  item.min_value = extension_bound(x, fhir_url("minValue"), item.type);
  item.max_value = extension_bound(x, fhir_url("maxValue"), item.type);
  if (item.min_value && item.max_value &&
      (item.min_value->number > item.max_value->number || item.min_value->moment.first > item.max_value->moment.last))
    x.problem("extension", "maxValue is less than minValue, so that nothing could be answered");
}

void compile_occurrences(const fhir_object& x, const compile_context& context, form_item& item) {
  // Of a group they count how often it is there, which a submission's answers by linkId do not say.
  if (!is_question(item.type) && (item.type == item_type::display || context.options.for_submissions))
    return;
  if (const auto count = extension_count(x, fhir_url("questionnaire-minOccurs")))
    item.min_occurs = *count;
  if (const auto count = extension_count(x, fhir_url("questionnaire-maxOccurs")))
    item.max_occurs = *count;
  if (item.min_occurs > item.max_occurs || item.max_occurs == 0)
    x.problem("extension", "maxOccurs must be 1 or more and not less than minOccurs");
}

/// RE2 takes time linear in the answer, whatever the pattern; what it does not know (looking around, back references) no other
/// engine gets to see.
void compile_regex(const fhir_object& x, const compile_context& context, item_rules& rules) {
  const auto value = extension_value(x, fhir_url("regex"));
  if (!value)
    return;
  if (value->first != "String" || !value->second->is_string())
    return x.problem("extension", "regex needs valueString", issue_code::structure);
  const auto& pattern = value->second->get_ref<const std::string&>();
  re2::RE2::Options options{re2::RE2::Quiet};
  options.set_max_mem(limits::regex_memory_max);
  std::shared_ptr<const re2::RE2> compiled;
  if (pattern.size() <= limits::regex_bytes_max)
    compiled = std::make_shared<re2::RE2>(pattern, options);
  if (compiled && compiled->ok()) {
    rules.regex = std::move(compiled);
    return;
  }
  const auto why = compiled ? "it is not a regular expression that can be checked here (" + quotable(compiled->error()) +
                                  "); write it in the syntax of RE2, without looking around or back references"
                            : "it is longer than " + std::to_string(limits::regex_bytes_max) + " bytes or needs too much memory";
  x.remark(context.options.for_submissions ? issue_severity::error : issue_severity::warning, issue_code::not_supported,
           "extension", "regex: " + why);
}

std::optional<rule_value> compile_quantity(const fhir_object& x, std::string_view url) {
  const auto value = extension_value(x, url);
  if (!value)
    return std::nullopt;
  if (value->first == "Quantity" || value->first == "Decimal" || value->first == "Integer")
    return compile_value(x, item_type::quantity, value->first, *value->second);
  x.problem("extension", name_of_extension(url) + " needs valueQuantity", issue_code::structure);
  return std::nullopt;
}

void compile_quantity_rules(const fhir_object& x, const compile_context& context, item_rules& rules) {
  rules.min_quantity = compile_quantity(x, sdc_url("questionnaire-minQuantity"));
  rules.max_quantity = compile_quantity(x, sdc_url("questionnaire-maxQuantity"));
  if (!rules.min_quantity)
    rules.min_quantity = compile_quantity(x, fhir_url("minValue"));
  if (!rules.max_quantity)
    rules.max_quantity = compile_quantity(x, fhir_url("maxValue"));
  if (rules.min_quantity && rules.max_quantity && rules.min_quantity->unit == rules.max_quantity->unit &&
      rules.min_quantity->number > rules.max_quantity->number)
    x.remark(context.options.for_submissions ? issue_severity::error : issue_severity::warning, issue_code::invalid, "extension",
             "the largest quantity is less than the smallest, so that nothing could be answered");
  for (const auto& e : x.extensions(fhir_url("questionnaire-unitOption"))) {
    const auto coding = e.object("valueCoding");
    if (!coding)
      e.problem("it needs valueCoding", issue_code::required);
    else
      rules.units.push_back(
          {coding->string("system").value_or(""), coding->string("code").value_or(""), coding->string("display").value_or("")});
  }
  for (const auto& e : x.extensions(fhir_url("questionnaire-unitValueSet"))) {
    const auto url = extension_code(e, "valueCanonical");
    if (!url)
      continue;
    rules.unit_set = context.value_sets.find(*url).codes;
    if (!rules.unit_set->complete())
      e.remark(issue_severity::warning, issue_code::not_supported, "",
               "the units of the value set " + quotable(*url) + " are not listed here, so that not all of them can be checked");
  }
}

void compile_attachment_rules(const fhir_object& x, item_rules& rules) {
  if (const auto size = extension_value(x, fhir_url("maxSize"))) {
    if ((size->first == "Decimal" || size->first == "Integer") && size->second->is_number() && size->second->get<double>() > 0)
      rules.max_size = size->second->get<double>();
    else
      x.problem("extension", "maxSize needs valueDecimal, megabytes above 0", issue_code::value);
  }
  for (const auto& e : x.extensions(fhir_url("mimeType")))
    if (auto type = extension_code(e, "valueCode")) {
      std::transform(type->begin(), type->end(), type->begin(), [](char c) { return c >= 'A' && c <= 'Z' ? char(c + 32) : c; });
      rules.mime_types.push_back(std::move(*type));
    }
}

/// What is only shown.
void compile_looks(const fhir_object& x, form_item& item, item_rules& rules) {
  const auto is_set = [&](std::string_view url) {
    const auto value = extension_value(x, url);
    return value && value->first == "Boolean" && value->second->is_boolean() && value->second->get<bool>();
  };
  item.hidden = is_set(fhir_url("questionnaire-hidden"));
  if (const auto control = extension_value(x, fhir_url("questionnaire-itemControl")); control && control->second->is_object()) {
    const auto coding = control->second->find("coding");
    if (coding != control->second->end() && coding->is_array())
      for (const auto& c : *coding)
        if (c.is_object() && c.contains("code") && c["code"].is_string())
          rules.item_control = c["code"].get<std::string>();
  }
  for (const auto& e : x.extensions(fhir_url("questionnaire-unit")))
    if (const auto coding = e.object("valueCoding"))
      rules.unit = coding->has("display") ? coding->string("display").value_or("") : coding->string("code").value_or("");
}

void compile_extensions(const fhir_object& x, const compile_context& context, form_item& item, item_rules& rules) {
  compile_bounds(x, item);
  compile_occurrences(x, context, item);
  compile_looks(x, item, rules);
  compile_regex(x, context, rules);
  if (const auto places = extension_count(x, fhir_url("maxDecimalPlaces")))
    rules.max_decimal_places = static_cast<std::uint32_t>(*places);
  if (item.type == item_type::quantity)
    compile_quantity_rules(x, context, rules);
  if (item.type == item_type::attachment)
    compile_attachment_rules(x, rules);
  for (const auto& e : x.extensions(fhir_url("questionnaire-referenceResource")))
    if (auto type = extension_code(e, "valueCode"))
      rules.reference_types.push_back(std::move(*type));
  rules.signature_required = !x.extensions(fhir_url("questionnaire-signatureRequired")).empty();
}

bool has_any(const item_rules& r) {
  return r.regex || r.max_decimal_places || r.min_quantity || r.max_quantity || !r.units.empty() || r.unit_set || r.max_size ||
         !r.mime_types.empty() || !r.reference_types.empty() || r.exclusive_options || r.signature_required ||
         !r.item_control.empty() || !r.unit.empty();
}

} // namespace

std::optional<std::pair<std::string, const json*>> extension_value(const fhir_object& x, std::string_view url) {
  const auto found = x.extensions(url);
  if (found.empty())
    return std::nullopt;
  if (found.size() > 1)
    found.back().problem("the extension is there more than once; keep one");
  const auto value = found.back().choice_of_type("value");
  if (!value)
    found.back().problem("the extension needs one value[x]", issue_code::required);
  return value;
}

void compile_rules(const fhir_object& x, const compile_context& context, form_item& item) {
  compile_lengths(x, item);
  item_rules rules;
  rules.exclusive_options = std::any_of(item.options.begin(), item.options.end(), [](const auto& o) { return o.exclusive; });
  if (x.has("extension"))
    compile_extensions(x, context, item, rules);
  if (has_any(rules))
    item.rules = std::make_shared<item_rules>(std::move(rules));
}

} // namespace epione::domain
