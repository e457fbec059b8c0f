// What every resource is held to, in forms and in responses: narrative, contained resources, language, rules that are not known.
#include "domain/domain_resource.hpp"
#include "response_fixture.hpp"
#include "study_fixture.hpp"

using namespace epione::domain;
using namespace epione::domain::test;

namespace {

/// What is found in a resource with these members: "error structure contained[0].id; ...".
std::string found_with(const std::string& members) {
  const auto document = json_document::parse(R"({"resourceType":"Questionnaire")" + members + "}", 50);
  BOOST_TEST_REQUIRE(document.has_value());
  std::string text;
  for (const auto& f : check_domain_resource(*document))
    text +=
        (text.empty() ? "" : "; ") + std::string{name(f.severity)} + " " + f.code.text + " " + place_of_node(*document, f.node);
  return text;
}

std::string containing(const std::string& contained, const std::string& more = "") {
  return found_with(R"(,"contained":[)" + contained + "]" + more);
}

const std::string of_v = R"(,"item":[{"answerValueSet":"#v"}])";
const std::string good_div = R"("div":"<div xmlns=\"http://www.w3.org/1999/xhtml\">x</div>")";

} // namespace

BOOST_AUTO_TEST_SUITE(domain_resource)

BOOST_AUTO_TEST_CASE(a_narrative_has_its_status_and_its_div) {
  BOOST_TEST(found_with(R"(,"text":{"status":"generated",)" + good_div + "}") == "");
  BOOST_TEST(found_with(R"(,"text":{"status":"made",)" + good_div + "}") == "error code-invalid text.status");
  BOOST_TEST(found_with(R"(,"text":{)" + good_div + "}") == "error required text");
  BOOST_TEST(found_with(R"(,"text":{"status":"empty"})") == "error required text");
  BOOST_TEST(found_with(R"(,"text":{"status":"empty","div":"x"})") == "error structure text.div");
  BOOST_TEST(found_with(R"(,"text":{"status":"empty","div":7})") == "error structure text.div");
  BOOST_TEST(found_with(R"(,"text":{"status":"empty","colour":"red",)" + good_div + "}") == "error structure text.colour");
  BOOST_TEST(found_with(R"(,"text":"x")") == "error structure text");
}

BOOST_AUTO_TEST_CASE(a_language_is_written_as_bcp_47_has_it) {
  for (const auto* good : {"en", "de-AT", "zh-Hans-CN", "es-419", "x-klingon", "i-default", "sl-rozaj-biske-1994"})
    BOOST_TEST(found_with(R"(,"language":")" + std::string{good} + "\"") == "", good);
  for (const auto* bad : {"en_US", "e", "en-abcdefghi", "1a", "en-", "-en", "en--US", "e n"})
    BOOST_TEST(found_with(R"(,"language":")" + std::string{bad} + "\"") == "error code-invalid language", bad);
}

