// Rules from extensions in submissions of the short form, each both ways.
#include "study_fixture.hpp"

using namespace epione::domain;
using namespace epione::domain::test;

namespace {

std::string extension(const std::string& name, const std::string& value) {
  return R"({"url":"http://hl7.org/fhir/StructureDefinition/)" + name + "\"," + value + "}";
}

/// Problem codes of an answer to an item "a" of this type with these extensions.
std::string one(const std::string& type, const std::string& extensions, const std::string& answer) {
  return check(R"({"linkId":"a","repeats":true,"type":")" + type + R"(","extension":[)" + extensions + "]}",
               R"({"a":)" + answer + "}");
}

} // namespace

BOOST_AUTO_TEST_SUITE(answer_rules)

BOOST_AUTO_TEST_CASE(patterns_and_places_are_checked) {
  const auto regex = extension("regex", R"("valueString":"[0-9]{2}")");
  BOOST_TEST(one("string", regex, "\"12\"") == "");
  BOOST_TEST(one("string", regex, "\"123\"") == "regex@a");
  BOOST_TEST(one("integer", regex, "12") == "");
  BOOST_TEST(one("integer", regex, "1") == "regex@a");
  BOOST_TEST(one("date", extension("regex", R"("valueString":".{10}")"), "\"2024\"") == "regex@a");
  const auto places = extension("maxDecimalPlaces", R"("valueInteger":1)");
  BOOST_TEST(one("decimal", places, "1.5") == "");
  BOOST_TEST(one("decimal", places, "1.25") == "max-decimal-places@a");
}

BOOST_AUTO_TEST_CASE(units_and_quantities_are_checked) {
  const std::string most =
      R"({"url":"http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-maxQuantity","valueQuantity":{"value":1,"code":"kg"}})";
  BOOST_TEST(one("quantity", most, R"({"value":1000,"code":"g"})") == "");
  BOOST_TEST(one("quantity", most, R"({"value":1001,"code":"g"})") == "max-value@a");
  BOOST_TEST(one("quantity", most, R"({"value":1,"code":"m"})") == "unit@a");
  BOOST_TEST(one("quantity", most, "1") == "unit@a");
  const auto option = extension("questionnaire-unitOption", R"("valueCoding":{"code":"kg"})");
  BOOST_TEST(one("quantity", option, R"({"value":1,"code":"kg"})") == "");
  BOOST_TEST(one("quantity", option, R"({"value":1,"unit":"g"})") == "unit@a");
}

BOOST_AUTO_TEST_CASE(an_exclusive_option_is_chosen_alone) {
  const std::string form =
      R"({"linkId":"a","type":"choice","repeats":true,"answerOption":[{"valueCoding":{"code":"x"}},{"valueCoding":{"code":"y"}},
    {"valueCoding":{"code":"none"},"extension":[)" +
      extension("questionnaire-optionExclusive", R"("valueBoolean":true)") + "]}]}";
  BOOST_TEST(check(form, R"({"a":["x","y"]})") == "");
  BOOST_TEST(check(form, R"({"a":["none"]})") == "");
  BOOST_TEST(check(form, R"({"a":["x","none"]})") == "exclusive-option@a");
}

BOOST_AUTO_TEST_CASE(attachments_are_objects_with_data_or_an_url) {
  const std::string plain = R"({"url":"http://example.org/colour","valueString":"red"})";
  BOOST_TEST(one("attachment", plain, R"({"contentType":"a/b","data":"aGFsbG8=","size":5,"title":"x"})") == "");
  BOOST_TEST(one("attachment", plain, R"({"contentType":"a/b","url":"http://x"})") == "");
  BOOST_TEST(one("attachment", plain, R"({"contentType":"a/b","data":"aGFsbG8=","size":6})") == "size@a");
  BOOST_TEST(one("attachment", plain, R"({"contentType":"a/b","data":"aGFsbG8"})") == "base64@a");
  for (const auto* bad :
       {"\"x\"", R"({"data":"aGFsbG8="})", R"({"contentType":"a/b"})", R"({"contentType":"a/b","url":"u","colour":"red"})"})
    BOOST_TEST(one("attachment", plain, bad) == "type@a", bad);
  BOOST_TEST(one("attachment", extension("maxSize", R"("valueDecimal":0.000001)"),
                 R"({"contentType":"a/b","data":"aGFsbG8="})") == "max-size@a");
  BOOST_TEST(one("attachment", extension("mimeType", R"("valueCode":"image/png")"), R"({"contentType":"a/b","url":"u"})") ==
             "mime-type@a");
}

BOOST_AUTO_TEST_CASE(references_are_to_what_the_form_asks_for) {
  const auto to = extension("questionnaire-referenceResource", R"("valueCode":"Patient")");
  BOOST_TEST(one("reference", to, "\"Patient/1\"") == "");
  BOOST_TEST(one("reference", to, "\"Device/1\"") == "reference-type@a");
}

BOOST_AUTO_TEST_CASE(what_would_not_be_checked_is_refused_in_a_study) {
  BOOST_TEST(
      problems_of(source_of(R"x({"linkId":"a","type":"string","extension":[{"url":"http://hl7.org/fhir/StructureDefinition/regex",
                                       "valueString":"(?=x)"}]})x"))
          .find("RE2") != std::string::npos);
  BOOST_TEST(
      problems_of(source_of(R"({"linkId":"a","type":"choice","answerOption":[{"valueCoding":{"system":"http://s","code":"x"}},
                                      {"valueCoding":{"system":"http://t","code":"x"}}]})"))
          .find("same answer") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
