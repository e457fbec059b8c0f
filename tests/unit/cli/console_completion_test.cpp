// What Tab puts in.
#include "cli/console_client.hpp"
#include "cli/console_completion.hpp"

#include <boost/test/unit_test.hpp>

using namespace epione::cli;

namespace {

int asked = 0;
completion of(std::string_view line) {
  return complete(line, [] {
    ++asked;
    return std::vector<std::string>{"store 1", "store 10", "store 2", "shard 1", "console", "peer n2", "peer n3"};
  });
}

} // namespace

BOOST_AUTO_TEST_SUITE(console_completion)

BOOST_AUTO_TEST_CASE(a_command_is_completed_and_a_blank_follows) {
  BOOST_TEST(of("sha").insert == "rds ");
  BOOST_TEST(of("  sha").insert == "rds ");
  BOOST_TEST(of("frob").insert == "");
  BOOST_TEST(of("frob").candidates.empty());
}

BOOST_AUTO_TEST_CASE(what_candidates_have_in_common_is_put_in_and_they_are_shown) {
  const auto found = of("s"); // sessions, shards, status
  BOOST_TEST(found.insert == "");
  BOOST_TEST(found.candidates.size() == 3U);
  BOOST_TEST(of("").candidates.size() > 10U);
  asked = 0;
  BOOST_TEST(of("status s").insert == "");
  BOOST_TEST(of("status st").insert == "ore ");
  BOOST_TEST(of("status st").candidates.size() == 3U);
  BOOST_TEST(asked > 0);
}

BOOST_AUTO_TEST_CASE(names_have_blanks) {
  BOOST_TEST(of("status store 2").insert == " ");
  BOOST_TEST(of("kill store 1").candidates.size() == 2U);
  BOOST_TEST((of("kill store").candidates == std::vector<std::string>{"store 1", "store 2", "store 10"}));
  BOOST_TEST(of("restart  con").insert == "sole ");
}

BOOST_AUTO_TEST_CASE(watch_is_followed_by_a_command_and_its_arguments) {
  BOOST_TEST(of("watch sha").insert == "rds ");
  BOOST_TEST(of("watch status sh").insert == "ard 1 ");
}

BOOST_AUTO_TEST_CASE(nodes_are_those_this_one_has_links_with) {
  BOOST_TEST((of("drain ").candidates == std::vector<std::string>{"n2", "n3"}));
  BOOST_TEST(of("undrain n").candidates.size() == 2U);
  BOOST_TEST(of("undrain n3").insert == " ");
  BOOST_TEST(of("drain n2 ").candidates.empty());
  BOOST_TEST(of("transfer n").candidates.empty()); // a shard's number
  BOOST_TEST(of("transfer 1 n").candidates.size() == 2U);
  BOOST_TEST(of("transfer 1 n2").insert == " ");
  BOOST_TEST(of("transfer 1 n2 b").candidates.empty());
}

BOOST_AUTO_TEST_CASE(choices_come_from_the_table_and_the_node_is_not_asked) {
  asked = 0;
  BOOST_TEST(of("dead-letters re").insert == "try ");
  BOOST_TEST(of("log-level w").insert == "arning ");
  BOOST_TEST(of("tail ").insert == "events ");
  BOOST_TEST(of("shards x").candidates.empty());
  BOOST_TEST(of("frobnicate x").candidates.empty());
  BOOST_TEST(asked == 0);
}

BOOST_AUTO_TEST_CASE(words_are_split_at_blanks) {
  const auto words = words_of("  status   store 3 ");
  BOOST_REQUIRE(words.size() == 3U);
  BOOST_TEST(words[2] == "3");
  BOOST_TEST(words_of("   ").empty());
}

BOOST_AUTO_TEST_SUITE_END()
