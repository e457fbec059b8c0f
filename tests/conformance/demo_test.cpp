// The demo study as it is shipped: its forms, scores, bands, alerts, sites and subjects.
#include "domain/compiled_study.hpp"
#include "files.hpp"

using namespace epione;
using namespace epione::conformance;

namespace {

const domain::study& demo() {
  static const auto study =
      compiled({read_file("examples/demo/study.toml"),
                {{"gad-7.json", read_file("examples/demo/gad-7.json")}, {"phq-9.json", read_file("examples/demo/phq-9.json")}}});
  return *study;
}

/// q1, q2, ... answered with these numbers.
nlohmann::json numbered(const std::vector<int>& values) {
  nlohmann::json answers = nlohmann::json::object();
  for (std::size_t i = 0; i < values.size(); ++i)
    answers["q" + std::to_string(i + 1)] = values[i];
  return answers;
}

domain::verdict assess(const std::string& form, const nlohmann::json& answers) {
  return demo().assess(content_of({{"form", form}, {"answers", answers}}));
}

/// `total` spread over `items` items that count 0 to 3, the last one as late as possible.
std::vector<int> spread(int total, std::size_t items) {
  std::vector<int> values(items, 0);
  for (auto& v : values) {
    v = std::min(3, total);
    total -= v;
  }
  return values;
}

std::string band(const std::string& form, int total, std::size_t items) {
  const auto v = assess(form, numbered(spread(total, items)));
  BOOST_TEST(v.accepted(), codes_of(v));
  BOOST_REQUIRE(v.scores.size() == 1u);
  BOOST_TEST(v.scores[0].name == "total");
  BOOST_TEST(v.scores[0].value == total);
  return v.scores[0].label;
}

std::string alerts(const nlohmann::json& answers) {
  std::string text;
  for (const auto& a : assess("phq-9", answers).alerts)
    text += (text.empty() ? "" : " ") + a.rule;
  return text;
}

} // namespace

BOOST_AUTO_TEST_SUITE(demo_study)

BOOST_AUTO_TEST_CASE(it_has_two_forms_fifty_sites_and_a_million_subjects) {
  const auto& study = demo().compiled();
  BOOST_TEST(demo().id() == "demo");
  BOOST_REQUIRE(study.forms.size() == 2u);
  BOOST_TEST(study.forms[0].id == "phq-9");
  BOOST_TEST(study.forms[0].version == "1.0");
  BOOST_TEST(study.forms[1].id == "gad-7");
  BOOST_TEST(study.forms[1].version == "1.0");
  BOOST_TEST(study.sites.size() == 50u);
  BOOST_TEST(demo().site_of("1").value() == "S01");
  BOOST_TEST(demo().site_of("50").value() == "S50");
  BOOST_TEST(demo().site_of("51").value() == "S01");
  BOOST_TEST(demo().site_of("1000000").value() == "S50");
  BOOST_TEST(!demo().site_of("0").has_value());
  BOOST_TEST(!demo().site_of("1000001").has_value());
  BOOST_TEST(!demo().site_of("01").has_value());
}

BOOST_AUTO_TEST_CASE(every_text_is_there_in_english_and_chinese) {
  for (const auto& form : demo().compiled().forms) {
    BOOST_TEST(form.form.language == "en");
    for (const auto& item : form.form.items) {
      BOOST_REQUIRE(item.text.translations.size() == 1u);
      BOOST_TEST(item.text.translations[0].first == "zh");
      for (const auto& option : item.options)
        BOOST_TEST(option.display.translations.size() == 1u);
    }
  }
}

BOOST_AUTO_TEST_CASE(the_depression_score_has_its_published_bands) {
  for (int total = 0; total <= 27; ++total) {
    const auto* expected = total < 5    ? "minimal"
                           : total < 10 ? "mild"
                           : total < 15 ? "moderate"
                           : total < 20 ? "moderately severe"
                                        : "severe";
    BOOST_TEST(band("phq-9", total, 9) == expected);
  }
}

BOOST_AUTO_TEST_CASE(the_anxiety_score_has_its_published_bands) {
  for (int total = 0; total <= 21; ++total)
    BOOST_TEST(band("gad-7", total, 7) == (total < 5 ? "minimal" : total < 10 ? "mild" : total < 15 ? "moderate" : "severe"));
}

BOOST_AUTO_TEST_CASE(numbers_and_codes_are_the_same_answer) {
  auto answers = numbered({0, 1, 2, 3, 0, 1, 2, 3, 0});
  const auto by_number = assess("phq-9", answers);
  answers["q2"] = "LA6569-3";
  answers["q4"] = "LA6571-9";
  const auto by_code = assess("phq-9", answers);
  BOOST_TEST(by_number.accepted());
  BOOST_TEST((by_number.answers == by_code.answers));
  BOOST_TEST(
      domain::json_from_msgpack(by_code.answers) ==
      R"({"q1":"LA6568-5","q2":"LA6569-3","q3":"LA6570-1","q4":"LA6571-9","q5":"LA6568-5","q6":"LA6569-3","q7":"LA6570-1",)"
      R"("q8":"LA6571-9","q9":"LA6568-5"})");
}

BOOST_AUTO_TEST_CASE(difficulty_is_optional_and_not_scored) {
  auto answers = numbered({1, 1, 1, 1, 1, 1, 1, 1, 0});
  answers["difficulty"] = "LA6575-0";
  const auto v = assess("phq-9", answers);
  BOOST_TEST(v.accepted(), codes_of(v));
  BOOST_TEST(v.scores.at(0).value == 8);
  answers["difficulty"] = 3; // it has no ordinal values
  BOOST_TEST(codes_of(assess("phq-9", answers)) == "not-an-option@difficulty");
}

BOOST_AUTO_TEST_CASE(every_question_is_required) {
  BOOST_TEST(codes_of(assess("phq-9", nlohmann::json::object())) ==
             "required@q1 required@q2 required@q3 required@q4 required@q5 required@q6 required@q7 required@q8 required@q9");
  BOOST_TEST(codes_of(assess("gad-7", numbered({0, 1, 2, 3, 0, 1}))) == "required@q7");
}

BOOST_AUTO_TEST_CASE(what_does_not_fit_is_refused_with_what_would) {
  auto answers = numbered({4, 1, 1, 1, 1, 1, 1, 1, 0});
  answers["q10"] = 1;
  const auto v = assess("phq-9", answers);
  BOOST_TEST(codes_of(v) == "not-an-option@q1 unknown-item@q10");
  BOOST_TEST(
      (v.problems.at(0).allowed == std::vector<std::string>{"LA6568-5", "LA6569-3", "LA6570-1", "LA6571-9", "0", "1", "2", "3"}));
}

BOOST_AUTO_TEST_CASE(alerts_are_raised_by_the_ninth_question_and_by_severity) {
  BOOST_TEST(alerts(numbered({0, 0, 0, 0, 0, 0, 0, 0, 0})) == "");
  BOOST_TEST(alerts(numbered({0, 0, 0, 0, 0, 0, 0, 0, 1})) == "phq-9-q9");
  BOOST_TEST(alerts(numbered({3, 3, 3, 3, 3, 3, 1, 0, 0})) == "");
  BOOST_TEST(alerts(numbered({3, 3, 3, 3, 3, 3, 2, 0, 0})) == "phq-9-severe");
  BOOST_TEST(alerts(numbered({3, 3, 3, 3, 3, 3, 3, 3, 3})) == "phq-9-q9 phq-9-severe");
}

BOOST_AUTO_TEST_SUITE_END()
