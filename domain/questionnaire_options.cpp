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
std::optional<answer_option> option_of_code(const fhir_object& x) {
  answer_option o;
  auto code = x.string("code");
  if (!code) {
    if (!x.has("code"))
      x.problem("code is missing: an answer is stored by its code");
    return std::nullopt;
  }
  store_text(o, std::move(*code));
  o.display = x.text("display");
  o.ordinal = ordinal_of(x);
  return o;
}

/// Which value[x] of an option items of this type may have.
bool option_fits(item_type type, std::string_view fhir_type) {
  switch (type) {
    case item_type::choice:
    case item_type::open_choice: return true;
    case item_type::integer: return fhir_type == "Integer";
    case item_type::date: return fhir_type == "Date";
    case item_type::time: return fhir_type == "Time";
    case item_type::string:
    case item_type::text: return fhir_type == "String";
    case item_type::reference: return fhir_type == "Reference";
    default: return false;
  }
}

std::optional<answer_option> option_of_value(const fhir_object& x, const std::string& fhir_type, const json& value) {
  const auto member = "value" + fhir_type;
  if (fhir_type == "Coding") {
    const auto coding = x.object(member);
    if (!coding)
      return std::nullopt;
    coding->only({"id", "extension", "system", "version", "code", "display", "userSelected"});
    return option_of_code(*coding);
  }
  answer_option o;
  const auto as = [&](item_type type) { return compile_value(x, type, fhir_type, value); };
  std::optional<rule_value> v;
  if (fhir_type == "Integer")
    v = as(item_type::integer);
  else if (fhir_type == "Date")
    v = as(item_type::date);
  else if (fhir_type == "Time")
    v = as(item_type::time);
  else if (fhir_type == "String")
    v = as(item_type::string);
  else if (fhir_type == "Reference")
    v = as(item_type::reference);
  else
    x.problem(member, "an option is a valueInteger, valueDate, valueTime, valueString, valueCoding or valueReference");
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

std::optional<answer_option> read_option(const fhir_object& x, item_type type) {
  x.only({"id", "extension", "modifierExtension", "valueInteger", "valueDate", "valueTime", "valueString", "valueCoding",
          "valueReference", "initialSelected"});
  if (x.has("modifierExtension"))
    x.problem("modifierExtension", "it may change the meaning of the option and is not understood; remove it");
  if (!x.extensions("http://hl7.org/fhir/StructureDefinition/questionnaire-optionExclusive").empty())
    x.problem("extension", "the rule optionExclusive is not supported; remove it, since answers would not be checked against it");
  const auto value = x.choice_of_type("value");
  if (!value) {
    x.problem("an option needs one value[x], such as valueCoding");
    return std::nullopt;
  }
  if (!option_fits(type, value->first)) {
    x.problem("value" + quotable(value->first) + " does not fit an item of type " + std::string{name(type)});
    return std::nullopt;
  }
  auto option = option_of_value(x, value->first, *value->second);
  if (option && !option->ordinal)
    option->ordinal = ordinal_of(x);
  return option;
}

/// The concepts of a contained value set that lists all of them; `listed` is false when it does not, and then it cannot be
/// checked.
std::vector<answer_option> read_value_set(const fhir_object& set, bool& listed) {
  std::vector<answer_option> options;
  listed = false;
  const auto compose = set.object("compose");
  if (!compose || compose->has("exclude") || compose->objects("include").empty())
    return options;
  for (const auto& include : compose->objects("include")) {
    const auto concepts = include.objects("concept");
    if (concepts.empty() || include.has("filter") || include.has("valueSet"))
      return {};
    for (const auto& c : concepts)
      if (auto option = option_of_code(c))
        options.push_back(std::move(*option));
  }
  listed = true;
  return options;
}

void read_answer_value_set(const fhir_object& source, const fhir_object& root, form_item& item) {
  const auto url = source.string("answerValueSet");
  if (!url || url->front() != '#')
    return; // somewhere else: any code is accepted
  for (const auto& contained : root.objects("contained")) {
    if (contained.string("id") != url->substr(1))
      continue;
    if (contained.string("resourceType") != "ValueSet")
      return source.problem("answerValueSet", "the contained resource it names is not a ValueSet");
    item.options = read_value_set(contained, item.closed);
    return;
  }
  source.problem("answerValueSet", "the form contains no value set with the id \"" + quotable(url->substr(1)) + "\"");
}

void check_and_index(const fhir_object& source, form_item& item) {
  if (item.options.size() > limits::options_max)
    return source.problem("the item has more than " + std::to_string(limits::options_max) + " options");
  auto& order = item.options_by_stored;
  order.resize(item.options.size());
  std::iota(order.begin(), order.end(), 0u);
  std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return item.options[a].stored < item.options[b].stored; });
  for (std::size_t i = 1; i < order.size(); ++i)
    if (item.options[order[i]].stored == item.options[order[i - 1]].stored)
      source.problem("two options are the same answer, \"" + quotable(item.options[order[i]].value.text) +
                     "\"; an answer is stored by its code alone, so that each needs its own");
  std::map<double, std::size_t> ordinals;
  for (const auto& o : item.options)
    if (o.ordinal)
      ++ordinals[*o.ordinal];
  for (auto& o : item.options)
    o.by_ordinal = o.ordinal && ordinals[*o.ordinal] == 1;
}

} // namespace

void compile_options(const fhir_object& source, const fhir_object& root, form_item& item) {
  const bool options = source.has("answerOption");
  const bool value_set = source.has("answerValueSet");
  if (options && value_set)
    source.problem("answerValueSet", "a question has either answerOption or answerValueSet (FHIR invariant que-4)");
  if (value_set && item.type != item_type::choice && item.type != item_type::open_choice)
    return source.problem("answerValueSet", "only items of type choice and open-choice can have it (FHIR invariant que-5)");
  if (options && (!is_question(item.type) || item.type == item_type::boolean || item.type == item_type::url))
    return source.problem("answerOption",
                          "items of type " + std::string{name(item.type)} + " cannot have it (FHIR invariant que-5)");
  if (options) {
    for (const auto& o : source.objects("answerOption"))
      if (auto option = read_option(o, item.type))
        item.options.push_back(std::move(*option));
    item.closed = true;
  } else if (value_set) {
    read_answer_value_set(source, root, item);
  }
  check_and_index(source, item);
}

} // namespace epione::domain
