// Scores as a study file declares them, and what is wrong with declarations.
#include "study_fixture.hpp"

using namespace epione::domain;
using namespace epione::domain::test;

namespace {

const std::string five_items = [] {
  std::string items;
  for (int i = 1; i <= 5; ++i)
    items += std::string{i == 1 ? "" : ","} + R"({"linkId":"q)" + std::to_string(i) +
             R"(","type":"integer","extension":[{"url":"http://hl7.org/fhir/StructureDefinition/minValue","valueInteger":1},)"
             R"({"url":"http://hl7.org/fhir/StructureDefinition/maxValue","valueInteger":5}]})";
  return items;
}();

std::string declared(const std::string& name, const std::string& rest) {
  return "[[forms.scores]]\nname = \"" + name + "\"\n" + rest + "\n";
}

const std::string all_five = "items = [\"q1\", \"q2\", \"q3\", \"q4\", \"q5\"]\n";

/// "name=value label; ..." of what these scores give for answers.
std::string scored(const std::string& scores, const std::string& answers) {
  const auto v = assess_answers(*compiled(source_of(five_items, scores)), answers);
  if (!v.accepted())
    return codes_of(v);
  std::string text;
  for (const auto& s : v.scores) {
    std::string number;
    append_json_number(number, s.value);
    text += (text.empty() ? "" : "; ") + s.name + "=" + number + (s.label.empty() ? "" : " " + s.label);
  }
  return text;
}

std::string problem_with(const std::string& scores) {
  return problems_of(source_of(five_items, scores));
}

bool says(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

constexpr auto everything = R"({"q1":1,"q2":2,"q3":3,"q4":4,"q5":5})";
constexpr auto four = R"({"q1":1,"q2":2,"q3":3,"q4":4})";

} // namespace

BOOST_AUTO_TEST_SUITE(scoring)

BOOST_AUTO_TEST_CASE(a_sum_and_a_mean_need_every_item_unless_fewer_are_said_to_do) {
  BOOST_TEST(scored(declared("s", "method = \"sum\"\n" + all_five), everything) == "s=15");
  BOOST_TEST(scored(declared("s", "method = \"sum\"\n" + all_five), four) == "");
  BOOST_TEST(scored(declared("s", "method = \"sum\"\nmin_answered = 4\n" + all_five), four) == "s=10");
  BOOST_TEST(scored(declared("m", "method = \"mean\"\n" + all_five), everything) == "m=3");
  BOOST_TEST(scored(declared("m", "method = \"mean\"\n" + all_five), four) == "");
  BOOST_TEST(scored(declared("m", "method = \"mean\"\nmin_answered = 4\n" + all_five), four) == "m=2.5");
}

BOOST_AUTO_TEST_CASE(a_prorated_score_is_the_mean_of_the_answers_times_all_items) {
  const auto rule = declared("p", "method = \"prorated\"\nmin_answered = 3\n" + all_five);
  BOOST_TEST(scored(rule, everything) == "p=15");
  BOOST_TEST(scored(rule, four) == "p=12.5");
  BOOST_TEST(scored(declared("p", "method = \"prorated\"\nmin_answered = 3\nround = 0\n" + all_five), four) == "p=13");
  BOOST_TEST(scored(rule, R"({"q1":1,"q2":2})") == "");
}

BOOST_AUTO_TEST_CASE(a_reversed_item_counts_from_the_other_end_of_its_scale) {
  const auto rule = declared("r", all_five + "reversed = [\"q1\", \"q5\"]\nscale = { min = 1, max = 5 }\n");
  BOOST_TEST(scored(rule, everything) == "r=15"); // 5 + 2 + 3 + 4 + 1
  BOOST_TEST(scored(rule, R"({"q1":1,"q2":1,"q3":1,"q4":1,"q5":1})") == "r=13");
}

BOOST_AUTO_TEST_CASE(a_score_counts_other_scores_and_has_its_own_bands) {
  const auto rules =
      declared("a", "items = [\"q1\", \"q2\"]") + declared("b", "method = \"mean\"\nitems = [\"q3\", \"q4\"]") +
      declared("all", "scores = [\"a\", \"b\"]\nitems = [\"q5\"]\nbands = [{ from = 0, label = \"low\" }, { from = 10, "
                      "label = \"high\" }]");
  BOOST_TEST(scored(rules, everything) == "a=3; b=3.5; all=11.5 high");
  BOOST_TEST(scored(rules, R"({"q1":1,"q2":1,"q3":1,"q4":1,"q5":1})") == "a=2; b=1; all=4 low");
  BOOST_TEST(scored(rules, R"({"q1":1,"q2":1,"q3":1,"q5":1})") == "a=2");
}

