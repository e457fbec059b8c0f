// Expressions of a form on submissions in the short form, and what a response begins with.
#include "domain/initial_answers.hpp"
#include "domain/response_from_answers.hpp"
#include "expression_fixture.hpp"
#include "study_fixture.hpp"

using namespace epione::domain;
using namespace epione::domain::test;

namespace {

const std::string two = item_of("a", "integer") + "," + item_of("b", "integer") + ",";
const std::string sum_of_both = "%resource.item.where(linkId='a').answer.value + %resource.item.where(linkId='b').answer.value";
const std::string total = two + item_of("total", "integer", with(sdc("calculatedExpression", sum_of_both)));

std::string warnings_of(const verdict& v) {
  std::string text;
  for (const auto& p : v.warnings)
    text += (text.empty() ? "" : " ") + p.code + "@" + p.link_id;
  return text;
}

const questionnaire& form_of(const study& s) {
  return s.compiled().forms.front().form;
}

/// The response that answers stand for, as JSON.
nlohmann::json response_of(const std::string& items, const std::string& answers) {
  const auto study = compiled(source_of(items));
  const auto v = assess_answers(*study, answers);
  BOOST_TEST_REQUIRE(v.accepted(), codes_of(v));
  return nlohmann::json::parse(response_from_answers(form_of(*study), v.answers));
}

} // namespace

BOOST_AUTO_TEST_SUITE(short_expressions)

BOOST_AUTO_TEST_CASE(what_is_calculated_and_was_not_sent_is_added_to_the_answers) {
  BOOST_TEST(stored(total, R"({"a":1,"b":2})") == R"({"a":1,"b":2,"total":3})");
  BOOST_TEST(stored(total, R"({"a":1,"b":2,"total":3})") == R"({"a":1,"b":2,"total":3})");
  BOOST_TEST(stored(total, R"({"a":1})") == R"({"a":1})");
  BOOST_TEST(stored(total, R"({"a":1,"b":2,"total":4})") == "calculated@total");
}

BOOST_AUTO_TEST_CASE(a_required_item_that_is_calculated_may_be_left_out) {
  const auto items = two + item_of("total", "integer", R"("required":true,)" + with(sdc("calculatedExpression", sum_of_both)));
  BOOST_TEST(check(items, R"({"a":1,"b":2})") == "");
  BOOST_TEST(check(items, R"({"a":1})") == "required@total");
}

