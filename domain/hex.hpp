// Bytes as lower-case hexadecimal digits, and back; single digits of either case.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace epione::domain {

std::string to_hex(std::span<const std::uint8_t> bytes);
/// False unless these are two digits for each byte of `out`.
bool from_hex(std::string_view text, std::span<std::uint8_t> out);

/// Of either case; -1: none.
constexpr int hex_digit(char c) {
  if (c >= '0' && c <= '9')
    return c - '0';
  if (c >= 'a' && c <= 'f')
    return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/// As from_hex, for a value of a fixed size.
template <std::size_t Bytes>
std::optional<std::array<std::uint8_t, Bytes>> parse_hex(std::string_view text) {
  std::array<std::uint8_t, Bytes> out{};
  return from_hex(text, out) ? std::optional{out} : std::nullopt;
}

} // namespace epione::domain
