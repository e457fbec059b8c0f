#include "domain/fhirpath_model.hpp"

#include <algorithm>
#include <array>
#include <span>

namespace epione::domain::fhirpath {

namespace {

using enum fhir_type;

struct type_row {
  fhir_type type;
  std::string_view name;
  fhir_type base;
};

// In the order of the enumeration.
constexpr std::array type_rows{
    type_row{unknown, "Element", unknown},
    type_row{boolean, "boolean", element},
    type_row{integer, "integer", element},
    type_row{positive_int, "positiveInt", integer},
    type_row{unsigned_int, "unsignedInt", integer},
    type_row{fhir_type::decimal, "decimal", element},
    type_row{string, "string", element},
    type_row{code, "code", string},
    type_row{id, "id", string},
    type_row{markdown, "markdown", string},
    type_row{uri, "uri", element},
    type_row{url, "url", uri},
    type_row{canonical, "canonical", uri},
    type_row{uuid, "uuid", uri},
    type_row{oid, "oid", uri},
    type_row{date, "date", element},
    type_row{date_time, "dateTime", element},
    type_row{instant, "instant", element},
    type_row{fhir_type::time, "time", element},
    type_row{base64_binary, "base64Binary", element},
    type_row{xhtml, "xhtml", element},
    type_row{element, "Element", unknown},
    type_row{backbone_element, "BackboneElement", element},
    type_row{address, "Address", element},
    type_row{annotation, "Annotation", element},
    type_row{attachment, "Attachment", element},
    type_row{codeable_concept, "CodeableConcept", element},
    type_row{coding, "Coding", element},
    type_row{contact_detail, "ContactDetail", element},
    type_row{contact_point, "ContactPoint", element},
    type_row{fhir_type::expression, "Expression", element},
    type_row{extension, "Extension", element},
    type_row{human_name, "HumanName", element},
    type_row{identifier, "Identifier", element},
    type_row{meta, "Meta", element},
    type_row{money, "Money", element},
    type_row{narrative, "Narrative", element},
    type_row{period, "Period", element},
    type_row{fhir_type::quantity, "Quantity", element},
    type_row{age, "Age", fhir_type::quantity},
    type_row{count, "Count", fhir_type::quantity},
    type_row{distance, "Distance", fhir_type::quantity},
    type_row{duration, "Duration", fhir_type::quantity},
    type_row{range, "Range", element},
    type_row{ratio, "Ratio", element},
    type_row{reference, "Reference", element},
    type_row{signature, "Signature", element},
    type_row{usage_context, "UsageContext", element},
    type_row{questionnaire_item, "BackboneElement", backbone_element},
    type_row{enable_when, "BackboneElement", backbone_element},
    type_row{answer_option, "BackboneElement", backbone_element},
    type_row{initial, "BackboneElement", backbone_element},
    type_row{response_item, "BackboneElement", backbone_element},
    type_row{response_answer, "BackboneElement", backbone_element},
    type_row{resource, "Resource", unknown},
    type_row{domain_resource, "DomainResource", resource},
    type_row{patient, "Patient", domain_resource},
    type_row{questionnaire, "Questionnaire", domain_resource},
    type_row{questionnaire_response, "QuestionnaireResponse", domain_resource},
};

struct element_row {
  std::string_view name;
  fhir_type type;
};

constexpr std::array resource_elements{
    element_row{"id", id},
    element_row{"meta", meta},
    element_row{"implicitRules", uri},
    element_row{"language", code},
    element_row{"text", narrative},
    element_row{"contained", unknown},
    element_row{"extension", extension},
    element_row{"modifierExtension", extension},
};
constexpr std::array element_elements{element_row{"id", string}, element_row{"extension", extension},
                                      element_row{"modifierExtension", extension}};
constexpr std::array questionnaire_elements{
    element_row{"url", uri},
    element_row{"identifier", identifier},
    element_row{"version", string},
    element_row{"name", string},
    element_row{"title", string},
    element_row{"derivedFrom", canonical},
    element_row{"status", code},
    element_row{"experimental", boolean},
    element_row{"subjectType", code},
    element_row{"date", date_time},
    element_row{"publisher", string},
    element_row{"contact", contact_detail},
    element_row{"description", markdown},
    element_row{"useContext", usage_context},
    element_row{"jurisdiction", codeable_concept},
    element_row{"purpose", markdown},
    element_row{"copyright", markdown},
    element_row{"approvalDate", date},
    element_row{"lastReviewDate", date},
    element_row{"effectivePeriod", period},
    element_row{"code", coding},
    element_row{"item", questionnaire_item},
};
constexpr std::array questionnaire_item_elements{
    element_row{"linkId", string},
    element_row{"item", questionnaire_item},
    element_row{"type", code},
    element_row{"text", string},
    element_row{"prefix", string},
    element_row{"definition", uri},
    element_row{"code", coding},
    element_row{"enableWhen", enable_when},
    element_row{"enableBehavior", code},
    element_row{"required", boolean},
    element_row{"repeats", boolean},
    element_row{"readOnly", boolean},
    element_row{"maxLength", integer},
    element_row{"answerValueSet", canonical},
    element_row{"answerOption", answer_option},
    element_row{"initial", initial},
};
constexpr std::array enable_when_elements{element_row{"question", string}, element_row{"operator", code},
                                          element_row{"answer", unknown}};
constexpr std::array answer_option_elements{element_row{"value", unknown}, element_row{"initialSelected", boolean}};
constexpr std::array initial_elements{element_row{"value", unknown}};
constexpr std::array questionnaire_response_elements{
    element_row{"item", response_item}, element_row{"identifier", identifier},   element_row{"basedOn", reference},
    element_row{"partOf", reference},   element_row{"questionnaire", canonical}, element_row{"status", code},
    element_row{"subject", reference},  element_row{"encounter", reference},     element_row{"authored", date_time},
    element_row{"author", reference},   element_row{"source", reference},
};
constexpr std::array response_item_elements{
    element_row{"linkId", string}, element_row{"answer", response_answer}, element_row{"item", response_item},
    element_row{"text", string},   element_row{"definition", uri},
};
constexpr std::array response_answer_elements{element_row{"value", unknown}, element_row{"item", response_item}};
constexpr std::array patient_elements{
    element_row{"identifier", identifier},
    element_row{"active", boolean},
    element_row{"name", human_name},
    element_row{"telecom", contact_point},
    element_row{"gender", code},
    element_row{"birthDate", date},
    element_row{"deceased", unknown},
    element_row{"address", address},
    element_row{"maritalStatus", codeable_concept},
    element_row{"multipleBirth", unknown},
    element_row{"photo", attachment},
    element_row{"generalPractitioner", reference},
    element_row{"managingOrganization", reference},
};
constexpr std::array address_elements{
    element_row{"use", code},      element_row{"type", code},      element_row{"text", string},
    element_row{"line", string},   element_row{"city", string},    element_row{"district", string},
    element_row{"state", string},  element_row{"country", string}, element_row{"postalCode", string},
    element_row{"period", period},
};
constexpr std::array annotation_elements{element_row{"author", unknown}, element_row{"time", date_time},
                                         element_row{"text", markdown}};
constexpr std::array attachment_elements{
    element_row{"contentType", code}, element_row{"language", code},      element_row{"data", base64_binary},
    element_row{"url", url},          element_row{"size", unsigned_int},  element_row{"hash", base64_binary},
    element_row{"title", string},     element_row{"creation", date_time},
};
constexpr std::array codeable_concept_elements{element_row{"coding", coding}, element_row{"text", string}};
constexpr std::array coding_elements{
    element_row{"code", code},      element_row{"system", uri},           element_row{"display", string},
    element_row{"version", string}, element_row{"userSelected", boolean},
};
constexpr std::array contact_point_elements{
    element_row{"system", code},       element_row{"value", string},  element_row{"use", code},
    element_row{"rank", positive_int}, element_row{"period", period},
};
constexpr std::array expression_elements{
    element_row{"description", string}, element_row{"name", id},       element_row{"language", code},
    element_row{"expression", string},  element_row{"reference", uri},
};
constexpr std::array extension_elements{element_row{"url", uri}, element_row{"value", unknown}};
constexpr std::array human_name_elements{
    element_row{"use", code},      element_row{"text", string},   element_row{"family", string}, element_row{"given", string},
    element_row{"prefix", string}, element_row{"suffix", string}, element_row{"period", period},
};
constexpr std::array identifier_elements{
    element_row{"use", code},     element_row{"type", codeable_concept}, element_row{"system", uri},
    element_row{"value", string}, element_row{"period", period},         element_row{"assigner", reference},
};
constexpr std::array meta_elements{
    element_row{"versionId", id},      element_row{"lastUpdated", instant}, element_row{"source", uri},
    element_row{"profile", canonical}, element_row{"security", coding},     element_row{"tag", coding},
};
constexpr std::array money_elements{element_row{"value", fhir_type::decimal}, element_row{"currency", code}};
constexpr std::array narrative_elements{element_row{"status", code}, element_row{"div", xhtml}};
constexpr std::array period_elements{element_row{"start", date_time}, element_row{"end", date_time}};
constexpr std::array quantity_elements{
    element_row{"value", fhir_type::decimal}, element_row{"unit", string}, element_row{"code", code}, element_row{"system", uri},
    element_row{"comparator", code},
};
constexpr std::array range_elements{element_row{"low", fhir_type::quantity}, element_row{"high", fhir_type::quantity}};
constexpr std::array ratio_elements{element_row{"numerator", fhir_type::quantity},
                                    element_row{"denominator", fhir_type::quantity}};
constexpr std::array reference_elements{element_row{"reference", string}, element_row{"type", uri},
                                        element_row{"identifier", identifier}, element_row{"display", string}};
constexpr std::array usage_context_elements{element_row{"code", coding}, element_row{"value", unknown}};

std::span<const element_row> elements_of(fhir_type type) {
  switch (type) {
    case questionnaire: return questionnaire_elements;
    case questionnaire_item: return questionnaire_item_elements;
    case enable_when: return enable_when_elements;
    case answer_option: return answer_option_elements;
    case initial: return initial_elements;
    case questionnaire_response: return questionnaire_response_elements;
    case response_item: return response_item_elements;
    case response_answer: return response_answer_elements;
    case patient: return patient_elements;
    case address: return address_elements;
    case annotation: return annotation_elements;
    case attachment: return attachment_elements;
    case codeable_concept: return codeable_concept_elements;
    case coding: return coding_elements;
    case contact_point: return contact_point_elements;
    case fhir_type::expression: return expression_elements;
    case extension: return extension_elements;
    case human_name: return human_name_elements;
    case identifier: return identifier_elements;
    case meta: return meta_elements;
    case money: return money_elements;
    case narrative: return narrative_elements;
    case period: return period_elements;
    case range: return range_elements;
    case ratio: return ratio_elements;
    case reference: return reference_elements;
    case usage_context: return usage_context_elements;
    case resource:
    case domain_resource: return resource_elements;
    case element:
    case backbone_element: return element_elements;
    case fhir_type::quantity: return quantity_elements;
    default: return {};
  }
}

} // namespace

std::string_view name(fhir_type type) {
  return type_rows[static_cast<std::size_t>(type)].name;
}

fhir_type parse_fhir_type(std::string_view name) {
  for (const auto& row : type_rows)
    if (row.name == name && row.type != unknown)
      return row.type;
  return !name.empty() && name.front() >= 'A' && name.front() <= 'Z' ? domain_resource : unknown;
}

fhir_type base(fhir_type type) {
  return type_rows[static_cast<std::size_t>(type)].base;
}

bool primitive(fhir_type type) {
  return type >= boolean && type <= xhtml;
}

bool is_quantity(fhir_type type) {
  return type >= fhir_type::quantity && type <= duration;
}

std::optional<fhir_type> child_type(fhir_type parent, std::string_view element) {
  for (auto type = parent; type != unknown; type = base(type))
    for (const auto& row : elements_of(type))
      if (row.name == element)
        return row.type;
  return std::nullopt;
}

std::optional<fhir_type> parse_choice_suffix(std::string_view suffix) {
  if (suffix.empty() || suffix.front() < 'A' || suffix.front() > 'Z')
    return std::nullopt;
  for (const auto& row : type_rows) {
    if (row.type >= resource || row.type == unknown || row.name.size() != suffix.size() || row.name.substr(1) != suffix.substr(1))
      continue;
    if (row.name.front() == suffix.front() || row.name.front() - 'a' + 'A' == suffix.front())
      return row.type;
  }
  return std::nullopt;
}

bool is_choice(std::string_view element) {
  constexpr std::array<std::string_view, 20> names{"value",      "answer",       "author",    "deceased",  "multipleBirth",
                                                   "effective",  "onset",        "abatement", "performed", "timing",
                                                   "occurrence", "defaultValue", "fixed",     "pattern",   "minValue",
                                                   "maxValue",   "medication",   "age",       "due",       "subject"};
  return std::find(names.begin(), names.end(), element) != names.end();
}

} // namespace epione::domain::fhirpath
