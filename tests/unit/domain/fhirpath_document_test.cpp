// A response in memory as expressions see it: the same as its JSON tree, and decimals as they were written.
#include "domain/fhirpath_document.hpp"
#include "fhirpath_fixture.hpp"

using namespace epione::tests;
namespace domain = epione::domain;

namespace {

constexpr const char* response = R"({"resourceType":"QuestionnaireResponse","id":"r","status":"completed",
  "authored":"2024-05-01T08:30:00+02:00","subject":{"reference":"Patient/1"},
  "item":[{"linkId":"w","text":"Weight","answer":[{"valueQuantity":{"value":80.5,"unit":"kg","code":"kg"}}]},
    {"linkId":"m","answer":[{"valueInteger":1},{"valueInteger":2,"item":[{"linkId":"n","answer":[{"valueDate":"2024-05"}]}]}]},
    {"linkId":"s","answer":[{"valueString":"x","_valueString":{"id":"e","extension":[{"url":"http://e","valueInteger":7}]}}]},
    {"linkId":"c","answer":[{"valueCoding":{"system":"http://s","code":"a","display":"A"}},{"valueBoolean":true},
      {"valueDecimal":1e3},{"valueTime":"08:30:00"}]}]})";

} // namespace

BOOST_AUTO_TEST_SUITE(fhirpath_document)

BOOST_AUTO_TEST_CASE(it_says_the_same_as_a_tree_of_json) {
  resource_fixture tree{response};
  const auto document = domain::json_document::parse(response, 200);
  BOOST_REQUIRE(document.has_value());
  const fp::document_reader reader{*document};
  fp::environment world;
  world.resource = {reader.root()};
  for (const auto* text : {"QuestionnaireResponse.status",
                           "item.linkId",
                           "item.answer.value",
                           "item.answer.value.ofType(integer).sum()",
                           "repeat(item).count()",
                           "descendants().count()",
                           "descendants().where($this is Coding).code",
                           "item.answer.item.answer.value is date",
                           "item[0].answer.value > 80 'kg'",
                           "item[2].answer.value.extension('http://e').value",
                           "item[2].answer.value.hasValue()",
                           "item[2].answer.value.extension.count()",
                           "item[3].answer.value.count()",
                           "item[3].answer.value.ofType(decimal) = 1000",
                           "item[3].answer.value.ofType(time)",
                           "authored",
                           "subject.reference",
                           "subject is Reference",
                           "children().count()",
                           "resourceType",
                           "item[1].answer.where(value = 2).item.linkId",
                           "item[0] = item[0]",
                           "item[0] ~ item[1]",
                           "item.answer.valueInteger",
                           "nothing"})
    BOOST_TEST(said(text, world) == said(text, tree.world), text << ": " << said(text, world) << ", " << said(text, tree.world));
}

BOOST_AUTO_TEST_CASE(numbers_are_as_they_were_written_and_extensions_may_stand_for_a_value) {
  const auto document = domain::json_document::parse(
      R"({"resourceType":"QuestionnaireResponse","item":[{"linkId":"a","answer":[{"valueDecimal":80.50},)"
      R"({"_valueString":{"extension":[{"url":"http://absent","valueCode":"unknown"}]}}]}]})",
      200);
  BOOST_REQUIRE(document.has_value());
  const fp::document_reader reader{*document};
  fp::environment world;
  world.resource = {reader.root()};
  BOOST_TEST(said("item.answer[0].value", world) == "80.50");
  BOOST_TEST(said("item.answer[1].value.exists()", world) == "true");
  BOOST_TEST(said("item.answer[1].value.hasValue()", world) == "false");
  BOOST_TEST(said("item.answer[1].value.extension('http://absent').value", world) == "'unknown'");
}

BOOST_AUTO_TEST_CASE(what_is_laid_over_it_is_seen_behind_what_is_there) {
  const auto document = domain::json_document::parse(response, 200);
  const auto more = domain::json_document::parse(R"({"linkId":"t","answer":[{"valueInteger":3}]})", 200);
  fp::document_overlay overlay;
  const fp::document_reader reader{*document, &overlay}, added{*more, &overlay};
  overlay.add(reader.root(), "item", added.at(0, fp::fhir_type::response_item));
  fp::environment world;
  world.resource = {reader.root()};
  BOOST_TEST(said("item.linkId.join(' ')", world) == "'w m s c t'");
  BOOST_TEST(said("item.answer.value.ofType(integer).sum()", world) == "6");
  BOOST_TEST(said("descendants().where($this = 't').count()", world) == "1");
}

BOOST_AUTO_TEST_SUITE_END()
