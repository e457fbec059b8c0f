// Several versions of a form in one study, and forms that are retired, drafts or out of their time.
#include "domain/study_addition.hpp"
#include "study_fixture.hpp"

using namespace epione::domain;
using namespace epione::domain::test;

namespace {

constexpr std::int64_t in_2024 = 1'714'564'800'000'000; // 2024-05-01T12:00:00Z

study_source source_with(const std::string& version, const std::string& items, const std::string& scores,
                         const std::string& more = "") {
  return {study_toml("[[forms]]\nid = \"f\"\nfile = \"f.json\"\n" + scores),
          {{"f.json", R"({"resourceType":"Questionnaire","version":")" + version + "\"," +
                          (more.empty() ? R"("status":"active",)" : more) + R"("item":[)" + items + "]}"}}};
}

const std::string one_item = R"({"linkId":"a","type":"integer"})";
const std::string sum_of_a = "[[forms.scores]]\nname = \"s\"\nitems = [\"a\"]\n";

std::string assessed(const study& s, const std::string& version, const std::string& answers) {
  const auto v =
      s.assess(content_of({{"form", "f"}, {"version", version}, {"answers", nlohmann::json::parse(answers)}}), in_2024);
  if (!v.accepted())
    return codes_of(v);
  std::string text = v.version;
  for (const auto& score : v.scores)
    text += " " + score.name + "=" + std::to_string(static_cast<int>(score.value));
  return text;
}

/// Codes of problems and warnings of a form with these members, answered then.
std::string used(const std::string& members, const std::string& authored = "") {
  const auto study = compiled(source_with("1", one_item, "", members));
  nlohmann::json data{{"form", "f"}, {"answers", {{"a", 1}}}};
  if (!authored.empty())
    data["authored"] = authored;
  const auto v = study->assess(content_of(data), in_2024);
  auto text = codes_of(v);
  for (const auto& w : v.warnings)
    text += (text.empty() ? "" : " ") + std::string{"warning "} + w.code;
  return text;
}

} // namespace

BOOST_AUTO_TEST_SUITE(form_versions)

BOOST_AUTO_TEST_CASE(an_earlier_version_is_still_answered_and_scored_as_it_was) {
  const auto first = compiled(source_with("1", one_item, sum_of_a));
  const auto twice = "[[forms.scores]]\nname = \"s\"\nitems = [\"a\", \"b\"]\n";
  const auto source = source_with("2", one_item + R"(,{"linkId":"b","type":"integer"})", twice);
  const auto second = compile_study(source, first.get());
  BOOST_REQUIRE(second.has_value());
  BOOST_TEST(assessed(**second, "2", R"({"a":1,"b":2})") == "2 s=3");
  BOOST_TEST(assessed(**second, "1", R"({"a":1})") == "1 s=1");
  BOOST_TEST(assessed(**second, "1", R"({"a":1,"b":2})") == "unknown-item@b");
  BOOST_TEST(assessed(**second, "3", R"({"a":1})") == "unknown-version");
  // Without a version it is the newest one.
  BOOST_TEST(assess_answers(**second, R"({"a":1,"b":2})").version == "2");
  // A third import keeps both; the same version again does not make it an earlier one.
  const auto third = compile_study(source_with("3", one_item, sum_of_a), second->get());
  BOOST_REQUIRE(third.has_value());
  BOOST_TEST((*third)->compiled().earlier.size() == 2u);
  BOOST_TEST(assessed(**third, "1", R"({"a":1})") == "1 s=1");
  const auto again = compile_study(source, second->get());
  BOOST_REQUIRE(again.has_value());
  BOOST_TEST((*again)->compiled().earlier.size() == 1u);
}

