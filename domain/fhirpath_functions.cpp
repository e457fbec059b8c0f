#include "domain/fhirpath_functions.hpp"

#include <algorithm>
#include <vector>

namespace epione::domain::fhirpath {

std::span<const function> all_functions() {
  static const auto all = [] { // read-only once made
    std::vector<function> table;
    for (const auto part : {filter_functions(), collection_functions(), string_functions(), coded_functions(), number_functions(),
                            conversion_functions(), fhir_functions()})
      table.insert(table.end(), part.begin(), part.end());
    std::sort(table.begin(), table.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
    return table;
  }();
  return all;
}

const function* find_function(std::string_view name) {
  const auto all = all_functions();
  const auto found =
      std::lower_bound(all.begin(), all.end(), name, [](const function& f, std::string_view n) { return f.name < n; });
  return found != all.end() && found->name == name ? &*found : nullptr;
}

} // namespace epione::domain::fhirpath
