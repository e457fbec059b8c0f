#include "domain/fhirpath_decimal.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>

namespace epione::domain::fhirpath {

namespace {

using wide = decimal::magnitude_type;

constexpr auto powers_of_ten = [] {
  std::array<wide, 39> all{};
  wide power = 1;
  for (auto& p : all) {
    p = power;
    power *= 10;
  }
  return all;
}();

constexpr wide power_of_ten(int n) {
  return powers_of_ten[static_cast<std::size_t>(n)];
}

/// 256 bits: what two magnitudes give when multiplied.
struct product {
  wide high = 0, low = 0;
};

product multiply_wide(wide a, wide b) {
  constexpr wide low_half = ~std::uint64_t{0};
  const wide a0 = a & low_half, a1 = a >> 64, b0 = b & low_half, b1 = b >> 64;
  const wide low = a0 * b0, middle = a1 * b0 + (low >> 64), middle2 = a0 * b1 + (middle & low_half);
  return {a1 * b1 + (middle >> 64) + (middle2 >> 64), (middle2 << 64) | (low & low_half)};
}

/// Rounded half up. `divisor` is below 2^127. Nothing when the quotient has more than 128 bits.
std::optional<wide> divide_rounding(product dividend, wide divisor) {
  wide quotient = 0, rest = 0;
  if (dividend.high == 0) {
    quotient = dividend.low / divisor;
    rest = dividend.low % divisor;
  } else {
    if (dividend.high >= divisor)
      return std::nullopt;
    rest = dividend.high;
    for (int bit = 127; bit >= 0; --bit) {
      rest = (rest << 1) | ((dividend.low >> bit) & 1);
      quotient <<= 1;
      if (rest >= divisor) {
        rest -= divisor;
        quotient |= 1;
      }
    }
  }
  if (quotient == ~wide{0})
    return std::nullopt;
  return rest >= divisor - rest ? quotient + 1 : quotient;
}

} // namespace

decimal::decimal(std::int64_t value)
    : magnitude_(value < 0 ? ~static_cast<std::uint64_t>(value) + 1 : static_cast<std::uint64_t>(value)), negative_(value < 0) {}

decimal::decimal(bool negative, magnitude_type magnitude, int places)
    : magnitude_(magnitude), places_(static_cast<std::uint8_t>(places)), negative_(negative && magnitude != 0) {}

std::optional<decimal> decimal::checked(bool negative, magnitude_type magnitude, int places) {
  if (magnitude >= power_of_ten(integer_digits_max + places))
    return std::nullopt;
  return decimal{negative, magnitude, places};
}

std::optional<decimal> decimal::parse(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+'))
    text.remove_prefix(1);
  const auto point = std::min(text.find('.'), text.size());
  const auto whole = text.substr(0, point), fraction = text.substr(std::min(point + 1, text.size()));
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  if (whole.empty() || !std::all_of(whole.begin(), whole.end(), digit) || !std::all_of(fraction.begin(), fraction.end(), digit) ||
      (point < text.size() && fraction.empty()))
    return std::nullopt;
  magnitude_type magnitude = 0;
  for (const char c : whole) {
    magnitude = 10 * magnitude + static_cast<unsigned>(c - '0');
    if (magnitude >= power_of_ten(integer_digits_max))
      return std::nullopt;
  }
  const auto kept = fraction.substr(0, places_max);
  for (const char c : kept)
    magnitude = 10 * magnitude + static_cast<unsigned>(c - '0');
  if (kept.size() < fraction.size() && fraction[kept.size()] >= '5')
    ++magnitude;
  return checked(negative, magnitude, static_cast<int>(kept.size()));
}

std::optional<decimal> decimal::from_double(double value) {
  if (!std::isfinite(value) || std::abs(value) >= 1e20)
    return std::nullopt;
  std::array<char, 400> text; // the smallest double has 324 zeros behind its point
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed);
  return parse({text.data(), end.ptr});
}

double decimal::to_double() const {
  const auto written = text();
  double value = 0;
  std::from_chars(written.data(), written.data() + written.size(), value);
  return value;
}

