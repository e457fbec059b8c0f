// The JSON of a FHIR resource as expressions see it.
//
// Only the pointers are kept: a JSON object stays where it is. Of a primitive also its "_" member with the extensions. JSON does
// not tell 1.0 from 1.00: decimals have the digits of the shortest one that reads the same.
#pragma once

#include "domain/fhirpath_value.hpp"

#include <memory>
#include <nlohmann/json_fwd.hpp>

namespace epione::domain::fhirpath {

class json_reader : public node_reader {
public:
  /// The resource itself. `resource` must live as long as what is found in it.
  node root(const nlohmann::json& resource) const;

  void children(const node& of, std::string_view name, collection& to) const override;
  void all_children(const node& of, std::vector<std::pair<std::string_view, node>>& to) const override;
  std::optional<value> value_of(const node& of) const override;
  std::string_view type_name(const node& of) const override;
};

} // namespace epione::domain::fhirpath
