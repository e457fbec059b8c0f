// The published validation cases: every response comes out as the manifest says, what is wrong at the right item with the right
// code.
#include "domain/questionnaire_compiler.hpp"
#include "domain/questionnaire_response.hpp"
#include "files.hpp"

#include <map>

using namespace epione;
using namespace epione::conformance;

namespace {

const std::string folder = "tests/conformance/data/validation-cases/";

/// Severity, code, linkId and place of each issue, separated by "; ". docs/conformance.md says where HL7's validator differs.
const std::map<std::string, std::string> expected{
    {"attachment-inconsistent-size-qr.json", "error structure q1 QuestionnaireResponse.item[0].answer[0].value.size"},
    {"boolean-invalid-type-qr.json", "error invariant q1 QuestionnaireResponse.item[0].answer[0].value"},
    {"choice-answer-option-exclusive-qr.json", "error invariant q1 QuestionnaireResponse.item[0].answer[1]"},
    {"choice-invalid-value-set-async-qr.json", "error code-invalid q1 QuestionnaireResponse.item[0].answer[0].value"},
    {"date-answer-option-qr.json", "error invariant q1 QuestionnaireResponse.item[0].answer[2].value"},
    {"decimal-max-decimal-places-qr.json", "error invariant q1 QuestionnaireResponse.item[0].answer[0].value"},
    {"display-answer-included-qr.json", "error structure q1 QuestionnaireResponse.item[0].answer"},
    {"group-with-string-invalid-nesting-link-id-qr.json", "error not-found grp2 QuestionnaireResponse.item[0]"},
    {"group-with-string-invalid-nesting-qr.json",
     "error required q2 QuestionnaireResponse.item[0]; error structure grp1 QuestionnaireResponse.item[0].answer"},
    {"group-with-string-qr.json", "error required q2 QuestionnaireResponse.item[0]"},
    {"integer-answer-option-qr.json", "error invariant q1 QuestionnaireResponse.item[0].answer[2].value"},
    {"integer-qr.json", ""},
    {"invariant-undefined-variable-qr.json", "information not-supported q1 Questionnaire.item[0].extension[0]"},
    {"quantity-min-max-incompat-units-qr.json", "error invariant q1 QuestionnaireResponse.item[0].answer[0].value"},
    {"quantity-min-max-qr.json", "warning business-rule - QuestionnaireResponse.questionnaire; "
                                 "error invariant q1 QuestionnaireResponse.item[0].answer[0].value"},
    {"quantity-units-qr.json", ""},
    {"questionnaire-not-resolved-qr.json", "error not-found - QuestionnaireResponse.questionnaire"},
    {"reference-absolute-qr.json", ""},
    {"reference-invalid-type-qr.json", "error invariant q1 QuestionnaireResponse.item[0].answer[0].value"},
    {"string-answer-option-qr.json", "error invariant q1 QuestionnaireResponse.item[0].answer[2].value"},
    {"string-draft-downgrade-qr.json", "warning invalid q1 QuestionnaireResponse.item[0]"},
    {"string-required-qr.json", "error required q1 QuestionnaireResponse.item[0]"},
    {"string-vs-text-qr.json", "error invariant q1 QuestionnaireResponse.item[0].answer[0].value"},
    {"time-invalid-type-qr.json", "error invariant q1 QuestionnaireResponse.item[0].answer[0].value"},
    {"url-value-qr.json", "warning invalid q1 QuestionnaireResponse.item[0].answer[0].value; "
                          "error invalid q1 QuestionnaireResponse.item[0].answer[1].value; "
                          "error invalid q1 QuestionnaireResponse.item[0].answer[4].value"},
};

std::string line_of(const std::vector<domain::fhir_issue>& issues) {
  std::string text;
  for (const auto& i : issues)
    text += (text.empty() ? "" : "; ") + std::string{domain::name(i.severity)} + " " + i.code + " " +
            (i.link_id.empty() ? "-" : i.link_id) + " " + i.expression;
  return text;
}

std::optional<domain::questionnaire> compile(const std::string& path, std::vector<domain::fhir_issue>& issues) {
  domain::file_problems problems{"Questionnaire", issues};
  domain::compile_options options;
  options.for_submissions = false;
  return domain::compile_questionnaire(read_file(path), problems, options);
}

std::vector<domain::fhir_issue> check(const std::string& response_path, const domain::questionnaire* form) {
  const auto response = domain::parse_response(read_file(response_path));
  BOOST_TEST_REQUIRE(response.has_value(), response_path);
  return form == nullptr ? domain::check_response_without_form(*response) : domain::check_response(*response, *form, {});
}

/// All that is found in a published response to a published questionnaire.
std::vector<domain::fhir_issue> check_published(const std::string& name) {
  std::vector<domain::fhir_issue> issues;
  const auto form = compile("tests/conformance/data/Questionnaire-" + name + ".json", issues);
  BOOST_TEST_REQUIRE(form.has_value(), name);
  BOOST_TEST(!domain::has_errors(issues), line_of(issues));
  return check("tests/conformance/data/QuestionnaireResponse-" + name + ".json", &*form);
}

std::string errors_of(const std::vector<domain::fhir_issue>& issues) {
  std::string text;
  for (const auto& i : issues)
    if (i.severity == domain::issue_severity::error)
      text += (text.empty() ? "" : " ") + std::string{i.code} + "@" + i.link_id;
  return text;
}

} // namespace

