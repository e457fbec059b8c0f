// epione questionnaire: what a form designer gets for a file.
#include "tests/unit/cli/scratch.hpp"

#include <nlohmann/json.hpp>

using namespace epione::cli::test;

namespace {

const std::string data = std::string{EPIONE_SOURCE_DIR} + "/tests/conformance/data/";
const std::string cases = data + "validation-cases/";

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

answer validate(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), {"questionnaire", "validate"});
  return call(arguments);
}

const std::string form =
    R"({"resourceType":"Questionnaire","url":"http://x/q","status":"active","title":"Pain","version":"3","item":[
  {"linkId":"g","type":"group","prefix":"1.","text":"Today","item":[
    {"linkId":"q","type":"boolean","text":"Any pain?","required":true},
    {"linkId":"w","type":"choice","text":"Where?","repeats":true,"answerValueSet":"http://v",
     "enableWhen":[{"question":"q","operator":"=","answerBoolean":true}]}]},
  {"linkId":"n","type":"integer","text":"How much?\u001b[31m","extension":[
    {"url":"http://hl7.org/fhir/StructureDefinition/minValue","valueInteger":0},
    {"url":"http://hl7.org/fhir/StructureDefinition/maxValue","valueInteger":10}]}]})";

const std::string response = R"({"resourceType":"QuestionnaireResponse","questionnaire":"http://x/q","status":"completed","item":[
  {"linkId":"g","item":[{"linkId":"q","answer":[{"valueBoolean":true}]},
                        {"linkId":"w","answer":[{"valueCoding":{"system":"http://s","code":"back"}}]}]}]})";

const std::string value_set =
    R"({"resourceType":"ValueSet","url":"http://v","compose":{"include":[{"system":"http://s","concept":[{"code":"head"}]}]}})";

} // namespace

BOOST_AUTO_TEST_SUITE(questionnaire_command)

BOOST_AUTO_TEST_CASE(a_valid_questionnaire_is_0_and_a_broken_one_4_with_every_problem) {
  const auto good = validate({data + "Questionnaire-gcs.json"});
  BOOST_TEST(good.code == 0);
  BOOST_TEST(good.out == "The questionnaire is valid.\n");
  BOOST_TEST(good.err.empty());
  const auto bad = validate({data + "Questionnaire-qs1.json"});
  BOOST_TEST(bad.code == 4);
  BOOST_TEST(has(bad.out, "Questionnaire.item[0]"));
  BOOST_TEST(has(bad.out, "linkId is missing"));
  BOOST_TEST(has(bad.err, "errors"));
}

BOOST_AUTO_TEST_CASE(a_response_is_checked_against_its_questionnaire) {
  BOOST_TEST(validate({cases + "integer-q.json", "--response", cases + "integer-qr.json"}).code == 0);
  const auto bad = validate({cases + "string-required-q.json", "--response", cases + "string-required-qr.json"});
  BOOST_TEST(bad.code == 4);
  BOOST_TEST(has(bad.out, "q1"));
  BOOST_TEST(has(bad.out, "the item must be answered"));
  BOOST_TEST(has(bad.err, "1 error\n"));
}

BOOST_AUTO_TEST_CASE(a_response_alone_cannot_be_resolved) {
  const auto a = validate({"--response", cases + "questionnaire-not-resolved-qr.json"});
  BOOST_TEST(a.code == 4);
  BOOST_TEST(has(a.out, "is not here"));
}

BOOST_AUTO_TEST_CASE(json_is_an_operation_outcome) {
  const auto bad = validate({cases + "integer-q.json", "--response", cases + "string-required-qr.json", "--json"});
  BOOST_TEST(bad.code == 4);
  const auto outcome = nlohmann::json::parse(bad.out);
  BOOST_TEST(outcome.at("resourceType") == "OperationOutcome");
  BOOST_TEST(outcome.at("issue").size() == 2u); // another questionnaire, and what is missing
  BOOST_TEST(outcome.at("issue").at(0).at("severity") == "error");
  BOOST_TEST(outcome.at("issue").at(1).at("code") == "required");
  BOOST_TEST(outcome.at("issue").at(1).at("expression").at(0) == "QuestionnaireResponse.item[0]");
  const auto good = nlohmann::json::parse(validate({cases + "integer-q.json", "--json"}).out);
  BOOST_TEST(good.at("issue").at(0).at("severity") == "information");
}

BOOST_AUTO_TEST_CASE(what_cannot_be_read_is_1_with_the_reason) {
  scratch s;
  const auto broken = s.write("broken.json", "{\n \"a\": x}");
  for (const auto& arguments : std::vector<std::vector<std::string>>{{s / "nothing.json"},
                                                                     {broken},
                                                                     {cases + "integer-qr.json"},
                                                                     {cases + "integer-q.json", "--response", broken},
                                                                     {cases + "integer-q.json", "--value-set", broken},
                                                                     {s.path()}}) {
    const auto a = validate(arguments);
    BOOST_TEST(a.code == 1, arguments.back());
    BOOST_TEST(a.out.empty());
    BOOST_TEST(has(a.err, "epione: "));
  }
  BOOST_TEST(has(validate({broken}).err, "line 2, column 7"));
  BOOST_TEST(validate({}).code == 2);
  BOOST_TEST(call({"questionnaire", "show"}).code == 2);
}

BOOST_AUTO_TEST_CASE(value_sets_are_given_as_files) {
  scratch s;
  const auto q = s.write("q.json", form), r = s.write("r.json", response), v = s.write("v.json", value_set);
  const auto without = validate({q, "--response", r});
  BOOST_TEST(without.code == 0, without.out);
  BOOST_TEST(has(without.out, "was not checked"));
  const auto with = validate({q, "--response", r, "--value-set", v});
  BOOST_TEST(with.code == 4);
  BOOST_TEST(has(with.out, "the answer must be one of the") != has(with.out, "the code must be one of the value set"));
  BOOST_TEST(!has(with.out, "back")); // never an answer
}

BOOST_AUTO_TEST_CASE(show_draws_the_form_as_a_tree) {
  scratch s;
  const auto a = call({"questionnaire", "show", s.write("q.json", form)});
  BOOST_TEST(a.code == 0);
  BOOST_TEST(a.out == "Pain, version 3\n"
                      "http://x/q\n"
                      "├─ 1. Today [g, group]\n"
                      "│  ├─ Any pain? [q, boolean, required]\n"
                      "│  └─ Where? [w, choice, repeats]\n"
                      "│        asked if q = true\n"
                      "│        codes of http://v\n"
                      "└─ How much??[31m [n, integer, from 0, to 10]\n");
  for (const auto* name : {"3141", "bb", "f201", "gcs", "phq-9-questionnaire", "zika-virus-exposure-assessment"})
    BOOST_TEST(call({"questionnaire", "show", data + "Questionnaire-" + name + ".json"}).code == 0, name);
  const auto broken = call({"questionnaire", "show", data + "Questionnaire-qs1.json"});
  BOOST_TEST(broken.code == 4); // drawn all the same
  BOOST_TEST(!broken.out.empty());
}

BOOST_AUTO_TEST_SUITE_END()
