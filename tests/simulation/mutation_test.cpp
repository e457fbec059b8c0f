// Planted faults are in their own build and nowhere else.
#include "runtime/mutation.hpp"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <set>
#include <string>
#include <sys/wait.h>

using namespace epione;

namespace {

static_assert(!runtime::mutated(runtime::mutation::acknowledge_before_commit), "no other build has planted faults");

std::string read_program(const std::string& name) {
  std::ifstream in{std::string{EPIONE_BINARY_DIR} + "/" + name, std::ios::binary};
  return {std::istreambuf_iterator<char>{in}, {}};
}

int exit_code_of(const std::string& arguments) {
  const auto status = std::system((std::string{EPIONE_BINARY_DIR} + "/epione-sim " + arguments + " >/dev/null 2>&1").c_str());
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

} // namespace

BOOST_AUTO_TEST_CASE(the_program_knows_no_planted_fault) {
  const auto program = read_program("epione");
  BOOST_TEST_REQUIRE(program.size() > 1'000'000u);
  BOOST_TEST(program.find("score") != std::string::npos); // it can be searched
  BOOST_TEST((program.find("--mutation") == std::string::npos));
  for (const auto& m : runtime::mutations) {
    BOOST_TEST((program.find(m.name) == std::string::npos), m.name);
    BOOST_TEST((program.find(m.breaks) == std::string::npos), m.name);
  }
}

BOOST_AUTO_TEST_CASE(every_planted_fault_has_a_name_of_its_own_and_a_sentence) {
  std::set<std::string_view> names;
  for (std::size_t i = 0; i < runtime::mutations.size(); ++i) {
    const auto& m = runtime::mutations[i];
    BOOST_TEST_CONTEXT(m.name) {
      BOOST_TEST(static_cast<std::size_t>(m.id) == i + 1);
      BOOST_TEST(names.insert(m.name).second);
      BOOST_TEST((m.name.find_first_not_of("abcdefghijklmnopqrstuvwxyz-") == std::string_view::npos));
      BOOST_TEST((m.breaks.size() > 20 && m.breaks.back() == '.'));
    }
  }
}

BOOST_AUTO_TEST_CASE(the_page_on_reliability_has_a_row_for_each) {
  std::ifstream in{std::string{EPIONE_SOURCE_DIR} + "/docs/reliability.md"};
  const std::string page{std::istreambuf_iterator<char>{in}, {}};
  for (const auto& m : runtime::mutations)
    BOOST_TEST((page.find("\n| `" + std::string{m.name} + "` | " + std::string{m.breaks} + " |") != std::string::npos), m.name);
}

BOOST_AUTO_TEST_CASE(the_simulator_of_another_build_plants_nothing) {
  BOOST_TEST(exit_code_of("--mutations") == 2);
  BOOST_TEST(exit_code_of("--seed 1 --nodes 1 --mutation apply-twice") == 2);
}
