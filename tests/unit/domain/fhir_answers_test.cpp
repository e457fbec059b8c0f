// Responses between FHIR and the short form, what is stored of them, and which a search finds.
#include "domain/fhir_answers.hpp"

#include "domain/canonical.hpp"
#include "domain/command.hpp"
#include "domain/compiled_study.hpp"
#include "domain/fhir_assess.hpp"
#include "domain/fhir_text.hpp"
#include "domain/limits.hpp"
#include "domain/response_filter.hpp"
#include "study_fixture.hpp"

#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>

using namespace epione::domain;
using nlohmann::json;

namespace {

json_document parsed(const json& value) {
  auto out = json_document::parse(value.dump(), limits::json_depth_max);
  BOOST_REQUIRE(out);
  return std::move(*out);
}

/// A diary with a repeating group that asks for a dose only where something was taken, a question that repeats, and items within
/// an answer.
json diary() {
  return {{"resourceType", "Questionnaire"},
          {"url", "https://test.example/Questionnaire/diary"},
          {"version", "2"},
          {"status", "active"},
          {"item",
           {{{"linkId", "drug"},
             {"type", "group"},
             {"repeats", true},
             {"item",
              {{{"linkId", "name"}, {"type", "string"}, {"required", true}},
               {{"linkId", "taken"}, {"type", "boolean"}},
               {{"linkId", "dose"},
                {"type", "decimal"},
                {"enableWhen", {{{"question", "taken"}, {"operator", "!="}, {"answerBoolean", false}}}}}}}},
            {{"linkId", "where"}, {"type", "string"}, {"repeats", true}},
            {{"linkId", "pain"}, {"type", "integer"}, {"item", {{{"linkId", "since"}, {"type", "date"}}}}}}}};
}

std::shared_ptr<const study> diary_study() {
  return test::compiled({test::study_toml(R"(
[[forms]]
id = "diary"
file = "diary.json"
[[forms.scores]]
name = "pain"
method = "sum"
items = ["pain"]
[[alerts]]
id = "severe"
form = "diary"
item = "pain"
at_least = 8
)"),
                         {{"diary.json", diary().dump()}}});
}

json answered() {
  const auto item = [](const char* link_id, json answer) {
    return json{{"linkId", link_id}, {"answer", json::array({std::move(answer)})}};
  };
  return {{"resourceType", "QuestionnaireResponse"},
          {"questionnaire", "https://test.example/Questionnaire/diary|2"},
          {"status", "completed"},
          {"subject", {{"reference", "Patient/1"}}},
          {"authored", "2026-05-01"},
          {"item",
           {{{"linkId", "drug"},
             {"item",
              {item("name", {{"valueString", "A"}}), item("taken", {{"valueBoolean", true}}),
               item("dose", {{"valueDecimal", 1.5}})}}},
            {{"linkId", "drug"}, {"item", {item("name", {{"valueString", "B"}}), item("taken", {{"valueBoolean", false}})}}},
            {{"linkId", "where"}, {"answer", {{{"valueString", "back"}}, {{"valueString", "neck"}}}}},
            {{"linkId", "pain"}, {"answer", {{{"valueInteger", 9}, {"item", {item("since", {{"valueDate", "2026-04"}})}}}}}}}}};
}

submission_record answer_record() {
  submission_record r;
  r.study = "s";
  r.subject = "1";
  r.site = "A";
  r.key = "k";
  r.id = make_receipt("s", "1", "k");
  r.form = "diary";
  r.version = "2";
  r.authored = "2026-05-01T08:00:00+02:00";
  r.stored_us = 1'700'000'000'000'000;
  r.answers = "\x80";
  return r;
}

} // namespace

BOOST_AUTO_TEST_SUITE(fhir_answers)

BOOST_AUTO_TEST_CASE(a_response_with_repetitions_is_accepted_scored_and_flattened_without_loss_of_an_answer) {
  const auto s = diary_study();
  const auto v = assess_response(*s, stored_resource(parsed(answered())), response_purpose::create, 0);
  BOOST_REQUIRE_MESSAGE(v.accepted(), operation_outcome(v.issues));
  BOOST_TEST(v.form == "diary");
  BOOST_TEST(v.version == "2");
  BOOST_TEST(v.authored == "2026-05-01");
  const auto answers = json::parse(json_from_msgpack(v.answers));
  const json wanted{{"name", {"A", "B"}}, {"taken", {true, false}}, {"dose", {1.5}}, {"where", {"back", "neck"}},
                    {"pain", 9},          {"since", "2026-04"}};
  BOOST_TEST(answers == wanted);
  BOOST_REQUIRE(v.scores.size() == 1u);
  BOOST_TEST(v.scores[0].value == 9);
  BOOST_REQUIRE(v.alerts.size() == 1u);
  BOOST_TEST(v.alerts[0].rule == "severe");
}

