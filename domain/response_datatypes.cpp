// Answers that are objects: Coding, Quantity, Attachment, Reference.
#include "domain/fhir_primitive.hpp"
#include "domain/json_text.hpp"
#include "domain/response_validation.hpp"

#include <algorithm>
#include <charconv>

namespace epione::domain {

bool response_validation::is_object_of(std::uint32_t node, std::uint32_t form, std::initializer_list<std::string_view> members) {
  if (json_[node].kind != json_kind::object || json_[node].count == 0)
    return refuse(issue_code::structure, node, form, "it must be an object in { } that is not empty");
  return only_members(node, form, members);
}

/// The members of an object that are texts, each as its own type is written; false when one of them is not.
bool response_validation::are_texts(std::uint32_t node, std::uint32_t form, std::initializer_list<text_member> members) {
  bool good = true;
  for (const auto& [name, type] : members) {
    const auto n = json_.find(node, name);
    if (n == 0)
      continue;
    const auto text = json_[n].text;
    if (!is_string(n, form, "a text"))
      good = false;
    else if (type == text_type::string && !is_fhir_string(text))
      good =
          refuse(issue_code::invalid, n, form, "a string has some character that is no white space, and no control characters");
    else if (type == text_type::code && !is_fhir_code(text))
      good = refuse(issue_code::invalid, n, form, "a code has no white space at its ends and single spaces within");
    else if (type == text_type::uri && !is_fhir_uri(text))
      good = refuse(issue_code::invalid, n, form, "a uri has no white space");
    else if (type == text_type::date_time && !parse_fhir_date_time(text))
      good = refuse(issue_code::invalid, n, form, "it must be a dateTime as FHIR writes them");
    else if (const auto* wrong = type == text_type::uri ? wrong_with_uri(text) : nullptr)
      good = refuse(issue_code::invalid, n, form, std::string{"this is no uri: "} + wrong);
  }
  return good;
}

bool response_validation::read_coding(std::uint32_t node, std::uint32_t form) {
  if (!is_object_of(node, form, {"id", "extension", "system", "version", "code", "display", "userSelected"}) ||
      !are_texts(node, form,
                 {{"system", text_type::uri},
                  {"version", text_type::string},
                  {"code", text_type::code},
                  {"display", text_type::string}}))
    return false;
  if (const auto n = json_.find(node, "userSelected"); n != 0 && json_[n].kind != json_kind::boolean)
    return refuse(issue_code::structure, n, form, "a boolean is true or false, without quotes");
  answer_value v;
  v.kind = value_kind::text;
  v.is = text_kind::code;
  v.text = text_at(node, "code");
  v.system = text_at(node, "system");
  const bool restricted = item(form).closed || item(form).value_set;
  if (v.text.empty() && restricted && !is_option_without_code(node, form))
    return refuse(issue_code::code_invalid, node, form, "the answer has no code, so that it is none of the options");
  warn_of_display(node, form, v);
  if (item(form).value_set) {
    if (!check_value_set(node, form, v))
      return false;
    values_.push_back(v);
    return true;
  }
  return accept(node, form, v, option_type::coding);
}

/// An option may be without a code; then what is shown is all there is.
bool response_validation::is_option_without_code(std::uint32_t node, std::uint32_t form) const {
  const auto display = text_at(node, "display"), system = text_at(node, "system");
  const auto& options = item(form).options;
  return !display.empty() && std::any_of(options.begin(), options.end(), [&](const auto& o) {
    return o.type == option_type::coding && o.value.text.empty() && o.value.system == system && o.display.text == display;
  });
}

/// A code that is shown as something else may have been another answer to whoever gave it.
void response_validation::warn_of_display(std::uint32_t node, std::uint32_t form, const answer_value& v) {
  const auto display = text_at(node, "display");
  if (display.empty() || v.text.empty())
    return;
  const auto& options = item(form).options;
  const auto option = std::find_if(options.begin(), options.end(), [&](const auto& o) {
    return o.type == option_type::coding && o.value.text == v.text && o.value.system == v.system;
  });
  if (option == options.end() || option->display.text.empty() || same_but_for_case(option->display.text, display) ||
      std::any_of(option->display.translations.begin(), option->display.translations.end(),
                  [&](const auto& t) { return same_but_for_case(t.second, display); }))
    return;
  add(issue_severity::warning, issue_code::invalid, json_.find(node, "display"), form,
      "the form shows this code as " + quotable(option->display.text, 100));
}

/// Free text that reads as one of the codes was most likely meant as that: then rules about the code do not see it.
void response_validation::warn_of_option_as_text(std::uint32_t node, std::uint32_t form) {
  const auto text = json_[node].text;
  const auto& options = item(form).options;
  const auto reads_so = [&](const answer_option& o) {
    return o.type == option_type::coding && ((!o.value.text.empty() && same_but_for_case(o.value.text, text)) ||
                                             (!o.display.text.empty() && same_but_for_case(o.display.text, text)));
  };
  const auto is_it = [&](const answer_option& o) { return o.type == option_type::string && o.value.text == text; };
  if (std::any_of(options.begin(), options.end(), reads_so) && std::none_of(options.begin(), options.end(), is_it))
    add(issue_severity::warning, issue_code::invalid, node, form,
        "the text reads as one of the form's options; such an answer is given with valueCoding");
}

bool response_validation::read_quantity(std::uint32_t node, std::uint32_t form) {
  if (!is_object_of(node, form, {"id", "extension", "value", "comparator", "unit", "system", "code"}) ||
      !are_texts(
          node, form,
          {{"comparator", text_type::code}, {"unit", text_type::string}, {"system", text_type::uri}, {"code", text_type::code}}))
    return false;
  const auto value = json_.find(node, "value");
  if (value == 0)
    return refuse(issue_code::required, node, form, "the quantity has no value");
  if (json_[value].kind != json_kind::number)
    return refuse(issue_code::structure, value, form, "a number is written without quotes");
  const auto comparator = text_at(node, "comparator");
  if (!comparator.empty() && comparator != "<" && comparator != "<=" && comparator != ">=" && comparator != ">")
    return refuse(issue_code::code_invalid, json_.find(node, "comparator"), form, "the comparator must be <, <=, >= or >");
  quantity_view q;
  const auto digits = json_[value].text;
  std::from_chars(digits.data(), digits.data() + digits.size(), q.value);
  q.unit = text_at(node, "unit");
  q.code = text_at(node, "code");
  q.system = text_at(node, "system");
  if (!q.code.empty() && q.system.empty())
    return refuse(issue_code::invariant, node, form, "a unit's code needs its system (FHIR invariant qty-3)");
  if (const auto* rules = item(form).rules.get();
      rules != nullptr &&
      (!keeps(node, form, breaks_quantity(*rules, q)) || !keeps(value, form, breaks_decimal_places(*rules, digits))))
    return false;
  answer_value v;
  v.kind = value_kind::number;
  v.number = q.value;
  v.unit = q.code.empty() ? q.unit : q.code;
  values_.push_back(v);
  return true;
}

bool response_validation::read_attachment(std::uint32_t node, std::uint32_t form) {
  if (!is_object_of(node, form,
                    {"id", "extension", "contentType", "language", "data", "url", "size", "hash", "title", "creation"}) ||
      !are_texts(node, form,
                 {{"contentType", text_type::code},
                  {"language", text_type::code},
                  {"url", text_type::uri},
                  {"data", text_type::any},
                  {"hash", text_type::any},
                  {"title", text_type::string},
                  {"creation", text_type::date_time}}))
    return false;
  attachment_view a;
  a.content_type = text_at(node, "contentType");
  std::optional<std::size_t> decoded;
  if (const auto data = json_.find(node, "data"); data != 0) {
    decoded = base64_size(json_[data].text);
    if (!decoded)
      return refuse(issue_code::invalid, data, form, "the data must be base64");
    if (a.content_type.empty())
      return refuse(issue_code::invariant, node, form, "an attachment with data needs its contentType (FHIR invariant att-1)");
  }
  if (const auto hash = json_.find(node, "hash"); hash != 0 && !base64_size(json_[hash].text))
    return refuse(issue_code::invalid, hash, form, "the hash must be base64");
  if (const auto size = json_.find(node, "size"); size != 0) {
    const auto digits = json_[size].text;
    std::uint64_t bytes = 0;
    const auto [end, failed] = std::from_chars(digits.data(), digits.data() + digits.size(), bytes);
    if (json_[size].kind != json_kind::number || failed != std::errc{} || end != digits.data() + digits.size() ||
        bytes > 2147483647u)
      return refuse(issue_code::invalid, size, form, "the size is a whole number of bytes from 0 to 2147483647, without quotes");
    a.bytes = bytes;
    if (decoded && bytes != *decoded)
      return refuse(issue_code::structure, size, form, "the size is not that of the data");
  }
  if (decoded)
    a.bytes = *decoded;
  if (item(form).rules && !keeps(node, form, breaks_attachment(*item(form).rules, a)))
    return false;
  values_.emplace_back();
  return true;
}

bool response_validation::read_reference(std::uint32_t node, std::uint32_t form) {
  if (!is_object_of(node, form, {"id", "extension", "reference", "type", "identifier", "display"}) ||
      !are_texts(node, form, {{"reference", text_type::uri}, {"type", text_type::uri}, {"display", text_type::string}}))
    return false;
  if (const auto n = json_.find(node, "identifier"); n != 0 && json_[n].kind != json_kind::object)
    return refuse(issue_code::structure, n, form, "it must be an object in { }");
  answer_value v;
  v.kind = value_kind::text;
  v.text = text_at(node, "reference");
  if (!is_whole_reference(node, form))
    return false;
  const auto type = type_of_reference(node);
  if (item(form).rules && !keeps(node, form, breaks_reference_type(*item(form).rules, type)))
    return false;
  return accept(node, form, v, option_type::reference);
}

/// The type of resource that a Reference is to, as far as it says.
std::string_view response_validation::type_of_reference(std::uint32_t node) const {
  const auto reference = text_at(node, "reference");
  if (reference.size() > 1 && reference.front() == '#') {
    const auto contained = contained_resource(reference.substr(1));
    return contained == 0 ? std::string_view{} : text_at(contained, "resourceType");
  }
  const auto type = referenced_type(reference);
  return type.empty() ? text_at(node, "type") : type;
}

/// What it refers to within the response is there, and of the type that is given (FHIR R4, Reference.type).
bool response_validation::is_whole_reference(std::uint32_t node, std::uint32_t form) {
  const auto reference = text_at(node, "reference");
  if (reference.size() > 1 && reference.front() == '#' && contained_resource(reference.substr(1)) == 0)
    return refuse(issue_code::invariant, node, form, "the response contains no resource with that id (FHIR invariant ref-1)");
  const auto given = text_at(node, "type"), known = type_of_reference(node);
  if (given.empty() || known.empty() || given == known || given.ends_with("/" + std::string{known}))
    return true;
  return refuse(issue_code::invariant, node, form, "its type is not that of the resource it refers to");
}

std::uint32_t response_validation::contained_resource(std::string_view id) const {
  const auto list = json_.find(0, "contained");
  if (list != 0)
    for (auto n = list + 1; n < json_[list].end; n = json_[n].end)
      if (text_at(n, "id") == id)
        return n;
  return 0;
}

} // namespace epione::domain
