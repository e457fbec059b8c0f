#include "domain/fhir_primitive.hpp"

#include <algorithm>

namespace epione::domain {

namespace {

constexpr std::size_t string_bytes_max = 1024 * 1024;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_letter(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/// The specification asks for lower case (RFC 4122 accepts either when it is read).
bool is_uuid(std::string_view text) {
  if (text.size() != 36)
    return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (dash ? text[i] != '-' : !(is_digit(text[i]) || (text[i] >= 'a' && text[i] <= 'f')))
      return false;
  }
  return true;
}

/// 1.2.840: [0-2](\.(0|[1-9][0-9]*))+
bool is_oid(std::string_view text) {
  if (text.size() < 3 || text[0] < '0' || text[0] > '2' || text[1] != '.')
    return false;
  bool begins = true;
  for (std::size_t i = 2; i < text.size(); ++i) {
    if (text[i] == '.') {
      if (begins)
        return false;
      begins = true;
    } else if (!is_digit(text[i]) || (begins && text[i] == '0' && i + 1 < text.size() && text[i + 1] != '.')) {
      return false;
    } else {
      begins = false;
    }
  }
  return !begins;
}

/// What RFC 3986 allows, and all beyond ASCII (RFC 3987).
bool is_uri_character(char c) {
  constexpr std::string_view others = "-._~:/?#[]@!$&'()*+,;=%|"; // | parts a canonical from its version
  return is_letter(c) || is_digit(c) || (static_cast<unsigned char>(c) & 0x80) != 0 || others.find(c) != std::string_view::npos;
}

} // namespace

bool is_fhir_string(std::string_view text) {
  return text.size() <= string_bytes_max && !std::all_of(text.begin(), text.end(), is_space) &&
         std::none_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 && !is_space(c); });
}

bool is_fhir_uri(std::string_view text) {
  return !text.empty() && std::none_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) <= 0x20; });
}

bool is_fhir_code(std::string_view text) {
  if (text.empty() || is_space(text.front()) || is_space(text.back()))
    return false;
  for (std::size_t i = 0; i < text.size(); ++i)
    if (static_cast<unsigned char>(text[i]) < 0x20 || (text[i] == ' ' && text[i - 1] == ' '))
      return false;
  return true;
}

bool is_fhir_id(std::string_view text) {
  return !text.empty() && text.size() <= 64 &&
         std::all_of(text.begin(), text.end(), [](char c) { return is_letter(c) || is_digit(c) || c == '-' || c == '.'; });
}

std::optional<std::size_t> base64_size(std::string_view text) {
  std::size_t digits = 0, padding = 0;
  for (const char c : text) {
    if (is_space(c))
      continue;
    if (c == '=') {
      ++padding;
    } else if ((is_letter(c) || is_digit(c) || c == '+' || c == '/') && padding == 0) {
      ++digits;
    } else {
      return std::nullopt;
    }
  }
  if (digits == 0 || padding > 2 || (digits + padding) % 4 != 0)
    return std::nullopt;
  return (digits + padding) / 4 * 3 - padding;
}

const char* wrong_with_uri(std::string_view text) {
  if (text.starts_with("urn:uuid:") && !is_uuid(text.substr(9)))
    return "after urn:uuid: there must be a UUID in lower case";
  if (text.starts_with("urn:oid:") && !is_oid(text.substr(8)))
    return "after urn:oid: there must be an OID";
  if (!std::all_of(text.begin(), text.end(), is_uri_character))
    return "it has a character that no URI has, such as a backslash; write a path with / and others as %XX";
  return nullptr;
}

bool is_absolute_uri(std::string_view text) {
  const auto colon = text.find(':');
  return colon != std::string_view::npos && colon > 0 && is_letter(text.front()) &&
         std::all_of(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(colon),
                     [](char c) { return is_letter(c) || is_digit(c) || c == '+' || c == '-' || c == '.'; });
}

} // namespace epione::domain
