// The types of FHIR R4 as far as expressions over forms and their answers meet them, and what type an element has. What is not
// here is typed by how it looks.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace epione::domain::fhirpath {

enum class fhir_type : std::uint8_t {
  unknown,
  // primitive
  boolean,
  integer,
  positive_int,
  unsigned_int,
  decimal,
  string,
  code,
  id,
  markdown,
  uri,
  url,
  canonical,
  uuid,
  oid,
  date,
  date_time,
  instant,
  time,
  base64_binary,
  xhtml,
  // complex
  element,
  backbone_element,
  address,
  annotation,
  attachment,
  codeable_concept,
  coding,
  contact_detail,
  contact_point,
  expression,
  extension,
  human_name,
  identifier,
  meta,
  money,
  narrative,
  period,
  quantity,
  age,
  count,
  distance,
  duration,
  range,
  ratio,
  reference,
  signature,
  usage_context,
  // of Questionnaire and QuestionnaireResponse
  questionnaire_item,
  enable_when,
  answer_option,
  initial,
  response_item,
  response_answer,
  // resources
  resource,
  domain_resource,
  patient,
  questionnaire,
  questionnaire_response,
};

/// As FHIR writes it: "dateTime", "Coding". Of what lies in a resource "BackboneElement"; of `unknown` "Element".
std::string_view name(fhir_type type);
/// By that name; of resources that are not listed `domain_resource`, whose name the resource says itself.
fhir_type parse_fhir_type(std::string_view name);
/// What it is a kind of: code of string, Age of Quantity, Patient of DomainResource. `unknown` when of nothing.
fhir_type base(fhir_type type);
/// Whether it has a value of its own: boolean to xhtml.
bool primitive(fhir_type type);
/// A Quantity, or a kind of it.
bool is_quantity(fhir_type type);
/// The type of an element; nothing when it is not known, `unknown` when it is a choice ("value[x]") or of any resource.
std::optional<fhir_type> child_type(fhir_type parent, std::string_view element);
/// "ValueDateTime" behind "value" is dateTime: the type that the rest of a choice's name says.
std::optional<fhir_type> parse_choice_suffix(std::string_view suffix);
/// Whether an element of this name is a choice somewhere: "value", "answer".
bool is_choice(std::string_view element);

} // namespace epione::domain::fhirpath
