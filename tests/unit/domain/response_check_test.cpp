// What answers are accepted, each rule both ways.
#include "study_fixture.hpp"

using namespace epione::domain;
using namespace epione::domain::test;

namespace {

std::string item(const std::string& type, const std::string& more = "") {
  return R"({"linkId":"a","type":")" + type + "\"" + (more.empty() ? "" : "," + more) + "}";
}

/// Problem codes of one answer to an item "a" of this type.
std::string problems_of_one(const std::string& type, const std::string& answer, const std::string& more = "") {
  return check(item(type, more), R"({"a":)" + answer + "}");
}

const std::string ordinal_options =
    R"("answerOption":[{"valueCoding":{"code":"no","extension":[{"url":"http://hl7.org/fhir/StructureDefinition/ordinalValue","valueDecimal":0}]}},
       {"extension":[{"url":"http://hl7.org/fhir/StructureDefinition/ordinalValue","valueDecimal":1.5}],"valueCoding":{"code":"yes"}}])";

} // namespace

BOOST_AUTO_TEST_SUITE(response_check)

BOOST_AUTO_TEST_CASE(each_type_takes_its_values_and_no_others) {
  for (const auto* good : {"true", "false"})
    BOOST_TEST(problems_of_one("boolean", good) == "");
  for (const auto* bad : {"1", "\"true\"", "null", "{}"})
    BOOST_TEST(problems_of_one("boolean", bad) == "type@a");
  for (const auto* good : {"1", "-1.5", "0", "1e300"})
    BOOST_TEST(problems_of_one("decimal", good) == "");
  for (const auto* bad : {"\"1\"", "true", "null", "{}"})
    BOOST_TEST(problems_of_one("decimal", bad) == "type@a");
  for (const auto* good : {"1", "1.0", "-2147483648", "2147483647"})
    BOOST_TEST(problems_of_one("integer", good) == "");
  for (const auto* bad : {"1.5", "2147483648", "-2147483649", "18446744073709551615", "\"1\"", "true"})
    BOOST_TEST(problems_of_one("integer", bad) == "type@a");
  for (const auto* type : {"string", "text", "url", "reference"}) {
    BOOST_TEST(problems_of_one(type, "\"x\"") == "");
    BOOST_TEST(problems_of_one(type, "\"\"") == "empty@a");
    for (const auto* bad : {"1", "true", "null", "{}"})
      BOOST_TEST(problems_of_one(type, bad) == "type@a");
  }
  BOOST_TEST(problems_of_one("url", "\"http://a b\"") == "url-format@a");
}

BOOST_AUTO_TEST_CASE(dates_and_times_are_checked_against_the_calendar) {
  BOOST_TEST(problems_of_one("date", "\"2024-02-29\"") == "");
  BOOST_TEST(problems_of_one("date", "\"2023-02-29\"") == "date-format@a");
  BOOST_TEST(problems_of_one("date", "\"2024-02-29T00:00:00Z\"") == "date-format@a");
  BOOST_TEST(problems_of_one("date", "20240229") == "type@a");
  BOOST_TEST(problems_of_one("dateTime", "\"2024-02-29T00:00:00Z\"") == "");
  BOOST_TEST(problems_of_one("dateTime", "\"2024-02\"") == "");
  BOOST_TEST(problems_of_one("dateTime", "\"2024-02-29T00:00:00\"") == "date-format@a");
  BOOST_TEST(problems_of_one("time", "\"23:59:59\"") == "");
  BOOST_TEST(problems_of_one("time", "\"23:59\"") == "date-format@a");
}

