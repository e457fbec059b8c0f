// Expressions as forms use them, on a questionnaire and the answers to it.
#include "domain/fhirpath_ordinals.hpp"
#include "fhirpath_fixture.hpp"

#include <fstream>

using namespace epione::tests;
using nlohmann::json;

namespace {

constexpr const char* ordinal_url = "http://hl7.org/fhir/StructureDefinition/ordinalValue";

json option(const char* code, double weight) {
  return {{"extension", {{{"url", ordinal_url}, {"valueDecimal", weight}}}},
          {"valueCoding", {{"system", "http://loinc.org"}, {"code", code}}}};
}

json coding(const char* code) {
  return {{"valueCoding", {{"system", "http://loinc.org"}, {"code", code}, {"display", "secret"}}}};
}

json answered_item(const std::string& link_id, json answers) {
  return {{"linkId", link_id}, {"answer", std::move(answers)}};
}

/// Nine questions with four options each; the same codes count backwards in "reversed".
json depression_form() {
  json items;
  for (int i = 1; i <= 9; ++i)
    items.push_back(
        {{"linkId", "q" + std::to_string(i)},
         {"type", "choice"},
         {"answerOption", {option("LA6568-5", 0), option("LA6569-3", 1), option("LA6570-1", 2), option("LA6571-9", 3)}}});
  items.push_back({{"linkId", "reversed"}, {"type", "choice"}, {"answerOption", {option("LA6568-5", 3), option("LA6571-9", 0)}}});
  return {{"resourceType", "Questionnaire"}, {"url", "http://example.org/q"}, {"item", std::move(items)}};
}

json depression_answers() {
  json items;
  const char* codes[] = {"LA6568-5", "LA6569-3", "LA6570-1", "LA6571-9"};
  for (int i = 1; i <= 9; ++i)
    items.push_back(answered_item("q" + std::to_string(i), json::array({coding(codes[i % 4])})));
  items.push_back(answered_item("reversed", json::array({coding("LA6568-5")})));
  items.push_back(answered_item(
      "weight", json::array({{{"valueQuantity",
                               {{"value", 80.5}, {"unit", "kg"}, {"system", "http://unitsofmeasure.org"}, {"code", "kg"}}}}})));
  items.push_back(answered_item("height", json::array({{{"valueDecimal", 1.75}}})));
  items.push_back(answered_item("born", json::array({{{"valueDate", "1980-06-30"}}})));
  items.push_back(answered_item("smoker", json::array({{{"valueBoolean", false}}})));
  items.push_back(answered_item(
      "email", json::array({{{"valueString", "a@example.org"},
                             {"_valueString", {{"id", "x"}, {"extension", {{{"url", "http://e"}, {"valueInteger", 7}}}}}}}})));
  items.push_back({{"linkId", "medication"},
                   {"item",
                    {answered_item("name", json::array({{{"valueString", "A"}}})),
                     answered_item("dose", json::array({{{"valueInteger", 5}}}))}}});
  items.push_back({{"linkId", "medication"},
                   {"item",
                    {answered_item("name", json::array({{{"valueString", "B"}}})),
                     answered_item("dose", json::array({{{"valueInteger", 10}}}))}}});
  return {{"resourceType", "QuestionnaireResponse"},
          {"status", "completed"},
          {"authored", "2026-03-15T08:30:00+01:00"},
          {"subject", {{"reference", "Patient/1"}}},
          {"item", std::move(items)}};
}

struct forms {
  json questionnaire = depression_form(), response = depression_answers();
  fp::json_reader reader;
  fp::json_ordinals ordinals{questionnaire, response};
  fp::environment world;

