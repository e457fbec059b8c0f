#include "domain/fhirpath_parser.hpp"

#include "domain/fhirpath_functions.hpp"
#include "domain/fhirpath_lexer.hpp"
#include "fhirpath_fixture.hpp"

#include <random>

using namespace epione::tests;

namespace {

std::string printed(std::string_view text) {
  const auto e = fp::compile(text);
  return e ? e->printed() : e.error().text();
}

/// An expression that compiles, whatever it means.
class any_expression {
public:
  explicit any_expression(std::uint64_t seed) : random_(seed) {}

  std::string make(int depth) {
    if (depth == 0)
      return leaf();
    const auto inner = [&] { return make(static_cast<int>(pick(static_cast<std::size_t>(depth)))); };
    switch (pick(9)) {
      case 0: return '(' + inner() + ')';
      case 1: return '-' + inner();
      case 2: return '(' + inner() + ")[" + inner() + ']';
      case 3: return '(' + inner() + ") is " + one_of({"Quantity", "System.Integer", "FHIR.`Coding`"});
      case 4:
        return '(' + inner() + one_of({").where(", ").select(", ").all(", ").repeat(", ").exists("}) + inner() +
               " or $index > 1)";
      case 5:
        return '(' + inner() + ")." + one_of({"value", "`a b`", "contains", "count()", "aggregate($total + 1, 0)", "as(code)"});
      case 6: return '(' + inner() + ").iif(" + inner() + ", " + inner() + ')';
      default: return inner() + ' ' + std::string{name(static_cast<fp::operation>(pick_operation()))} + ' ' + inner();
    }
  }

private:
  std::size_t pick(std::size_t n) { return random_() % n; }
  int pick_operation() {
    for (;;) {
      const auto o = static_cast<fp::operation>(pick(24));
      if (o != fp::operation::is && o != fp::operation::as)
        return static_cast<int>(o);
    }
  }
  std::string one_of(std::initializer_list<const char*> all) { return *(all.begin() + pick(all.size())); }
  std::string leaf() {
    return one_of({"1", "2.50", "'it\\'s \\u00e4'", "true", "{}", "@2024-05", "@2024-05-01T10:30:00.50Z", "@2015T", "@T10:30",
                   "4 'mg/dL'", "3 weeks", "%resource", "%`a b`", "$this", "item", "`div`", "year", "today()"});
  }

  std::mt19937_64 random_;
};

} // namespace

BOOST_AUTO_TEST_SUITE(fhirpath_parser)

BOOST_AUTO_TEST_CASE(operators_bind_as_the_specification_says) {
  check_said({{"1 + 2 * 3", "7"},
              {"(1 + 2) * 3", "9"},
              {"2 * 3 + 1", "7"},
              {"10 - 3 - 2", "5"},
              {"true or false and false", "true"},
              {"1 | 2 | 3 = 1", "false"},
              {"1 + 1 = 2 and 2 > 1", "true"},
              {"false implies false or true", "true"},
              {"1 in 1 | 2", "true"},
              {"-1 + 2", "1"},
              {"1 - -1", "2"},
              {"-(1).count()", "-1"},
              {"'a' & 'b' = 'ab'", "true"},
              {"1 > 2 is Boolean", "error"}, // (1) > (2 is Boolean)
              {"1 + 2 is Integer", "true"},
              {"true and 1 is Integer", "true"}});
}

BOOST_AUTO_TEST_CASE(comments_and_blanks_mean_nothing) {
  check_said({{"2 + 2 // the rest + 4", "4"},
              {"// first\n 2 + 2", "4"},
              {"2 /* a\nb */ + /**/ 2", "4"},
              {"2 // c\n/ 2", "1"},
              {"2 + 2 /* not finished", "cannot compile"},
              {"2 + 2 /", "cannot compile"}});
}

BOOST_AUTO_TEST_CASE(strings_have_escapes) {
  check_said({{"'\\u0061\\'\\\"\\`\\\\\\/'", "'a'\"`\\/'"},
              {"'a\\nb\\tc\\rd\\fe' = 'a\nb\tc\rd\fe'", "true"},
              {"'\\ud83d\\ude00'.length()", "1"},
              {"'\\ud83d'", "cannot compile"},
              {"'\\ude00'", "cannot compile"},
              {"'\\p'", "cannot compile"},
              {"'\\u00g0'", "cannot compile"},
              {"'open", "cannot compile"},
              {"\"double\"", "cannot compile"}});
}