BOOST_AUTO_TEST_CASE(what_one_repetition_lacks_is_a_problem_whatever_the_others_have) {
  auto bad = answered();
  bad["item"][1]["item"].erase(0); // the second drug's name
  const auto v = assess_response(*diary_study(), stored_resource(parsed(bad)), response_purpose::create, 0);
  BOOST_TEST(!v.accepted());
}

BOOST_AUTO_TEST_CASE(only_what_is_finished_is_created_and_only_what_is_stored_was_an_error) {
  const auto s = diary_study();
  const auto accepted = [&](const char* status, response_purpose purpose) {
    auto r = answered();
    r["status"] = status;
    return assess_response(*s, stored_resource(parsed(r)), purpose, 0).accepted();
  };
  for (const auto* status : {"completed", "amended", "stopped"})
    BOOST_TEST(accepted(status, response_purpose::create), status);
  for (const auto* status : {"in-progress", "entered-in-error", "nonsense"})
    BOOST_TEST(!accepted(status, response_purpose::create), status);
  BOOST_TEST(accepted("entered-in-error", response_purpose::amend));
}

BOOST_AUTO_TEST_CASE(a_form_is_found_by_url_version_and_id) {
  const auto s = diary_study();
  for (const auto* name : {"https://test.example/Questionnaire/diary", "https://test.example/Questionnaire/diary|2", "diary",
                           "Questionnaire/diary", "http://localhost/fhir/Questionnaire/diary", "Questionnaire/diary|2"})
    BOOST_TEST((find_form(s->compiled(), name) != nullptr), name);
  for (const auto* name : {"https://test.example/Questionnaire/diary|1", "other", "https://test.example/diary/x", ""})
    BOOST_TEST((find_form(s->compiled(), name) == nullptr), name);
}

BOOST_AUTO_TEST_CASE(a_short_submission_becomes_a_response_that_its_form_takes) {
  const auto s = diary_study();
  auto r = answer_record();
  r.answers = short_answers(parsed(answered()), s->compiled().forms[0].form);
  const auto text = short_as_response(r, s->compiled().forms[0].form, 1);
  BOOST_REQUIRE(text);
  const auto shown = json::parse(*text);
  BOOST_TEST(shown["questionnaire"] == "https://test.example/Questionnaire/diary|2");
  BOOST_TEST(shown["meta"]["versionId"] == "1");
  BOOST_TEST(shown["item"].size() == 4u); // the group twice
  BOOST_TEST(shown["item"][0]["item"][0]["answer"][0]["valueString"] == "A");
  BOOST_TEST(shown["item"][1]["item"][0]["answer"][0]["valueString"] == "B");
  BOOST_TEST(shown["item"][3]["answer"][0]["item"][0]["linkId"] == "since");
  const auto again = assess_response(*s, stored_resource(parsed(shown)), response_purpose::create, 0);
  BOOST_REQUIRE_MESSAGE(again.accepted(), operation_outcome(again.issues));
  BOOST_TEST(again.answers == r.answers);
  r.answers = "\x81\xa5other\x01";
  BOOST_TEST(!short_as_response(r, s->compiled().forms[0].form, 1)); // of another version: nothing is guessed
}

BOOST_AUTO_TEST_CASE(a_stored_resource_keeps_decimals_and_depends_on_no_order) {
  const auto canonical = [](std::string_view text) {
    return stored_resource(*json_document::parse(text, limits::json_depth_max));
  };
  const auto one = canonical(R"({"resourceType": "X", "id": "i", "b": [1.50, {"d": null, "c": "\u00e4"}],
                                 "meta": {"versionId": "3", "tag": []}})");
  BOOST_TEST(one == "{\"b\":[1.50,{\"c\":\"\xc3\xa4\",\"d\":null}],\"resourceType\":\"X\",\"meta\":{\"tag\":[]}}");
  BOOST_TEST(one == canonical(R"({"meta":{"tag":[]},"b":[1.50,{"c":"ä","d":null}],"resourceType":"X","id":"other"})"));
  BOOST_TEST(one != canonical(R"({"meta":{"tag":[]},"b":[1.5,{"c":"ä","d":null}],"resourceType":"X"})"));
  const auto shown = json::parse(shown_resource(*json_document::parse(one, limits::json_depth_max), "id", 2, 0));
  BOOST_TEST(shown["id"] == "id");
  BOOST_TEST(shown["meta"]["versionId"] == "2");
  BOOST_TEST(shown["meta"]["lastUpdated"] == "1970-01-01T00:00:00.000000Z");
  BOOST_TEST(shown["meta"]["tag"].is_array());
}

BOOST_AUTO_TEST_CASE(each_subject_has_one_id_as_a_patient) {
  for (const std::string subject : {"42", "a.b-C", "with space", "\xc3\xa4", "x-41", "_", "0123456789012345678901234567890"}) {
    const auto id = patient_id(subject);
    BOOST_REQUIRE(id);
    BOOST_TEST(id->size() <= 64u);
    BOOST_TEST(subject_of_patient(*id).value_or("none") == subject);
  }
  BOOST_TEST(!patient_id(std::string(65, 'a') + " "));
  for (const auto* id : {"x-41", "x-4", "x-zz", "x-", "a b", "", "x-ff"}) // 41 is "A", whose id is itself
    BOOST_TEST(!subject_of_patient(id), id);
}