BOOST_AUTO_TEST_CASE(a_quantity_is_a_number_or_an_object_with_one) {
  BOOST_TEST(stored(item("quantity"), R"({"a":3.5})") == R"({"a":3.5})");
  BOOST_TEST(stored(item("quantity"), R"({"a":{"value":3,"unit":"days","code":"d","system":"http://u"}})") ==
             R"({"a":{"code":"d","system":"http://u","unit":"days","value":3}})");
  for (const auto* bad : {"\"3\"", R"({"unit":"d"})", R"({"value":"3"})", R"({"value":3,"units":"d"})", R"({"value":3,"unit":4})",
                          "true", R"({"value":{"value":3}})"})
    BOOST_TEST(problems_of_one("quantity", bad) == "type@a");
}

BOOST_AUTO_TEST_CASE(a_choice_is_given_by_code_or_number_and_stored_by_code) {
  const auto choice = item("choice", ordinal_options);
  BOOST_TEST(stored(choice, R"({"a":"yes"})") == R"({"a":"yes"})");
  BOOST_TEST(stored(choice, R"({"a":1.5})") == R"({"a":"yes"})");
  BOOST_TEST(stored(choice, R"({"a":0})") == R"({"a":"no"})");
  BOOST_TEST(stored(choice, R"({"a":0.0})") == R"({"a":"no"})");
  for (const auto* bad : {"\"maybe\"", "2", "1", "\"YES\"", "\"1.5\"", "-1"})
    BOOST_TEST(check(choice, std::string{R"({"a":)"} + bad + "}") == "not-an-option@a");
  for (const auto* bad : {"true", "{}", "null"})
    BOOST_TEST(check(choice, std::string{R"({"a":)"} + bad + "}") == "type@a");
}

BOOST_AUTO_TEST_CASE(a_refused_choice_says_what_is_allowed) {
  const auto v = assess_answers(*compiled(source_of(item("choice", ordinal_options))), R"({"a":"maybe"})");
  BOOST_REQUIRE(v.problems.size() == 1u);
  BOOST_TEST((v.problems[0].allowed == std::vector<std::string>{"no", "yes", "0", "1.5"}));
}

BOOST_AUTO_TEST_CASE(a_number_that_stands_for_two_options_is_none) {
  const auto two = item("choice", R"("answerOption":[
    {"extension":[{"url":"http://hl7.org/fhir/StructureDefinition/ordinalValue","valueDecimal":0}],"valueCoding":{"code":"x"}},
    {"extension":[{"url":"http://hl7.org/fhir/StructureDefinition/ordinalValue","valueDecimal":0}],"valueCoding":{"code":"y"}}])");
  BOOST_TEST(check(two, R"({"a":0})") == "not-an-option@a");
  BOOST_TEST(check(two, R"({"a":"y"})") == "");
}

BOOST_AUTO_TEST_CASE(an_open_choice_takes_other_texts_too) {
  const auto open = item("open-choice", ordinal_options + R"(,"maxLength":5)");
  BOOST_TEST(stored(open, R"({"a":"yes"})") == R"({"a":"yes"})");
  BOOST_TEST(stored(open, R"({"a":1.5})") == R"({"a":"yes"})");
  BOOST_TEST(stored(open, R"({"a":"maybe"})") == R"({"a":"maybe"})");
  BOOST_TEST(check(open, R"({"a":""})") == "empty@a");
  BOOST_TEST(check(open, R"({"a":"perhaps"})") == "max-length@a");
  BOOST_TEST(check(open, R"({"a":7})") == "not-an-option@a");
}

BOOST_AUTO_TEST_CASE(options_that_are_not_known_here_are_any_code) {
  const auto elsewhere = item("choice", R"("answerValueSet":"http://loinc.org/vs/LL358-3")");
  BOOST_TEST(stored(elsewhere, R"({"a":"LA6568-5"})") == R"({"a":"LA6568-5"})");
  BOOST_TEST(check(elsewhere, R"({"a":1})") == "type@a");
  BOOST_TEST(check(elsewhere, R"({"a":""})") == "empty@a");
}

BOOST_AUTO_TEST_CASE(other_types_may_have_options_too) {
  const auto integers = item("integer", R"("answerOption":[{"valueInteger":1},{"valueInteger":2}])");
  BOOST_TEST(check(integers, R"({"a":2.0})") == "");
  BOOST_TEST(check(integers, R"({"a":3})") == "not-an-option@a");
  const auto strings = item("string", R"("answerOption":[{"valueString":"x"}])");
  BOOST_TEST(check(strings, R"({"a":"x"})") == "");
  BOOST_TEST(check(strings, R"({"a":"y"})") == "not-an-option@a");
  const auto mixed = item("choice", R"("answerOption":[{"valueInteger":10},{"valueString":"x"}])");
  BOOST_TEST(stored(mixed, R"({"a":10})") == R"({"a":10})");
  BOOST_TEST(check(mixed, R"({"a":11})") == "not-an-option@a");
}

BOOST_AUTO_TEST_CASE(required_items_must_be_answered) {
  BOOST_TEST(check(item("string", R"("required":true)"), "{}") == "required@a");
  BOOST_TEST(check(item("string", R"("required":true)"), R"({"a":"x"})") == "");
  BOOST_TEST(check(item("string"), "{}") == "");
  const std::string group = R"({"linkId":"g","type":"group","required":true,"item":[{"linkId":"a","type":"string"},
    {"linkId":"h","type":"group","item":[{"linkId":"b","type":"string"}]}]})";
  BOOST_TEST(check(group, "{}") == "required@g");
  BOOST_TEST(check(group, R"({"b":"x"})") == "");
  const std::string both =
      R"({"linkId":"g","type":"group","required":true,"item":[{"linkId":"a","type":"string","required":true}]})";
  BOOST_TEST(check(both, "{}") == "required@a"); // one reason is enough
}

