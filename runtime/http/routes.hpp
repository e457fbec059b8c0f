// Every route of the HTTP interface, in one table: requests are dispatched by it, and /openapi.json is checked against it.
#pragma once

#include "runtime/http/head.hpp"

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

namespace epione::runtime::http {

enum class route_id : std::uint8_t {
  submit,
  history,
  submission,
  healthz,
  readyz,
  metrics,
  openapi,
  fhir_metadata, // from here on: answered by the FHIR service
  fhir_bundle,
  fhir_response_search,
  fhir_response_create,
  fhir_response_validate,
  fhir_response_posted_search,
  fhir_response_read,
  fhir_response_update,
  fhir_response_history,
  fhir_response_vread,
  fhir_questionnaire_search,
  fhir_questionnaire_create,
  fhir_questionnaire_validate,
  fhir_questionnaire_posted_search,
  fhir_questionnaire_read,
  fhir_questionnaire_vread,
  fhir_patient_read,
};
inline constexpr std::size_t route_count = 24;
inline constexpr bool is_fhir(route_id id) {
  return id >= route_id::fhir_metadata;
}

struct route {
  route_id id;
  std::string_view name;         ///< label of its metrics
  method verb;                   ///< get answers HEAD as well
  std::string_view pattern;      ///< a segment in braces takes any one segment that is not empty
  std::span<const int> statuses; ///< all it can answer, ascending; those of a malformed request included
};

std::span<const route, route_count> routes();

/// What a request's target leads to.
struct route_match {
  const route* found = nullptr;
  std::array<std::string_view, 2> segments{}; ///< what stood for the braces, still percent-encoded
  std::string_view query;                     ///< without the question mark
};

struct route_refusal {
  int status = 404;  ///< 404 or 405
  std::string allow; ///< 405: value of the header Allow
  bool fhir = false; ///< under /fhir, where an error is an OperationOutcome
};

tl::expected<route_match, route_refusal> find_route(method verb, std::string_view target);

/// Undoes percent-encoding; `plus_is_space` in a query. False for a broken escape.
bool percent_decode(std::string_view text, bool plus_is_space, std::string& out);

} // namespace epione::runtime::http
