// Forms and whole QuestionnaireResponses in memory, and what is found in them as one line of text.
#pragma once

#include "domain/questionnaire_compiler.hpp"
#include "domain/questionnaire_response.hpp"

#include <boost/test/unit_test.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace epione::domain::test {

/// "error required q1 item[0]; ..." without the resource's name; "" if nothing was found.
inline std::string line_of(const std::vector<fhir_issue>& issues) {
  std::string text;
  for (const auto& i : issues) {
    const auto dot = i.expression.find('.');
    text += (text.empty() ? "" : "; ") + std::string{name(i.severity)} + " " + i.code + " " +
            (i.link_id.empty() ? "-" : i.link_id) + " " + (dot == std::string::npos ? "-" : i.expression.substr(dot + 1));
  }
  return text;
}

struct compiled_with_issues {
  questionnaire form;
  std::vector<fhir_issue> issues;
};

/// A form of these items, as it is when responses are checked; `more` are members beside them, each with a comma behind it.
inline compiled_with_issues compile_form(const std::string& items, const std::string& more = "",
                                         const terminology* given = nullptr) {
  const auto status = more.find("\"status\"") == std::string::npos ? R"("status":"active",)" : "";
  const auto text =
      R"({"resourceType":"Questionnaire","url":"http://x/q",)" + std::string{status} + more + R"("item":[)" + items + "]}";
  compiled_with_issues result;
  file_problems problems{"Questionnaire", result.issues};
  compile_options options;
  options.for_submissions = false;
  options.given = given;
  auto form = compile_questionnaire(text, problems, options);
  BOOST_TEST_REQUIRE(form.has_value(), (form ? "" : line_of(result.issues)));
  result.form = std::move(*form);
  return result;
}

inline std::string remarks(const std::string& items, const std::string& more = "") {
  return line_of(compile_form(items, more).issues);
}

inline std::vector<fhir_issue> issues_of(const questionnaire& form, const std::string& response) {
  const auto document = parse_response(response);
  BOOST_TEST_REQUIRE(document.has_value(), (document ? "" : document.error().message));
  return check_response(*document, form, {});
}

inline std::string response_json(const std::string& items, const std::string& status = "completed") {
  return R"({"resourceType":"QuestionnaireResponse","questionnaire":"http://x/q","status":")" + status + "\"" +
         (items.empty() ? "" : R"(,"item":[)" + items + "]") + "}";
}

/// What is found in a response of these items to a form of those.
inline std::string findings(const std::string& items, const std::string& answers, const std::string& status = "completed") {
  return line_of(issues_of(compile_form(items).form, response_json(answers, status)));
}

/// One item "a" of a type, with more members.
inline std::string item_a(const std::string& type, const std::string& more = "") {
  return R"({"linkId":"a","type":")" + type + "\"" + (more.empty() ? "" : "," + more) + "}";
}

/// One answer to "a": its value[x] with the name.
inline std::string answer_a(const std::string& value) {
  return R"({"linkId":"a","answer":[{)" + value + "}]}";
}

inline std::string one_answer(const std::string& type, const std::string& value, const std::string& more = "") {
  return findings(item_a(type, more), answer_a(value));
}

/// An extension of FHIR's own, as a member of a list: fhir_extension("minValue", R"("valueInteger":1)").
inline std::string fhir_extension(const std::string& name, const std::string& value) {
  return R"({"url":"http://hl7.org/fhir/StructureDefinition/)" + name + "\"," + value + "}";
}

inline std::string extensions(const std::string& list) {
  return R"("extension":[)" + list + "]";
}

} // namespace epione::domain::test
