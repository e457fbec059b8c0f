// A whole node with real threads, a real disk and real sockets: how it starts, and how it stops whatever its clients do.
#include "node/node.hpp"
#include "tests/support/test_authority.hpp"

#include <arpa/inet.h>
#include <boost/test/unit_test.hpp>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <future>
#include <netinet/in.h>
#include <nlohmann/json.hpp>
#include <poll.h>
#include <stop_token>
#include <sys/socket.h>
#include <sys/un.h>
#include <thread>
#include <unistd.h>

using namespace epione;
using namespace std::chrono_literals;

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

  std::string file(const std::string& name) const { return options.config.data.directory + "/" + name; }

  node::node_options options;
};

/// A connection that says what a test wants and no more.
class client {
public:
  explicit client(const node::node& to) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const auto url = to.http_address();
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(std::stoi(url.substr(url.rfind(':') + 1))));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    BOOST_REQUIRE_EQUAL(::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
  }
  explicit client(const std::string& path) : socket_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof(address.sun_path) - 1);
    BOOST_REQUIRE_EQUAL(::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
  }
  ~client() { ::close(socket_); }
  client(const client&) = delete;
  client& operator=(const client&) = delete;

  void send(std::string_view bytes) {
    BOOST_REQUIRE_EQUAL(::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL), static_cast<ssize_t>(bytes.size()));
  }
  /// What comes next, at most 4 KiB; empty at the end, or when nothing comes for ten seconds.
  std::string receive() {
    char bytes[4096];
    const auto n = wait_for(POLLIN, 10'000) ? ::recv(socket_, bytes, sizeof(bytes), 0) : 0;
    return {bytes, static_cast<std::size_t>(n > 0 ? n : 0)};
  }
  /// Sends until the other side takes no more.
  void stuff(std::string_view bytes) {
    while (wait_for(POLLOUT, 300))
      if (::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
        BOOST_REQUIRE_EQUAL(errno, EAGAIN);
  }

private:
  bool wait_for(short what, int limit_ms) {
    pollfd p{socket_, what, 0};
    return ::poll(&p, 1, limit_ms) == 1;
  }
  int socket_;
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

BOOST_AUTO_TEST_CASE(a_stop_refuses_a_body_that_is_half_there_and_does_not_wait_for_it) {
  options.config.stop.limit_ms = 120'000;
  const auto node = start();
  client phone{*node};
  phone.send("POST /patient/data HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100\r\n"
             "Expect: 100-continue\r\n\r\n");
  BOOST_TEST(phone.receive().starts_with("HTTP/1.1 100 "));
  phone.send("{");
  node->request_stop();
  auto ended = std::async(std::launch::async, [&] { return node->wait(); });
  const auto answer = phone.receive();
  BOOST_TEST(answer.starts_with("HTTP/1.1 503 "));
  BOOST_TEST(answer.find("not_stored") != std::string::npos);
  BOOST_REQUIRE((ended.wait_for(30s) == std::future_status::ready)); // the phone has not hung up
  BOOST_TEST(ended.get() == 0);
}

BOOST_AUTO_TEST_CASE(a_client_that_takes_no_answers_leaves_the_actors_half_of_the_limit) {
  options.config.stop.limit_ms = 4'000;
  const auto node = start();
  client reader{*node};
  reader.stuff("GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n");
  node->request_stop();
  BOOST_TEST(node->wait() == 0);
}

BOOST_AUTO_TEST_CASE(a_silent_command_does_not_hold_up_a_stop) {
  options.config.stop.limit_ms = 120'000;
  const auto node = start();
  client silent{file("admin.sock")};
  const auto before = std::chrono::steady_clock::now();
  node->request_stop();
  BOOST_TEST(node->wait() == 0);
  BOOST_TEST((std::chrono::steady_clock::now() - before < 9s)); // it may be silent for ten seconds
}

BOOST_AUTO_TEST_CASE(a_node_that_does_not_become_ready_can_be_stopped) {
  options.config.storage.disk_reserve_bytes = std::uint64_t{1} << 40; // so that nothing can be committed
  std::stop_source stop;
  auto started = std::async(std::launch::async, [&] { return node::node::start(options, stop.get_token()); });
  while (!std::filesystem::exists(file("journal.db")) && started.wait_for(1ms) != std::future_status::ready) {
  }
  stop.request_stop();
  BOOST_REQUIRE((started.wait_for(30s) == std::future_status::ready));
  const auto node = started.get();
  BOOST_REQUIRE(node);
  BOOST_TEST((*node)->wait() == 0);
  BOOST_TEST(!std::filesystem::exists(file("admin.sock")));
}

BOOST_AUTO_TEST_CASE(a_node_that_nobody_has_invited_says_how_it_is_invited) {
  const auto root = options.config.data.directory;
  const auto files = cluster::test::authority{root + "/authority"}.issue("n2", root + "/certs");
  options.config.peers.certificate = files.certificate;
  options.config.peers.key = files.key;
  options.config.peers.authorities = files.authorities;
  options.config.data.directory = root + "/data";
  node::cluster_options joins;
  joins.node = "n2";
  joins.file.nodes.resize(1);
  joins.file.nodes[0].name = "n1";
  joins.file.nodes[0].peer = "127.0.0.1:1"; // nobody is there
  options.cluster = joins;
  std::promise<std::string> said;
  options.waiting = [&, first = true](const std::string& why) mutable {
    if (std::exchange(first, false))
      said.set_value(why);
  };
  std::stop_source stop;
  auto started = std::async(std::launch::async, [&] { return node::node::start(options, stop.get_token()); });
  auto word = said.get_future();
  BOOST_REQUIRE((word.wait_for(60s) == std::future_status::ready));
  BOOST_TEST(word.get().find("epione cluster join n2 --peer ") != std::string::npos);
  stop.request_stop();
  BOOST_REQUIRE((started.wait_for(30s) == std::future_status::ready));
  if (const auto node = started.get(); node)
    BOOST_TEST((*node)->wait() == 0);
  options.config.data.directory = root;
}

BOOST_AUTO_TEST_CASE(a_node_that_runs_is_stopped_by_its_token) {
  std::stop_source stop;
  auto started = node::node::start(options, stop.get_token());
  BOOST_REQUIRE(started);
  stop.request_stop();
  BOOST_TEST((*started)->wait() == 0);
}

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