BOOST_AUTO_TEST_CASE(a_list_is_for_items_that_repeat) {
  const auto many = item("choice", R"("repeats":true,)" + ordinal_options);
  BOOST_TEST(stored(many, R"({"a":["yes",0]})") == R"({"a":["yes","no"]})");
  BOOST_TEST(stored(many, R"({"a":1.5})") == R"({"a":["yes"]})");
  BOOST_TEST(check(many, R"({"a":[]})") == "empty@a");
  BOOST_TEST(check(many, R"({"a":["yes","z",null,["yes"]]})") == "not-an-option@a type@a type@a");
  BOOST_TEST(check(item("string"), R"({"a":["x"]})") == "single-answer@a");
  const std::string in_group = R"({"linkId":"g","type":"group","repeats":true,"item":[{"linkId":"a","type":"string"}]})";
  BOOST_TEST(check(in_group, R"({"a":["x","y"]})") == "");
  std::string thousand = "[0";
  for (int i = 0; i < 1000; ++i)
    thousand += ",0";
  BOOST_TEST(check(item("integer", R"("repeats":true)"), R"({"a":)" + thousand + "]}") == "max-occurs@a");
}

BOOST_AUTO_TEST_CASE(how_often_an_item_is_answered_can_be_limited) {
  const auto some = item("integer", R"("repeats":true,"extension":[
    {"url":"http://hl7.org/fhir/StructureDefinition/questionnaire-minOccurs","valueInteger":2},
    {"url":"http://hl7.org/fhir/StructureDefinition/questionnaire-maxOccurs","valueInteger":3}])");
  BOOST_TEST(check(some, R"({"a":[1,2]})") == "");
  BOOST_TEST(check(some, R"({"a":[1]})") == "min-occurs@a");
  BOOST_TEST(check(some, R"({"a":1})") == "min-occurs@a");
  BOOST_TEST(check(some, R"({"a":[1,2,3,4]})") == "max-occurs@a");
}

BOOST_AUTO_TEST_CASE(lengths_count_characters) {
  const std::string length =
      R"("maxLength":3,"extension":[{"url":"http://hl7.org/fhir/StructureDefinition/minLength","valueInteger":2}])";
  BOOST_TEST(problems_of_one("string", "\"\u4e2d\u6587\u5b57\"", length) == "");
  BOOST_TEST(problems_of_one("string", "\"abcd\"", length) == "max-length@a");
  BOOST_TEST(problems_of_one("string", "\"a\"", length) == "min-length@a");
  BOOST_TEST(problems_of_one("integer", "123", R"("maxLength":3)") == "");
  BOOST_TEST(problems_of_one("integer", "1234", R"("maxLength":3)") == "max-length@a");
}

