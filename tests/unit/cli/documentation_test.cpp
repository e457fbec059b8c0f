// Man page and completion hold what --help holds, of every command.
#include "tests/unit/cli/scratch.hpp"

#include <regex>
#include <set>

using namespace epione::cli::test;

namespace {

using words = std::vector<std::string>;

words with(words path, const std::string& last) {
  path.push_back(last);
  return path;
}

std::string name_of(const words& path) {
  std::string out = "epione";
  for (const auto& word : path)
    out += " " + word;
  return out;
}

struct help {
  std::set<std::string> flags;
  std::vector<std::string> commands;
};

/// Read from what the program prints, not from the tree that the pages are made of.
help help_of(const words& path) {
  const auto text = call(with(path, "--help")).out;
  help out;
  static const std::regex flag{"(^|[\\s,])(--[a-z][a-z0-9-]*)"}, command{"^  ([a-z][a-z-]*)( .*)?$"};
  bool below = false;
  std::istringstream lines{text};
  for (std::string line; std::getline(lines, line);) {
    below = below || line == "Subcommands:";
    std::smatch found;
    if (below) {
      if (std::regex_match(line, found, command))
        out.commands.push_back(found[1]);
    } else if (line.starts_with("  -")) { // what is said about a flag may name others, its own names end at the first space
      const auto names = line.substr(2, line.find(' ', 2) - 2);
      for (std::sregex_iterator at{names.begin(), names.end(), flag}, end; at != end; ++at)
        out.flags.insert((*at)[2]);
    }
  }
  return out;
}

template <class F>
std::size_t for_each_command(const words& path, F&& f) {
  const auto h = help_of(path);
  f(path, h);
  std::size_t count = 1;
  for (const auto& c : h.commands)
    count += for_each_command(with(path, c), f);
  return count;
}

bool has_word(const std::string& text, const std::string& word) {
  for (auto at = text.find(word); at != std::string::npos; at = text.find(word, at + 1)) {
    const auto end = at + word.size();
    if (end == text.size() || (std::isalnum(static_cast<unsigned char>(text[end])) == 0 && text[end] != '-'))
      return true;
  }
  return false;
}

} // namespace

BOOST_AUTO_TEST_SUITE(documentation)

BOOST_AUTO_TEST_CASE(the_man_page_has_every_command_and_every_flag) {
  const auto page = call({"documentation", "man"});
  BOOST_TEST(page.code == 0);
  const auto text = std::regex_replace(page.out, std::regex{R"(\\-)"}, "-");
  const auto commands = for_each_command({}, [&](const words& path, const help& h) {
    if (h.commands.empty())
      BOOST_TEST(text.find(".SS \"" + name_of(path) + "\"\n") != std::string::npos, name_of(path));
    for (const auto& f : h.flags)
      BOOST_TEST(has_word(text, f), name_of(path) << " " << f);
  });
  BOOST_TEST(commands >= 12U);
  for (const auto* section : {".SH NAME", ".SH SYNOPSIS", ".SH \"EXIT STATUS\"", ".SH FILES"})
    BOOST_TEST((text.find(section) != std::string::npos || text.find(".SH EXIT STATUS") != std::string::npos), section);
}

BOOST_AUTO_TEST_CASE(the_completion_has_every_command_and_every_flag_where_it_belongs) {
  const auto script = call({"documentation", "bash"});
  BOOST_TEST(script.code == 0);
  for_each_command({}, [&](const words& path, const help& h) {
    const auto begin = script.out.find("    '" + name_of(path).substr(6) + "')\n      words='");
    BOOST_REQUIRE_MESSAGE(begin != std::string::npos, name_of(path));
    const auto here = script.out.substr(begin, script.out.find(";;", begin) - begin);
    for (const auto& f : h.flags)
      BOOST_TEST(has_word(here, f), name_of(path) << " " << f);
    for (const auto& c : h.commands)
      BOOST_TEST(has_word(here, c), name_of(path) << " " << c);
  });
}

BOOST_AUTO_TEST_CASE(what_is_for_the_build_is_not_shown) {
  BOOST_TEST(call({"--help"}).out.find("documentation") == std::string::npos);
  BOOST_TEST(call({"documentation", "bash"}).out.find("documentation") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(the_same_program_prints_the_same_pages) {
  BOOST_TEST(call({"documentation", "man"}).out == call({"documentation", "man"}).out);
}

BOOST_AUTO_TEST_SUITE_END()
