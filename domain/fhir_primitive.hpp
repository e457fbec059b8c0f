// FHIR R4's primitive types as they are written in JSON (data types, section "Primitive Types"). Dates are in date_text.hpp.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace epione::domain {

/// A string: some character that is no white space, none below space but tab, carriage return and line feed, 1 MiB at most.
bool is_fhir_string(std::string_view text);
/// An uri: no white space.
bool is_fhir_uri(std::string_view text);
/// A code: no white space at its ends, single spaces within.
bool is_fhir_code(std::string_view text);
/// An id: letters, digits, - and ., 1 to 64.
bool is_fhir_id(std::string_view text);
/// Bytes that base64 text decodes to; nothing when it is none. White space counts as not there.
std::optional<std::size_t> base64_size(std::string_view text);

/// What is wrong with an uri beyond being one, as a sentence; null if nothing is. Of urn:uuid: and urn:oid: the form, of others a
/// character that RFC 3986 does not allow, such as a backslash.
const char* wrong_with_uri(std::string_view text);
/// Whether it begins with a scheme.
bool is_absolute_uri(std::string_view text);

} // namespace epione::domain
