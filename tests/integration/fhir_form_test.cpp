// Forms that are added to a study through FHIR: where they go, what they are called, and what of them is refused.
#include "fhir_fixture.hpp"

#include <set>

using namespace epione;
using namespace epione::tests;

namespace {

json steps(const std::string& version, const std::string& question = "How many?") {
  json form{{"resourceType", "Questionnaire"},
            {"url", "https://forms.example/Questionnaire/steps"},
            {"status", "active"},
            {"language", "en"},
            {"item", {{{"linkId", "s"}, {"type", "integer"}, {"text", question}}}}};
  if (!version.empty())
    form["version"] = version;
  return form;
}

/// The demo study under another id.
domain::study_source second_study() {
  auto source = node::demo_study();
  const std::string id = "id = \"demo\"";
  source.toml.replace(source.toml.find(id), id.size(), "id = \"second\"");
  return source;
}

struct form_node : fhir_node {
  fhir_reply add(const json& form, const std::string& query = "") {
    return ask(make(request::verb::post, "/Questionnaire" + query, form));
  }
  std::string text_of(const fhir_reply& r) { return r.body["issue"][0]["details"]["text"].get<std::string>(); }
};

constexpr std::string_view base = "http://localhost:8080/fhir";

} // namespace

BOOST_FIXTURE_TEST_SUITE(fhir_forms, form_node)

BOOST_AUTO_TEST_CASE(a_form_goes_to_the_study_that_is_named_and_among_several_to_none_that_is_not) {
  BOOST_TEST(add(steps("1"), "?study=second").status == 404);
  BOOST_TEST(add(steps("1")).status == 201); // there is only one
  BOOST_REQUIRE(node.import(second_study()) == "");
  const auto unnamed = add(steps("2"));
  BOOST_TEST(unnamed.status == 400);
  BOOST_TEST(unnamed.code() == "multiple-matches");
  const auto unknown = add(steps("2"), "?study=third");
  BOOST_TEST(unknown.status == 404);
  BOOST_TEST(unknown.code() == "not-found");
  BOOST_TEST(get("/Questionnaire?study=second&_id=steps").body["total"] == 0);
  BOOST_TEST(add(steps("2"), "?study=second").status == 201);
  BOOST_TEST(get("/Questionnaire/steps?study=second").body["version"] == "2");
  BOOST_TEST(get("/Questionnaire/steps?study=demo").body["version"] == "1");
  BOOST_TEST(get("/Questionnaire/steps").code() == "multiple-matches");
}

BOOST_AUTO_TEST_CASE(a_version_that_comes_again_changes_nothing_be_it_an_earlier_one) {
  BOOST_REQUIRE(add(steps("1")).status == 201);
  BOOST_REQUIRE(add(steps("2", "How many today?")).status == 201);
  const auto again = add(steps("1"));
  BOOST_TEST(again.status == 200);
  BOOST_TEST(again.field("Location") == std::string{base} + "/Questionnaire/steps/_history/1");
  BOOST_TEST(again.field("ETag") == "W/\"1\"");
  BOOST_TEST(again.body["version"] == "1");
  BOOST_TEST(add(steps("2", "How many today?")).status == 200);
  BOOST_TEST(get("/Questionnaire/steps").body["version"] == "2");
  for (const auto* version : {"1", "2"}) {
    const auto other = add(steps(version, "What?"));
    BOOST_TEST(other.status == 409);
    BOOST_TEST(other.code() == "conflict");
    // The sentence alone: neither an error's code before it nor the file's name.
    BOOST_TEST(text_of(other).starts_with("version: version \"" + std::string{version} + "\" of form \"steps\" was imported"),
               text_of(other));
  }
  BOOST_TEST(get("/Questionnaire/steps/_history/1").body["item"][0]["text"] == "How many?");
}