BOOST_AUTO_TEST_CASE(a_record_with_a_resource_reads_back_and_one_without_is_written_as_ever) {
  auto r = answer_record();
  const auto plain = encode_submission_event(r);
  r.resource = R"({"resourceType":"QuestionnaireResponse","status":"stopped"})";
  const auto with = encode_submission_event(r);
  BOOST_TEST(with.size() > plain.size() + r.resource.size());
  BOOST_TEST(decode_submission_event(with)->resource == r.resource);
  BOOST_TEST(planned_notices(with)->empty());
  r.notices = {{"severe", "mail", "doctor", true}};
  const auto both = encode_submission_event(r);
  BOOST_TEST(decode_submission_event(both)->resource == r.resource);
  BOOST_TEST(decode_submission_event(both)->notices.size() == 1u);
  BOOST_TEST(planned_notices(both)->size() == 1u);
  BOOST_TEST(decode_submission_event(plain)->resource.empty());
  r.resource.clear();
  r.notices.clear();
  BOOST_TEST(encode_submission_event(r) == plain);
  BOOST_TEST(status_of(*decode_record_event(with)) == "stopped");
}

BOOST_AUTO_TEST_CASE(an_amendment_reads_back_with_what_was_before) {
  amendment a;
  a.version = 2;
  a.before = answer_record();
  a.after = answer_record();
  a.after.stored_us += 5;
  a.after.resource = R"({"status":"amended"})";
  a.after.notices = {{"severe", "mail", "doctor", true}};
  a.who = "fhir:Practitioner/7";
  a.role = "nurse";
  a.reason = "misread";
  const auto bytes = encode_amendment_event(a);
  const auto back = decode_amendment_event(bytes);
  BOOST_REQUIRE(back);
  BOOST_TEST(back->version == 2u);
  BOOST_TEST(back->reason == "misread");
  BOOST_TEST(back->who == a.who);
  BOOST_TEST(back->after.resource == a.after.resource);
  BOOST_TEST(back->before.resource.empty());
  BOOST_TEST(back->after.stored_us == a.after.stored_us);
  BOOST_TEST(amended_version(bytes).value() == 2u);
  BOOST_TEST(planned_notices(bytes)->size() == 1u);
  BOOST_TEST(decode_record_event(bytes)->resource == a.after.resource);
  BOOST_TEST(action_of(bytes).value() == "submission.amend");
  BOOST_TEST(decode_event(bytes)->entity == "s/1/" + to_text(a.after.id));
  BOOST_TEST(!decode_submission_event(bytes));
  BOOST_TEST(!decode_amendment_event(encode_submission_event(answer_record())));
  for (std::size_t n = 0; n < bytes.size(); ++n)
    BOOST_TEST(!decode_amendment_event(std::string_view{bytes}.substr(0, n)), n);
}

BOOST_AUTO_TEST_CASE(a_filter_finds_by_everything_that_is_asked) {
  auto r = answer_record();
  response_filter f;
  BOOST_TEST(matches(f, r));
  f.authored = {{{date_prefix::eq, 1'777'615'200'000'000, 1'777'615'200'000'000}}}; // 2026-05-01T06:00:00Z
  BOOST_TEST(matches(f, r));
  f.authored[0][0].prefix = date_prefix::gt;
  BOOST_TEST(!matches(f, r));
  f.authored[0].push_back({date_prefix::le, 1'777'615'200'000'000, 1'777'615'200'000'000}); // or
  BOOST_TEST(matches(f, r));
  f.authored.push_back({{date_prefix::sa, 1'777'615'200'000'000, 1'777'615'200'000'000}}); // and
  BOOST_TEST(!matches(f, r));
  f = {};
  f.statuses = {"completed"};
  BOOST_TEST(matches(f, r));
  r.resource = R"({"status":"amended","identifier":{"system":"u","value":"v"}})";
  BOOST_TEST(!matches(f, r));
  f = {};
  f.identifiers = {{{"u", "v", false, false}}};
  BOOST_TEST(matches(f, r));
  f.identifiers = {{{"", "v", false, false}}};
  BOOST_TEST(!matches(f, r));
  f.identifiers = {{{"", "v", true, false}}};
  BOOST_TEST(matches(f, r));
  f = {};
  f.by_form = true;
  BOOST_TEST(!matches(f, r));
  f.forms = {{"s", "diary", "2"}};
  BOOST_TEST(matches(f, r));
  f.forms = {{"other", "diary", ""}};
  BOOST_TEST(!matches(f, r));
  f = {};
  f.study = "s";
  f.subject = "2";
  BOOST_TEST(!matches(f, r));
}

BOOST_AUTO_TEST_SUITE_END()
