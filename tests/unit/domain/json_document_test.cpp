// JSON as it was written, units of UCUM, and FHIR's primitive types.
#include "domain/fhir_primitive.hpp"
#include "domain/json_document.hpp"
#include "domain/ucum.hpp"

#include <boost/test/unit_test.hpp>
#include <string>

using namespace epione::domain;

BOOST_AUTO_TEST_SUITE(json_document_suite)

BOOST_AUTO_TEST_CASE(numbers_stay_as_they_were_written) {
  const auto d = json_document::parse(R"({"a":1.50,"b":[-0.10e2,7,-3],"c":{"d":"x\u00e4","e":null},"f":true})", 10);
  BOOST_REQUIRE(d.has_value());
  const auto& json = *d;
  BOOST_TEST(json[json.find(0, "a")].text == "1.50");
  const auto b = json.find(0, "b");
  BOOST_TEST(json[b].count == 3u);
  BOOST_TEST(json[b + 1].text == "-0.10e2");
  BOOST_TEST(json[b + 3].text == "-3");
  const auto c = json.find(0, "c");
  BOOST_TEST(json[json.find(c, "d")].text == "x\xc3\xa4");
  BOOST_TEST((json[json.find(c, "e")].kind == json_kind::null));
  BOOST_TEST(json[json.find(0, "f")].boolean);
  BOOST_TEST(json.find(0, "d") == 0u);
  BOOST_TEST(json.find(b, "a") == 0u);
  BOOST_TEST(json[0].end == json.size());
}

BOOST_AUTO_TEST_CASE(what_is_not_json_is_refused_with_its_place) {
  const auto error = [](const std::string& text) {
    const auto d = json_document::parse(text, 5);
    return d ? std::string{} : std::to_string(d.error().line) + ":" + std::to_string(d.error().column) + " " + d.error().message;
  };
  BOOST_TEST(error("{}") == "");
  BOOST_TEST(error("{\n \"a\":x}") == "2:6 this is not valid JSON");
  BOOST_TEST(error("") == "1:1 this is not valid JSON");
  BOOST_TEST(error("{} {}") != "");
  BOOST_TEST(error(R"({"a":1,"b":2,"a":3})") == "0:0 the member \"a\" is there twice in the same object; keep one");
  BOOST_TEST(error("[[[[[]]]]]") == "");
  BOOST_TEST(error("[[[[[[]]]]]]") == "0:0 brackets lie in each other more than 5 deep");
  BOOST_TEST(error("\"\xff\"") != "");
  std::string many = "{";
  for (int i = 0; i < 30; ++i)
    many += "\"m" + std::to_string(i) + "\":0,";
  BOOST_TEST(error(many + "\"x\":0}") == "");
  BOOST_TEST(error(many + "\"m7\":0}") != "");
}

BOOST_AUTO_TEST_CASE(units_are_converted_where_they_measure_the_same) {
  const auto is = [](std::optional<double> converted, double value) {
    return converted && std::abs(*converted - value) <= 1e-9 * std::abs(value);
  };
  BOOST_TEST(is(convert_unit(1, "kg", "g"), 1000));
  BOOST_TEST(is(convert_unit(1, "[lb_av]", "kg"), 0.45359237));
  BOOST_TEST(is(convert_unit(98.6, "[degF]", "Cel"), 37));
  BOOST_TEST(is(convert_unit(120, "mm[Hg]", "kPa"), 15.9986864898));
  BOOST_TEST(is(convert_unit(1, "mg/dL", "g/L"), 0.01));
  BOOST_TEST(is(convert_unit(1, "g/L", "kg/m3"), 1));
  BOOST_TEST(is(convert_unit(1, "/min", "/h"), 60));
  BOOST_TEST(is(convert_unit(5, "10*9/L", "10*6/mL"), 5));
  BOOST_TEST(is(convert_unit(50, "%", "1"), 0.5));
  BOOST_TEST(is(convert_unit(70, "{beats}/min", "/min"), 70));
  BOOST_TEST(is(convert_unit(1.1, "weird", "weird"), 1.1));
  BOOST_TEST(*convert_unit(100, "mg", "g") == 0.1);
  for (const auto* bad : {"m", "weird", "", "/", "kg/", "kkg", "mmin", "10*", "{", "kg..g", "kg/{", "-1", "g-"})
    BOOST_TEST(!convert_unit(1, "kg", bad).has_value(), bad);
}

BOOST_AUTO_TEST_CASE(primitives_are_what_the_specification_says) {
  BOOST_TEST(*base64_size("aGFsbG8=") == 5u);
  BOOST_TEST(*base64_size("aGFs\r\nbG8h") == 6u);
  for (const auto* bad : {"", "a", "aGFsbG8", "aG=sbG8=", "====", "aGFsb-8="})
    BOOST_TEST(!base64_size(bad).has_value(), bad);
  BOOST_TEST(is_fhir_code("a b"));
  for (const auto* bad : {"", " a", "a ", "a  b", "a\tb"})
    BOOST_TEST(!is_fhir_code(bad), bad);
  BOOST_TEST(is_fhir_id("A-1.b"));
  BOOST_TEST(!is_fhir_id("a_b"));
  BOOST_TEST(!is_fhir_id(std::string(65, 'a')));
  BOOST_TEST(!is_fhir_string(std::string(1024 * 1024 + 1, 'a')));
  BOOST_TEST(is_absolute_uri("https://x"));
  BOOST_TEST(!is_absolute_uri("Patient/1"));
}

BOOST_AUTO_TEST_SUITE_END()
