// Parameters, headers and positions as clients write them.
#include "actors/fhir_query.hpp"

#include "domain/date_text.hpp"

#include <boost/test/unit_test.hpp>

using namespace epione;
using namespace epione::actors;

BOOST_AUTO_TEST_SUITE(fhir_query)

BOOST_AUTO_TEST_CASE(a_query_is_decoded_and_a_broken_one_refused) {
  const auto q = parse_query("a=1%2C2&b=x+y&&c");
  BOOST_REQUIRE(q);
  BOOST_TEST((*q == query_parameters{{"a", "1,2"}, {"b", "x y"}, {"c", ""}}));
  for (const auto* bad : {"a=%", "a=%4", "a=%zz", "a=%ff"})
    BOOST_TEST(!parse_query(bad), bad);
  BOOST_TEST(query_text({{"a", "1,2"}, {"_cursor", "2-3"}, {"b c", ""}}) == "a=1%2C2&_cursor=2-3&b%20c=");
  BOOST_TEST(query_text({{"a", "1"}, {"_cursor", "2"}, {"b", "3"}}, "_cursor") == "a=1&b=3");
  BOOST_TEST(percent_encoded("a b/\xc3\xa4") == "a%20b%2F%C3%A4");
}

BOOST_AUTO_TEST_CASE(alternatives_and_tokens_take_backslashes) {
  BOOST_TEST((alternatives("a,b\\,c,,d\\|e") == std::vector<std::string>{"a", "b,c", "d\\|e"}));
  const auto token = identifier_choice("s\\|t|v");
  BOOST_TEST(token.system == "s|t");
  BOOST_TEST(token.value == "v");
  BOOST_TEST(identifier_choice("v").any_system);
  BOOST_TEST(!identifier_choice("|v").any_system);
  BOOST_TEST(identifier_choice("s|").any_value);
}

BOOST_AUTO_TEST_CASE(dates_take_prefixes_and_cover_what_they_name) {
  const auto month = authored_choice("ge2026-10");
  BOOST_REQUIRE(month);
  BOOST_TEST((month->prefix == domain::date_prefix::ge));
  BOOST_TEST(month->first_us == domain::parse_fhir_date_time("2026-10-01T00:00:00Z")->first);
  BOOST_TEST(authored_choice("2026-10-01T08:00:00 02:00").has_value()); // the plus was not encoded
  for (const auto* bad : {"", "ge", "yesterday", "2026-13", "xx2026"})
    BOOST_TEST(!authored_choice(bad), bad);
}

BOOST_AUTO_TEST_CASE(json_is_given_to_whoever_takes_it) {
  for (const auto* good : {"", "*/*", "application/fhir+json", "application/JSON;q=0.5", "text/html, application/*",
                           "application/fhir+json; fhirVersion=4.0"})
    BOOST_TEST(takes_json(good), good);
  for (const auto* bad : {"application/fhir+xml", "application/json;q=0", "text/html"})
    BOOST_TEST(!takes_json(bad), bad);
  BOOST_TEST(is_json_content("application/fhir+json; charset=UTF-8"));
  for (const auto* bad :
       {"", "json", "application/fhir+json; charset=latin1", "application/fhir+xml", "application/json-patch+json"})
    BOOST_TEST(!is_json_content(bad), bad);
  for (const auto* good : {"json", "application/fhir+json", "application/fhir json", "application/json;fhirVersion=4.0"})
    BOOST_TEST(is_json_format(good), good);
  for (const auto* bad : {"", "xml", "application/fhir+xml", "html"})
    BOOST_TEST(!is_json_format(bad), bad);
}

