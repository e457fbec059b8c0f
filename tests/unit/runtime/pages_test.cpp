// The pages are true: every relative link of README and docs names a file that is there, and docs/logs.md has what the program
// logs.
#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <regex>
#include <set>
#include <string>
#include <vector>

namespace fs = std::filesystem;

namespace {

using events = std::map<std::string, std::set<std::string>>; // levels, by what happened

std::string text_of(const fs::path& file) {
  std::ifstream in{file};
  return {std::istreambuf_iterator<char>{in}, {}};
}

void find_events(const std::string& text, const std::regex& pattern, int level, int event, events& found) {
  for (std::sregex_iterator at{text.begin(), text.end(), pattern}, last; at != last; ++at) {
    const auto name = (*at)[static_cast<std::size_t>(level)].str();
    found[(*at)[static_cast<std::size_t>(event)]].insert(name == "record" ? "info" : name);
  }
}

/// Every call of a log in the sources: level and event are literals wherever one is written.
events logged_events(const fs::path& root) {
  const std::regex call{
      R"re(\b(?:log|log_|journal)(?:\.|->)(debug|info|warning|error|record)\(\s*[^,"]*(?:"[^"]*")?,\s*"([^"]*)")re"};
  const std::regex written{R"re(log_level::(\w+),\s*"([^"]*)")re"};
  events found;
  for (const auto* folder : {"domain", "messages", "runtime", "cluster", "actors", "node", "cli"})
    for (const auto& entry : fs::recursive_directory_iterator{root / folder})
      if (entry.path().extension() == ".cpp") {
        const auto text = text_of(entry.path());
        find_events(text, call, 1, 2, found);
        find_events(text, written, 1, 2, found);
      }
  return found;
}

std::string joined(const std::set<std::string>& words) {
  std::string out;
  for (const auto& w : words)
    out += (out.empty() ? "" : ", ") + w;
  return out;
}

} // namespace

BOOST_AUTO_TEST_SUITE(pages)

BOOST_AUTO_TEST_CASE(every_link_leads_to_a_file) {
  const fs::path root{EPIONE_SOURCE_DIR};
  std::vector<fs::path> all{root / "README.md"};
  for (const auto& entry : fs::directory_iterator{root / "docs"})
    if (entry.path().extension() == ".md")
      all.push_back(entry.path());
  const std::regex link{R"(\]\(([^)#\s]+)(#[^)]*)?\))"};
  std::size_t links = 0;
  for (const auto& page : all) {
    std::ifstream in{page};
    const std::string text{std::istreambuf_iterator<char>{in}, {}};
    for (std::sregex_iterator at{text.begin(), text.end(), link}, last; at != last; ++at) {
      const auto target = (*at)[1].str();
      if (target.find("://") != std::string::npos)
        continue;
      ++links;
      BOOST_TEST(fs::exists(page.parent_path() / target), page.filename() << " links to " << target << ", which is not there");
    }
  }
  BOOST_TEST(links >= 10U);
}

BOOST_AUTO_TEST_CASE(every_line_of_the_log_is_explained_and_no_other) {
  const fs::path root{EPIONE_SOURCE_DIR};
  const auto logged = logged_events(root);
  BOOST_TEST(logged.size() >= 50U);
  events explained;
  const std::regex row{R"re(\n\| `([^`]+)` \| (\w+(?:, \w+)*) \|)re"};
  const auto page = text_of(root / "docs/logs.md");
  for (std::sregex_iterator at{page.begin(), page.end(), row}, last; at != last; ++at)
    explained[(*at)[1]].insert((*at)[2]);
  for (const auto& [event, levels] : logged) {
    const auto found = explained.find(event);
    BOOST_TEST((found != explained.end()), "docs/logs.md does not explain \"" << event << "\"");
    if (found != explained.end())
      BOOST_TEST(joined(found->second) == joined(levels), event);
  }
  for (const auto& [event, level] : explained)
    BOOST_TEST((logged.count(event) == 1), "docs/logs.md explains \"" << event << "\", which nobody logs");
}

BOOST_AUTO_TEST_SUITE_END()
