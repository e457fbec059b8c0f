// A seed that fails must fail again: two processes running one seed say the same, byte for byte.
#define BOOST_TEST_MODULE simulation
#include <array>
#include <boost/test/unit_test.hpp>
#include <cstdio>
#include <string>
#include <sys/wait.h>

namespace {

struct run {
  std::string output;
  int exit_code = -1;
};

run simulate(const std::string& arguments) {
  run r;
  auto* pipe = popen((std::string{EPIONE_BINARY_DIR} + "/epione-sim " + arguments + " 2>/dev/null").c_str(), "r");
  BOOST_REQUIRE(pipe != nullptr);
  std::array<char, 65'536> buffer{};
  while (const auto n = std::fread(buffer.data(), 1, buffer.size(), pipe))
    r.output.append(buffer.data(), n);
  const auto status = pclose(pipe);
  r.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return r;
}

} // namespace

BOOST_AUTO_TEST_CASE(the_same_seed_gives_the_same_trace_byte_for_byte) {
  for (const auto* seed : {"7 --nodes 1", "1001 --nodes 1", "7 --nodes 3", "7 --nodes 5"}) {
    BOOST_TEST_CONTEXT("seed " << seed) {
      const auto first = simulate(std::string{"--trace --seed "} + seed);
      const auto second = simulate(std::string{"--trace --seed "} + seed);
      BOOST_TEST(first.exit_code == 0);
      BOOST_TEST(first.output.size() > 100'000u);
      BOOST_TEST((first.output == second.output));
    }
  }
}

BOOST_AUTO_TEST_CASE(different_seeds_give_different_traces) {
  for (const auto* nodes : {" --nodes 1", " --nodes 3"})
    BOOST_TEST(
        (simulate(std::string{"--trace --seed 1"} + nodes).output != simulate(std::string{"--trace --seed 2"} + nodes).output));
}

BOOST_AUTO_TEST_CASE(a_few_seeds_hold_every_promise) {
  const auto r = simulate("--seeds 1..6 --nodes 1 --jobs 2");
  BOOST_TEST(r.exit_code == 0, r.output);
  // Each of them has reads and answers to be put in order, and a search that gives up checks nothing.
  BOOST_TEST(r.output.find(" operations in linear order, 0 undecided;") != std::string::npos, r.output);
  BOOST_TEST(r.output.find(" 0 operations in linear order") == std::string::npos, r.output);
}

BOOST_AUTO_TEST_CASE(a_part_of_a_seed_repeats_as_well) {
  const auto* const part = "--seed 7 --nodes 1 --faults 0,1,2,3 --live 20000 --trace";
  const auto first = simulate(part);
  BOOST_TEST(first.exit_code == 0);
  BOOST_TEST(first.output.size() > 10'000u);
  BOOST_TEST((first.output == simulate(part).output));
}

BOOST_AUTO_TEST_CASE(a_wrong_command_line_is_refused) {
  BOOST_TEST(simulate("").exit_code == 2);
  BOOST_TEST(simulate("--seed 1 --seeds 1..2").exit_code == 2);
  BOOST_TEST(simulate("--seeds 5..1").exit_code == 2);
  BOOST_TEST(simulate("--seed 1 --nodes 2").exit_code == 2);
  BOOST_TEST(simulate("--seeds 1..2 --live 1000").exit_code == 2);
  BOOST_TEST(simulate("--seed 1 --faults 1,,2").exit_code == 2);
}
