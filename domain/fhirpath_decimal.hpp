// Decimal numbers without the errors of binary fractions: 0.1 + 0.2 is 0.3.
//
// FHIRPath N1 asks for at least 28 digits and 8 decimal places. Here a number is smaller than 10^20 and has up to 16 decimal
// places; what has more is rounded, half away from zero. Every sum and difference is exact, a product and a quotient as far as
// they fit.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace epione::domain::fhirpath {

class decimal {
public:
  __extension__ typedef unsigned __int128 magnitude_type;
  static constexpr int places_max = 16;
  static constexpr int integer_digits_max = 20;

  decimal() = default;
  explicit decimal(std::int64_t value);
  /// "-12.50": an optional sign, digits, perhaps a point and more digits. Nothing when it is not that, or too large.
  static std::optional<decimal> parse(std::string_view text);
  /// The shortest decimal that reads as this number, as JSON would write it. Nothing for one too large, infinite or NaN.
  static std::optional<decimal> from_double(double value);
  double to_double() const;
  /// As parse() reads it, with the decimal places it was written with: "12.50".
  std::string text() const;

  bool negative() const { return negative_; }
  bool zero() const { return magnitude_ == 0; }
  /// Decimal places.
  int places() const { return places_; }
  /// Its value when it has no fraction and fits.
  std::optional<std::int64_t> integer() const;
  /// Without zeros at the end of its fraction.
  decimal shortest() const;
  decimal operator-() const;
  /// Half away from zero; `places` from 0.
  decimal round(int places) const;
  decimal truncate() const;
  decimal floor() const;
  decimal ceiling() const;
  /// Equal numbers have equal ones.
  std::size_t hash() const;

  /// Nothing when the result is too large; divide() also when b is 0.
  friend std::optional<decimal> add(const decimal& a, const decimal& b);
  friend std::optional<decimal> subtract(const decimal& a, const decimal& b) { return add(a, -b); }
  friend std::optional<decimal> multiply(const decimal& a, const decimal& b);
  friend std::optional<decimal> divide(const decimal& a, const decimal& b);
  friend std::strong_ordering operator<=>(const decimal& a, const decimal& b);
  friend bool operator==(const decimal& a, const decimal& b) { return (a <=> b) == 0; }

private:
  decimal(bool negative, magnitude_type magnitude, int places);
  static std::optional<decimal> checked(bool negative, magnitude_type magnitude, int places);
  magnitude_type aligned(int places) const;

  magnitude_type magnitude_ = 0; ///< below 10^(20 + places_)
  std::uint8_t places_ = 0;
  bool negative_ = false; ///< never of 0
};

} // namespace epione::domain::fhirpath
