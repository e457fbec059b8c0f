// A submission as a whole: its members, scores and alerts.
#include "study_fixture.hpp"

using namespace epione::domain;
using namespace epione::domain::test;

namespace {

const std::string option_list = [] {
  std::string text = R"("answerOption":[)";
  for (int i = 0; i < 4; ++i)
    text += std::string{i == 0 ? "" : ","} + R"({"valueCoding":{"code":"c)" + std::to_string(i) +
            R"(","extension":[{"url":"http://hl7.org/fhir/StructureDefinition/ordinalValue","valueDecimal":)" +
            std::to_string(i) + "}]}}";
  return text + "]";
}();

std::shared_ptr<const study> scored_study() {
  return compiled(source_of(R"({"linkId":"c","type":"choice",)" + option_list +
                                R"(},{"linkId":"i","type":"integer"},{"linkId":"b","type":"boolean"},
      {"linkId":"r","type":"choice","repeats":true,)" +
                                option_list + "}",
                            R"(
[[forms.scores]]
name = "total"
items = ["c", "i"]
bands = [{ from = 2, label = "low" }, { from = 5, label = "high" }]
[[forms.scores]]
name = "c-only"
method = "sum"
items = ["c"]
)",
                            R"(
[[alerts]]
id = "c-above"
form = "f"
item = "c"
above = 1
[[alerts]]
id = "total-5"
form = "f"
score = "total"
at_least = 5
[[alerts]]
id = "c-code"
form = "f"
item = "c"
equals = "c3"
[[alerts]]
id = "b-true"
form = "f"
item = "b"
equals = true
[[alerts]]
id = "i-below"
form = "f"
item = "i"
below = 0
[[alerts]]
id = "i-most"
form = "f"
item = "i"
at_most = -5
[[alerts]]
id = "any-3"
form = "f"
item = "r"
equals = 3
)"));
}

std::string scores_of(const verdict& v) {
  std::string text;
  for (const auto& s : v.scores) {
    text += (text.empty() ? "" : " ") + s.name + "=";
    append_json_number(text, s.value);
    text += "(" + s.label + ")";
  }
  return text;
}

std::string alerts_of(const verdict& v) {
  std::string text;
  for (const auto& a : v.alerts)
    text += (text.empty() ? "" : " ") + a.rule;
  return text;
}

std::string codes(const study& s, const std::string& data) {
  return codes_of(s.assess(content_of(nlohmann::json::parse(data))));
}

} // namespace

BOOST_AUTO_TEST_SUITE(assess_submission)

BOOST_AUTO_TEST_CASE(an_accepted_submission_says_what_it_was) {
  const auto s = scored_study();
  const auto v = s->assess(content_of(
      {{"form", "f"}, {"version", "2"}, {"authored", "2024-05-01T08:30:00+02:00"}, {"answers", {{"c", 2}, {"b", true}}}}));
  BOOST_TEST(v.accepted(), codes_of(v));
  BOOST_TEST(v.form == "f");
  BOOST_TEST(v.version == "2");
  BOOST_TEST(v.authored == "2024-05-01T08:30:00+02:00");
  BOOST_TEST(json_from_msgpack(v.answers) == R"({"b":true,"c":"c2"})");
  BOOST_TEST((canonical_from_msgpack(v.answers, 8).value() == v.answers));
}

BOOST_AUTO_TEST_CASE(members_of_a_submission_are_checked) {
  const auto s = scored_study();
  BOOST_TEST(codes(*s, R"({"form":"f","answers":{}})") == "");
  BOOST_TEST(codes(*s, R"({"form":"f"})") == "missing-answers");
  BOOST_TEST(codes(*s, R"({"answers":{}})") == "missing-form");
  BOOST_TEST(codes(*s, R"({})") == "missing-form missing-answers");
  BOOST_TEST(codes(*s, R"({"form":"g","answers":{}})") == "unknown-form");
  BOOST_TEST(codes(*s, R"({"form":1,"answers":{}})") == "type");
  BOOST_TEST(codes(*s, R"({"form":"f","answers":[]})") == "type");
  BOOST_TEST(codes(*s, R"({"form":"f","answers":{},"extra":1})") == "unknown-member");
  BOOST_TEST(codes(*s, R"({"form":"f","answers":{},"authored":"yesterday"})") == "authored-format");
  BOOST_TEST(codes(*s, R"({"form":"f","answers":{},"authored":1714545000})") == "authored-format");
  BOOST_TEST(codes(*s, R"({"form":"f","answers":{},"version":"1"})") == "unknown-version");
  BOOST_TEST(codes(*s, R"({"form":"f","answers":{},"version":2})") == "type");
  BOOST_TEST(codes(*s, R"([1])") == "type");
  BOOST_TEST(codes(*s, R"("f")") == "type");
  BOOST_TEST(codes(*s, R"({"form":"f","answers":{"c":9,"z":1},"authored":"x","extra":1})") ==
             "unknown-member authored-format not-an-option@c unknown-item@z");
}

