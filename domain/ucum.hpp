// Comparing quantities in units of UCUM (https://ucum.org), the Unified Code for Units of Measure: "mg/dL" with "g/L".
//
// What patients and sites measure with: metric units with their prefixes, time, temperature, customary lengths and weights,
// pressure, energy, percent, and products, quotients and powers of these. A code beyond that has no factor, and is comparable
// with itself only.
#pragma once

#include <optional>
#include <string_view>

namespace epione::domain {

/// `value` of unit `from` in unit `to`; nothing when one of them is not known or they measure different things. The same code is
/// always converted, known or not.
std::optional<double> convert_unit(double value, std::string_view from, std::string_view to);

} // namespace epione::domain