BOOST_AUTO_TEST_SUITE(validation_cases)

BOOST_AUTO_TEST_CASE(every_case_comes_out_as_its_manifest_says) {
  const auto manifest = nlohmann::json::parse(read_file(folder + "manifest.json"));
  BOOST_TEST(manifest.size() == expected.size());
  for (const auto& entry : manifest) {
    const auto name = entry["response"].get<std::string>();
    std::vector<domain::fhir_issue> of_form;
    std::optional<domain::questionnaire> form;
    if (!entry["questionnaire"].empty())
      form = compile(folder + entry["questionnaire"][0].get<std::string>(), of_form);
    BOOST_TEST(form.has_value() != entry["questionnaire"].empty(), name);
    const auto issues = check(folder + name, form ? &*form : nullptr);
    const bool valid = entry["valid"].get<bool>();
    BOOST_TEST(valid != domain::has_errors(issues), name);
    BOOST_TEST((!valid || !domain::has_errors(of_form)), name + " " + line_of(of_form));
    BOOST_TEST(line_of(issues) == expected.at(name), name + " " + line_of(issues));
    for (const auto& i : issues)
      BOOST_TEST(!i.message.empty());
  }
}

// The published responses do not all fit their questionnaires; what is found is what is wrong with them.
BOOST_AUTO_TEST_CASE(published_responses_are_checked_and_what_does_not_fit_is_named) {
  BOOST_TEST(errors_of(check_published("gcs")) == "");
  // The condition asks for another code than the one that was answered, and one item is not in the form.
  BOOST_TEST(errors_of(check_published("3141")) == "business-rule@1.1.1 not-found@1.1.1.3");
  // A code in lower case, and two misspelt linkIds.
  BOOST_TEST(errors_of(check_published("bb")) == "code-invalid@sex not-found@vitaminKDose1 not-found@vitaminKDose2");
  // A question without an answer that has items, and yes or no answered with texts.
  BOOST_TEST(errors_of(check_published("f201")) == "structure@1 invariant@3.1 invariant@3.2");
}

BOOST_AUTO_TEST_CASE(a_published_response_without_its_questionnaire_cannot_be_resolved) {
  const auto issues = check("tests/conformance/data/QuestionnaireResponse-ussg-fht-answers.json", nullptr);
  BOOST_TEST(errors_of(issues) == "not-found@");
}

BOOST_AUTO_TEST_CASE(the_seventh_questionnaire_can_be_looked_at_and_names_each_missing_link_id) {
  std::vector<domain::fhir_issue> issues;
  const auto form = compile("tests/conformance/data/Questionnaire-qs1.json", issues);
  BOOST_TEST(form.has_value());
  std::size_t missing = 0;
  for (const auto& i : issues)
    missing += i.message.starts_with("linkId is missing") ? 1 : 0;
  BOOST_TEST(missing == 32u);
}

BOOST_AUTO_TEST_SUITE_END()
