// Units as UCUM writes them: what they measure and how large they are, exactly; and the units of products and quotients.
#pragma once

#include "domain/fhirpath_decimal.hpp"

#include <array>
#include <optional>
#include <string>
#include <string_view>

namespace epione::domain::fhirpath {

/// Powers of gram, metre, second, mole, international unit, and of a calendar's month.
using unit_dimension = std::array<int, 6>;

/// numerator / denominator * 10^tens of the units above.
struct unit_scale {
  unit_dimension measures{};
  decimal numerator{1}, denominator{1};
  int tens = 0;

  /// About how large it is; for comparing units that measure the same.
  double size() const;
};

/// "mg/dL", "kg/m2", "10*9/L"; text in braces means nothing. Nothing for a unit that is not known, or with parentheses.
std::optional<unit_scale> scale_of_unit(std::string_view code);

/// A value in the unit `from` as one in `to`. Nothing when they do not measure the same, or it is too large.
std::optional<decimal> rescale(const decimal& value, const unit_scale& from, const unit_scale& to);

/// The unit of a product: "kg" and "m" are "kg.m", "m" and "m" are "m2". Nothing where one of them cannot be taken apart.
std::optional<std::string> product_unit(std::string_view a, std::string_view b);
/// The unit of a quotient: "kg" and "m2" are "kg/m2".
std::optional<std::string> quotient_unit(std::string_view a, std::string_view b);

} // namespace epione::domain::fhirpath
