// Parts of resources, and that nobody takes them for the whole.
#include "actors/fhir_part.hpp"

#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>
#include <set>

using namespace epione;
using namespace epione::actors;
using nlohmann::json;

namespace {

const json whole_response{{"resourceType", "QuestionnaireResponse"},
                          {"id", "1"},
                          {"meta", {{"versionId", "1"}, {"tag", {{{"system", "urn:app"}, {"code", "v7"}}}}}},
                          {"implicitRules", "urn:rules"},
                          {"text", {{"status", "generated"}, {"div", "<div/>"}}},
                          {"questionnaire", "urn:form"},
                          {"_questionnaire", {{"extension", json::array()}}},
                          {"status", "completed"},
                          {"authored", "2026-11-23"},
                          {"_authored", {{"id", "a"}}},
                          {"item", {{{"linkId", "q1"}}}}};

/// The names at the top of what is left; the tag is checked.
std::set<std::string> left_of(const json& resource, const std::optional<std::string>& summary,
                              const std::optional<std::string>& elements = {}) {
  const auto part = read_wanted_part(summary, elements);
  BOOST_REQUIRE(part.has_value());
  const auto out = json::parse(part_of_resource(resource.dump(), *part));
  std::set<std::string> left;
  for (const auto& [name, value] : out.items()) {
    left.insert(name);
    if (name != "meta")
      BOOST_TEST(value == resource[name], name);
  }
  const auto& tags = out["meta"]["tag"];
  BOOST_TEST(tags.back()["code"] == "SUBSETTED");
  BOOST_TEST(tags.back()["system"] == "http://terminology.hl7.org/CodeSystem/v3-ObservationValue");
  BOOST_TEST(out["meta"]["versionId"] == resource["meta"]["versionId"]);
  return left;
}

using part_names = std::set<std::string>;

} // namespace

BOOST_AUTO_TEST_SUITE(fhir_parts)

BOOST_AUTO_TEST_CASE(the_whole_is_as_it_was) {
  for (const auto& part :
       {read_wanted_part({}, {}), read_wanted_part("false", {}), read_wanted_part({}, ""), read_wanted_part({}, " , ")}) {
    BOOST_REQUIRE(part.has_value());
    BOOST_TEST(part_of_resource(whole_response.dump(), *part) == whole_response.dump());
  }
}

BOOST_AUTO_TEST_CASE(a_part_has_what_was_asked_for_and_what_must_be_there) {
  BOOST_TEST((left_of(whole_response, "true") == part_names{"resourceType", "id", "meta", "implicitRules", "questionnaire",
                                                            "_questionnaire", "status", "authored", "_authored"}));
  BOOST_TEST((left_of(whole_response, "text") == part_names{"resourceType", "id", "meta", "implicitRules", "status", "text"}));
  BOOST_TEST((left_of(whole_response, "data") == part_names{"resourceType", "id", "meta", "implicitRules", "questionnaire",
                                                            "_questionnaire", "status", "authored", "_authored", "item"}));
  BOOST_TEST((left_of(whole_response, {}, "item, QuestionnaireResponse.authored,unknown") ==
              part_names{"resourceType", "id", "meta", "implicitRules", "status", "authored", "_authored", "item"}));
  BOOST_TEST((left_of(whole_response, "false", "item.linkId") ==
              part_names{"resourceType", "id", "meta", "implicitRules", "status", "item"}));
  const json form{{"resourceType", "Questionnaire"},
                  {"id", "f"},
                  {"meta", {{"versionId", "1"}}},
                  {"url", "urn:form"},
                  {"title", "Mood"},
                  {"status", "active"},
                  {"description", "long"},
                  {"item", json::array()}};
  BOOST_TEST((left_of(form, "true") == part_names{"resourceType", "id", "meta", "url", "title", "status"}));
}

BOOST_AUTO_TEST_CASE(tags_that_were_there_stay) {
  const auto out = json::parse(part_of_resource(whole_response.dump(), *read_wanted_part("text", {})));
  BOOST_REQUIRE(out["meta"]["tag"].size() == 2u);
  BOOST_TEST(out["meta"]["tag"][0]["code"] == "v7");
}

BOOST_AUTO_TEST_CASE(what_is_no_part_is_refused) {
  for (const auto* bad : {"", "True", "all", "true,data"})
    BOOST_TEST(!read_wanted_part(bad, {}).has_value(), bad);
  BOOST_TEST(!read_wanted_part("true", "item").has_value());
  BOOST_TEST(!read_wanted_part("count", "item").has_value());
  BOOST_TEST((read_wanted_part("count", {})->what == wanted_part::choice::count));
}

BOOST_AUTO_TEST_CASE(a_part_is_known_by_its_tag) {
  const auto parse = [](const std::string& text) { return domain::json_document::parse(text, 32); };
  const auto part = parse(part_of_resource(whole_response.dump(), *read_wanted_part("data", {}))),
             whole = parse(whole_response.dump());
  BOOST_REQUIRE((part.has_value() && whole.has_value()));
  BOOST_TEST(is_subset(*part));
  BOOST_TEST(!is_subset(*whole));
  BOOST_TEST(!is_subset(*parse("{}")));
  BOOST_TEST(!is_subset(*parse(R"({"meta":{"tag":"SUBSETTED"}})")));
}

BOOST_AUTO_TEST_SUITE_END()