BOOST_AUTO_TEST_CASE(a_table_gives_the_standard_score_of_a_raw_one) {
  const auto rules =
      declared("raw", "items = [\"q1\", \"q2\"]") +
      declared("t", "method = \"table\"\nscore = \"raw\"\ntable = [{ raw = 2, value = 32.1 }, { raw = 3, value = 38.4 }]\n"
                    "bands = [{ from = 30, label = \"low\" }, { from = 35, label = \"usual\" }]");
  BOOST_TEST(scored(rules, everything) == "raw=3; t=38.4 usual");
  BOOST_TEST(scored(rules, R"({"q1":1,"q2":1})") == "raw=2; t=32.1 low");
  BOOST_TEST(scored(rules, R"({"q1":3,"q2":1})") == "raw=4"); // not in the table
  BOOST_TEST(scored(rules, R"({"q1":3})") == "");
}

BOOST_AUTO_TEST_CASE(an_expression_sees_the_answers_and_the_scores_above_it) {
  const auto rules = declared("raw", "items = [\"q1\", \"q2\"]") +
                     declared("e", "method = \"expression\"\nround = 1\n"
                                   "expression = \"%raw / 7 + %resource.item.where(linkId = 'q5').answer.value\"");
  BOOST_TEST(scored(rules, everything) == "raw=3; e=5.4");
  BOOST_TEST(scored(rules, four) == "raw=3"); // nothing plus something is nothing
  BOOST_TEST(scored(declared("n", "method = \"expression\"\nexpression = \"'text'\""), everything) == "");
}

BOOST_AUTO_TEST_CASE(all_problems_of_a_declaration_are_listed) {
  const auto many =
      problem_with(declared("a", "method = \"mean\"\nitems = [\"q1\", \"q9\"]\nreversed = [\"q2\"]\nmin_answered = 3") +
                   declared("b", "method = \"median\"\nitems = [\"q1\"]") + declared("c", "scores = [\"d\"]") +
                   declared("d", "method = \"table\"\nscore = \"a\"\nitems = [\"q1\"]") +
                   declared("e", "method = \"expression\"\nexpression = \"%x +\""));
  BOOST_TEST(says(many, "no item with the linkId \"q9\""), many);
  BOOST_TEST(says(many, "scale = { min = NUMBER, max = NUMBER }"), many);
  BOOST_TEST(says(many, "from 1 to 2, the number of items and scores"), many);
  BOOST_TEST(says(many, "\"median\" is not a method"), many);
  BOOST_TEST(says(many, "no score \"d\" above this one"), many);
  BOOST_TEST(says(many, "list of { raw = NUMBER, value = NUMBER }"), many);
  BOOST_TEST(says(many, "forms[0].scores[3].items"), many); // a table has no items
  BOOST_TEST(says(many, "line 1, column"), many);
}

BOOST_AUTO_TEST_CASE(what_would_make_a_score_wrong_is_refused) {
  const auto with = [](const std::string& rest) { return problem_with(declared("s", rest)); };
  BOOST_TEST(says(with("method = \"prorated\"\n" + all_five), "min_answered"));
  BOOST_TEST(says(with("items = [\"q1\"]\nreversed = [\"q1\"]\nscale = { min = 2, max = 5 }"), "outside of it"));
  BOOST_TEST(says(with("items = [\"q1\"]\nreversed = [\"q2\"]\nscale = { min = 1, max = 5 }"), "\"q2\" is not one of the items"));
  BOOST_TEST(says(with("items = [\"q1\"]\nscale = { min = 1, max = 5 }"), "nothing uses it"));
  BOOST_TEST(says(with("items = [\"q1\"]\nscale = { min = 5, max = 1 }\nreversed = [\"q1\"]"), "greater than min"));
  BOOST_TEST(says(with("items = [\"q1\"]\nround = 9"), "from 0 to 6"));
  BOOST_TEST(says(with("method = \"expression\"\nexpression = \"%other\""), "%other is neither %resource nor a score"));
  BOOST_TEST(says(declared("x", "") +
                      problem_with(declared("a", "items = [\"q1\"]") +
                                   declared("t", "method = \"table\"\nscore = \"a\"\ntable = [{ raw = 2, value = 1 }, { raw = 2, "
                                                 "value = 3 }]")),
                  "raw scores must ascend"));
}

BOOST_AUTO_TEST_SUITE_END()