BOOST_AUTO_TEST_CASE(versions_that_are_no_fhir_id_have_an_id_each) {
  const std::string long_one(80, '1');
  std::set<std::string> locations;
  const std::vector<std::string> versions{
      "", "1", "1/2", "1 2", "x-none", "x-312f32", "2026-12-01T10:00:00+01:00", long_one, long_one + "2"};
  for (const auto& version : versions) {
    const auto created = add(steps(version));
    BOOST_TEST(created.status == 201, version << created.body.dump());
    locations.insert(created.field("Location"));
  }
  BOOST_TEST(locations.size() == versions.size());
  std::set<std::string> read;
  for (const auto& location : locations) {
    const auto reply = get(std::string_view{location}.substr(base.size()));
    BOOST_TEST(reply.status == 200, location);
    read.insert(reply.body.value("version", ""));
    BOOST_TEST(location.ends_with("/_history/" + reply.body["meta"]["versionId"].get<std::string>()), location);
    BOOST_TEST(reply.body["meta"]["versionId"].get<std::string>().size() <= 64u);
  }
  BOOST_TEST((read == std::set<std::string>{versions.begin(), versions.end()}));
}

BOOST_AUTO_TEST_CASE(a_batch_of_more_forms_than_may_wait_creates_all_of_them) {
  std::vector<json> entries;
  constexpr int forms = 12;
  for (int n = 1; n <= forms; ++n) {
    auto form = steps("1");
    form["url"] = "urn:form:f" + std::to_string(n);
    entries.push_back(entry("POST", "Questionnaire", form));
  }
  entries.push_back(entry("POST", "Questionnaire", {{"resourceType", "Patient"}}));
  entries.push_back(entry("GET", "Questionnaire/phq-9"));
  const auto reply = bundle("batch", entries);
  BOOST_REQUIRE_MESSAGE(reply.status == 200, reply.body.dump());
  BOOST_REQUIRE(reply.body["entry"].size() == entries.size());
  for (int n = 1; n <= forms; ++n) {
    const auto& response = reply.body["entry"][static_cast<std::size_t>(n - 1)]["response"];
    BOOST_TEST(response["status"] == "201 Created", response.dump());
    BOOST_TEST(response["location"].get<std::string>() ==
               std::string{base} + "/Questionnaire/f" + std::to_string(n) + "/_history/1");
  }
  BOOST_TEST(reply.body["entry"][forms]["response"]["status"] == "400 Bad Request");
  BOOST_TEST(reply.body["entry"][forms + 1]["response"]["status"] == "200 OK");
}

BOOST_AUTO_TEST_CASE(what_a_create_cannot_have_beside_it_is_refused_and_nothing_is_added) {
  auto conditional = make(request::verb::post, "/Questionnaire", steps("1"));
  conditional.if_none_exist = "url=https://forms.example/Questionnaire/steps";
  const auto refused = ask(conditional);
  BOOST_TEST(refused.status == 400);
  BOOST_TEST(refused.code() == "not-supported");
  auto unexplained = make(request::verb::post, "/Questionnaire", steps("1"));
  unexplained.provenance = R"({"resourceType":"Provenance","agent":[{"who":{"display":"Anna"}}]})";
  BOOST_TEST(ask(unexplained).status == 400);
  BOOST_TEST(get("/Questionnaire/steps").status == 404);
  auto explained = make(request::verb::post, "/Questionnaire", steps("1"));
  explained.provenance = because("a new diary");
  BOOST_TEST(ask(explained).status == 201);
}

BOOST_AUTO_TEST_CASE(since_when_a_form_is_as_it_is_is_said_and_stays_the_same_over_a_restart) {
  const auto created = add(steps("1"));
  BOOST_REQUIRE(created.status == 201);
  const auto since = created.field("Last-Modified");
  BOOST_TEST(since.ends_with(" GMT"), since);
  const auto updated = created.body["meta"]["lastUpdated"].get<std::string>();
  node.run(5'000);
  BOOST_REQUIRE(add(steps("2")).status == 201);
  BOOST_TEST(get("/Questionnaire/steps").field("Last-Modified") != since);
  disk.disk().crash(); // power loss
  node.crash();
  BOOST_REQUIRE(node.start());
  const auto read = get_patiently("/Questionnaire/steps/_history/1");
  BOOST_TEST(read.field("Last-Modified") == since);
  BOOST_TEST(read.body["meta"]["lastUpdated"].get<std::string>() == updated);
  auto minimal = make(request::verb::post, "/Questionnaire", steps("1"));
  minimal.prefer = "return=minimal";
  const auto again = ask(minimal);
  BOOST_TEST(again.status == 200);
  BOOST_TEST(again.field("Last-Modified") == since);
  BOOST_TEST(again.body.is_null());
}

BOOST_AUTO_TEST_SUITE_END()