BOOST_AUTO_TEST_CASE(preferences_are_found_among_others) {
  BOOST_TEST((wanted_by("respond-async, return=minimal") == wanted_return::minimal));
  BOOST_TEST((wanted_by("handling=strict; wait=10, Return = \"minimal\"") == wanted_return::minimal));
  BOOST_TEST((wanted_by("returns=minimal, return=other") == wanted_return::representation));
  BOOST_TEST((handling_by("return=minimal,handling=lenient") == wanted_handling::lenient));
  BOOST_TEST((handling_by("handling=strict") == wanted_handling::strict));
  BOOST_TEST((handling_by("handling=other") == wanted_handling::usual));
  BOOST_TEST((handling_by("") == wanted_handling::usual));
  BOOST_TEST((wanted_by("return=OperationOutcome") == wanted_return::outcome));
  BOOST_TEST((wanted_by("") == wanted_return::representation));
}

BOOST_AUTO_TEST_CASE(parameters_of_how_an_answer_looks_are_told_from_those_of_what_is_found) {
  for (const auto* name : {"_sort", "_include", "_include:iterate", "_revinclude", "_total", "_elements", "_summary"})
    BOOST_TEST(is_result_parameter(name), name);
  for (const auto* name : {"", "_count", "_lastUpdated", "_has:Observation:patient:code", "_sorted", "sort", "author"})
    BOOST_TEST(!is_result_parameter(name), name);
}

BOOST_AUTO_TEST_CASE(etags_references_and_keys) {
  BOOST_TEST(version_in_etag("W/\"3\"").value() == 3u);
  BOOST_TEST(version_in_etag("\"12\"").value() == 12u);
  for (const auto* bad : {"", "3", "W/3", "W/\"\"", "W/\"0\"", "W/\"a\"", "*", "W/\"99999999999999999999\""})
    BOOST_TEST(!version_in_etag(bad), bad);
  BOOST_TEST(id_of_reference("Patient/42", "Patient") == "42");
  BOOST_TEST(id_of_reference("http://host/fhir/Patient/42/_history/3", "Patient") == "42");
  for (const auto* other : {"42", "Group/42", "XPatient/42", "urn:uuid:1"})
    BOOST_TEST(id_of_reference(other, "Patient").empty(), other);
  BOOST_TEST(unquoted_key("\"a\\\"b\"").value() == "a\"b");
  BOOST_TEST(!unquoted_key("\"a"));
}

BOOST_AUTO_TEST_CASE(a_cursor_reads_back_and_others_are_refused) {
  const search_cursor cursor{3, {7, 0, 123'456'789'012}};
  BOOST_TEST((decode_cursor(encode_cursor(cursor)).value() == cursor));
  BOOST_TEST((decode_cursor("1-7-0").value() == search_cursor{0, {7, 0}})); // of the version before
  for (const auto* bad :
       {"", "1", "2", "2-5", "2-x-5", "2--5", "3-1-5", "1-x", "1-5-", "2-1-5-", "1--5", "1-99999999999999999999"})
    BOOST_TEST(!decode_cursor(bad), bad);
}

BOOST_AUTO_TEST_CASE(a_provenance_gives_reason_and_agent_or_says_what_is_missing) {
  const auto full = read_provenance(R"({"resourceType":"Provenance","reason":[{"coding":[{"code":"c","display":"Typing error"}]}],
                                        "agent":[{"role":[{"text":"nurse"}],"who":{"display":"N. N."}}]})");
  BOOST_REQUIRE(full);
  BOOST_TEST(full->reason == "Typing error");
  BOOST_TEST(full->who == "fhir:N. N.");
  BOOST_TEST(full->role == "nurse");
  BOOST_TEST(read_provenance(R"({"resourceType":"Provenance","reason":[{"text":"r"}]})")->who == "unknown");
  for (const std::string& bad :
       {std::string{"{"}, std::string{R"({"resourceType":"Patient","reason":[{"text":"r"}]})"},
        std::string{R"({"resourceType":"Provenance"})"}, std::string{R"({"resourceType":"Provenance","reason":[{"text":"  "}]})"},
        R"({"resourceType":"Provenance","reason":[{"text":")" + std::string(1'001, 'x') + "\"}]}"})
    BOOST_TEST(!read_provenance(bad));
}

BOOST_AUTO_TEST_SUITE_END()
