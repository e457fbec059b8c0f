#include "domain/fhir_outcome.hpp"

#include "domain/canonical.hpp"

namespace epione::domain {

std::string outcome_text(std::string_view code, std::string_view sentence, std::string_view detail, std::string_view severity) {
  std::string out = R"({"resourceType":"OperationOutcome","issue":[{"severity":")";
  out += severity;
  out += R"(","code":")";
  out += code;
  out += R"(","details":{)";
  if (!detail.empty()) {
    out += R"("coding":[{"system":"urn:epione:outcome","code":")";
    out += detail;
    out += R"("}],)";
  }
  out += R"("text":)";
  append_json_string(out, sentence);
  return out + "}}]}";
}

const char* issue_code_of_status(int status) {
  switch (status) {
    case 404: return "not-found";
    case 405:
    case 406:
    case 415:
    case 501: return "not-supported";
    case 408: return "timeout";
    case 409:
    case 412: return "conflict";
    case 413:
    case 431: return "too-long";
    case 422: return "processing";
    case 500: return "exception";
    case 503: return "transient";
    default: return "invalid";
  }
}

} // namespace epione::domain