BOOST_AUTO_TEST_CASE(values_have_limits) {
  const auto between = [](const std::string& kind, const std::string& low, const std::string& high) {
    const std::string base = R"({"url":"http://hl7.org/fhir/StructureDefinition/)";
    return R"("extension":[)" + base + R"(minValue","value)" + kind + "\":" + low + "}," + base + R"(maxValue","value)" + kind +
           "\":" + high + "}]";
  };
  for (const auto* type : {"integer", "decimal"}) {
    BOOST_TEST(problems_of_one(type, "1", between("Integer", "1", "3")) == "");
    BOOST_TEST(problems_of_one(type, "3", between("Decimal", "1", "3")) == "");
    BOOST_TEST(problems_of_one(type, "0", between("Integer", "1", "3")) == "min-value@a");
    BOOST_TEST(problems_of_one(type, "4", between("Integer", "1", "3")) == "max-value@a");
  }
  const auto year = between("Date", "\"2024-01-01\"", "\"2024-12-31\"");
  BOOST_TEST(problems_of_one("date", "\"2024-12-31\"", year) == "");
  BOOST_TEST(problems_of_one("date", "\"2024\"", year) == "");
  BOOST_TEST(problems_of_one("date", "\"2023-12-31\"", year) == "min-value@a");
  BOOST_TEST(problems_of_one("date", "\"2025\"", year) == "max-value@a");
  BOOST_TEST(problems_of_one("time", "\"12:00:00\"", between("Time", "\"08:00:00\"", "\"11:00:00\"")) == "max-value@a");
  BOOST_TEST(problems_of_one("dateTime", "\"2024-01-01T00:30:00+01:00\"",
                             between("DateTime", "\"2024-01-01T00:00:00Z\"", "\"2025\"")) == "min-value@a");
}

BOOST_AUTO_TEST_CASE(what_the_form_does_not_have_is_refused) {
  BOOST_TEST(check(item("string"), R"({"b":"x"})") == "unknown-item@b");
  BOOST_TEST(check(item("string"), R"({"":1,"A":1,"a":"x","aa":2})") == "unknown-item unknown-item@A unknown-item@aa");
  BOOST_TEST(check(R"({"linkId":"g","type":"group","item":[{"linkId":"d","type":"display"}]})", R"({"g":1,"d":2})") ==
             "not-a-question@d not-a-question@g");
}