std::string decimal::text() const {
  std::string out;
  auto rest = magnitude_;
  for (int i = 0; rest != 0 || i <= places_; ++i) {
    if (i == places_ && i != 0)
      out += '.';
    out += static_cast<char>('0' + static_cast<int>(rest % 10));
    rest /= 10;
  }
  if (negative_)
    out += '-';
  std::reverse(out.begin(), out.end());
  return out;
}

std::optional<std::int64_t> decimal::integer() const {
  const auto whole = magnitude_ / power_of_ten(places_);
  if (whole * power_of_ten(places_) != magnitude_ || whole > static_cast<wide>(std::numeric_limits<std::int64_t>::max()))
    return std::nullopt;
  const auto value = static_cast<std::int64_t>(whole);
  return negative_ ? -value : value;
}

decimal decimal::shortest() const {
  auto out = *this;
  while (out.places_ > 0 && out.magnitude_ % 10 == 0) {
    out.magnitude_ /= 10;
    --out.places_;
  }
  return out;
}

decimal decimal::operator-() const {
  return {!negative_, magnitude_, places_};
}

decimal decimal::round(int places) const {
  if (places >= places_)
    return *this;
  const auto unit = power_of_ten(places_ - places);
  return {negative_, (magnitude_ + unit / 2) / unit, places};
}

decimal decimal::truncate() const {
  return {negative_, magnitude_ / power_of_ten(places_), 0};
}

decimal decimal::floor() const {
  const auto whole = truncate();
  return negative_ && whole != *this ? decimal{true, whole.magnitude_ + 1, 0} : whole;
}

decimal decimal::ceiling() const {
  return -(-*this).floor();
}

std::size_t decimal::hash() const {
  const auto s = shortest();
  const auto mixed = static_cast<std::uint64_t>(s.magnitude_) ^ (static_cast<std::uint64_t>(s.magnitude_ >> 64) << 1);
  return std::hash<std::uint64_t>{}((mixed * 31 + s.places_) * 2 + (s.negative_ ? 1 : 0));
}

decimal::magnitude_type decimal::aligned(int places) const {
  return magnitude_ * power_of_ten(places - places_); // below 10^36
}

std::optional<decimal> add(const decimal& a, const decimal& b) {
  const int places = std::max(a.places_, b.places_);
  const auto x = a.aligned(places), y = b.aligned(places);
  if (a.negative_ == b.negative_)
    return decimal::checked(a.negative_, x + y, places);
  return x >= y ? decimal::checked(a.negative_, x - y, places) : decimal::checked(b.negative_, y - x, places);
}

std::optional<decimal> multiply(const decimal& a, const decimal& b) {
  const int places = std::min(a.places_ + b.places_, decimal::places_max);
  const auto magnitude = divide_rounding(multiply_wide(a.magnitude_, b.magnitude_), power_of_ten(a.places_ + b.places_ - places));
  auto result = magnitude ? decimal::checked(a.negative_ != b.negative_, *magnitude, places) : std::nullopt;
  while (result && result->places_ > std::max(a.places_, b.places_) && result->magnitude_ % 10 == 0) {
    result->magnitude_ /= 10;
    --result->places_;
  }
  return result;
}

std::optional<decimal> divide(const decimal& a, const decimal& b) {
  if (b.zero())
    return std::nullopt;
  const auto dividend = multiply_wide(a.magnitude_, power_of_ten(decimal::places_max + b.places_ - a.places_));
  const auto magnitude = divide_rounding(dividend, b.magnitude_);
  const auto result = magnitude ? decimal::checked(a.negative_ != b.negative_, *magnitude, decimal::places_max) : std::nullopt;
  return result ? std::optional{result->shortest()} : std::nullopt;
}

std::strong_ordering operator<=>(const decimal& a, const decimal& b) {
  if (a.negative_ != b.negative_)
    return a.negative_ ? std::strong_ordering::less : std::strong_ordering::greater;
  const int places = std::max(a.places_, b.places_);
  const auto x = a.aligned(places), y = b.aligned(places);
  if (x == y)
    return std::strong_ordering::equal;
  return (x < y) != a.negative_ ? std::strong_ordering::less : std::strong_ordering::greater;
}

} // namespace epione::domain::fhirpath
