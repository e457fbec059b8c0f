#include "fhirpath_fixture.hpp"

#include <fstream>
#include <iterator>

#include "domain/fhirpath_functions.hpp"

using namespace epione::tests;
using namespace std::string_literals;

namespace {

std::string repeated(std::string_view part, std::size_t n) {
  std::string text;
  for (std::size_t i = 0; i < n; ++i)
    text += part;
  return text;
}

/// Says that the evaluation takes too many steps or makes too many items.
void check_stopped(const std::string& text, const fp::environment& world = {}) {
  const auto found = said(text, world);
  BOOST_TEST((found.ends_with("the evaluation takes more than 2000000 steps; look at fewer items") ||
              found.ends_with("a collection becomes larger than 100000 items")),
             found);
}

} // namespace

BOOST_AUTO_TEST_SUITE(fhirpath_limits)

BOOST_AUTO_TEST_CASE(an_expression_is_not_deeper_than_200) {
  const auto deep = "divide the expression into variables"s;
  BOOST_TEST(said(repeated("(", 190) + "1" + repeated(")", 190)) == "1");
  BOOST_TEST(said(repeated("1 + ", 190) + "1") == "191");
  BOOST_TEST(said(repeated("-", 190) + "1") == "1");
  BOOST_TEST(said("item" + repeated(".item", 190)) == "{}");
  for (const auto& text :
       {repeated("(", 5'000) + "1" + repeated(")", 5'000), repeated("1 + ", 3'000) + "1", repeated("-", 10'000) + "1",
        "item" + repeated(".item", 3'000), "a" + repeated("[0]", 3'000), repeated("a.where(", 1'700) + "1" + repeated(")", 1'700),
        repeated("1 implies (", 1'300) + "1" + repeated(")", 1'300), repeated("a[", 5'000)}) {
    const auto found = said(text);
    BOOST_TEST(found.find(deep) != std::string::npos, text.substr(0, 20) << ": " << found);
  }
}

BOOST_AUTO_TEST_CASE(an_expression_is_not_longer_than_16_kib) {
  BOOST_TEST(said("'" + std::string(16 * 1024 - 2, 'x') + "'.length()")
                 .starts_with("cannot compile: line 1, column 1: the expression has "
                              "16393 bytes; at most 16384 are allowed"));
  BOOST_TEST(said("'" + std::string(16'000, 'x') + "'.length()") == "16000");
}

BOOST_AUTO_TEST_CASE(no_evaluation_goes_on_for_ever) {
  check_stopped("1.repeat(($this + 1) | ($this + 2))");
  check_stopped("0.repeat($this + 1)");
  check_stopped("'a'.repeat($this & 'x')");
  check_stopped("%long.select($this | ($this & 'x')).repeat($this & 'x')", [] {
    fp::environment world;
    world.variables = {{"long", {fp::value{std::string(250'000, 'a')}}}};
    return world;
  }());
  check_stopped("%many.where(%many.where(%many.count() > 0).exists()).exists()", [] {
    fp::environment world;
    world.variables = {{"many", fp::collection(3'000, fp::value{std::int64_t{1}})}};
    return world;
  }());
}

BOOST_AUTO_TEST_CASE(comparing_many_dates_counts) {
  // Dates may be equal in many ways, so that each is compared with each.
  fp::environment world;
  fp::collection dates;
  auto date = *fp::parse_date("0001-01-01");
  for (int i = 0; i < 5'000; ++i) {
    dates.emplace_back(date);
    date = add(date, fp::decimal{1}, fp::time_unit::day).value;
  }
  world.variables = {{"dates", dates}};
  check_stopped("%dates.distinct().count()", world);
}

BOOST_AUTO_TEST_CASE(many_different_items_are_told_apart_quickly) {
  fp::environment world;
  fp::collection numbers;
  for (std::int64_t i = 0; i < 50'000; ++i)
    numbers.emplace_back(i);
  world.variables = {{"numbers", numbers}};
  check_said({{"%numbers.distinct().count()", "50000"}, {"%numbers.subsetOf(%numbers)", "true"}}, world);
}

BOOST_AUTO_TEST_CASE(no_collection_is_larger_than_100000_items) {
  fp::environment world;
  world.variables = {{"many", fp::collection(60'000, fp::value{std::int64_t{1}})}};
  BOOST_TEST(said("%many.combine(%many)", world) == "error: line 1, column 7: a collection becomes larger than 100000 items");
  BOOST_TEST(said("('" + std::string(10'000, 'x') + "').toChars().count()", world) == "10000");
}

BOOST_AUTO_TEST_CASE(no_string_is_longer_than_256_kib) {
  fp::environment world;
  world.variables = {{"long", {fp::value{std::string(200'000, 'x')}}}};
  for (const auto* text : {"%long + %long", "%long & %long", "%long.replace('x', 'yy')", "%long.replace('', 'yy')",
                           "(%long | %long & 'a').join()", "%long.replaceMatches('x', 'yy')"}) {
    const auto found = said(text, world);
    BOOST_TEST(found.find("262144 bytes") != std::string::npos, text << ": " << found);
  }
}

BOOST_AUTO_TEST_CASE(patterns_cannot_stall) {
  fp::environment world;
  world.variables = {{"long", {fp::value{std::string(100'000, 'a') + "!"}}}};
  BOOST_TEST(said("%long.matches('^(a+)+$')", world) == "false");
  const auto found = said("%long.matches('(x{50}){20}')", world);
  BOOST_TEST(found.find("steps") != std::string::npos, found);
  BOOST_TEST(said("'a'.matches('" + std::string(1'001, 'a') + "')") ==
             "cannot compile: line 1, column 13: the pattern has 1001 bytes; at most 1000 are allowed");
  BOOST_TEST(
      said("'a'.matches('((a{100}){100}){100}')").starts_with("cannot compile: line 1, column 13: the pattern is not one: "));
}

BOOST_AUTO_TEST_CASE(limits_are_of_one_evaluation) {
  fp::environment world;
  world.limits = {50, 3, 10};
  check_said({{"1 + 1", "2"},
              {"(1 | 2 | 3).count()", "3"},
              {"(1 | 2 | 3 | 4).count()", "error"},
              {"'12345' + '67890'", "'1234567890'"},
              {"'12345' + '678901'", "error"}},
             world);
  world.limits.items_max = 1'000;
  BOOST_TEST(said("1.repeat($this + 1)", world).ends_with("the evaluation takes more than 50 steps; look at fewer items"));
}

BOOST_AUTO_TEST_CASE(the_page_on_expressions_lists_every_function) {
  std::ifstream in{EPIONE_SOURCE_DIR "/docs/fhirpath.md"};
  const std::string page{std::istreambuf_iterator<char>{in}, {}};
  std::size_t rows = 0;
  for (const auto& f : fp::all_functions()) {
    const auto row = "| `" + std::string{f.name} + "(";
    const auto at = page.find(row);
    BOOST_TEST(at != std::string::npos, "docs/fhirpath.md has no row for " << f.name << "()");
    if (at == std::string::npos)
      continue;
    const auto heading = page.rfind("\n## ", at) + 4;
    BOOST_TEST(page.substr(heading, page.find('\n', heading) - heading) == f.group, f.name << "() is under another heading");
    ++rows;
  }
  std::size_t there = 0;
  for (auto at = page.find("\n| `"); at != std::string::npos; at = page.find("\n| `", at + 1))
    there += page.substr(at, page.find(" |", at + 3) - at).find('(') != std::string::npos;
  BOOST_TEST(there == rows, "docs/fhirpath.md lists " << there << " functions, the code has " << rows);
}

BOOST_AUTO_TEST_SUITE_END()