BOOST_AUTO_TEST_CASE(no_message_repeats_an_answer) {
  const auto s = compiled(
      source_of(item("choice", ordinal_options) +
                R"(,{"linkId":"b","type":"date"},{"linkId":"c","type":"string","maxLength":2},{"linkId":"i","type":"integer"})"));
  const auto v = assess_answers(*s, R"({"a":"SECRET","b":"SECRET","c":"SECRET","i":"SECRET","x":"SECRET"})");
  BOOST_TEST(v.problems.size() == 5u);
  for (const auto& p : v.problems)
    BOOST_TEST(p.message.find("SECRET") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(every_problem_is_listed_up_to_a_limit) {
  nlohmann::json answers = nlohmann::json::object();
  for (int i = 0; i < 5000; ++i)
    answers["x" + std::to_string(i)] = 1;
  const auto v = assess_answers(*compiled(source_of(item("string"))), answers.dump());
  BOOST_TEST(v.problems.size() == 1001u);
  BOOST_TEST(v.problems.back().code == "too-many-problems");
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(enable_when)

namespace {

/// "a" is asked when these conditions on "q" hold; codes when q has this answer (none: "") and "a" is answered.
std::string with(const std::string& question, const std::string& conditions, const std::string& q, bool a,
                 const std::string& behavior = "") {
  const auto items = R"({"linkId":"q",)" + question + R"(},{"linkId":"a","type":"string","required":true,)" +
                     (behavior.empty() ? "" : R"("enableBehavior":")" + behavior + "\",") + R"("enableWhen":[)" + conditions +
                     "]}";
  std::string answers = q.empty() ? "" : R"("q":)" + q;
  if (a)
    answers += std::string{answers.empty() ? "" : ","} + R"("a":"x")";
  return check(items, "{" + answers + "}");
}

std::string asked(const std::string& question, const std::string& condition, const std::string& q,
                  const std::string& behavior = "") {
  const auto answered = with(question, condition, q, true, behavior);
  const auto left_out = with(question, condition, q, false, behavior);
  if (answered == "" && left_out == "required@a")
    return "yes";
  if (answered == "not-enabled@a" && left_out == "")
    return "no";
  return answered + "|" + left_out;
}

std::string condition(const std::string& operation, const std::string& answer) {
  return R"({"question":"q","operator":")" + operation + R"(",)" + answer + "}";
}

} // namespace

BOOST_AUTO_TEST_CASE(exists_looks_for_any_answer) {
  BOOST_TEST(asked(R"("type":"string")", condition("exists", R"("answerBoolean":true)"), "\"x\"") == "yes");
  BOOST_TEST(asked(R"("type":"string")", condition("exists", R"("answerBoolean":true)"), "") == "no");
  BOOST_TEST(asked(R"("type":"string")", condition("exists", R"("answerBoolean":false)"), "\"x\"") == "no");
  BOOST_TEST(asked(R"("type":"string")", condition("exists", R"("answerBoolean":false)"), "") == "yes");
}

BOOST_AUTO_TEST_CASE(numbers_compare_by_every_operator) {
  const auto q = R"("type":"integer")";
  const auto is = [&](const std::string& operation, const std::string& answer) {
    return asked(q, condition(operation, R"("answerInteger":5)"), answer);
  };
  BOOST_TEST(is("=", "5") == "yes");
  BOOST_TEST(is("=", "6") == "no");
  BOOST_TEST(is("!=", "5") == "no");
  BOOST_TEST(is("!=", "6") == "yes");
  BOOST_TEST(is(">", "5") == "no");
  BOOST_TEST(is(">", "6") == "yes");
  BOOST_TEST(is("<", "5") == "no");
  BOOST_TEST(is("<", "4") == "yes");
  BOOST_TEST(is(">=", "5") == "yes");
  BOOST_TEST(is(">=", "4") == "no");
  BOOST_TEST(is("<=", "5") == "yes");
  BOOST_TEST(is("<=", "6") == "no");
  for (const auto* operation : {"=", "!=", ">", "<", ">=", "<="})
    BOOST_TEST(is(operation, "") == "no"); // without an answer only "does not exist" holds
}

BOOST_AUTO_TEST_CASE(every_type_of_answer_can_be_compared) {
  BOOST_TEST(asked(R"("type":"boolean")", condition("=", R"("answerBoolean":false)"), "false") == "yes");
  BOOST_TEST(asked(R"("type":"boolean")", condition("=", R"("answerBoolean":false)"), "true") == "no");
  BOOST_TEST(asked(R"("type":"decimal")", condition(">", R"("answerDecimal":1.5)"), "1.6") == "yes");
  BOOST_TEST(asked(R"("type":"date")", condition("<", R"("answerDate":"2024-05-01")"), "\"2024-04-30\"") == "yes");
  BOOST_TEST(asked(R"("type":"date")", condition("<", R"("answerDate":"2024-05-01")"), "\"2024\"") == "no");
  BOOST_TEST(asked(R"("type":"dateTime")", condition("=", R"("answerDateTime":"2024-05-01T00:00:00Z")"),
                   "\"2024-05-01T02:00:00+02:00\"") == "yes");
  BOOST_TEST(asked(R"("type":"time")", condition(">=", R"("answerTime":"12:00:00")"), "\"12:00:00\"") == "yes");
  BOOST_TEST(asked(R"("type":"string")", condition("=", R"("answerString":"x")"), "\"x\"") == "yes");
  BOOST_TEST(asked(R"("type":"string")", condition("!=", R"("answerString":"x")"), "\"y\"") == "yes");
  BOOST_TEST(asked(R"("type":"reference")", condition("=", R"("answerReference":{"reference":"P/1"})"), "\"P/1\"") == "yes");
  BOOST_TEST(asked(R"("type":"choice","answerOption":[{"valueCoding":{"code":"x"}},{"valueCoding":{"code":"y"}}])",
                   condition("=", R"("answerCoding":{"system":"s","code":"x"})"), "\"x\"") == "yes");
  BOOST_TEST(asked(R"("type":"choice","answerOption":[{"valueCoding":{"code":"x"}},{"valueCoding":{"code":"y"}}])",
                   condition("=", R"("answerCoding":{"code":"x"})"), "\"y\"") == "no");
  BOOST_TEST(asked(R"("type":"choice")", condition("=", R"("answerCoding":{"code":"x"})"), "\"x\"") == "yes");
  BOOST_TEST(asked(R"("type":"open-choice")", condition("=", R"("answerString":"x")"), "\"x\"") == "yes");
  BOOST_TEST(asked(R"("type":"choice","answerOption":[{"valueInteger":1},{"valueInteger":9}])",
                   condition(">", R"("answerInteger":5)"), "9") == "yes");
  BOOST_TEST(asked(R"("type":"quantity")", condition("<", R"("answerQuantity":{"value":14,"code":"d"})"),
                   R"({"value":3,"code":"d"})") == "yes");
  BOOST_TEST(asked(R"("type":"quantity")", condition("<", R"("answerQuantity":{"value":14,"code":"d"})"),
                   R"({"value":3,"code":"wk"})") == "no");
  BOOST_TEST(asked(R"("type":"quantity")", condition("<", R"("answerQuantity":{"value":14,"code":"d"})"), "3") == "yes");
}

BOOST_AUTO_TEST_CASE(of_several_answers_one_is_enough_but_for_unequal_all_count) {
  const auto q = R"("type":"integer","repeats":true)";
  BOOST_TEST(asked(q, condition("=", R"("answerInteger":5)"), "[1,5]") == "yes");
  BOOST_TEST(asked(q, condition("!=", R"("answerInteger":5)"), "[1,5]") == "no");
  BOOST_TEST(asked(q, condition("!=", R"("answerInteger":5)"), "[1,2]") == "yes");
}

BOOST_AUTO_TEST_CASE(conditions_are_joined_by_all_or_any) {
  const auto two = condition(">", R"("answerInteger":1)") + "," + condition("<", R"("answerInteger":5)");
  BOOST_TEST(asked(R"("type":"integer")", two, "3", "all") == "yes");
  BOOST_TEST(asked(R"("type":"integer")", two, "7", "all") == "no");
  BOOST_TEST(asked(R"("type":"integer")", two, "7", "any") == "yes");
  BOOST_TEST(asked(R"("type":"integer")", two, "", "any") == "no");
}

BOOST_AUTO_TEST_CASE(an_answer_that_is_wrong_itself_causes_no_second_problem) {
  BOOST_TEST(with(R"("type":"integer")", condition("=", R"("answerInteger":5)"), "\"x\"", false) == "type@q");
  BOOST_TEST(with(R"("type":"integer")", condition("=", R"("answerInteger":5)"), "\"x\"", true) == "type@q");
}

BOOST_AUTO_TEST_CASE(what_lies_in_something_not_asked_is_not_asked) {
  const std::string items =
      R"({"linkId":"q","type":"boolean"},{"linkId":"g","type":"group","enableWhen":[{"question":"q","operator":"=","answerBoolean":true}],
    "item":[{"linkId":"h","type":"group","item":[{"linkId":"a","type":"string","required":true}]}]})";
  BOOST_TEST(check(items, R"({"q":false})") == "");
  BOOST_TEST(check(items, R"({"q":true})") == "required@a");
  BOOST_TEST(check(items, R"({"q":false,"a":"x"})") == "not-enabled@a");
}

BOOST_AUTO_TEST_CASE(what_lies_within_a_question_needs_its_answer) {
  const std::string items = R"({"linkId":"q","type":"boolean","item":[{"linkId":"a","type":"string","required":true}]})";
  BOOST_TEST(check(items, "{}") == "");
  BOOST_TEST(check(items, R"({"q":true})") == "required@a");
  BOOST_TEST(check(items, R"({"q":false,"a":"x"})") == "");
  BOOST_TEST(check(items, R"({"a":"x"})") == "not-enabled@a");
}

BOOST_AUTO_TEST_CASE(a_condition_may_look_ahead) {
  const std::string items =
      R"({"linkId":"a","type":"string","enableWhen":[{"question":"z","operator":"=","answerBoolean":true}]},{"linkId":"z","type":"boolean"})";
  BOOST_TEST(check(items, R"({"a":"x","z":true})") == "");
  BOOST_TEST(check(items, R"({"a":"x","z":false})") == "not-enabled@a");
}

BOOST_AUTO_TEST_SUITE_END()