  forms() {
    world.resource = {reader.root(response)};
    world.ordinals = &ordinals;
    world.variables.emplace_back("questionnaire", fp::collection{reader.root(questionnaire)});
  }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(fhirpath_forms, forms)

BOOST_AUTO_TEST_CASE(a_total_is_calculated_from_the_weights_of_the_options) {
  check_said({{"%resource.item.where(linkId.startsWith('q')).answer.value.ordinal().sum()", "13"},
              {"%resource.item.where(linkId.startsWith('q')).answer.value.weight().sum()", "13"},
              {"%resource.item.where(linkId = 'reversed').answer.value.ordinal()", "3"},
              {"%resource.item.where(linkId = 'height').answer.value.ordinal()", "{}"},
              {"%resource.item.where(linkId = 'none').answer.value.ordinal().sum()", "{}"},
              {"item.where(linkId.matches('^q[1-8]$')).answer.value.ordinal().sum() >= 10", "true"},
              {"iif(item.where(linkId.startsWith('q')).answer.count() >= 8, "
               "(item.where(linkId.startsWith('q')).answer.value.ordinal().avg() * 9).round(), {})",
               "13"}},
             world);
}

BOOST_AUTO_TEST_CASE(a_weight_in_the_answer_itself_comes_first) {
  response["item"][0]["answer"][0]["valueCoding"]["extension"] = {
      {{"url", "http://hl7.org/fhir/StructureDefinition/itemWeight"}, {"valueDecimal", 42}}};
  check_said({{"item.where(linkId = 'q1').answer.value.ordinal()", "42"}}, world);
}

BOOST_AUTO_TEST_CASE(conditions_look_at_answers) {
  check_said({{"%resource.item.where(linkId = 'smoker').answer.value = false", "true"},
              {"%resource.item.where(linkId='q9').answer.value.code != 'LA6568-5'", "true"},
              {"%resource.item.where(linkId='q9').answer.value.exists(code = 'LA6569-3' and system = %loinc)", "true"},
              {"item.where(linkId = 'missing').answer.value = 'x'", "{}"},
              {"item.where(linkId = 'missing').answer.exists()", "false"},
              {"item.where(linkId = 'q1').answer.value ~ item.where(linkId = 'q5').answer.value", "true"},
              {"item.where(linkId = 'q1').answer.value ~ item.where(linkId = 'q2').answer.value", "false"}},
             world);
}

BOOST_AUTO_TEST_CASE(calculations_take_answers_with_their_types) {
  check_said(
      {{"(item.where(linkId='weight').answer.value.value / item.where(linkId='height').answer.value.power(2)).round(1)", "26.3"},
       {"item.where(linkId='weight').answer.value > 80 'kg'", "true"},
       {"item.where(linkId='weight').answer.value = 80500 'g'", "true"},
       {"item.where(linkId='weight').answer.value is Quantity", "true"},
       {"item.where(linkId='born').answer.value <= today() - 18 years", "true"},
       {"item.where(linkId='born').answer.value.is(date)", "true"},
       {"%resource.authored > @2026-03-15T07:00:00Z", "true"},
       {"%resource.authored is dateTime", "true"},
       {"item.where(linkId='height').answer.value is decimal", "true"},
       {"item.where(linkId='email').answer.value.matches('^[^@]+@[^@]+$')", "true"},
       {"(item.where(linkId='medication').item.where(linkId='dose').answer.value).sum()", "15"},
       {"item.where(linkId='medication').select(item.where(linkId='name').answer.value & ': ' & "
        "item.where(linkId='dose').answer.value.toString()).join('; ')",
        "'A: 5; B: 10'"}},
      world);
}

BOOST_AUTO_TEST_CASE(constraints_look_at_the_whole_response) {
  check_said(
      {{"QuestionnaireResponse.item.count()", "17"},
       {"Questionnaire.item.count()", "0"},
       {"QuestionnaireResponse.descendants().where(linkId = 'dose').answer.value", "5, 10"},
       {"repeat(item).linkId.distinct().count()", "18"},
       {"repeat(item | answer).where(linkId = 'name').count()", "2"},
       {"%questionnaire.item.where(linkId = 'q1').answerOption.value.code", "'LA6568-5', 'LA6569-3', 'LA6570-1', 'LA6571-9'"},
       {"item.where(linkId in %questionnaire.item.linkId).count()", "10"},
       {"item.linkId contains 'q1'", "true"},
       {"status = 'completed' implies item.where(linkId = 'q9').answer.exists()", "true"},
       {"subject.reference.startsWith('Patient/')", "true"},
       {"item.all(linkId.exists())", "true"}},
      world);
}

BOOST_AUTO_TEST_CASE(paths_know_the_elements_of_fhir_and_not_the_members_of_json) {
  check_said({{"item.answer.valueCoding", "{}"},
              {"resourceType", "{}"},
              {"item[0].answer.value.ofType(Coding).code", "'LA6569-3'"},
              {"item[0].answer.value.ofType(string)", "{}"},
              {"item.where(linkId='email').answer.value.extension('http://e').value", "7"},
              {"item.where(linkId='email').answer.value.extension('http://other')", "{}"},
              {"item.where(linkId='email').answer.value.hasValue()", "true"},
              {"item.where(linkId='email').answer.value.getValue() is System.String", "true"},
              {"item.where(linkId='email').answer.value is System.String", "false"},
              {"item.where(linkId='email').answer.value is FHIR.string", "true"},
              {"item[0].hasValue()", "false"},
              {"item[0].answer.value.children().count()", "3"},
              {"item[0] is BackboneElement", "true"},
              {"item[0] is Element", "true"},
              {"%resource is DomainResource", "true"},
              {"%resource is Patient", "false"},
              {"status is string", "true"}, // code is a kind of it
              {"status.is(code)", "true"},
              {"item[0].text", "{}"},
              {"'x'.item", "{}"},
              {"item[0] = item[0]", "true"},
              {"item[0] = item[4]", "false"},
              {"item[0].answer = item[4].answer", "true"},
              {"item[0].answer ~ item[4].answer", "true"},
              {"item[0].answer.combine(item[4].answer).distinct().count()", "1"}},
             world);
}

BOOST_AUTO_TEST_CASE(an_extension_without_a_value_is_there_and_has_none) {
  resource_fixture r{R"({"resourceType": "Patient", "_birthDate": {"extension": [{"url": "u", "valueCode": "unknown"}]},
    "name": [{"given": ["A", null, "B"], "_given": [null, {"extension": [{"url": "u", "valueCode": "masked"}]}, null]}],
    "multipleBirthInteger": 2, "deceasedBoolean": false, "active": true,
    "contained": [{"resourceType": "Observation", "valueQuantity": {"value": 5, "code": "mg"}}]})"};
  check_said({{"birthDate.exists()", "true"},
              {"birthDate.hasValue()", "false"},
              {"birthDate.extension('u').value", "'unknown'"},
              {"name.given.count()", "3"},
              {"name.given.where(hasValue())", "'A', 'B'"},
              {"name.given[1].extension.value", "'masked'"},
              {"multipleBirth + 1", "3"},
              {"deceased", "false"},
              {"Patient.active and deceased.not()", "true"},
              {"contained.ofType(Observation).value", "5 'mg'"},
              {"contained[0] is Observation", "true"},
              {"contained[0] is DomainResource", "true"},
              {"children().count()", "6"}},
             r.world);
}

BOOST_AUTO_TEST_CASE(numbers_of_json_are_decimals_as_written) {
  resource_fixture r{R"({"resourceType": "Basic", "a": 0.1, "b": 0.2, "big": 3000000000, "huge": 1e300, "n": 1e-7,
    "q": {"value": 3, "unit": "a", "code": "a"}, "valueDuration": {"value": 2, "code": "d"}, "valueAge": {"value": 1, "comparator": "<"}})"};
  check_said({{"a + b = 0.3", "true"},
              {"big + 1", "3000000001"},
              {"huge.hasValue()", "false"},
              {"n", "0.0000001"},
              {"value.ofType(Duration) = 2 days", "true"},
              {"value.ofType(Quantity).count()", "2"},
              {"value.ofType(Age) + 1 'a'", "error"}}, // one with a comparator is no single number
             r.world);
}

