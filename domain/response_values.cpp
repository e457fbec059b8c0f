// One answer's value: written as FHIR writes its type, of the type that the form asks for, one of the options, within the limits.
#include "domain/fhir_primitive.hpp"
#include "domain/json_text.hpp"
#include "domain/limits.hpp"
#include "domain/response_validation.hpp"

#include <algorithm>
#include <charconv>

namespace epione::domain {

namespace {

/// The value[x] that answers to a question of this type have; several for choices.
std::string_view value_type(item_type type) {
  switch (type) {
    case item_type::boolean: return "Boolean";
    case item_type::decimal: return "Decimal";
    case item_type::integer: return "Integer";
    case item_type::date: return "Date";
    case item_type::date_time: return "DateTime";
    case item_type::time: return "Time";
    case item_type::string:
    case item_type::text: return "String";
    case item_type::url: return "Uri";
    case item_type::reference: return "Reference";
    case item_type::quantity: return "Quantity";
    case item_type::attachment: return "Attachment";
    default: return "Coding";
  }
}

bool is_known_value(std::string_view type) {
  constexpr std::string_view types[] = {"Boolean", "Decimal", "Integer",    "Date",   "DateTime", "Time",
                                        "String",  "Uri",     "Attachment", "Coding", "Quantity", "Reference"};
  return std::find(std::begin(types), std::end(types), type) != std::end(types);
}

/// Names that are reserved for examples and tests (RFC 2606 and 6761): nobody can ever say what is in a value set there.
bool is_reserved_host(std::string_view url) {
  const auto scheme = url.find("://");
  if (scheme == std::string_view::npos)
    return false;
  auto host = url.substr(scheme + 3);
  host = host.substr(0, host.find_first_of("/:|"));
  for (const std::string_view name : {"example.org", "example.com", "example.net", "example", "invalid", "test"})
    if (host == name || (host.size() > name.size() && host.ends_with(name) && host[host.size() - name.size() - 1] == '.'))
      return true;
  return false;
}

option_type option_type_of(std::string_view type) {
  if (type == "Integer" || type == "Decimal")
    return option_type::integer;
  if (type == "Date" || type == "DateTime")
    return option_type::date;
  if (type == "Time")
    return option_type::time;
  if (type == "Reference")
    return option_type::reference;
  return type == "Coding" ? option_type::coding : option_type::string;
}

const answer_option* find_option(const form_item& item, const answer_value& v, option_type type) {
  for (const auto& o : item.options) {
    if (o.type != type)
      continue;
    if (type == option_type::integer ? o.value.number == v.number : o.value.text == v.text)
      if (type != option_type::coding || o.value.system == v.system)
        return &o;
  }
  return nullptr;
}

} // namespace

bool response_validation::refuse(const char* code, std::uint32_t node, std::uint32_t form, std::string message) {
  error(code, node, form, std::move(message));
  return false;
}

bool response_validation::keeps(std::uint32_t node, std::uint32_t form, const std::optional<rule_break>& broken) {
  return !broken || refuse(issue_code_of(broken->code), node, form, broken->message);
}

std::uint32_t response_validation::value_node(std::uint32_t answer, std::uint32_t form, bool& replaced) {
  std::uint32_t value = 0;
  for (auto n = answer + 1; n < json_[answer].end; n = json_[n].end) {
    const auto name = json_[n].name;
    if (name.starts_with("value") && is_known_value(name.substr(5))) {
      if (value != 0)
        error(issue_code::structure, n, form, "there is more than one value[x]; every answer has its own object");
      value = n;
    } else if (name.starts_with("_value") && is_known_value(name.substr(6))) {
      replaced = true; // by an extension that says why it is not there, or beside the value
    } else if (name == "modifierExtension") {
      add(issue_severity::warning, issue_code::not_supported, n, form,
          "it may change the meaning of the answer and is not understood");
    } else if (name != "item" && name != "extension" && name != "id") {
      error(issue_code::structure, n, form, "FHIR R4 knows no such member here; correct its name or remove it");
    } else if (name == "extension") {
      check_extensions(n, form);
      replaced = true;
    }
  }
  return value;
}

bool response_validation::read_value(std::uint32_t node, std::uint32_t form) {
  const auto type = json_[node].name.substr(5);
  const auto& asked_for = item(form);
  if (asked_for.type == item_type::choice || asked_for.type == item_type::open_choice)
    return read_choice(node, form, type);
  if (type != value_type(asked_for.type))
    return refuse(issue_code::invariant, node, form,
                  "a question of type " + std::string{name(asked_for.type)} + " is answered with value" +
                      std::string{value_type(asked_for.type)});
  switch (asked_for.type) {
    case item_type::boolean: return read_boolean(node, form);
    case item_type::decimal:
    case item_type::integer: return read_number(node, form);
    case item_type::date:
    case item_type::date_time:
    case item_type::time: return read_moment(node, form, asked_for.type);
    case item_type::url: return read_uri(node, form);
    case item_type::quantity: return read_quantity(node, form);
    case item_type::attachment: return read_attachment(node, form);
    case item_type::reference: return read_reference(node, form);
    default: return read_text(node, form);
  }
}

/// The options decide what a choice is answered with: codes, or what they are instead.
bool response_validation::read_choice(std::uint32_t node, std::uint32_t form, std::string_view type) {
  const auto& options = item(form).options;
  if (type == "Coding")
    return read_coding(node, form);
  if (type == "String" && item(form).type == item_type::open_choice)
    return read_text(node, form);
  const auto wanted = option_type_of(type);
  const bool offered = type != "DateTime" && type != "Decimal" && type != "Uri" &&
                       std::any_of(options.begin(), options.end(), [&](const auto& o) { return o.type == wanted; });
  if (offered && type == "Integer")
    return read_number(node, form);
  if (offered && (type == "Date" || type == "Time"))
    return read_moment(node, form, type == "Date" ? item_type::date : item_type::time);
  if (offered && type == "Reference")
    return read_reference(node, form);
  if (offered && type == "String")
    return read_text(node, form);
  return refuse(issue_code::invariant, node, form,
                item(form).type == item_type::choice
                    ? "a question of type choice is answered with valueCoding, or as its options are"
                    : "a question of type open-choice is answered with valueCoding or valueString, or as its options are");
}

bool response_validation::accept(std::uint32_t node, std::uint32_t form, const answer_value& v, option_type type) {
  const answer_option* option = nullptr;
  if (item(form).closed) {
    option = find_option(item(form), v, type);
    const bool free_text = item(form).type == item_type::open_choice && type == option_type::string;
    if (option == nullptr && !free_text)
      return refuse(type == option_type::coding ? issue_code::code_invalid : issue_code::invariant, node, form,
                    "the answer must be one of the options that the form has");
  }
  if (!keeps(node, form, breaks_bounds(item(form), v)))
    return false;
  values_.push_back(v);
  values_.back().option = option;
  return true;
}

bool response_validation::read_boolean(std::uint32_t node, std::uint32_t form) {
  if (json_[node].kind != json_kind::boolean)
    return refuse(issue_code::structure, node, form, "a boolean is true or false, without quotes");
  answer_value v;
  v.kind = value_kind::boolean;
  v.boolean = json_[node].boolean;
  values_.push_back(v);
  return true;
}

bool response_validation::read_number(std::uint32_t node, std::uint32_t form) {
  const bool whole = json_[node].name == "valueInteger";
  const auto text = json_[node].text;
  answer_value v;
  v.kind = value_kind::number;
  if (json_[node].kind != json_kind::number)
    return refuse(issue_code::structure, node, form, "a number is written without quotes");
  std::from_chars(text.data(), text.data() + text.size(), v.number);
  if (whole && (text.find_first_of(".eE") != std::string_view::npos || v.number > 2147483647.0 || v.number < -2147483648.0))
    return refuse(issue_code::invalid, node, form,
                  "an integer is a whole number from -2147483648 to 2147483647, without a point or an exponent");
  if (!keeps(node, form, breaks_length(item(form), text)))
    return false;
  if (const auto* rules = item(form).rules.get(); rules != nullptr && (!keeps(node, form, breaks_decimal_places(*rules, text)) ||
                                                                       !keeps(node, form, breaks_regex(*rules, text))))
    return false;
  return accept(node, form, v, option_type::integer);
}

bool response_validation::read_moment(std::uint32_t node, std::uint32_t form, item_type type) {
  const auto text = json_[node].text;
  if (!is_string(node, form, "a date or time"))
    return false;
  const auto moment = type == item_type::date   ? parse_fhir_date(text)
                      : type == item_type::time ? parse_fhir_time(text)
                                                : parse_fhir_date_time(text);
  if (!moment)
    return refuse(issue_code::invalid, node, form,
                  type == item_type::date   ? "a date is written YYYY, YYYY-MM or YYYY-MM-DD and must be in the calendar"
                  : type == item_type::time ? "a time is written hh:mm:ss, perhaps with a fraction of a second, without a zone"
                                            : "a dateTime is written YYYY, YYYY-MM, YYYY-MM-DD or YYYY-MM-DDThh:mm:ss with Z or "
                                              "+hh:mm and must be in the calendar");
  if (const auto* rules = item(form).rules.get(); rules != nullptr && !keeps(node, form, breaks_regex(*rules, text)))
    return false;
  answer_value v;
  v.kind = value_kind::moment;
  v.moment = *moment;
  v.text = text;
  return accept(node, form, v, type == item_type::time ? option_type::time : option_type::date);
}

bool response_validation::keeps_text_rules(std::uint32_t node, std::uint32_t form, std::string_view text) {
  if (!keeps(node, form, breaks_length(item(form), text)))
    return false;
  const auto* rules = item(form).rules.get();
  return rules == nullptr || keeps(node, form, breaks_regex(*rules, text));
}

bool response_validation::read_text(std::uint32_t node, std::uint32_t form) {
  const auto text = json_[node].text;
  if (!is_string(node, form, "a string"))
    return false;
  if (!is_fhir_string(text))
    return refuse(issue_code::invalid, node, form,
                  "a string has some character that is no white space, and no control characters");
  if (item(form).type == item_type::string && text.find_first_of("\r\n") != std::string_view::npos)
    return refuse(issue_code::invariant, node, form,
                  "a question of type string is answered in one line; line breaks are for type text");
  if (!keeps_text_rules(node, form, text))
    return false;
  if (item(form).type == item_type::open_choice)
    warn_of_option_as_text(node, form);
  answer_value v;
  v.kind = value_kind::text;
  v.is = text_kind::free;
  v.text = text;
  return accept(node, form, v, option_type::string);
}

bool response_validation::read_uri(std::uint32_t node, std::uint32_t form) {
  const auto text = json_[node].text;
  if (!is_string(node, form, "a url"))
    return false;
  if (!is_fhir_uri(text))
    return refuse(issue_code::invalid, node, form, "a url has no spaces or control characters");
  if (const auto* wrong = wrong_with_uri(text))
    return refuse(issue_code::invalid, node, form, std::string{"this is no url: "} + wrong);
  if (!is_absolute_uri(text))
    add(issue_severity::warning, issue_code::invalid, node, form, "the url is relative, so that nobody knows what it leads to");
  if (!keeps_text_rules(node, form, text))
    return false;
  answer_value v;
  v.kind = value_kind::text;
  v.text = text;
  values_.push_back(v);
  return true;
}

bool response_validation::check_value_set(std::uint32_t node, std::uint32_t form, answer_value& v) {
  const auto& set = *item(form).value_set;
  switch (set.look_up(v.system, v.text)) {
    case membership::yes: {
      const auto* listed = set.find(v.system, v.text);
      v.text = listed->second; // conditions ask for the code as it is listed
      if (set.is_inactive(*listed))
        add(issue_severity::warning, issue_code::business_rule, node, form, "the code is no longer in use");
      return true;
    }
    case membership::no:
      return refuse(issue_code::code_invalid, node, form,
                    "the code must be one of the value set " + quotable(set.url, 200) + ", with its system");
    case membership::unknown: break;
  }
  if (!set.found && is_reserved_host(set.url))
    return refuse(issue_code::code_invalid, node, form,
                  "the value set " + quotable(set.url, 200) +
                      " cannot be found by anyone: its name is reserved for examples; correct the form or give the value set");
  add(issue_severity::warning, set.found ? issue_code::not_supported : issue_code::not_found, node, form,
      "the code was not checked: the value set " + quotable(set.url, 200) +
          (set.found ? " has codes that are not listed here" : " is neither contained in the form nor given"));
  return true;
}

} // namespace epione::domain