BOOST_AUTO_TEST_CASE(its_id_and_meta_are_what_they_should_be) {
  BOOST_TEST(found_with(R"(,"id":"a-1.B")") == "");
  BOOST_TEST(found_with(R"(,"id":"a_1")") == "error invalid id");
  BOOST_TEST(found_with(R"(,"id":7)") == "error structure id");
  BOOST_TEST(found_with(R"(,"meta":{"versionId":"1","lastUpdated":"2024-05-01T08:30:00.5+02:00","profile":["http://x"]})") == "");
  BOOST_TEST(found_with(R"(,"meta":{"lastUpdated":"2024-05-01"})") == "error invalid meta.lastUpdated");
  BOOST_TEST(found_with(R"(,"meta":{"profile":"http://x"})") == "error structure meta.profile");
  BOOST_TEST(found_with(R"(,"meta":{"profiles":["http://x"]})") == "error structure meta.profiles");
  BOOST_TEST(found_with(R"(,"meta":[])") == "error structure meta");
}

BOOST_AUTO_TEST_CASE(what_is_contained_is_referred_to) {
  const std::string set = R"({"resourceType":"ValueSet","id":"v","url":"http://x/v"})";
  BOOST_TEST(containing(set, of_v) == "");
  BOOST_TEST(containing(set, R"(,"item":[{"answerValueSet":"http://x/v|2"}])") == ""); // a canonical counts
  BOOST_TEST(containing(set, R"x(,"extension":[{"valueExpression":{"expression":"x.memberOf('#v')"}}])x") == "");
  BOOST_TEST(containing(set) == "error invariant contained[0]");
  BOOST_TEST(containing(set, R"(,"item":[{"answerValueSet":"#vv"}])") == "error invariant contained[0]");
  BOOST_TEST(containing(R"({"resourceType":"Provenance","id":"p","target":[{"reference":"#"}]})") == ""); // it refers to the form
  // By itself alone it is not referred to; by another one it is.
  BOOST_TEST(containing(R"({"resourceType":"Basic","id":"b","subject":{"reference":"#b"}})") == "error invariant contained[0]");
  BOOST_TEST(containing(set + R"(,{"resourceType":"ValueSet","id":"w","compose":{"include":[{"valueSet":["#v"]}]}})") ==
             "error invariant contained[1]");
}

BOOST_AUTO_TEST_CASE(what_is_contained_is_named_and_has_nothing_of_its_own) {
  const auto with = [](const std::string& members) {
    return containing(R"({"resourceType":"ValueSet","id":"v")" + members + "}", of_v);
  };
  BOOST_TEST(with(R"(,"meta":{"profile":["http://x"]})") == "");
  BOOST_TEST(with(R"(,"contained":[{"resourceType":"ValueSet","id":"w"}])") == "error invariant contained[0].contained"); // dom-2
  BOOST_TEST(with(R"(,"meta":{"versionId":"1"})") == "error invariant contained[0].meta.versionId");                      // dom-4
  BOOST_TEST(with(R"(,"meta":{"lastUpdated":"2024-05-01T08:30:00Z"})") == "error invariant contained[0].meta.lastUpdated");
  BOOST_TEST(with(R"(,"meta":{"security":[{"code":"R"}]})") == "error invariant contained[0].meta.security"); // dom-5
  BOOST_TEST(with(R"(,"text":{"status":"generated","div":"<p/>"})") == "error structure contained[0].text.div");
  BOOST_TEST(containing(R"({"resourceType":"ValueSet"})") == "error required contained[0]");
  BOOST_TEST(containing(R"({"resourceType":"Values","id":"v"})", of_v) == "error structure contained[0]");
  BOOST_TEST(containing(R"({"id":"v"})", of_v) == "error structure contained[0]");
  BOOST_TEST(containing(R"({"resourceType":"ValueSet","id":"v"},{"resourceType":"CodeSystem","id":"v"})", of_v) ==
             "error invalid contained[1].id");
  BOOST_TEST(containing("7") == "error structure contained[0]");
  BOOST_TEST(found_with(R"(,"contained":{})") == "error structure contained");
}

BOOST_AUTO_TEST_CASE(forms_and_responses_are_held_to_it) {
  const auto item = item_a("string");
  BOOST_TEST(remarks(item, R"("implicitRules":"http://x","language":"en_US",)") ==
             "warning not-supported - implicitRules; error code-invalid - language");
  BOOST_TEST(remarks(item, R"("status":"active","text":{"status":"generated","div":"<div>x</div>"},)") ==
             "error invalid - text.div");
  BOOST_TEST(remarks(item, R"("contained":[{"resourceType":"ValueSet","id":"v"}],)") == "error invariant - contained[0]");
  const auto form = compile_form(item).form;
  const auto check = [&](const std::string& members) {
    auto response = response_json(answer_a(R"("valueString":"x")"));
    return line_of(issues_of(form, response.insert(response.size() - 1, members)));
  };
  BOOST_TEST(check(R"(,"implicitRules":"http://x")") == "warning not-supported - implicitRules");
  BOOST_TEST(check(R"(,"text":{"status":"generated",)" + good_div + "}") == "");
  BOOST_TEST(check(R"(,"text":{"status":"generated","div":"<div>x</div>"})") == "error invalid - text.div");
  BOOST_TEST(check(R"(,"id":"a_b")") == "error invalid - id");
  BOOST_TEST(check(R"(,"contained":[{"resourceType":"Patient","id":"p"}])") == "error invariant - contained[0]");
}

BOOST_AUTO_TEST_CASE(a_study_takes_no_form_whose_rules_or_narrative_it_does_not_understand) {
  const auto problems_with = [](const std::string& members) {
    auto source = source_of("");
    source.forms[0].text = form_json(R"({"linkId":"a","type":"string"})", members);
    return problems_of(source);
  };
  BOOST_TEST(problems_with("") == "");
  BOOST_TEST(problems_with(R"("implicitRules":"http://x",)").starts_with("f.json | implicitRules | "));
  BOOST_TEST(problems_with(
                 R"("text":{"status":"generated","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\"><script>x</script></div>"},)")
                 .starts_with("f.json | text.div | "));
  // Published forms have them: nothing to be read, and what nobody refers to.
  BOOST_TEST(problems_with(R"("text":{"status":"generated","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\"> </div>"},)") ==
             "");
  BOOST_TEST(problems_with(R"("contained":[{"resourceType":"Patient","id":"p"}],)") == "");
}

BOOST_AUTO_TEST_SUITE_END()
