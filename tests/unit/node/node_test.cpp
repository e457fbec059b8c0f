// A whole node with real threads, a real disk and real sockets: how it starts.
#include "node/node.hpp"

#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>

using namespace epione;

namespace {

struct scratch_node {
  scratch_node() {
    auto name = (std::filesystem::temp_directory_path() / "epione-node-XXXXXX").string();
    BOOST_REQUIRE(mkdtemp(name.data()) != nullptr);
    auto& c = options.config;
    c.data.directory = name;
    c.http.port = 0;
    c.shards.count = 2;
    c.log.level = "error";
  }
  ~scratch_node() { std::filesystem::remove_all(options.config.data.directory); }

  std::unique_ptr<node::node> start() {
    auto started = node::node::start(options);
    const std::string why = started ? "" : started.error().message;
    BOOST_REQUIRE_MESSAGE(started.has_value(), why);
    return std::move(*started);
  }

  node::node_options options;
};

/// The demo study with another title of each form, which are then other forms of the same version.
domain::study_source changed_demo() {
  auto source = node::demo_study();
  for (auto& form : source.forms) {
    auto content = nlohmann::json::parse(form.text);
    content["title"] = "Another title";
    form.text = content.dump();
  }
  return source;
}

} // namespace

BOOST_FIXTURE_TEST_SUITE(nodes, scratch_node)

BOOST_AUTO_TEST_CASE(a_demo_that_cannot_be_imported_says_file_place_and_problem) {
  {
    const auto node = start();
    BOOST_REQUIRE(node->import_study(changed_demo(), "os:test").has_value());
    node->request_stop();
    BOOST_REQUIRE(node->wait() == 0);
  }
  options.demo = true;
  const auto started = node::node::start(options);
  BOOST_REQUIRE(!started);
  BOOST_TEST(started.error().exit_code == 1);
  for (const auto* part : {"phq-9.json, version: ", "gad-7.json, version: ", "give the form a new version"})
    BOOST_TEST(started.error().message.find(part) != std::string::npos, started.error().message);
}

BOOST_AUTO_TEST_SUITE_END()
