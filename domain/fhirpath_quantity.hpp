// Numbers with a unit, and which units compare.
//
// Compared, added and subtracted are equal units, calendar durations, and units of UCUM that measure the same, as far as
// fhirpath_unit.cpp knows them. What cannot be compared gives nothing, as FHIRPath asks of implementations without all of UCUM.
#pragma once

#include "domain/fhirpath_moment.hpp"

#include <compare>
#include <optional>
#include <string>
#include <string_view>

namespace epione::domain::fhirpath {

struct quantity {
  decimal value;
  std::string unit = "1"; ///< a UCUM code, or of a calendar duration its unit in the singular
  bool calendar = false;

  /// As a literal: "4 'wk'", "4 weeks".
  std::string text() const;
};

/// "year" and "years": the unit of a calendar duration.
std::optional<time_unit> parse_time_unit(std::string_view text);
/// "4 'wk'", "4 weeks", or only a number, which has the unit '1'.
std::optional<quantity> parse_quantity(std::string_view text);
/// From a UCUM code, as FHIR maps its durations to FHIRPath: 'a', 'mo', 'd', 'h', 'min' and 's' become calendar ones.
quantity from_ucum(const decimal& value, std::string_view code);

/// The unit to add to a date; nothing when it is none of time, or 'a' and 'mo', which no calendar knows.
std::optional<time_unit> duration_unit(const quantity& q);

/// In another unit, given as a UCUM code or a calendar duration. Nothing where the units do not compare.
std::optional<quantity> convert(const quantity& q, std::string_view unit);
/// Nothing where the units do not compare.
std::optional<std::strong_ordering> compare(const quantity& a, const quantity& b);
/// The same for `~`, to which a year is as good as an 'a' and a month as a 'mo'; as exact as the less exact one in the coarser
/// unit.
bool equivalent(const quantity& a, const quantity& b);
/// In the finer unit of both. Nothing where the units do not compare or the result is too large.
std::optional<quantity> add(const quantity& a, const quantity& b);
/// In the product of the units: "cm" and "m" are "cm.m". Nothing of years and months, and where a unit cannot be taken apart.
std::optional<quantity> multiply(const quantity& a, const quantity& b);
/// The result has the unit '1' where the units compare, else their quotient. Nothing of years and months, and where a unit cannot
/// be taken apart.
std::optional<quantity> divide(const quantity& a, const quantity& b);

} // namespace epione::domain::fhirpath
