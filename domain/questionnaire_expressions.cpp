// Expressions of a form, and extensions that change the meaning of what they stand at.
//
// Here they are read as they are written; form_plan.cpp parses them when the whole form is known. Those that are not evaluated
// and decide what may be answered are refused in a form for submissions, where they would silently be missing, and remarked
// otherwise.
#include "domain/json_text.hpp"
#include "domain/questionnaire_compiler.hpp"

#include <algorithm>

namespace epione::domain {

namespace {

using purpose = form_expression::purpose;

struct known_extension {
  std::string_view url;
  purpose kind;
  bool decides = false; ///< what may be answered, and is not evaluated
};

constexpr known_extension expression_extensions[] = {
    {"http://hl7.org/fhir/StructureDefinition/questionnaire-constraint", purpose::constraint},
    {"http://hl7.org/fhir/StructureDefinition/targetConstraint", purpose::constraint},
    {"http://hl7.org/fhir/StructureDefinition/variable", purpose::variable},
    {"http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-enableWhenExpression", purpose::enable_when},
    {"http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-calculatedExpression", purpose::calculated},
    {"http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-initialExpression", purpose::initial},
    {"http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-answerExpression", purpose::other, true},
    {"http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-answerOptionsToggleExpression", purpose::other, true},
    {"http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-minOccursExpression", purpose::other, true},
    {"http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-maxOccursExpression", purpose::other, true},
    {"http://hl7.org/fhir/StructureDefinition/minOccurs-expression", purpose::other, true},
};

std::string last_part(std::string_view url) {
  return std::string{url.substr(url.rfind('/') + 1)};
}

/// Of a constraint: a text in FHIR R4, an Expression in SDC's targetConstraint.
void read_constraint_expression(const fhir_object& part, form_expression& e) {
  if (const auto value = part.object("valueExpression")) {
    e.language = value->string("language").value_or("");
    e.text = value->string("expression").value_or("");
  } else {
    e.text = part.string("valueString").value_or("");
  }
}

void read_severity(const fhir_object& part, form_expression& e) {
  const auto severity = part.string("valueCode");
  e.only_warning = severity == "warning";
  if (!e.only_warning && severity != "error")
    part.problem("the severity of a constraint is a valueCode, error or warning", issue_code::code_invalid);
}

/// A constraint is an extension of extensions: key, severity, expression, human, location.
void read_constraint(const fhir_object& x, form_expression& e) {
  e.language = "text/fhirpath";
  for (const auto& part : x.objects("extension")) {
    const auto url = part.string("url").value_or("");
    if (url == "key")
      e.name = part.string("valueId").value_or("");
    else if (url == "expression")
      read_constraint_expression(part, e);
    else if (url == "human")
      e.human = part.string(part.has("valueMarkdown") ? "valueMarkdown" : "valueString").value_or("");
    else if (url == "severity")
      read_severity(part, e);
    else if (url == "location")
      if (auto where = part.string("valueString"))
        e.located.push_back(std::move(*where));
  }
  if (e.text.empty())
    x.problem("a constraint needs the extension \"expression\" with a valueString", issue_code::required);
}

void read_expression(const fhir_object& x, form_expression& e) {
  const auto value = x.object("valueExpression");
  if (!value)
    return x.problem("it needs valueExpression", issue_code::required);
  const auto name = value->string("name");
  if (name)
    e.name = *name;
  else if (e.kind == purpose::variable)
    value->problem("a variable needs a name", issue_code::required);
  e.language = value->string("language").value_or("");
  e.text = value->string("expression").value_or("");
  if (e.language.empty())
    value->problem("language is missing, such as text/fhirpath", issue_code::required);
  if (e.text.empty() && !value->has("reference"))
    value->problem("expression is missing", issue_code::required);
}

void take_extension(const fhir_object& x, const known_extension& known, const compile_context& context, std::uint32_t item,
                    questionnaire& form) {
  if (known.decides && context.options.for_submissions)
    return x.problem("the rule " + std::string{known.url} +
                         " is not supported; remove it, since answers would not be checked against it",
                     issue_code::not_supported);
  form_expression e;
  e.kind = known.kind;
  e.item = item;
  e.name = last_part(known.url);
  e.place = x.place();
  if (known.kind == purpose::constraint)
    read_constraint(x, e);
  else
    read_expression(x, e);
  if (form.expressions.size() < limits::form_expressions_max)
    form.expressions.push_back(std::move(e));
  else
    x.problem("the form has more than " + std::to_string(limits::form_expressions_max) + " expressions");
}

} // namespace

void compile_expressions(const fhir_object& source, const compile_context& context, std::uint32_t item, questionnaire& form) {
  if (source.has("modifierExtension"))
    source.problem("modifierExtension", "it may change the meaning of everything here and is not understood; remove it",
                   issue_code::not_supported);
  const auto* list = source.find("extension");
  if (list == nullptr || !list->is_array())
    return;
  for (const auto& known : expression_extensions)
    for (const auto& x : source.extensions(known.url))
      take_extension(x, known, context, item, form);
  if (item == form_item::none &&
      !source.extensions("http://hl7.org/fhir/StructureDefinition/questionnaire-signatureRequired").empty())
    form.signature_required = true;
}

} // namespace epione::domain
