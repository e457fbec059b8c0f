// The pages lead somewhere: every relative link of README and docs names a file that is there.
#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <string>
#include <vector>

namespace fs = std::filesystem;

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

BOOST_AUTO_TEST_SUITE_END()