BOOST_AUTO_TEST_CASE(a_calculated_answer_keeps_the_rules_of_its_item_and_decides_what_is_asked) {
  const auto items =
      total + "," +
      item_of("why", "string", R"("required":true,"enableWhen":[{"question":"total","operator":">","answerInteger":5}])");
  BOOST_TEST(check(items, R"({"a":1,"b":2})") == "");
  BOOST_TEST(check(items, R"({"a":4,"b":2})") == "required@why");
  const auto limited = two + item_of("total", "integer",
                                     with(sdc("calculatedExpression", sum_of_both) +
                                          R"(,{"url":"http://hl7.org/fhir/StructureDefinition/maxValue","valueInteger":5})"));
  BOOST_TEST(check(limited, R"({"a":4,"b":2})") == "max-value@total");
}

BOOST_AUTO_TEST_CASE(what_is_calculated_for_an_item_that_is_not_asked_is_not_stored) {
  const auto items = two + item_of("total", "integer",
                                   with(sdc("calculatedExpression", sum_of_both)) +
                                       R"(,"enableWhen":[{"question":"a","operator":">","answerInteger":5}])");
  BOOST_TEST(stored(items, R"({"a":1,"b":2})") == R"({"a":1,"b":2})");
  BOOST_TEST(stored(items, R"({"a":6,"b":2})") == R"({"a":6,"b":2,"total":8})");
}

BOOST_AUTO_TEST_CASE(a_calculated_group_that_nobody_sends_is_stored) {
  const auto halves =
      two +
      item_of("g", "group",
              R"("item":[)" + item_of("total", "decimal", with(sdc("calculatedExpression", "(" + sum_of_both + ") / 2"))) + "]");
  BOOST_TEST(stored(halves, R"({"a":1,"b":2})") == R"({"a":1,"b":2,"total":1.5})");
}

BOOST_AUTO_TEST_CASE(an_expression_decides_what_is_asked) {
  const auto items =
      item_of("a", "integer") + "," +
      item_of("b", "string",
              R"("required":true,)" + with(sdc("enableWhenExpression", "%resource.item.where(linkId='a').answer.value > 5")));
  BOOST_TEST(check(items, R"({"a":6,"b":"x"})") == "");
  BOOST_TEST(check(items, R"({"a":6})") == "required@b");
  BOOST_TEST(check(items, R"({"a":5})") == "");
  BOOST_TEST(check(items, R"({"a":5,"b":"x"})") == "not-enabled@b");
}

BOOST_AUTO_TEST_CASE(a_constraint_is_a_problem_or_a_warning) {
  const auto items = [](const char* severity) {
    return item_of("a", "integer", with(constraint("small", "answer.value < 5", severity)));
  };
  BOOST_TEST(check(items("error"), R"({"a":4})") == "");
  BOOST_TEST(check(items("error"), R"({"a":5})") == "constraint@a");
  const auto v = assess_answers(*compiled(source_of(items("warning"))), R"({"a":5})");
  BOOST_TEST(v.accepted());
  BOOST_TEST(warnings_of(v) == "constraint@a");
  BOOST_TEST(v.warnings.front().message == "Rule small (constraint small)");
}

BOOST_AUTO_TEST_CASE(today_is_when_it_was_authored_or_else_assessed) {
  const auto study = compiled(source_of(item_of("d", "date", with(sdc("calculatedExpression", "today()"))), ""));
  const auto day = [&](const nlohmann::json& data, std::optional<std::int64_t> now) {
    return json_from_msgpack(study->assess(content_of(data), now).answers);
  };
  const nlohmann::json data{{"form", "f"}, {"answers", nlohmann::json::object()}, {"authored", "2024-05-01T23:30:00-04:00"}};
  const nlohmann::json without{{"form", "f"}, {"answers", nlohmann::json::object()}};
  BOOST_TEST(day(data, 1'773'570'030'456'000) == R"({"d":"2024-05-01"})");
  BOOST_TEST(day(without, 1'773'570'030'456'000) == R"({"d":"2026-03-15"})");
}

BOOST_AUTO_TEST_CASE(answers_stand_for_a_response_with_every_repetition) {
  const auto items =
      item_of("g", "group", R"("repeats":true,"item":[)" + item_of("name", "string") + "," + item_of("dose", "integer") + "]") +
      "," + item_of("all", "string", R"("repeats":true)") + "," + item_of("none", "string") + "," +
      item_of("c", "choice", R"("answerOption":[{"valueCoding":{"system":"http://s","code":"x","display":"X"}}])") + "," +
      item_of("p", "boolean", R"("item":[)" + item_of("within", "date") + "]");
  const auto r = response_of(items, R"({"name":["A","B"],"dose":[5,10],"all":["x","y"],"c":"x","p":true,"within":"2024-05"})");
  BOOST_TEST(r["item"].dump() == nlohmann::json::parse(R"([{"linkId":"g","item":[{"linkId":"name","answer":[{"valueString":"A"}]},
               {"linkId":"dose","answer":[{"valueInteger":5}]}]},
               {"linkId":"g","item":[{"linkId":"name","answer":[{"valueString":"B"}]},{"linkId":"dose","answer":[{"valueInteger":10}]}]},
               {"linkId":"all","answer":[{"valueString":"x"},{"valueString":"y"}]},
               {"linkId":"c","answer":[{"valueCoding":{"system":"http://s","code":"x","display":"X"}}]},
               {"linkId":"p","answer":[{"valueBoolean":true,"item":[{"linkId":"within","answer":[{"valueDate":"2024-05"}]}]}]}])")
                                     .dump());
  BOOST_TEST(r["status"] == "completed");
  BOOST_TEST(!response_of(items, "{}").contains("item"));
}

BOOST_AUTO_TEST_CASE(a_response_begins_with_what_the_form_says) {
  const auto items =
      item_of("a", "integer", R"("initial":[{"valueInteger":7}])") + "," +
      item_of("b", "choice",
              R"("answerOption":[{"valueCoding":{"code":"x"}},{"valueCoding":{"code":"y"},"initialSelected":true}])") +
      "," + item_of("c", "date", with(sdc("initialExpression", "today() - 1 month"))) + "," +
      item_of("d", "integer", with(sdc("initialExpression", "'none'"))) + "," + item_of("e", "text");
  const auto study = compiled(source_of(items));
  const auto begun = initial_answers(form_of(*study), 1'773'570'030'456'000);
  BOOST_TEST(json_from_msgpack(begun.answers) == R"({"a":7,"b":"y","c":"2026-02-15"})");
  BOOST_REQUIRE(begun.problems.size() == 1u);
  BOOST_TEST(begun.problems.front().starts_with("d: "));
}

BOOST_AUTO_TEST_SUITE_END()
