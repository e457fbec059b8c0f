// A request under /fhir as it is handed on, and errors under /fhir that HTTP itself finds: OperationOutcomes.
#pragma once

#include "messages/fhir.hpp"
#include "runtime/http/head.hpp"

#include <memory>
#include <string>
#include <string_view>

namespace epione::runtime::http {

inline constexpr std::string_view fhir_media_type = "application/fhir+json; charset=utf-8";

/// `raw` is the whole head that `head` was read from.
std::shared_ptr<messages::fhir_request> fhir_request_of(const request_head& head, std::string_view raw, std::string_view body);

/// An OperationOutcome with one issue.
std::string fhir_error_body(int status, std::string_view sentence);
/// 503; its details have a coding that says what is known: `not_stored` or `unknown`.
std::string fhir_unavailable_body(std::string_view sentence, messages::outcome known);

} // namespace epione::runtime::http