BOOST_AUTO_TEST_CASE(an_unknown_version_names_those_that_are_known) {
  const auto first = compiled(source_with("1", one_item, ""));
  const auto second = compile_study(source_with("2", one_item, ""), first.get());
  BOOST_REQUIRE(second.has_value());
  const auto v = (*second)->assess(content_of({{"form", "f"}, {"version", "9"}, {"answers", {{"a", 1}}}}));
  BOOST_REQUIRE(v.problems.size() == 1u);
  BOOST_TEST(v.problems[0].allowed == (std::vector<std::string>{"2", "1"}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_retired_form_takes_only_what_was_answered_before) {
  const std::string since_period = R"("status":"retired","effectivePeriod":{"end":"2024-04-30"},)";
  BOOST_TEST(used(since_period) == "retired-form");
  BOOST_TEST(used(since_period, "2024-04-30T08:00:00Z") == "");
  BOOST_TEST(used(since_period, "2024-05-01T00:00:00Z") == "retired-form");
  const std::string since_date = R"("status":"retired","date":"2024-04-01",)";
  BOOST_TEST(used(since_date, "2024-03-31T23:00:00Z") == "");
  BOOST_TEST(used(since_date, "2024-04-01T08:00:00Z") == "retired-form");
  BOOST_TEST(used(R"("status":"retired",)", "2000-01-01T00:00:00Z") == "retired-form"); // nobody says since when
}

BOOST_AUTO_TEST_CASE(a_draft_and_a_form_out_of_its_time_are_warned_of) {
  BOOST_TEST(used(R"("status":"draft",)") == "warning form-status");
  BOOST_TEST(used(R"("status":"unknown",)") == "warning form-status");
  BOOST_TEST(used(R"("status":"active","effectivePeriod":{"start":"2025"},)") == "warning form-period");
  BOOST_TEST(used(R"("status":"active","effectivePeriod":{"end":"2023"},)") == "warning form-period");
  BOOST_TEST(used(R"("status":"active","effectivePeriod":{"start":"2024","end":"2024"},)") == "");
}

BOOST_AUTO_TEST_CASE(a_form_is_added_beside_the_others) {
  const auto study = source_with("1", one_item, sum_of_a);
  const auto form = [](const std::string& url, const std::string& version) {
    return R"({"resourceType":"Questionnaire","language":"fr","status":"active",)" + url + R"("version":")" + version +
           R"(","title":"Pas","item":[{"linkId":"p","type":"integer","text":"Combien?"}]})";
  };
  const auto whole = with_form(study, "pas", form(R"("url":"urn:pas",)", "1"));
  BOOST_REQUIRE(whole.has_value());
  const auto compiled_whole = compile_study(*whole); // French alone, whatever the study's languages
  BOOST_REQUIRE(compiled_whole.has_value());
  BOOST_TEST(assessed(**compiled_whole, "1", R"({"a":1})") == "1 s=1");
  const auto newer = with_form(*whole, "pas", form(R"("url":"urn:pas",)", "2"));
  BOOST_REQUIRE(newer.has_value());
  BOOST_TEST(newer->forms.size() == 2u);
  BOOST_TEST(newer->toml == whole->toml);
  const auto other = with_form(*whole, "pas", form(R"("url":"urn:autre",)", "1"));
  BOOST_REQUIRE(!other.has_value());
  BOOST_TEST(other.error().place == "url");
  // A file of the same name is no reason to lose one.
  auto taken = study;
  taken.forms.push_back({"pas.json", study.forms[0].text});
  BOOST_TEST(with_form(taken, "pas", form("", "1"))->forms.size() == 3u);
}

BOOST_AUTO_TEST_CASE(a_form_is_known_by_its_url_then_by_the_end_of_it_its_name_and_the_id_it_came_with) {
  const auto study = source_with("1", one_item, sum_of_a); // a form that has an id, but no url of those below
  const auto id = [&](const std::string& members, const form_urls& before = {}) {
    return form_id_for(study, before, R"({"resourceType":"Questionnaire",)" + members + R"("status":"active"})");
  };
  const std::string url = R"("url":"https://a.example/Questionnaire/pas",)", rest = R"("name":"steps","id":"three",)";
  BOOST_TEST(id(url + rest) == "pas");
  BOOST_TEST(id(R"("url":"urn:pas",)" + rest) == "pas");
  BOOST_TEST(id(rest) == "steps");
  BOOST_TEST(id(R"("name":"not an id","id":"three",)") == "three");
  const auto made = id(R"("name":"not an id",)");
  BOOST_TEST(made.starts_with("form-"), made);
  BOOST_TEST(made.size() == 17u);
  BOOST_TEST(id(R"("name":"nor this one",)") != made);
  // What another form is called, or was called once, is not free; the same url is the same form whatever it is called.
  BOOST_TEST(id(url + rest, {{"pas", "https://b.example/Questionnaire/pas"}}) == "steps");
  BOOST_TEST(id(url + rest, {{"pas", ""}, {"steps", "urn:other"}}) == "three");
  BOOST_TEST(id(url + rest, {{"walking", "https://a.example/Questionnaire/pas"}}) == "walking");
  BOOST_TEST(id(rest, {{"steps", ""}}) == "steps");
  BOOST_TEST(id(rest, {{"steps", "urn:steps"}}) == "three");
}

BOOST_AUTO_TEST_CASE(an_addition_reads_back_as_it_was_and_no_part_of_it_is_one) {
  const form_addition addition{"demo", "{}", "fhir:Practitioner/7", "author", "a new diary"};
  const auto bytes = encode(addition);
  const auto read = decode_form_addition(bytes);
  BOOST_REQUIRE(read.has_value());
  BOOST_TEST(read->study == "demo");
  BOOST_TEST(read->questionnaire == "{}");
  BOOST_TEST(read->who == "fhir:Practitioner/7");
  BOOST_TEST(read->role == "author");
  BOOST_TEST(read->reason == "a new diary");
  for (std::size_t size = 0; size < bytes.size(); ++size)
    BOOST_TEST(!decode_form_addition(std::string_view{bytes}.substr(0, size)), size);
  BOOST_TEST(!decode_form_addition(bytes + "x"));
  BOOST_TEST(!decode_form_addition(encode(source_with("1", one_item, sum_of_a))));
}

BOOST_AUTO_TEST_SUITE_END()
