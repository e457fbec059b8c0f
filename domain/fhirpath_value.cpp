#include "domain/fhirpath_value.hpp"

#include <array>

namespace epione::domain::fhirpath {

namespace {

std::optional<quantity> quantity_of(const node& n) {
  const auto only = [&](std::string_view name) -> std::optional<value> {
    collection found;
    n.reader->children(n, name, found);
    return found.size() == 1 ? std::optional{plain(found.front())} : std::nullopt;
  };
  const auto number = only("value");
  if (!number || only("comparator"))
    return std::nullopt;
  decimal amount;
  if (const auto* d = std::get_if<decimal>(&*number))
    amount = *d;
  else if (const auto* i = std::get_if<std::int64_t>(&*number))
    amount = decimal{*i};
  else
    return std::nullopt;
  for (const auto* name : {"code", "unit"})
    if (const auto unit = only(name); unit && std::holds_alternative<std::string>(*unit))
      return name == std::string_view{"code"} ? from_ucum(amount, std::get<std::string>(*unit))
                                              : quantity{amount, std::get<std::string>(*unit)};
  return quantity{amount};
}

std::string_view system_name(const value& v) {
  static constexpr std::array<std::string_view, 6> names{"Boolean", "Integer", "Decimal", "String", "", "Quantity"};
  if (const auto* m = std::get_if<moment>(&v))
    return m->kind == moment::kind_type::date ? "Date" : m->kind == moment::kind_type::time ? "Time" : "DateTime";
  return names[v.index()];
}

} // namespace

value plain(const value& v) {
  const auto* n = std::get_if<node>(&v);
  if (n == nullptr)
    return v;
  if (auto own = n->reader->value_of(*n))
    return std::move(*own);
  if (is_quantity(n->type))
    if (auto q = quantity_of(*n))
      return std::move(*q);
  return v;
}

std::string type_of(const value& v) {
  if (const auto* n = std::get_if<node>(&v))
    return "FHIR." + std::string{n->reader->type_name(*n)};
  return std::string{system_name(v)};
}

bool has_type(const value& v, std::string_view qualifier, std::string_view type) {
  const auto* n = std::get_if<node>(&v);
  if (n == nullptr)
    return qualifier != "FHIR" && system_name(v) == type;
  if (qualifier == "System")
    return false;
  if (n->reader->type_name(*n) == type)
    return true;
  for (auto base_type = base(n->type); base_type != fhir_type::unknown; base_type = base(base_type))
    if (name(base_type) == type)
      return true;
  return n->type == fhir_type::domain_resource && type == "DomainResource";
}

std::optional<std::string> text_of(const value& v) {
  struct writer {
    std::optional<std::string> operator()(bool b) const { return b ? "true" : "false"; }
    std::optional<std::string> operator()(std::int64_t i) const { return std::to_string(i); }
    std::optional<std::string> operator()(const decimal& d) const { return d.text(); }
    std::optional<std::string> operator()(const std::string& s) const { return s; }
    std::optional<std::string> operator()(const moment& m) const { return m.text(); }
    std::optional<std::string> operator()(const quantity& q) const { return q.text(); }
    std::optional<std::string> operator()(const node&) const { return std::nullopt; }
  };
  return std::visit(writer{}, plain(v));
}

std::size_t characters(std::string_view text) {
  std::size_t n = 0;
  for (const char c : text)
    n += (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  return n;
}

} // namespace epione::domain::fhirpath
