#include "domain/fhirpath_document.hpp"

#include <algorithm>
#include <charconv>

namespace epione::domain::fhirpath {

namespace {

constexpr std::uint32_t none = ~std::uint32_t{0};

/// The element's name and type that a member of this name holds.
std::pair<std::string_view, fhir_type> element_of(fhir_type parent, std::string_view name) {
  if (const auto type = child_type(parent, name))
    return {name, *type};
  for (std::size_t i = 1; i < name.size(); ++i)
    if (name[i] >= 'A' && name[i] <= 'Z' && is_choice(name.substr(0, i)))
      if (const auto type = parse_choice_suffix(name.substr(i)))
        return {name.substr(0, i), *type};
  return {name, fhir_type::unknown};
}

bool is_whole(std::string_view digits) {
  return digits.find_first_of(".eE") == std::string_view::npos;
}

std::optional<value> number_of(std::string_view digits, fhir_type type) {
  if (is_whole(digits) && type != fhir_type::decimal) {
    std::int64_t n = 0;
    const auto end = digits.data() + digits.size();
    if (const auto read = std::from_chars(digits.data(), end, n);
        read.ec == std::errc{} && read.ptr == end && n <= integer_max && n >= integer_min)
      return n;
  }
  if (const auto exact = decimal::parse(digits))
    return *exact;
  double binary = 0; // with an exponent
  std::from_chars(digits.data(), digits.data() + digits.size(), binary);
  const auto number = decimal::from_double(binary);
  return number ? std::optional<value>{*number} : std::nullopt;
}

} // namespace

fhir_type document_reader::type_by_looks(std::uint32_t index) const {
  const auto& n = document_[index];
  switch (n.kind) {
    case json_kind::object: {
      const auto type = document_.find(index, "resourceType");
      return type != 0 && document_[type].kind == json_kind::string ? parse_fhir_type(document_[type].text) : fhir_type::element;
    }
    case json_kind::boolean: return fhir_type::boolean;
    case json_kind::number: return is_whole(n.text) ? fhir_type::integer : fhir_type::decimal;
    case json_kind::string: return fhir_type::string;
    default: return fhir_type::unknown;
  }
}

node document_reader::at(std::uint32_t index, fhir_type type) const {
  return {this, &document_[index], nullptr, type == fhir_type::unknown ? type_by_looks(index) : type};
}

std::uint32_t document_reader::index_of(const node& n) const {
  return static_cast<std::uint32_t>(static_cast<const json_node*>(n.at) - &document_[0]);
}

std::uint32_t document_reader::object_at(const void* p) const {
  const auto* n = static_cast<const json_node*>(p);
  return n == nullptr || n->kind != json_kind::object ? none : static_cast<std::uint32_t>(n - &document_[0]);
}

/// A member, or with `shadow` its "_" sibling; 0 if there is none.
std::uint32_t document_reader::find(std::uint32_t object, bool shadow, std::string_view name) const {
  if (!shadow)
    return document_.find(object, name);
  const auto end = document_[object].end;
  for (auto n = object + 1; n < end; n = document_[n].end)
    if (const auto own = document_[n].name; own.size() == name.size() + 1 && own.front() == '_' && own.substr(1) == name)
      return n;
  return 0;
}

void document_reader::append_member(std::uint32_t object, std::string_view name, fhir_type type, auto&& append) const {
  const auto values = find(object, false, name);
  const auto shadows = find(object, true, name);
  const auto is_list = [&](std::uint32_t n) { return n != 0 && document_[n].kind == json_kind::array; };
  const auto first = [&](std::uint32_t n) { return is_list(n) ? (document_[n].count > 0 ? n + 1 : 0) : n; };
  const auto next = [&](std::uint32_t list, std::uint32_t n) {
    return n == 0 || !is_list(list) || document_[n].end >= document_[list].end ? 0 : document_[n].end;
  };
  for (auto v = first(values), s = first(shadows); v != 0 || s != 0; v = next(values, v), s = next(shadows, s)) {
    const json_node* at = v == 0 || document_[v].kind == json_kind::null ? nullptr : &document_[v];
    const json_node* more = s == 0 || document_[s].kind != json_kind::object ? nullptr : &document_[s];
    if (at != nullptr || more != nullptr)
      append(node{this, at, more, at != nullptr && type == fhir_type::unknown ? type_by_looks(v) : type});
  }
}

void document_reader::children(const node& of, std::string_view name, collection& to) const {
  const auto append = [&](const node& n) { to.emplace_back(n); };
  for (const auto* p : {of.at, of.more}) {
    const auto object = object_at(p);
    if (object == none || name == "resourceType" || element_of(of.type, name).first != name)
      continue;
    const auto type = child_type(of.type, name);
    if (!type || *type != fhir_type::unknown || !is_choice(name))
      append_member(object, name, type.value_or(fhir_type::unknown), append);
    if ((type && *type != fhir_type::unknown) || !is_choice(name))
      continue;
    for (auto n = object + 1; n < document_[object].end; n = document_[n].end) {
      auto member = document_[n].name;
      const bool shadow = member.starts_with('_');
      if (shadow)
        member.remove_prefix(1);
      if (!member.starts_with(name) || (shadow && document_.find(object, member) != 0))
        continue;
      if (const auto choice = parse_choice_suffix(member.substr(name.size())))
        append_member(object, member, *choice, append);
    }
  }
  if (overlay_ == nullptr || overlay_->empty())
    return;
  if (const auto added = overlay_->added_.find(of.at); added != overlay_->added_.end())
    for (const auto& a : added->second)
      if (a.name == name)
        to.emplace_back(a.what);
}

void document_reader::all_children(const node& of, std::vector<std::pair<std::string_view, node>>& to) const {
  for (const auto* p : {of.at, of.more}) {
    const auto object = object_at(p);
    if (object == none)
      continue;
    for (auto n = object + 1; n < document_[object].end; n = document_[n].end) {
      auto name = document_[n].name;
      const bool shadow = name.starts_with('_');
      if (shadow)
        name.remove_prefix(1);
      if (name == "resourceType" || (shadow && document_.find(object, name) != 0))
        continue;
      const auto [element, type] = element_of(of.type, name);
      append_member(object, name, type, [&, element = element](const node& child) { to.emplace_back(element, child); });
    }
  }
  if (overlay_ == nullptr || overlay_->empty())
    return;
  if (const auto added = overlay_->added_.find(of.at); added != overlay_->added_.end())
    for (const auto& a : added->second)
      to.emplace_back(a.name, a.what);
}

std::optional<value> document_reader::value_of(const node& of) const {
  if (of.at == nullptr)
    return std::nullopt;
  const auto& n = *static_cast<const json_node*>(of.at);
  if (n.kind == json_kind::boolean)
    return n.boolean;
  if (n.kind == json_kind::number)
    return number_of(n.text, of.type);
  if (n.kind != json_kind::string)
    return std::nullopt;
  std::optional<moment> m;
  if (of.type == fhir_type::date)
    m = parse_date(n.text);
  else if (of.type == fhir_type::date_time || of.type == fhir_type::instant)
    m = parse_date_time(n.text);
  else if (of.type == fhir_type::time)
    m = parse_time(n.text);
  return m ? value{*m} : value{std::string{n.text}};
}

std::string_view document_reader::type_name(const node& of) const {
  if (of.type == fhir_type::domain_resource)
    if (const auto object = object_at(of.at); object != none)
      if (const auto type = document_.find(object, "resourceType"); type != 0 && document_[type].kind == json_kind::string)
        return document_[type].text;
  return name(of.type);
}

} // namespace epione::domain::fhirpath
