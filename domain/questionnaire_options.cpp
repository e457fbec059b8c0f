// answerOption and answerValueSet: what a question offers.
#include "domain/canonical.hpp"
#include "domain/json_text.hpp"
#include "domain/limits.hpp"
#include "domain/questionnaire_compiler.hpp"

#include <algorithm>
#include <map>
#include <numeric>

namespace epione::domain {

namespace {

constexpr std::string_view ordinal_url = "http://hl7.org/fhir/StructureDefinition/ordinalValue";
constexpr std::string_view weight_url = "http://hl7.org/fhir/StructureDefinition/itemWeight"; // its name since R5

std::optional<double> ordinal_of(const fhir_object& x) {
  for (const auto url : {ordinal_url, weight_url})
    for (const auto& e : x.extensions(url)) {
      const auto value = e.choice_of_type("value");
      if (value && (value->first == "Decimal" || value->first == "Integer") && value->second->is_number())
        return value->second->get<double>();
      e.problem("an ordinal value needs valueDecimal, a number");
    }
  return std::nullopt;
}

void store_text(answer_option& o, std::string text) {
  append_string(o.stored, text);
  o.value.kind = value_kind::text;
  o.value.text = std::move(text);
}

/// A Coding, or a concept of a value set: a code, and how it is shown.
std::optional<answer_option> option_of_code(const fhir_object& x, const compile_context& context, std::string system) {
  answer_option o;
  auto code = x.string("code");
  if (!code && x.has("code"))
    return std::nullopt;
  if (!code && context.options.for_submissions) {
    x.problem("code is missing: an answer is stored by its code", issue_code::required);
    return std::nullopt;
  }
  if (!code)
    x.remark(issue_severity::warning, issue_code::required, "", "the option has no code, so that an answer cannot name it");
  store_text(o, code.value_or(""));
  o.value.system = std::move(system);
  o.display = x.text("display");
  for (const auto& d : x.objects("designation")) // of a value set's concept
    if (d.has("language") && d.has("value"))
      o.display.translations.emplace_back(d.string("language").value_or(""), d.string("value").value_or(""));
  o.ordinal = ordinal_of(x);
  return o;
}

/// Which value[x] of an option items of this type may have.
bool option_fits(item_type type, std::string_view fhir_type) {
  switch (type) {
    case item_type::choice:
    case item_type::open_choice: return true;
    case item_type::decimal:
    case item_type::integer: return fhir_type == "Integer";
    case item_type::date:
    case item_type::date_time: return fhir_type == "Date";
    case item_type::time: return fhir_type == "Time";
    case item_type::string: return fhir_type == "String";
    default: return false; // a quantity may have options, but no value[x] of an option is one
  }
}

struct value_type {
  std::string_view name;
  option_type option;
  item_type compiled_as;
};

constexpr value_type value_types[] = {{"Integer", option_type::integer, item_type::integer},
                                      {"Date", option_type::date, item_type::date},
                                      {"Time", option_type::time, item_type::time},
                                      {"String", option_type::string, item_type::string},
                                      {"Reference", option_type::reference, item_type::reference}};

std::optional<answer_option> option_of_value(const fhir_object& x, const compile_context& context, const std::string& fhir_type,
                                             const json& value) {
  const auto member = "value" + fhir_type;
  if (fhir_type == "Coding") {
    const auto coding = x.object(member);
    if (!coding)
      return std::nullopt;
    coding->only({"id", "extension", "system", "version", "code", "display", "userSelected"});
    return option_of_code(*coding, context, coding->string("system").value_or(""));
  }
  answer_option o;
  std::optional<rule_value> v;
  const auto* known =
      std::find_if(std::begin(value_types), std::end(value_types), [&](const auto& t) { return t.name == fhir_type; });
  if (known == std::end(value_types)) {
    x.problem(member, "an option is a valueInteger, valueDate, valueTime, valueString, valueCoding or valueReference");
  } else {
    v = compile_value(x, known->compiled_as, fhir_type, value);
    o.type = known->option;
  }
  if (!v)
    return std::nullopt;
  if (v->kind == value_kind::number)
    append_double(o.stored, v->number);
  else
    append_string(o.stored, v->text);
  if (fhir_type == "String")
    o.display = x.text(member);
  o.value = std::move(*v);
  return o;
}

bool is_exclusive(const fhir_object& x) {
  const auto value = extension_value(x, "http://hl7.org/fhir/StructureDefinition/questionnaire-optionExclusive");
  if (value && (value->first != "Boolean" || !value->second->is_boolean()))
    x.problem("extension", "optionExclusive needs valueBoolean", issue_code::structure);
  return value && value->second->is_boolean() && value->second->get<bool>();
}

std::optional<answer_option> read_option(const fhir_object& x, const compile_context& context, item_type type) {
  x.only({"id", "extension", "modifierExtension", "valueInteger", "valueDate", "valueTime", "valueString", "valueCoding",
          "valueReference", "initialSelected"});
  if (x.has("modifierExtension"))
    x.problem("modifierExtension", "it may change the meaning of the option and is not understood; remove it");
  const auto value = x.choice_of_type("value");
  if (!value) {
    x.problem("an option needs one value[x], such as valueCoding", issue_code::required);
    return std::nullopt;
  }
  if (!option_fits(type, value->first)) {
    x.problem("value" + quotable(value->first) + " does not fit an item of type " + std::string{name(type)},
              issue_code::structure);
    return std::nullopt;
  }
  auto option = option_of_value(x, context, value->first, *value->second);
  if (!option)
    return option;
  if (!option->ordinal)
    option->ordinal = ordinal_of(x);
  option->exclusive = is_exclusive(x);
  option->initial = x.boolean("initialSelected").value_or(false);
  return option;
}

void read_answer_value_set(const fhir_object& source, const compile_context& context, form_item& item) {
  const auto url = source.string("answerValueSet");
  if (!url)
    return;
  const auto& set = context.value_sets.find(*url);
  item.value_set = set.codes;
  if (set.contained && !set.codes->found)
    return source.problem("answerValueSet",
                          set.wrong_type ? "the contained resource it names is not a ValueSet"
                                         : "the form contains no value set with the id \"" + quotable(url->substr(1)) + "\"",
                          issue_code::not_found);
  if (!set.codes->complete())
    return source.remark(
        issue_severity::warning, set.codes->found ? issue_code::not_supported : issue_code::not_found, "answerValueSet",
        set.codes->found ? "not all codes of this value set are listed here, so that answers cannot all be checked"
                         : "this value set is neither contained nor given, so that answers cannot be checked; give its file");
  if (!set.contained && set.concepts.size() > limits::options_shown_max)
    return;
  for (const auto& c : set.concepts) {
    const fhir_object concept_object{*c.source, source.place_of("answerValueSet"), source.problems()};
    if (auto option = option_of_code(concept_object, context, std::string{c.system}))
      item.options.push_back(std::move(*option));
  }
  item.closed = true;
}

/// In the short form an answer is a code alone, so that no two options may share one.
bool same_answer(const answer_option& a, const answer_option& b, const compile_context& context) {
  return a.stored == b.stored && (context.options.for_submissions || (a.type == b.type && a.value.system == b.value.system));
}

void check_and_index(const fhir_object& source, const compile_context& context, form_item& item) {
  if (item.options.size() > limits::options_max)
    return source.problem("the item has more than " + std::to_string(limits::options_max) + " options");
  auto& order = item.options_by_stored;
  order.resize(item.options.size());
  std::iota(order.begin(), order.end(), 0u);
  std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return item.options[a].stored < item.options[b].stored; });
  for (std::size_t i = 1; i < order.size(); ++i)
    if (same_answer(item.options[order[i]], item.options[order[i - 1]], context))
      source.problem("two options are the same answer, \"" + quotable(item.options[order[i]].value.text) +
                     "\"; an answer is stored by its code alone, so that each needs its own");
  std::map<double, std::size_t> ordinals;
  for (const auto& o : item.options)
    if (o.ordinal)
      ++ordinals[*o.ordinal];
  for (auto& o : item.options)
    o.by_ordinal = o.ordinal && ordinals[*o.ordinal] == 1;
}

