#include "domain/fhir_issue.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace epione::domain {

std::string_view name(issue_severity severity) {
  switch (severity) {
    case issue_severity::error: return "error";
    case issue_severity::warning: return "warning";
    case issue_severity::information: return "information";
  }
  return "";
}

bool has_errors(const std::vector<fhir_issue>& issues) {
  return std::any_of(issues.begin(), issues.end(), [](const auto& i) { return i.severity == issue_severity::error; });
}

std::string operation_outcome(const std::vector<fhir_issue>& issues) {
  using ordered = nlohmann::ordered_json;
  auto list = ordered::array();
  for (const auto& i : issues) {
    const auto text = i.link_id.empty() ? i.message : i.message + " (linkId " + i.link_id + ")";
    ordered issue{{"severity", name(i.severity)}, {"code", i.code}, {"details", {{"text", text}}}};
    if (!i.expression.empty())
      issue["expression"] = ordered::array({i.expression});
    list.push_back(std::move(issue));
  }
  if (list.empty())
    list.push_back(
        {{"severity", "information"}, {"code", issue_code::informational.text}, {"details", {{"text", "No problems."}}}});
  const ordered outcome{{"resourceType", "OperationOutcome"}, {"issue", std::move(list)}};
  return outcome.dump(2, ' ', false, ordered::error_handler_t::replace);
}

} // namespace epione::domain
