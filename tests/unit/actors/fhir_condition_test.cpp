// When a client has already what it asks for.
#include "actors/fhir_condition.hpp"

#include <boost/test/unit_test.hpp>

using namespace epione::actors;

BOOST_AUTO_TEST_SUITE(fhir_conditions)

BOOST_AUTO_TEST_CASE(an_entity_tag_is_found_in_a_list_weakly_or_by_a_star) {
  for (const auto* list : {"W/\"2\"", "\"2\"", "W/\"1\", W/\"2\"", "\"a,b\",\"2\"", " W/\"1\" ,\tW/\"2\"", "*", " * "})
    BOOST_TEST(holds_etag(list, "2"), list);
  for (const auto* list : {"", "2", "W/2", "W/\"1\"", "W/\"22\"", "W/\"2", "w/\"2\"", "W/\"1\", 2", "\"1,2\"", "**"})
    BOOST_TEST(!holds_etag(list, "2"), list);
}

BOOST_AUTO_TEST_CASE(a_date_of_http_is_read_in_all_three_forms) {
  for (const auto* text : {"Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"})
    BOOST_TEST(parse_http_date(text).value_or(0) == 784'111'777, text);
  BOOST_TEST(parse_http_date("Thu, 29 Feb 2024 00:00:00 GMT").value_or(0) == 1'709'164'800);
  for (const auto* bad : {"", "yesterday", "1994-11-06T08:49:37Z", "Sun, 06 Nov 1994 08:49:37", "Sun, 06 Nov 1994 08:49:37 CET",
                          "Sun, 31 Feb 1994 08:49:37 GMT", "Sun, 06 Nov 1994 24:00:00 GMT", "Sun, 06 Nov 1994 08:60:00 GMT",
                          "Sun, 06 Oct 1994 08:49:37 GMT more", "Sun, xx Nov 1994 08:49:37 GMT", "Sun, 06 nov 1994 08:49:37 GMT"})
    BOOST_TEST(!parse_http_date(bad).has_value(), bad);
}

BOOST_AUTO_TEST_CASE(the_entity_tag_comes_before_the_time_where_it_says_all) {
  const resource_state now{"2", 784'111'777'500'000, true};
  const std::string same = "Sun, 06 Nov 1994 08:49:37 GMT", before = "Sun, 06 Nov 1994 08:49:36 GMT";
  BOOST_TEST(!is_unchanged({}, now));
  BOOST_TEST(is_unchanged({"W/\"2\"", {}}, now));
  BOOST_TEST(is_unchanged({"W/\"2\"", before}, now));
  BOOST_TEST(!is_unchanged({"W/\"1\"", same}, now));
  BOOST_TEST(is_unchanged({{}, same}, now));
  BOOST_TEST(!is_unchanged({{}, before}, now));
  BOOST_TEST(!is_unchanged({{}, "nonsense"}, now));
}

BOOST_AUTO_TEST_CASE(what_may_change_under_its_version_is_judged_by_its_time_alone) {
  const resource_state form{"1.0", 784'111'777'000'000, false};
  BOOST_TEST(!is_unchanged({"W/\"1.0\"", {}}, form));
  BOOST_TEST(!is_unchanged({"*", {}}, form));
  BOOST_TEST(!is_unchanged({"W/\"1.0\"", "Sun, 06 Nov 1994 08:49:36 GMT"}, form));
  BOOST_TEST(is_unchanged({"W/\"0.9\"", "Sun, 06 Nov 1994 08:49:37 GMT"}, form));
  BOOST_TEST(!is_unchanged({{}, "Sun, 06 Nov 1994 08:49:37 GMT"}, {"1.0", 0, false})); // since when is not known
}

BOOST_AUTO_TEST_SUITE_END()