/// que-5 as its expression has it; its text says only choice and open-choice.
bool may_have_options(item_type type) {
  switch (type) {
    case item_type::choice:
    case item_type::open_choice:
    case item_type::decimal:
    case item_type::integer:
    case item_type::date:
    case item_type::date_time:
    case item_type::time:
    case item_type::string:
    case item_type::quantity: return true;
    default: return false;
  }
}

} // namespace

void compile_options_of(const fhir_object& source, const compile_context& context, form_item& item) {
  const bool options = source.has("answerOption");
  const bool value_set = source.has("answerValueSet");
  if (options && value_set)
    source.breaks("que-4", "answerValueSet", "a question has either answerOption or answerValueSet");
  for (const auto* member : {"answerOption", "answerValueSet"})
    if (source.has(member) && !may_have_options(item.type))
      return source.breaks("que-5", member, "items of type " + std::string{name(item.type)} + " cannot have it");
  if (options) {
    for (const auto& o : source.objects("answerOption"))
      if (auto option = read_option(o, context, item.type))
        item.options.push_back(std::move(*option));
    item.closed = true;
  } else if (value_set && (item.type == item_type::choice || item.type == item_type::open_choice)) {
    read_answer_value_set(source, context, item);
  } else if (value_set) {
    source.remark(issue_severity::warning, issue_code::not_supported, "answerValueSet",
                  "answers of type " + std::string{name(item.type)} + " have no code, so that they are not checked against it");
  }
  check_and_index(source, context, item);
}

} // namespace epione::domain