BOOST_AUTO_TEST_CASE(problems_never_say_an_answer) {
  for (const auto* text : {"item.answer.value + 1", "item.where(linkId = 'email').answer.value + 1", "item.answer.value > 5",
                           "item[0].answer.value + 'x'", "item.where(linkId = 'email').answer.value.abs()",
                           "item.where(linkId='email').answer.value.toString() * 2"}) {
    const auto found = said(text, world);
    BOOST_TEST(found.starts_with("error: "), found);
    BOOST_TEST(found.find("example.org") == std::string::npos, found);
    BOOST_TEST(found.find("secret") == std::string::npos, found);
    BOOST_TEST(found.find("LA65") == std::string::npos, found);
  }
  BOOST_TEST(said("item[0].answer.value + 'x'", world) == "error: line 1, column 22: + does not take FHIR.Coding and String");
}

BOOST_AUTO_TEST_CASE(a_result_is_a_condition_by_the_rules_for_single_items) {
  const auto condition = [&](const char* text) { return fp::as_condition(*fp::evaluate(*fp::compile(text), world)); };
  BOOST_TEST((condition("true").value() == true));
  BOOST_TEST((condition("item.where(linkId = 'smoker').answer.value").value() == false));
  BOOST_TEST(!condition("{}").value().has_value());
  BOOST_TEST((condition("item[0]").value() == true));
  BOOST_TEST((condition("item").error() == "a condition takes one item, here are 17"));
}

BOOST_AUTO_TEST_CASE(an_expression_is_used_by_many_threads_and_evaluations) {
  const auto e = fp::compile("item.where(linkId.matches('^q')).answer.value.ordinal().sum()");
  BOOST_REQUIRE(e);
  const auto copy = *e;
  for (int i = 0; i < 3; ++i)
    BOOST_TEST(shown(*fp::evaluate(copy, world)) == "13");
}

BOOST_AUTO_TEST_SUITE_END()
