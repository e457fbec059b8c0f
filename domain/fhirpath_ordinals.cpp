#include "domain/fhirpath_ordinals.hpp"

#include <nlohmann/json.hpp>

namespace epione::domain::fhirpath {

namespace {

using nlohmann::json;

/// Member of an object, or null.
const json* find(const json& object, std::string_view name) {
  const auto at = object.is_object() ? object.find(name) : object.end();
  return at == object.end() ? nullptr : &*at;
}

std::string text(const json& object, std::string_view name) {
  const auto* member = find(object, name);
  return member != nullptr && member->is_string() ? member->get<std::string>() : std::string{};
}

/// linkId, system and code as one key; a line feed is in none of them.
std::string key_of(const std::string& link_id, const json& coding) {
  return link_id + '\n' + text(coding, "system") + '\n' + text(coding, "code");
}

/// The weight among the extensions of an option or its Coding.
std::optional<decimal> weight_of(const json& element) {
  const auto* extensions = find(element, "extension");
  if (extensions == nullptr || !extensions->is_array())
    return std::nullopt;
  for (const auto& e : *extensions) {
    const auto url = text(e, "url");
    if (url != "http://hl7.org/fhir/StructureDefinition/ordinalValue" &&
        url != "http://hl7.org/fhir/StructureDefinition/itemWeight")
      continue;
    const auto* v = find(e, "valueDecimal");
    if (v != nullptr && v->is_number_float())
      return decimal::from_double(v->get<double>());
    if (v != nullptr && v->is_number_integer())
      return decimal{v->get<std::int64_t>()};
  }
  return std::nullopt;
}

/// Calls visit(item) for every item, also under answers, however deep, without recursion.
void each_item(const json& resource, auto&& visit) {
  std::vector<const json*> open{&resource};
  while (!open.empty()) {
    const auto* at = open.back();
    open.pop_back();
    for (const auto* name : {"item", "answer"})
      if (const auto* inner = find(*at, name); inner != nullptr && inner->is_array())
        for (const auto& j : *inner) {
          open.push_back(&j);
          if (name == std::string_view{"item"})
            visit(j);
        }
  }
}

} // namespace

json_ordinals::json_ordinals(const json& questionnaire, const json& response) {
  std::unordered_map<std::string, decimal> options;
  each_item(questionnaire, [&](const json& item) {
    const auto* all = find(item, "answerOption");
    if (all == nullptr || !all->is_array())
      return;
    for (const auto& option : *all)
      if (const auto* coding = find(option, "valueCoding")) {
        const auto own = weight_of(option);
        if (const auto weight = own ? own : weight_of(*coding))
          options.emplace(key_of(text(item, "linkId"), *coding), *weight);
      }
  });
  each_item(response, [&](const json& item) {
    const auto* answers = find(item, "answer");
    if (answers == nullptr || !answers->is_array())
      return;
    for (const auto& answer : *answers)
      if (const auto* coding = find(answer, "valueCoding"))
        if (const auto option = options.find(key_of(text(item, "linkId"), *coding)); option != options.end())
          by_answer_.emplace(coding, option->second);
  });
}

std::optional<decimal> json_ordinals::ordinal_of(const node& answer) const {
  const auto found = by_answer_.find(answer.at);
  return found == by_answer_.end() ? std::nullopt : std::optional{found->second};
}

} // namespace epione::domain::fhirpath
