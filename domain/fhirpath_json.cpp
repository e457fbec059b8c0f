#include "domain/fhirpath_json.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace epione::domain::fhirpath {

namespace {

using nlohmann::json;
using members = json::object_t;

const json* json_of(const void* p) {
  return static_cast<const json*>(p);
}

const members* object_at(const void* p) {
  return p != nullptr && json_of(p)->is_object() ? json_of(p)->get_ptr<const members*>() : nullptr;
}

fhir_type type_by_looks(const json& j) {
  if (const auto* m = object_at(&j)) {
    const auto type = m->find("resourceType");
    return type != m->end() && type->second.is_string() ? parse_fhir_type(type->second.get_ref<const std::string&>())
                                                        : fhir_type::element;
  }
  if (j.is_boolean())
    return fhir_type::boolean;
  if (j.is_number())
    return j.is_number_float() ? fhir_type::decimal : fhir_type::integer;
  return j.is_string() ? fhir_type::string : fhir_type::unknown;
}

/// One member and its "_" sibling; either may be missing.
struct member {
  const json* values = nullptr;
  const json* extensions = nullptr;
};

void append_node(const node& parent, const json* at, const json* more, fhir_type type, auto&& append) {
  if (at != nullptr && at->is_null())
    at = nullptr;
  if (more != nullptr && !more->is_object())
    more = nullptr;
  if (at == nullptr && more == nullptr)
    return;
  if (at != nullptr && type == fhir_type::unknown)
    type = type_by_looks(*at);
  append(node{parent.reader, at, more, type});
}

void append_member(const node& parent, member m, fhir_type type, auto&& append) {
  const auto size = [](const json* j) { return j == nullptr ? 0 : j->is_array() ? j->size() : 1; };
  const auto element = [](const json* j, std::size_t i) {
    return j == nullptr ? nullptr : !j->is_array() ? (i == 0 ? j : nullptr) : i < j->size() ? &(*j)[i] : nullptr;
  };
  const auto n = std::max(size(m.values), size(m.extensions));
  for (std::size_t i = 0; i < n; ++i)
    append_node(parent, element(m.values, i), element(m.extensions, i), type, append);
}

member find_member(const members& object, std::string_view name) {
  const auto values = object.find(name);
  const auto extensions = object.find('_' + std::string{name});
  return {values == object.end() ? nullptr : &values->second, extensions == object.end() ? nullptr : &extensions->second};
}

/// The element's name and type that a member of this name holds.
std::pair<std::string_view, fhir_type> element_named(fhir_type parent, std::string_view name) {
  if (const auto type = child_type(parent, name))
    return {name, *type};
  for (std::size_t i = 1; i < name.size(); ++i)
    if (name[i] >= 'A' && name[i] <= 'Z' && is_choice(name.substr(0, i)))
      if (const auto type = parse_choice_suffix(name.substr(i)))
        return {name.substr(0, i), *type};
  return {name, fhir_type::unknown};
}

} // namespace

node json_reader::root(const nlohmann::json& resource) const {
  return {this, &resource, nullptr, type_by_looks(resource)};
}

void json_reader::children(const node& of, std::string_view name, collection& to) const {
  const auto append = [&](const node& n) { to.emplace_back(n); };
  for (const auto* p : {of.at, of.more}) {
    const auto* object = object_at(p);
    if (object == nullptr || name == "resourceType" || element_named(of.type, name).first != name)
      continue;
    const auto type = child_type(of.type, name);
    if (!type || *type != fhir_type::unknown || !is_choice(name))
      append_member(of, find_member(*object, name), type.value_or(fhir_type::unknown), append);
    if ((type && *type != fhir_type::unknown) || !is_choice(name))
      continue;
    for (auto i = object->lower_bound(name); i != object->end() && i->first.starts_with(name); ++i)
      if (const auto choice = parse_choice_suffix(std::string_view{i->first}.substr(name.size())))
        append_member(of, find_member(*object, i->first), *choice, append);
  }
}

void json_reader::all_children(const node& of, std::vector<std::pair<std::string_view, node>>& to) const {
  for (const auto* p : {of.at, of.more}) {
    const auto* object = object_at(p);
    if (object == nullptr)
      continue;
    for (const auto& [key, j] : *object) {
      const bool shadow = key.starts_with('_');
      const auto name = std::string_view{key}.substr(shadow ? 1 : 0);
      if (key == "resourceType" || (shadow && object->contains(name)))
        continue;
      const auto [element, type] = element_named(of.type, name);
      append_member(of, find_member(*object, name), type, [&](const node& n) { to.emplace_back(element, n); });
    }
  }
}

std::optional<value> json_reader::value_of(const node& of) const {
  if (of.at == nullptr)
    return std::nullopt;
  const auto& j = *json_of(of.at);
  if (j.is_boolean())
    return j.get<bool>();
  if (j.is_number_unsigned() && j.get<std::uint64_t>() > static_cast<std::uint64_t>(integer_max)) {
    const auto number = decimal::parse(std::to_string(j.get<std::uint64_t>()));
    return number ? std::optional<value>{*number} : std::nullopt;
  }
  if (j.is_number_integer()) {
    const auto n = j.get<std::int64_t>();
    return of.type == fhir_type::decimal || n < integer_min ? value{decimal{n}} : value{n};
  }
  if (j.is_number_float()) {
    const auto number = decimal::from_double(j.get<double>());
    return number ? std::optional<value>{*number} : std::nullopt;
  }
  if (!j.is_string())
    return std::nullopt;
  const auto& text = j.get_ref<const std::string&>();
  std::optional<moment> m;
  if (of.type == fhir_type::date)
    m = parse_date(text);
  else if (of.type == fhir_type::date_time || of.type == fhir_type::instant)
    m = parse_date_time(text);
  else if (of.type == fhir_type::time)
    m = parse_time(text);
  return m ? value{*m} : value{text};
}

std::string_view json_reader::type_name(const node& of) const {
  if (of.type == fhir_type::domain_resource)
    if (const auto* object = object_at(of.at))
      if (const auto type = object->find("resourceType"); type != object->end() && type->second.is_string())
        return type->second.get_ref<const std::string&>();
  return name(of.type);
}

} // namespace epione::domain::fhirpath
