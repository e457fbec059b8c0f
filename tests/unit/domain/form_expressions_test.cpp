// Expressions of a form on whole responses: what is calculated, asked and constrained; and what is refused when a form is read.
#include "domain/form_plan.hpp"
#include "expression_fixture.hpp"
#include "response_fixture.hpp"

using namespace epione::domain;
using namespace epione::domain::test;

namespace {

const std::string numbers = item_of("a", "decimal") + "," + item_of("b", "decimal") + ",";
const std::string sum_of_both = "%resource.item.where(linkId='a').answer.value + %resource.item.where(linkId='b').answer.value";

std::string decimals(const std::string& a, const std::string& b, const std::string& total = "") {
  return answer_of("a", "\"valueDecimal\":" + a) + "," + answer_of("b", "\"valueDecimal\":" + b) +
         (total.empty() ? "" : "," + answer_of("total", "\"valueDecimal\":" + total));
}

std::string messages(const std::vector<fhir_issue>& issues) {
  std::string text;
  for (const auto& i : issues)
    text += i.message + "\n";
  return text;
}

bool says(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

/// What is found in a form of these items and members beside them, as text: places and sentences.
std::string form_says(const std::string& items, const std::string& more = "") {
  const auto issues = compile_form(items, more).issues;
  return line_of(issues) + "\n" + messages(issues);
}

} // namespace

BOOST_AUTO_TEST_SUITE(form_expressions)

BOOST_AUTO_TEST_CASE(a_calculated_answer_must_be_what_the_form_calculates) {
  const auto items = numbers + item_of("total", "decimal", with(sdc("calculatedExpression", sum_of_both)));
  BOOST_TEST(findings(items, decimals("0.1", "0.2", "0.3")) == "");
  BOOST_TEST(findings(items, decimals("0.1", "0.2", "0.30000000000000004")) == ""); // as a sum in binary fractions gives it
  BOOST_TEST(findings(items, decimals("0.1", "0.2")) == "");
  BOOST_TEST(findings(items, decimals("0.1", "0.2", "0.4")) == "error invariant total item[2]");
  BOOST_TEST(findings(items, decimals("1000", "1", "1001.1")) == "error invariant total item[2]");
  // What the expression has no result for was not to be answered.
  BOOST_TEST(findings(items, answer_of("a", "\"valueDecimal\":1") + "," + answer_of("total", "\"valueDecimal\":1")) ==
             "error invariant total item[1]");
}

BOOST_AUTO_TEST_CASE(a_calculated_decimal_may_be_rounded_as_its_item_says) {
  const auto items = numbers + item_of("total", "decimal",
                                       with(sdc("calculatedExpression", "%resource.item.where(linkId='a').answer.value / 3") +
                                            "," + fhir_extension("maxDecimalPlaces", "\"valueInteger\":1")));
  BOOST_TEST(findings(items, decimals("10", "0", "3.3")) == "");
  BOOST_TEST(findings(items, decimals("10", "0", "3.4")) == "error invariant total item[2]");
}

BOOST_AUTO_TEST_CASE(every_type_is_compared_as_it_is_written) {
  const auto says_of = [](const std::string& type, const std::string& expression, const std::string& value,
                          const std::string& more = "") {
    return findings(item_of("x", type, with(sdc("calculatedExpression", expression)) + more), answer_of("x", value));
  };
  const std::string differs = "error invariant x item[0]";
  BOOST_TEST(says_of("integer", "2.0 + 1.0", "\"valueInteger\":3") == "");
  BOOST_TEST(says_of("integer", "3", "\"valueInteger\":4") == differs);
  BOOST_TEST(says_of("boolean", "true", "\"valueBoolean\":true") == "");
  BOOST_TEST(says_of("boolean", "true", "\"valueBoolean\":false") == differs);
  BOOST_TEST(says_of("string", "'x' & 'y'", "\"valueString\":\"xy\"") == "");
  BOOST_TEST(says_of("string", "'x'", "\"valueString\":\"y\"") == differs);
  BOOST_TEST(says_of("date", "@2024-05-01 + 1 month", "\"valueDate\":\"2024-06-01\"") == "");
  BOOST_TEST(says_of("date", "@2024-05-01", "\"valueDate\":\"2024-05\"") == differs);
  BOOST_TEST(says_of("dateTime", "@2024-05-01T12:00:00Z", "\"valueDateTime\":\"2024-05-01T14:00:00+02:00\"") == "");
  BOOST_TEST(says_of("time", "@T12:30:00", "\"valueTime\":\"12:30:00\"") == "");
  BOOST_TEST(says_of("quantity", "2 'kg'",
                     R"("valueQuantity":{"value":2000,"unit":"g","system":"http://unitsofmeasure.org","code":"g"})") == "");
  BOOST_TEST(says_of("quantity", "2 'kg'",
                     R"("valueQuantity":{"value":2,"unit":"g","system":"http://unitsofmeasure.org","code":"g"})") == differs);
  const auto options =
      R"(,"answerOption":[{"valueCoding":{"system":"http://s","code":"m"}},{"valueCoding":{"system":"http://s","code":"f"}}])";
  BOOST_TEST(says_of("choice", "'m'", R"("valueCoding":{"system":"http://s","code":"m"})", options) == "");
  BOOST_TEST(says_of("choice", "'f'", R"("valueCoding":{"system":"http://s","code":"m"})", options) == differs);
  BOOST_TEST(
      says_of("choice", "%qitem.answerOption.value.first()", R"("valueCoding":{"system":"http://s","code":"m"})", options) == "");
}

BOOST_AUTO_TEST_CASE(values_are_calculated_in_the_order_in_which_they_need_each_other) {
  // "last" needs "middle", which needs "first"; none of them is sent but the one that is looked at.
  const auto items =
      item_of("last", "integer", with(sdc("calculatedExpression", "%resource.item.where(linkId='middle').answer.value * 2"))) +
      "," +
      item_of("g", "group",
              R"("item":[)" +
                  item_of("inner", "integer",
                          with(sdc("calculatedExpression", "%resource.item.where(linkId = 'last').answer.value + 1"))) +
                  "]") +
      "," +
      item_of("middle", "integer", with(sdc("calculatedExpression", "%resource.item.where('first' = linkId).answer.value + 1"))) +
      "," + item_of("first", "integer", with(sdc("calculatedExpression", "5")));
  BOOST_TEST(findings(items, answer_of("last", "\"valueInteger\":12")) == "");
  BOOST_TEST(findings(items, answer_of("last", "\"valueInteger\":10")) == "error invariant last item[0]");
  BOOST_TEST(findings(items, R"({"linkId":"g","item":[)" + answer_of("inner", "\"valueInteger\":13") + "]}") == "");
  BOOST_TEST(findings(items, R"({"linkId":"g","item":[)" + answer_of("inner", "\"valueInteger\":12") + "]}") ==
             "error invariant inner item[0].item[0]");
}

BOOST_AUTO_TEST_CASE(a_circle_of_calculations_or_of_variables_is_refused) {
  const auto needs = [](const std::string& own, const std::string& other) {
    return item_of(own, "integer",
                   with(sdc("calculatedExpression", "%resource.item.where(linkId='" + other + "').answer.value")));
  };
  BOOST_TEST(form_says(needs("a", "b") + "," + needs("b", "a"))
                 .starts_with("error invalid a item[0].extension[0]; error invalid b item[1].extension[0]\n"));
  BOOST_TEST(form_says(needs("a", "a")).starts_with("error invalid a item[0].extension[0]\n"));
  // What an expression looks up in the form is no answer of its own, unless answers are looked at there.
  const auto looks_up = [](const std::string& condition) {
    return form_says(
        item_of("a", "integer", with(sdc("calculatedExpression", "%questionnaire.item.where(" + condition + ").count()"))));
  };
  BOOST_TEST(!looks_up("linkId = 'a'").starts_with("error"));
  BOOST_TEST(
      looks_up("%resource.item.where(linkId = 'a').answer.exists()").starts_with("error invalid a item[0].extension[0]\n"));
  // Also when variables are between them.
  BOOST_TEST(form_says(item_of("a", "integer",
                               with(variable("v", "%resource.item.where(linkId='a').answer.value") + "," +
                                    sdc("calculatedExpression", "%v + 1"))))
                 .starts_with("error invalid a item[0].extension[1]\n"));
  const auto circle = form_says(item_of("a", "integer"), with(variable("x", "%y") + "," + variable("y", "%x")) + ",");
  BOOST_TEST(circle.starts_with("error invalid - extension[0]; error invalid - extension[1]\n"), circle);
  BOOST_TEST(says(circle, "%x needs itself"), circle);
}

BOOST_AUTO_TEST_CASE(variables_are_those_of_the_item_and_of_what_is_around_it) {
  // %v is the group's in it and the form's outside; %w is evaluated for each repetition of the group by itself.
  const auto group =
      item_of("g", "group",
              R"("repeats":true,)" + with(variable("v", "'inner'") + "," + variable("w", "item.where(linkId='n').answer.value")) +
                  R"(,"item":[)" + item_of("n", "integer") + "," +
                  item_of("double", "integer", with(sdc("calculatedExpression", "%w * 2"))) + "," +
                  item_of("in", "string", with(sdc("calculatedExpression", "%v"))) + "]");
  const auto items = group + "," + item_of("out", "string", with(sdc("calculatedExpression", "%v & %u")));
  const auto form =
      compile_form(items, with(variable("u", "%v.length().toString()") + "," + variable("v", "'outer'")) + ",").form;
  const auto repetition = [](const std::string& n, const std::string& twice) {
    return R"({"linkId":"g","item":[)" + answer_of("n", "\"valueInteger\":" + n) + "," +
           answer_of("double", "\"valueInteger\":" + twice) + "," + answer_of("in", "\"valueString\":\"inner\"") + "]}";
  };
  const auto check = [&](const std::string& answers) { return line_of(issues_of(form, response_json(answers))); };
  BOOST_TEST(check(repetition("1", "2") + "," + repetition("5", "10") + "," + answer_of("out", "\"valueString\":\"outer5\"")) ==
             "");
  BOOST_TEST(check(repetition("1", "2") + "," + repetition("5", "2")) == "error invariant double item[1].item[1]");
  BOOST_TEST(check(answer_of("out", "\"valueString\":\"inner5\"")) == "error invariant out item[0]");
}

BOOST_AUTO_TEST_CASE(an_expression_decides_whether_an_item_is_asked) {
  const auto items =
      item_of("a", "integer") + "," +
      item_of("b", "string",
              R"("required":true,)" + with(sdc("enableWhenExpression", "%resource.item.where(linkId='a').answer.value > 5")));
  const auto a = [](int n) { return answer_of("a", "\"valueInteger\":" + std::to_string(n)); };
  const auto b = answer_of("b", "\"valueString\":\"x\"");
  BOOST_TEST(findings(items, a(6) + "," + b) == "");
  BOOST_TEST(findings(items, a(6)) == "error required b -");
  BOOST_TEST(findings(items, a(5)) == "");
  BOOST_TEST(findings(items, a(5) + "," + b) == "error business-rule b item[1]");
  BOOST_TEST(findings(items, "") == ""); // nothing is not true
}

BOOST_AUTO_TEST_CASE(each_repetition_decides_by_itself) {
  const auto items =
      item_of("g", "group",
              R"("repeats":true,)" + with(variable("n", "item.where(linkId='n').answer.value")) + R"(,"item":[)" +
                  item_of("n", "integer") + "," +
                  item_of("why", "string", R"("required":true,)" + with(sdc("enableWhenExpression", "%n > 1"))) + "]");
  const auto repetition = [](int n, bool why) {
    return R"({"linkId":"g","item":[)" + answer_of("n", "\"valueInteger\":" + std::to_string(n)) +
           (why ? "," + answer_of("why", "\"valueString\":\"x\"") : std::string{}) + "]}";
  };
  BOOST_TEST(findings(items, repetition(1, false) + "," + repetition(2, true)) == "");
  BOOST_TEST(findings(items, repetition(1, true) + "," + repetition(2, true)) == "error business-rule why item[0].item[1]");
  BOOST_TEST(findings(items, repetition(1, false) + "," + repetition(2, false)) == "error required why item[1]");
}

BOOST_AUTO_TEST_CASE(a_constraint_says_what_its_designer_wrote_where_it_says) {
  const std::string later = "item.where(linkId='end').answer.value >= item.where(linkId='start').answer.value";
  const auto dates = item_of("start", "date") + "," + item_of("end", "date");
  const auto group = [&](const std::string& rule) { return item_of("g", "group", with(rule) + R"(,"item":[)" + dates + "]"); };
  const auto given = [](const std::string& start, const std::string& end) {
    return R"({"linkId":"g","item":[)" + answer_of("start", "\"valueDate\":\"" + start + "\"") +
           (end.empty() ? "" : "," + answer_of("end", "\"valueDate\":\"" + end + "\"")) + "]}";
  };
  const auto form = group(constraint("later", later));
  BOOST_TEST(findings(form, given("2024-05-01", "2024-05-02")) == "");
  BOOST_TEST(findings(form, given("2024-05-01", "2024-04-30")) == "error invariant g item[0]");
  BOOST_TEST(findings(form, given("2024-05-01", "")) == ""); // what is not answered breaks no rule
  BOOST_TEST(findings(group(constraint("later", later, "warning")), given("2024-05-01", "2024-04-30")) ==
             "warning invariant g item[0]");
  const auto issues = issues_of(compile_form(form).form, response_json(given("2024-05-01", "2024-04-30")));
  BOOST_TEST(messages(issues) == "Rule later (constraint later)\n");
  const auto at = [&](const std::string& location) {
    return findings(group(constraint("k", later, "error", R"(,{"url":"location","valueString":)" + quoted_json(location) + "}")),
                    given("2024-05-01", "2024-04-30"));
  };
  BOOST_TEST(at("end") == "error invariant end item[0].item[1]");
  BOOST_TEST(at("item.where(linkId='start').answer.value") == "error invariant start item[0].item[0].answer[0].value");
  // SDC's own: the expression is an Expression.
  BOOST_TEST(
      findings(
          item_of(
              "x", "integer",
              with(R"({"url":"http://hl7.org/fhir/StructureDefinition/targetConstraint","extension":[)"
                   R"({"url":"key","valueId":"t"},{"url":"severity","valueCode":"error"},{"url":"human","valueString":"h"},)"
                   R"({"url":"expression","valueExpression":{"language":"text/fhirpath","expression":"answer.value > 3"}}]})")),
          answer_of("x", "\"valueInteger\":3")) == "error invariant x item[0]");
}

BOOST_AUTO_TEST_CASE(a_constraint_of_the_form_looks_at_the_whole_response) {
  const auto form = compile_form(item_of("a", "integer"),
                                 with(constraint("some", "item.answer.exists() and %questionnaire.item.count() = 1")) + ",")
                        .form;
  BOOST_TEST(line_of(issues_of(form, response_json(answer_of("a", "\"valueInteger\":3")))) == "");
  BOOST_TEST(line_of(issues_of(form, response_json(""))) == "error invariant - -");
}

BOOST_AUTO_TEST_CASE(weights_of_options_are_added_by_expressions) {
  const auto option = [](const char* code, int weight) {
    return R"({"extension":[{"url":"http://hl7.org/fhir/StructureDefinition/ordinalValue","valueDecimal":)" +
           std::to_string(weight) + R"(}],"valueCoding":{"system":"http://s","code":")" + code + "\"}}";
  };
  const auto options = R"("answerOption":[)" + option("no", 0) + "," + option("yes", 3) + "]";
  const auto reversed = R"("answerOption":[)" + option("no", 3) + "," + option("yes", 0) + "]";
  const auto items =
      item_of("q1", "choice", options) + "," + item_of("q2", "choice", reversed) + "," +
      item_of("total", "integer", with(sdc("calculatedExpression", "%resource.item.answer.value.ordinal().sum()")));
  const auto answer = [](const char* id, const char* code) {
    return answer_of(id, R"("valueCoding":{"system":"http://s","code":")" + std::string{code} + "\"}");
  };
  const auto total = [](int n) { return "," + answer_of("total", "\"valueInteger\":" + std::to_string(n)); };
  BOOST_TEST(findings(items, answer("q1", "yes") + "," + answer("q2", "no") + total(6)) == "");
  BOOST_TEST(findings(items, answer("q1", "yes") + "," + answer("q2", "yes") + total(3)) == "");
  BOOST_TEST(findings(items, answer("q1", "yes") + "," + answer("q2", "yes") + total(6)) == "error invariant total item[2]");
}

BOOST_AUTO_TEST_CASE(what_is_wrong_with_an_expression_is_told_with_its_position) {
  const auto of = [](const std::string& extension) { return form_says(item_of("a", "integer", with(extension))); };
  const auto parse = of(sdc("calculatedExpression", "1 +\n  sun(2)"));
  BOOST_TEST(parse.starts_with("error invalid a item[0].extension[0]\n"), parse);
  BOOST_TEST(says(parse, "line 2, column 3"), parse);
  BOOST_TEST(says(of(sdc("calculatedExpression", "resolve()")), "resolve"));
  BOOST_TEST(of(sdc("calculatedExpression", "x", "text/cql")).starts_with("warning not-supported a item[0].extension[0]\n"));
  BOOST_TEST(says(of(sdc("enableWhenExpression", "x", "application/x-fhir-query")), "application/x-fhir-query"));
  BOOST_TEST(of(sdc("calculatedExpression", "%nobody")).starts_with("warning not-found a item[0].extension[0]\n"));
  BOOST_TEST(of(variable("resource", "1")).starts_with("error invalid a item[0].extension[0]\n"));
  BOOST_TEST(of(variable("v", "1") + "," + variable("v", "2")).starts_with("error invalid a item[0].extension[1]\n"));
  BOOST_TEST(of(sdc("calculatedExpression", "1") + "," + sdc("calculatedExpression", "2"))
                 .starts_with("error invalid a item[0].extension[1]\n"));
  BOOST_TEST(
      form_says(item_of("g", "group", with(sdc("calculatedExpression", "1")) + R"(,"item":[)" + item_of("a", "text") + "]"))
          .starts_with("error invalid g item[0].extension[0]\n"));
  const auto both = form_says(item_of("a", "boolean") + "," +
                              item_of("b", "string",
                                      with(sdc("enableWhenExpression", "true")) +
                                          R"(,"enableWhen":[{"question":"a","operator":"exists","answerBoolean":true}])"));
  BOOST_TEST(both.starts_with("error invalid b item[1].extension[0]\n"), both);
}

BOOST_AUTO_TEST_CASE(a_form_for_submissions_is_refused_when_a_rule_of_it_would_be_missing) {
  const auto refused = [](const std::string& extension) {
    std::vector<import_problem> problems;
    file_problems file{"f.json", problems};
    compile_questionnaire(
        R"({"resourceType":"Questionnaire","status":"active","item":[)" + item_of("a", "integer", with(extension)) + "]}", file);
    return problems.empty() ? std::string{} : problems.front().place + ": " + problems.front().message;
  };
  BOOST_TEST(refused(sdc("enableWhenExpression", "true")) == "");
  BOOST_TEST(refused(constraint("k", "answer.value > 1")) == "");
  BOOST_TEST(refused(sdc("calculatedExpression", "x", "text/cql")) == ""); // decides nothing: it is only not calculated
  BOOST_TEST(
      says(refused(sdc("enableWhenExpression", "x", "text/cql")), "item[0].extension[0] (linkId a): enableWhenExpression"));
  BOOST_TEST(says(refused(constraint("k", "%nobody = 1")), "no variable %nobody"));
  BOOST_TEST(says(refused(sdc("answerExpression", "1")), "is not supported"));
  BOOST_TEST(says(refused(constraint("k", "answer.value >")), "line 1, column 15"));
}

BOOST_AUTO_TEST_CASE(an_expression_that_cannot_be_evaluated_is_said_so_and_never_passed_over) {
  const auto two = item_of("m", "integer", R"("repeats":true)");
  const auto answers = R"({"linkId":"m","answer":[{"valueInteger":1},{"valueInteger":2}]})";
  const std::string several = "%resource.item.where(linkId='m').answer.value > 1";
  const auto of = [&](const std::string& extension, const std::string& more = "") {
    return findings(two + "," + item_of("x", "boolean", with(extension)), answers + more);
  };
  const auto x = "," + answer_of("x", "\"valueBoolean\":true");
  BOOST_TEST(of(constraint("k", several), x) == "error not-supported x item[1]");
  BOOST_TEST(of(constraint("k", several, "warning"), x) == "warning not-supported x item[1]");
  BOOST_TEST(findings(two + "," + item_of("x", "boolean", R"("required":true,)" + with(sdc("enableWhenExpression", several))),
                      answers) == "error not-supported x -");
  BOOST_TEST(of(sdc("calculatedExpression", several), x) == "error not-supported x item[1]");
  BOOST_TEST(of(sdc("calculatedExpression", several)) == "warning not-supported x -");
  BOOST_TEST(of(sdc("calculatedExpression", "'text'"), x) == "error not-supported x item[1]"); // no answer to a boolean
  const auto issues = issues_of(compile_form(two + "," + item_of("x", "boolean", with(constraint("k", several)))).form,
                                response_json(answers + x));
  BOOST_TEST(says(messages(issues), "line 1, column"), messages(issues));
}

BOOST_AUTO_TEST_CASE(all_expressions_together_take_limited_steps) {
  std::string items, answers;
  for (int i = 0; i < 900; ++i) {
    items += item_of("q" + std::to_string(i), "integer", with(constraint("k", "%resource.descendants().count() > 0"))) + ",";
    answers += answer_of("q" + std::to_string(i), "\"valueInteger\":1") + ",";
  }
  items +=
      item_of("last", "integer", with(constraint("slow", "%resource.repeat(item).select(%resource.repeat(item)).count() > 0")));
  answers += answer_of("last", "\"valueInteger\":1");
  const auto line = line_of(issues_of(compile_form(items).form, response_json(answers)));
  BOOST_TEST(says(line, "error not-supported"), line);
}

BOOST_AUTO_TEST_CASE(expressions_are_judged_only_when_nothing_else_is_wrong) {
  const auto items = item_of("a", "decimal", R"("required":true)") + "," + item_of("b", "decimal") + "," +
                     item_of("total", "decimal", with(sdc("calculatedExpression", sum_of_both)));
  BOOST_TEST(findings(items, answer_of("b", "\"valueDecimal\":1") + "," + answer_of("total", "\"valueDecimal\":3")) ==
             "error required a -");
}

BOOST_AUTO_TEST_CASE(today_is_the_day_on_which_the_response_was_authored) {
  const auto items = item_of("d", "date", with(sdc("calculatedExpression", "today()")));
  const auto form = compile_form(items).form;
  const auto check = [&](const std::string& authored, const std::string& day) {
    return line_of(
        issues_of(form, R"({"resourceType":"QuestionnaireResponse","questionnaire":"http://x/q","status":"completed",)" +
                            authored + R"("item":[)" + answer_of("d", "\"valueDate\":\"" + day + "\"") + "]}"));
  };
  BOOST_TEST(check(R"("authored":"2024-05-01T23:30:00+02:00",)", "2024-05-01") == "");
  BOOST_TEST(check(R"("authored":"2024-05-01T23:30:00-04:00",)", "2024-05-01") == "");
  BOOST_TEST(check(R"("authored":"2024-05-01T23:30:00-04:00",)", "2024-05-02") == "error invariant d item[0]");
}

BOOST_AUTO_TEST_CASE(a_form_without_expressions_has_no_plan) {
  BOOST_TEST(!compile_form(item_of("a", "integer")).form.plan);
  BOOST_TEST(!compile_form(item_of("a", "integer", with(variable("unused", "1")))).form.plan);
}

BOOST_AUTO_TEST_SUITE_END()
