// The folders include each other only downwards, as docs and design say: reads every #include of every source file.
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <string>
#include <vector>

namespace fs = std::filesystem;

namespace {

using folders = std::set<std::string, std::less<>>;

// What each folder may include besides itself. A folder with a slash counts as its own.
const std::map<std::string, folders> allowed{
    {"domain", {}},
    {"messages", {"domain"}},
    {"runtime", {"domain", "messages", "runtime/storage"}}, // of storage only the disk as a port; see ports_only
    {"runtime/storage", {"domain", "messages", "runtime"}},
    {"runtime/http", {"domain", "messages", "runtime"}},
    {"runtime/channels", {"domain", "messages", "runtime"}},
    {"cluster", {"domain", "messages", "runtime", "runtime/storage"}},
    {"actors", {"domain", "messages", "runtime", "runtime/storage"}},
    {"node", {"domain", "messages", "runtime", "runtime/storage", "runtime/http", "runtime/channels", "cluster", "actors"}},
    {"cli",
     {"domain", "messages", "runtime", "runtime/storage", "runtime/http", "runtime/channels", "cluster", "actors", "node"}},
};

// Headers of runtime/storage that runtime/ itself may include: interfaces without SQLite.
const folders ports_only{"runtime/storage/disk.hpp", "runtime/storage/storage_error.hpp"};

// domain/ is pure: no actors, no input or output, no threads, no clock.
const std::regex impure{R"(caf/.*|boost/asio.*|boost/beast.*|sqlite3\.h|SQLiteCpp/.*|spdlog/.*|prometheus/.*|raft\.h|)"
                        R"(fstream|iostream|filesystem|thread|mutex|condition_variable|unistd\.h|sys/.*|time\.h)"};

std::string folder_of(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == std::string::npos ? "" : path.substr(0, slash);
}

struct include_line {
  std::string file; ///< relative to the source directory
  int line = 0;
  bool quoted = false;
  std::string target;
};

std::vector<include_line> includes_of(const fs::path& root, const std::string& folder, std::size_t& files) {
  std::vector<include_line> out;
  static const std::regex pattern{R"(\s*#\s*include\s*(["<])([^">]+)[">].*)"};
  for (const auto& entry : fs::directory_iterator{root / folder}) {
    const auto extension = entry.path().extension();
    if (extension != ".cpp" && extension != ".hpp" && extension != ".c" && extension != ".h")
      continue;
    ++files;
    std::ifstream in{entry.path()};
    int number = 0;
    for (std::string line; std::getline(in, line);) {
      ++number;
      std::smatch m;
      if (std::regex_match(line, m, pattern))
        out.push_back({folder + "/" + entry.path().filename().string(), number, m[1] == "\"", m[2]});
    }
  }
  return out;
}

bool fits(const std::string& folder, const include_line& i) {
  if (!i.quoted) {
    // One of ours in angle brackets would slip through.
    return !allowed.contains(folder_of(i.target)) && (folder != "domain" || !std::regex_match(i.target, impure));
  }
  const auto target = folder_of(i.target);
  if (folder == "runtime" && target == "runtime/storage")
    return ports_only.contains(i.target);
  return target == folder || allowed.at(folder).contains(target);
}

} // namespace

BOOST_AUTO_TEST_SUITE(include_order)

BOOST_AUTO_TEST_CASE(folders_include_each_other_only_downwards) {
  const fs::path root{EPIONE_SOURCE_DIR};
  for (const auto& [folder, below] : allowed) {
    std::size_t files = 0;
    const auto all = includes_of(root, folder, files);
    BOOST_TEST(files > 0U, "no source file was read in " << (root / folder));
    BOOST_TEST(!all.empty(), "no #include was read in " << (root / folder));
    for (const auto& i : all)
      BOOST_TEST(fits(folder, i), i.file << ":" << i.line << " must not include " << i.target);
  }
}

BOOST_AUTO_TEST_CASE(an_include_upwards_is_found) {
  BOOST_TEST(!fits("domain", {"domain/x.cpp", 1, true, "messages/errors.hpp"}));
  BOOST_TEST(!fits("domain", {"domain/x.cpp", 1, false, "caf/all.hpp"}));
  BOOST_TEST(!fits("domain", {"domain/x.cpp", 1, false, "fstream"}));
  BOOST_TEST(!fits("messages", {"messages/x.cpp", 1, false, "runtime/log.hpp"}));
  BOOST_TEST(!fits("runtime", {"runtime/x.cpp", 1, true, "runtime/storage/journal.hpp"}));
  BOOST_TEST(!fits("runtime/http", {"runtime/http/x.cpp", 1, true, "runtime/storage/disk.hpp"}));
  BOOST_TEST(!fits("cluster", {"cluster/x.cpp", 1, true, "actors/gateway.hpp"}));
  BOOST_TEST(!fits("actors", {"actors/x.cpp", 1, true, "cluster/replica.hpp"}));
  BOOST_TEST(fits("cli", {"cli/x.cpp", 1, true, "node/node.hpp"}));
  BOOST_TEST(fits("domain", {"domain/x.cpp", 1, false, "string"}));
}

BOOST_AUTO_TEST_CASE(libraries_are_linked_as_their_folders_may_include) {
  std::ifstream in{fs::path{EPIONE_SOURCE_DIR} / "CMakeLists.txt"};
  static const std::regex rule{R"(epione_folder\((\S+) LINK (.*?)\)?)"}, library{R"(\bepione_(\w+))"};
  std::size_t rules = 0;
  for (std::string line; std::getline(in, line);) {
    std::smatch m;
    if (!std::regex_match(line, m, rule))
      continue;
    ++rules;
    const std::string folder = m[1], links = m[2];
    for (std::sregex_iterator at{links.begin(), links.end(), library}, last; at != last; ++at) {
      auto target = (*at)[1].str();
      std::replace(target.begin(), target.end(), '_', '/');
      BOOST_TEST(allowed.at(folder).contains(target), folder << " must not be linked with " << target);
    }
  }
  BOOST_TEST(rules == allowed.size());
}

BOOST_AUTO_TEST_CASE(every_folder_with_code_has_its_rule) {
  const fs::path root{EPIONE_SOURCE_DIR};
  const folders other{"build", "tests", "docs", "examples", "scripts", "cmake", "packaging", "web"};
  for (const auto& entry : fs::directory_iterator{root}) {
    const auto name = entry.path().filename().string();
    if (entry.is_directory() && !name.starts_with('.') && !other.contains(name))
      BOOST_TEST(allowed.contains(name), name << " has no rule in this test");
  }
}

BOOST_AUTO_TEST_SUITE_END()