BOOST_AUTO_TEST_CASE(an_unknown_form_says_which_there_are) {
  const auto v = scored_study()->assess(content_of({{"form", "g"}, {"answers", nlohmann::json::object()}}));
  BOOST_REQUIRE(v.problems.size() == 1u);
  BOOST_TEST((v.problems[0].allowed == std::vector<std::string>{"f"}));
}

BOOST_AUTO_TEST_CASE(scores_add_up_and_find_their_band) {
  const auto s = scored_study();
  BOOST_TEST(scores_of(assess_answers(*s, R"({"c":"c3","i":1})")) == "total=4(low) c-only=3()");
  BOOST_TEST(scores_of(assess_answers(*s, R"({"c":3,"i":2})")) == "total=5(high) c-only=3()");
  BOOST_TEST(scores_of(assess_answers(*s, R"({"c":0,"i":1})")) == "total=1() c-only=0()");
  BOOST_TEST(scores_of(assess_answers(*s, R"({"c":1,"i":-2147483648})")) == "total=-2147483647() c-only=1()");
}

BOOST_AUTO_TEST_CASE(a_score_is_left_out_when_an_item_is_not_answered) {
  const auto s = scored_study();
  BOOST_TEST(scores_of(assess_answers(*s, R"({"c":1})")) == "c-only=1()");
  BOOST_TEST(scores_of(assess_answers(*s, R"({"i":9})")) == "");
}

BOOST_AUTO_TEST_CASE(alerts_are_raised_by_items_and_scores) {
  const auto s = scored_study();
  BOOST_TEST(alerts_of(assess_answers(*s, R"({"c":1,"i":0,"b":false})")) == "");
  BOOST_TEST(alerts_of(assess_answers(*s, R"({"c":2})")) == "c-above");
  BOOST_TEST(alerts_of(assess_answers(*s, R"({"c":3,"i":2})")) == "c-above total-5 c-code");
  BOOST_TEST(alerts_of(assess_answers(*s, R"({"i":9})")) == ""); // no score, no alert
  BOOST_TEST(alerts_of(assess_answers(*s, R"({"b":true,"i":-1})")) == "b-true i-below");
  BOOST_TEST(alerts_of(assess_answers(*s, R"({"i":-5})")) == "i-below i-most");
  BOOST_TEST(alerts_of(assess_answers(*s, R"({"r":[1,2]})")) == "");
  BOOST_TEST(alerts_of(assess_answers(*s, R"({"r":[1,3]})")) == "any-3");
}

BOOST_AUTO_TEST_CASE(a_refused_submission_has_no_scores_alerts_or_answers) {
  const auto v = assess_answers(*scored_study(), R"({"c":3,"i":"x"})");
  BOOST_TEST(!v.accepted());
  BOOST_TEST(v.scores.empty());
  BOOST_TEST(v.alerts.empty());
  BOOST_TEST(v.answers.empty());
}

BOOST_AUTO_TEST_CASE(bytes_that_are_not_canonical_content_are_refused_and_not_the_end_of_the_program) {
  const auto s = scored_study();
  const auto good =
      content_of({{"form", "f"}, {"answers", {{"c", 2}, {"i", 3}, {"r", {1, 2}}}}, {"authored", "2024-05-01T08:30:00Z"}});
  BOOST_TEST(s->assess(good).accepted());
  for (std::size_t size = 0; size < good.size(); ++size)
    BOOST_TEST(!s->assess(std::string_view{good}.substr(0, size)).accepted());
  for (std::size_t i = 0; i < good.size(); ++i)
    for (int bit = 0; bit < 8; ++bit) {
      auto changed = good;
      changed[i] = static_cast<char>(changed[i] ^ (1 << bit));
      const auto v = s->assess(changed);
      BOOST_TEST((v.accepted() ? !v.answers.empty() : !v.problems.empty()));
    }
  BOOST_TEST(!s->assess(std::string(1'000'000, static_cast<char>(0x91))).accepted());
  BOOST_TEST(!s->assess(good + good).accepted());
}

BOOST_AUTO_TEST_SUITE_END()
