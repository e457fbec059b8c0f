// Expressions of forms as JSON.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace epione::domain::test {

inline std::string quoted_json(const std::string& text) {
  return nlohmann::json(text).dump();
}

/// An extension of SDC: sdc("calculatedExpression", "1 + 1").
inline std::string sdc(const std::string& name, const std::string& expression, const std::string& language = "text/fhirpath") {
  return R"({"url":"http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-)" + name +
         R"(","valueExpression":{"language":")" + language + R"(","expression":)" + quoted_json(expression) + "}}";
}

inline std::string variable(const std::string& name, const std::string& expression) {
  return R"({"url":"http://hl7.org/fhir/StructureDefinition/variable","valueExpression":{"name":")" + name +
         R"(","language":"text/fhirpath","expression":)" + quoted_json(expression) + "}}";
}

inline std::string constraint(const std::string& key, const std::string& expression, const std::string& severity = "error",
                              const std::string& more = "") {
  return R"({"url":"http://hl7.org/fhir/StructureDefinition/questionnaire-constraint","extension":[{"url":"key","valueId":")" +
         key + R"("},{"url":"severity","valueCode":")" + severity + R"("},{"url":"human","valueString":"Rule )" + key +
         R"("},{"url":"expression","valueString":)" + quoted_json(expression) + "}" + more + "]}";
}

/// "extension":[...] of these, one or several with commas between.
inline std::string with(const std::string& list) {
  return R"("extension":[)" + list + "]";
}

/// An item with more members, each with a comma before it.
inline std::string item_of(const std::string& link_id, const std::string& type, const std::string& more = "") {
  return R"({"linkId":")" + link_id + R"(","type":")" + type + "\"" + (more.empty() ? "" : "," + more) + "}";
}

inline std::string answer_of(const std::string& link_id, const std::string& value) {
  return R"({"linkId":")" + link_id + R"(","answer":[{)" + value + "}]}";
}

} // namespace epione::domain::test
