// Small pieces of FHIR as text: canonical JSON, ids of patients, what stands at the top of a stored response.
#pragma once

#include "domain/json_document.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace epione::domain {

/// One JSON value without white space, members of objects sorted by name, numbers as they were written: 1.50 stays another
/// decimal than 1.5, as FHIR asks for.
void append_canonical_json(std::string& out, const json_document& json, std::uint32_t node);

/// A resource as it is stored: canonical, without what a server gives it (id, meta.versionId, meta.lastUpdated).
std::string stored_resource(const json_document& resource);

/// The stored resource as it is shown: with this id, and in meta what a server says of it (resource_meta) before what it came
/// with.
std::string shown_resource(const json_document& stored, std::string_view id, std::string_view meta);
/// The same of a version by its number and time (microseconds since 1970).
std::string shown_resource(const json_document& stored, std::string_view id, std::uint64_t version, std::int64_t stored_us);

/// {"versionId":...,"lastUpdated":...}; without a time when none is known.
std::string resource_meta(std::string_view version, std::optional<std::int64_t> time_us);
std::string resource_meta(std::uint64_t version, std::int64_t stored_us);

/// A subject's id as the id of its Patient: itself where FHIR allows it, else "x-" and its bytes in hexadecimal. Nothing when
/// that would be longer than FHIR's 64 characters.
std::optional<std::string> patient_id(std::string_view subject);
/// The subject such an id stands for; nothing when it is none.
std::optional<std::string> subject_of_patient(std::string_view patient_id);

/// The text member `name` of the object `node`; empty when it is not there or no text.
std::string_view json_text_at(const json_document& json, std::uint32_t node, std::string_view name);

} // namespace epione::domain
