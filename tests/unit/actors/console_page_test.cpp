// docs/console.md holds the table of the code.
#include "actors/console_commands.hpp"

#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <set>
#include <string>

using namespace epione::actors;

BOOST_AUTO_TEST_SUITE(console_page)

// Setting UPDATE_DOCS rewrites the table instead of comparing it.
BOOST_AUTO_TEST_CASE(the_page_holds_the_commands_of_the_code) {
  const std::string path = EPIONE_SOURCE_DIR "/docs/console.md";
  const std::string begin = "<!-- commands: written by the test -->\n", end = "<!-- end of commands -->";
  std::ifstream in{path, std::ios::binary};
  const std::string page{std::istreambuf_iterator<char>{in}, {}};
  const auto from = page.find(begin), to = page.find(end);
  BOOST_REQUIRE(from != std::string::npos);
  BOOST_REQUIRE(to != std::string::npos);
  const auto wanted = page.substr(0, from) + begin + "\n" + console_commands_page() + "\n" + page.substr(to);
  if (std::getenv("UPDATE_DOCS") != nullptr)
    std::ofstream{path, std::ios::binary} << wanted;
  else
    BOOST_TEST(page == wanted, "docs/console.md is not what the code says; run this test with UPDATE_DOCS=1 to rewrite it");
}

BOOST_AUTO_TEST_CASE(every_command_has_a_name_of_its_own_a_help_line_and_a_limit) {
  std::set<std::string_view> names;
  for (const auto& c : console_commands()) {
    BOOST_TEST(names.insert(c.name).second, c.name << " is there twice");
    BOOST_TEST(find_console_command(c.name) == &c);
    BOOST_TEST(!c.help.empty());
    BOOST_TEST(!c.help.ends_with('.'), c.name << ": the help puts the full stop");
    BOOST_TEST((c.run == nullptr) == (c.limit_ms == 0), c.name << " reaches the node without a limit, or has one for nothing");
    BOOST_TEST((c.completes == console_argument::choice) == !c.choices.empty(), c.name);
  }
  BOOST_TEST(find_console_command("frobnicate") == nullptr);
}

BOOST_AUTO_TEST_SUITE_END()
