// What the answers of a response count, from the options of its questionnaire.
#pragma once

#include "domain/fhirpath.hpp"

#include <nlohmann/json_fwd.hpp>
#include <unordered_map>

namespace epione::domain::fhirpath {

/// ordinalValue (FHIR R4) and itemWeight (R5, SDC) of the answerOption that an answer's Coding names in its own item; the same
/// code may count differently in another item. For nodes of a json_reader over this response.
class json_ordinals : public ordinal_source {
public:
  /// `response` must live as long as this. Takes time linear in both.
  json_ordinals(const nlohmann::json& questionnaire, const nlohmann::json& response);
  std::optional<decimal> ordinal_of(const node& answer) const override;

private:
  std::unordered_map<const void*, decimal> by_answer_;
};

} // namespace epione::domain::fhirpath