BOOST_AUTO_TEST_CASE(a_problem_says_where_it_is_and_what_could_stand_there) {
  BOOST_TEST(printed("1 +") == "line 1, column 4: expected a value, a name, a variable or '(', found the end of the expression");
  BOOST_TEST(printed("item.where(linkId = 'a'") ==
             "line 1, column 24: expected ',' or ')' after an argument, found the end of the expression");
  BOOST_TEST(printed("item.\n  wher(true)") ==
             "line 2, column 3: there is no function 'wher'; docs/fhirpath.md lists those there are");
  BOOST_TEST(printed("'\xc3\xa4\xc3\xb6' + )") ==
             "line 1, column 8: expected a value, a name, a variable or '(', found ')'"); // columns are characters
  BOOST_TEST(printed("a b") == "line 1, column 3: expected an operator or the end of the expression, found 'b'");
  BOOST_TEST(printed("a.first(1)") == "line 1, column 3: first() takes 0 arguments, here are 1");
  BOOST_TEST(printed("a.iif(true)") == "line 1, column 3: iif() takes 2 or 3 arguments, here are 1");
  BOOST_TEST(printed("a is Codin") == "line 1, column 6: there is no type 'Codin'");
  BOOST_TEST(printed("a.ofType(FHIR.Observations)") == "line 1, column 10: there is no type 'Observations'");
  for (const std::string good : {"VisionPrescription", "Account", "Timing", "FHIR.Patient", "Resource", "Element"})
    BOOST_TEST(printed("a is " + good).find("there is no type") == std::string::npos, good);
  BOOST_TEST(printed("a is strin") == "line 1, column 6: there is no type 'strin'");
  BOOST_TEST(printed("a is Other.String") == "line 1, column 6: types are of System or of FHIR");
  BOOST_TEST(printed("a.resolve()") == "line 1, column 3: resolve() is not supported here; see docs/fhirpath.md");
  BOOST_TEST(printed("$index") ==
             "line 1, column 1: $index has a value only inside of functions that look at each item, as where() and "
             "select()");
  BOOST_TEST(printed("a.where($total)") == "line 1, column 9: $total has a value only inside of aggregate()");
  BOOST_TEST(printed("%''") == "line 1, column 2: the name of a variable cannot be empty");
  BOOST_TEST(printed("$that") == "line 1, column 1: after $ there can be this, index or total");
  BOOST_TEST(printed("a # b") == "line 1, column 3: no part of an expression begins like this");
  BOOST_TEST(printed("2147483648") == "line 1, column 1: integers go to 2147483647; write it as a decimal, with .0 at its end");
  BOOST_TEST(printed("a.matches('(')").starts_with("line 1, column 11: the pattern is not one: "));
  BOOST_TEST(printed("a.") ==
             "line 1, column 3: expected the name of an element or a function after '.', found the end of the expression");
  BOOST_TEST(printed("a[1") == "line 1, column 4: expected ']' after the index, found the end of the expression");
  BOOST_TEST(printed("{1}") == "line 1, column 2: expected '}' after '{', for the empty collection, found '1'");
  BOOST_TEST(printed("%1") == "line 1, column 2: expected the name of a variable after '%', found '1'");
  BOOST_TEST(printed("4 ''") == "line 1, column 3: a unit cannot be empty; of a number without unit it is '1'");
  BOOST_TEST(printed(" ") == "line 1, column 1: the expression is empty");
  BOOST_TEST(printed("1 +\n '\xff'") == "line 2, column 1: this line is not UTF-8");
}

BOOST_AUTO_TEST_CASE(printing_writes_no_more_brackets_than_needed) {
  BOOST_TEST(printed("((1))+(2*3)") == "1 + 2 * 3");
  BOOST_TEST(printed("(1+2)*3") == "(1 + 2) * 3");
  BOOST_TEST(printed("1-(2-3)") == "1 - (2 - 3)");
  BOOST_TEST(printed("(-1).abs()") == "(-1).abs()");
  BOOST_TEST(printed("`item`.`a b`[ 0 ].as( FHIR.code )") == "item.`a b`[0].as(FHIR.code)");
  BOOST_TEST(printed("%\"x\"") == "line 1, column 2: strings stand in single quotes: 'text'");
  BOOST_TEST(printed("%'a b' | %resource") == "%`a b` | %resource");
  BOOST_TEST(printed("1 day|2'mg'") == "1 day | 2 'mg'");
}

BOOST_AUTO_TEST_CASE(what_is_printed_parses_to_the_same_tree) {
  any_expression any{11};
  for (int i = 0; i < 3'000; ++i) {
    const auto text = any.make(i % 6);
    const auto tree = fp::parse(text);
    const auto again = fp::parse(print(tree));
    BOOST_TEST(same(tree, again), text << " is printed as " << print(tree));
    BOOST_TEST(print(again) == print(tree));
  }
  BOOST_TEST(!same(fp::parse("1 + 2"), fp::parse("1 - 2")));
  BOOST_TEST(!same(fp::parse("1 - (2 - 3)"), fp::parse("1 - 2 - 3")));
  BOOST_TEST(!same(fp::parse("a is code"), fp::parse("a is Coding")));
}

BOOST_AUTO_TEST_CASE(words_of_operators_and_durations_are_names_too) {
  resource_fixture r{R"({"resourceType": "Basic", "contains": 1, "is": 2, "as": 3, "in": 4, "year": 5, "div": 6})"};
  check_said({{"contains", "1"},
              {"is", "2"},
              {"as", "3"},
              {"in", "4"},
              {"year + 1", "6"},
              {"`div`", "6"},
              {"div", "cannot compile"},
              {"contains contains is", "false"},
              {"as as integer", "3"}},
             r.world);
}

BOOST_AUTO_TEST_CASE(the_variables_of_an_expression_are_known) {
  const auto e = fp::compile("%b + %a.where(x = %b) + %`c d`");
  BOOST_REQUIRE(e);
  BOOST_TEST(e->variables() == (std::vector<std::string>{"b", "a", "c d"}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(every_function_is_in_the_table_once) {
  const auto all = fp::all_functions();
  for (std::size_t i = 1; i < all.size(); ++i)
    BOOST_TEST((all[i - 1].name < all[i].name), all[i].name);
  for (const auto& f : all)
    BOOST_TEST((fp::find_function(f.name) == &f), f.name);
}

BOOST_AUTO_TEST_SUITE_END()
