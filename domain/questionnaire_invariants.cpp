// What the specification says of a Questionnaire's own members and of an item's, apart from what they mean for answers.
#include "domain/fhir_type_names.hpp"
#include "domain/questionnaire_compiler.hpp"

#include <algorithm>
#include <array>

namespace epione::domain {

namespace {

void read_status(const fhir_object& root, questionnaire& form) {
  constexpr std::array<std::string_view, 4> names{"draft", "active", "retired", "unknown"};
  const auto status = root.string("status");
  const auto found = status ? std::find(names.begin(), names.end(), *status) : names.end();
  if (found == names.end())
    root.problem("status", "it must be draft, active, retired or unknown",
                 root.has("status") ? issue_code::code_invalid : issue_code::required);
  else
    form.status = static_cast<publication_status>(found - names.begin());
}

void read_period(const fhir_object& root, questionnaire& form) {
  const auto period = root.object("effectivePeriod");
  if (!period)
    return;
  const auto read = [&](const char* member, std::optional<time_span>& moment) {
    const auto text = period->string(member);
    if (!text)
      return;
    moment = parse_fhir_date_time(*text);
    if (!moment)
      period->problem(member, "it must be a date or a dateTime as FHIR writes them", issue_code::value);
  };
  read("start", form.valid_from);
  read("end", form.valid_until);
  if (form.valid_from && form.valid_until && form.valid_until->last < form.valid_from->first)
    root.breaks("per-1", "effectivePeriod", "its end is before its start");
}

void read_subject_types(const fhir_object& root, questionnaire& form) {
  const auto* types = root.find("subjectType");
  if (types == nullptr)
    return;
  if (!types->is_array())
    return root.problem("subjectType", "it must be a list in [ ]", issue_code::structure);
  for (const auto& t : *types)
    if (t.is_string() && is_fhir_resource(t.get_ref<const std::string&>()))
      form.subject_types.push_back(t.get<std::string>());
    else
      root.problem("subjectType", "each must be a type of resource, such as \"Patient\"", issue_code::code_invalid);
}

/// Of a member that is looked at elsewhere (domain_resource.hpp); empty if it is no text.
std::string json_text_of(const fhir_object& x, std::string_view member) {
  const auto* v = x.find(member);
  return v != nullptr && v->is_string() ? v->get<std::string>() : std::string{};
}

bool is_computable_name(std::string_view name) {
  return name.size() <= 255 && name.front() >= 'A' && name.front() <= 'Z' && std::all_of(name.begin(), name.end(), [](char c) {
           return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
         });
}

} // namespace

void check_item_invariants(const fhir_object& x, const form_item& item) {
  const bool display = item.type == item_type::display;
  if (const auto* items = x.find("item"); item.type == item_type::group && (items == nullptr || items->empty()))
    x.breaks("que-1", "item", "a group must have items of its own");
  if (display && x.has("item"))
    x.breaks("que-1", "item", "a display item cannot have items of its own");
  if (display && x.has("code"))
    x.breaks("que-3", "code", "a display item cannot have a code");
  for (const auto* member : {"required", "repeats"})
    if (display && x.has(member))
      x.breaks("que-6", member, "a display item cannot have it");
  if (!is_question(item.type) && x.has("initial"))
    x.breaks("que-8", "initial", "only questions can have it");
  if (display && x.has("readOnly"))
    x.breaks("que-9", "readOnly", "a display item cannot have it");
  if (x.has("answerOption") && x.has("initial"))
    x.breaks("que-11", "initial", "with answerOption use initialSelected instead");
  if (!item.repeats && x.objects("initial").size() > 1)
    x.breaks("que-13", "initial", "only an item that repeats can have several");
  switch (item.type) {
    case item_type::boolean:
    case item_type::decimal:
    case item_type::integer:
    case item_type::string:
    case item_type::text:
    case item_type::url:
    case item_type::open_choice: break;
    default:
      if (x.has("maxLength"))
        x.breaks("que-10", "maxLength", "items of type " + std::string{name(item.type)} + " cannot have it");
  }
}

void read_resource(const fhir_object& root, questionnaire& form) {
  root.only({"resourceType",
             "id",
             "meta",
             "implicitRules",
             "language",
             "text",
             "contained",
             "extension",
             "modifierExtension",
             "url",
             "identifier",
             "version",
             "name",
             "title",
             "derivedFrom",
             "status",
             "experimental",
             "subjectType",
             "date",
             "publisher",
             "contact",
             "description",
             "useContext",
             "jurisdiction",
             "purpose",
             "copyright",
             "approvalDate",
             "lastReviewDate",
             "effectivePeriod",
             "code",
             "item"});
  form.id = json_text_of(root, "id");
  form.url = root.string("url").value_or("");
  form.version = root.string("version").value_or("");
  form.language = json_text_of(root, "language");
  form.title = root.text("title");
  read_status(root, form);
  read_period(root, form);
  if (const auto date = root.string("date")) {
    form.date = parse_fhir_date_time(*date);
    if (!form.date)
      root.problem("date", "it must be a date or a dateTime as FHIR writes them", issue_code::value);
  }
  if (const auto computable = root.string("name"); computable && !is_computable_name(*computable))
    root.remark(issue_severity::warning, issue_code::invariant, "name",
                "it should begin with a capital letter and have only letters, digits and _ (FHIR invariant que-0)");
  read_subject_types(root, form);
}

} // namespace epione::domain
