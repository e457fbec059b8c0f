// docs/metrics.md lists what a running node shows, and nothing else.
#include "cluster/peer_link.hpp"
#include "cluster/router.hpp"
#include "cluster/snapshot_fetcher.hpp"
#include "cluster/snapshot_server.hpp"
#include "cluster/steward.hpp"
#include "cluster/websocket_transport.hpp"
#include "node/cluster_metrics.hpp"
#include "node/node.hpp"
#include "tests/unit/actors/actor_fixture.hpp"
#include "tests/unit/runtime_http/server_fixture.hpp"

#include <boost/test/unit_test.hpp>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <string>

using namespace epione;
using runtime::test::get;
using runtime::test::post;
using runtime::test::raw_client;

namespace {

/// A whole node on a directory of its own, with the demo study.
class served_node {
public:
  explicit served_node(runtime::config config = {}) {
    auto pattern = (std::filesystem::temp_directory_path() / "epione-node-XXXXXX").string();
    BOOST_REQUIRE(::mkdtemp(pattern.data()) != nullptr);
    directory_ = pattern;
    config.data.directory = directory_ + "/data";
    config.http.port = 0;
    config.shards.count = 2;
    config.storage.disk_reserve_bytes = 0;
    config.log.level = "error";
    auto started = node::node::start({.config = config, .demo = true});
    BOOST_REQUIRE_MESSAGE(started.has_value(), (started ? "" : started.error().message));
    node_ = std::move(*started);
  }
  ~served_node() {
    node_->request_stop();
    BOOST_TEST(node_->wait() == 0);
    node_.reset();
    std::filesystem::remove_all(directory_);
  }
  raw_client client() const {
    const auto address = node_->http_address();
    return raw_client{static_cast<std::uint16_t>(std::stoul(address.substr(address.rfind(':') + 1)))};
  }

private:
  std::string directory_;
  std::unique_ptr<node::node> node_;
};

/// A node alone has no links; what one with links shows as well.
std::string shown_with_links() {
  actors::test::actor_fixture with;
  cluster::local_identity identity{"a", "0.1.0", 1};
  cluster::peer_view view;
  cluster::websocket_transport transport{{}, identity, with.log, with.metrics, with.clock, with.random};
  cluster::peer_link_options options;
  options.node = "b";
  auto link = runtime::spawn_actor(with.system, with.env, cluster::peer_link, options,
                                   std::ref<cluster::peer_transport>(transport), std::cref(identity), std::ref(view));
  runtime::shard_view shards;
  runtime::cluster_view nodes;
  const std::vector<caf::actor> others{
      caf::actor_cast<caf::actor>(runtime::spawn_actor(
          with.system, with.env, cluster::router, cluster::router_options{"a", 1, 1'000, 1}, std::cref(view), std::ref(shards))),
      caf::actor_cast<caf::actor>(runtime::spawn_actor(with.system, with.env, cluster::snapshot_server)),
      caf::actor_cast<caf::actor>(runtime::spawn_actor(with.system, with.env, cluster::snapshot_fetcher)),
      caf::actor_cast<caf::actor>(runtime::spawn_actor(with.system, with.env, cluster::steward, cluster::steward_options{},
                                                       std::cref(nodes), std::ref(shards), std::cref(view)))};
  with.run();
  node::cluster_parts parts{transport, identity};
  parts.name = "a";
  runtime::group_view led;
  led.role = "leader";
  led.leader = "a";
  led.members = {{2, "b", "voter", true, 0, 0}};
  parts.shards.set(0, led);
  node::cluster_metrics{with.metrics, parts, 1}.refresh();
  for (const auto& x : others)
    with.self->send_exit(x, caf::exit_reason::kill);
  with.self->send_exit(caf::actor_cast<caf::actor>(link), caf::exit_reason::kill);
  with.run();
  return with.metrics.text();
}

struct metric {
  std::string type;
  std::set<std::string> labels;
  bool operator==(const metric&) const = default;
};
using metrics_by_name = std::map<std::string, metric>;

std::ostream& operator<<(std::ostream& out, const metric& m) {
  out << m.type;
  for (const auto& l : m.labels)
    out << ' ' << l;
  return out;
}

/// From the text exposition: `# TYPE name type`, then samples.
metrics_by_name shown(const std::string& text) {
  metrics_by_name out;
  metric* now = nullptr;
  std::istringstream lines{text};
  static const std::regex label{R"re((\w+)="(?:[^"\\]|\\.)*")re"};
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("# TYPE ")) {
      std::istringstream words{line.substr(7)};
      std::string name, type;
      words >> name >> type;
      now = &out[name];
      now->type = type;
    } else if (!line.starts_with("#") && now != nullptr) {
      for (std::sregex_iterator at{line.begin(), line.end(), label}, last; at != last; ++at)
        if ((*at)[1] != "le")
          now->labels.insert((*at)[1]);
    }
  }
  return out;
}

/// From the page: rows of | `name` | type | labels | meaning | what to do |
metrics_by_name documented(const std::string& page) {
  metrics_by_name out;
  static const std::regex row{R"(\| *`(\w+)` *\| *(\w+) *\|([^|]*)\|[^|]*\w[^|]*\|[^|]*\|)"}, word{R"(\w+)"};
  std::istringstream lines{page};
  for (std::string line; std::getline(lines, line);) {
    std::smatch m;
    if (!std::regex_match(line, m, row))
      continue;
    auto& found = out[m[1]];
    found.type = m[2];
    const std::string labels = m[3];
    for (std::sregex_iterator at{labels.begin(), labels.end(), word}, last; at != last; ++at)
      found.labels.insert(at->str());
  }
  return out;
}

} // namespace

BOOST_AUTO_TEST_SUITE(metrics_page)

BOOST_AUTO_TEST_CASE(the_page_and_a_running_node_name_the_same_metrics) {
  const served_node node;
  auto client = node.client();
  BOOST_TEST(client.ask(post(R"({"patientId":1,"key":"k","data":{"form":"none"}})"))->status == 422);
  BOOST_TEST(client.ask(get("/patient/1"))->status == 200);
  const auto text = client.ask(get("/metrics"))->body;
  std::ifstream in{EPIONE_SOURCE_DIR "/docs/metrics.md"};
  const auto there = shown(text + shown_with_links()), page = documented({std::istreambuf_iterator<char>{in}, {}});
  BOOST_TEST(there.size() > 50U);
  for (const auto& [name, m] : there)
    BOOST_TEST((page.contains(name) && page.at(name) == m), name << " (" << m << ") is not so in docs/metrics.md");
  for (const auto& [name, m] : page)
    BOOST_TEST(there.contains(name), name << " is in docs/metrics.md, and a running node does not show it");
}

BOOST_AUTO_TEST_CASE(what_is_looked_up_is_looked_up_for_every_answer) {
  const served_node node;
  auto client = node.client();
  BOOST_TEST(client.ask(get("/patient/1"))->status == 200);
  const auto value = [&](const std::string& name) {
    const auto text = client.ask(get("/metrics"))->body;
    const auto at = text.find("\n" + name + " ");
    BOOST_REQUIRE(at != std::string::npos);
    return std::stod(text.substr(at + name.size() + 2));
  };
  BOOST_TEST(value("process_resident_memory_bytes") > 1e6);
  BOOST_TEST(value("epione_admitted_requests_max") == runtime::defaults::requests_in_flight_max);
  BOOST_TEST(value("epione_shard_credits_max") == runtime::defaults::in_flight_per_shard_max);
  // Counted ten times a second: what the read used may still show.
  const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds{20};
  while (value("epione_shard_credits_used{shard=\"2\"}") != 0 && std::chrono::steady_clock::now() < limit)
    continue;
  BOOST_TEST(value("epione_shard_credits_used{shard=\"2\"}") == 0);
  BOOST_TEST(value("epione_journal_sync_seconds_count") > 0);
  BOOST_TEST(value("epione_reply_buffers_total{memory=\"new\"}") == 1); // of the read
  BOOST_TEST(value("epione_mailbox_messages{actor=\"journal\"}") >= 0);
}

BOOST_AUTO_TEST_CASE(settings_reach_the_http_threads) {
  runtime::config config;
  config.http.read_limit_max = 7;
  const served_node node{config};
  auto client = node.client();
  BOOST_TEST(client.ask(get("/patient/1?limit=7"))->status == 200);
  BOOST_TEST(client.ask(get("/patient/1?limit=8"))->status == 400);
}

BOOST_AUTO_TEST_SUITE_END()
