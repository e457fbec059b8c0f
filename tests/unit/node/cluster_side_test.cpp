// Where a node listens for the others.
#include "node/cluster_side.hpp"

#include "tests/support/test_authority.hpp"
#include "tests/unit/actors/actor_fixture.hpp"

#include <arpa/inet.h>
#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <filesystem>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

using namespace epione;

namespace {

struct socket_here {
  socket_here() : fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) { BOOST_REQUIRE(fd >= 0); }
  ~socket_here() { ::close(fd); }
  static sockaddr_in at(const char* address, std::uint16_t port) {
    sockaddr_in out{};
    out.sin_family = AF_INET;
    out.sin_port = htons(port);
    BOOST_REQUIRE_EQUAL(inet_pton(AF_INET, address, &out.sin_addr), 1);
    return out;
  }
  int fd;
};

std::uint16_t free_port() {
  const socket_here s;
  auto address = socket_here::at("127.0.0.1", 0);
  socklen_t size = sizeof(address);
  BOOST_REQUIRE_EQUAL(::bind(s.fd, reinterpret_cast<const sockaddr*>(&address), size), 0);
  BOOST_REQUIRE_EQUAL(::getsockname(s.fd, reinterpret_cast<sockaddr*>(&address), &size), 0);
  return ntohs(address.sin_port);
}

bool answers(const char* address, std::uint16_t port) {
  const socket_here s;
  const auto to = socket_here::at(address, port);
  return ::connect(s.fd, reinterpret_cast<const sockaddr*>(&to), sizeof(to)) == 0;
}

struct listening : actors::test::actor_fixture {
  listening() {
    auto pattern = (std::filesystem::temp_directory_path() / "epione-side-XXXXXX").string();
    BOOST_REQUIRE(::mkdtemp(pattern.data()) != nullptr);
    directory = pattern;
    const auto files = cluster::test::authority{directory + "/authority"}.issue("n1", directory);
    config.peers.certificate = files.certificate;
    config.peers.key = files.key;
    config.peers.authorities = files.authorities;
    options.node = "n1";
    options.file.nodes.resize(1);
    options.file.nodes[0].name = "n1";
  }
  ~listening() { std::filesystem::remove_all(directory); }

  /// As the cluster's file says where the node is reached.
  std::unique_ptr<node::cluster_side> listen(const std::string& peer) {
    options.file.nodes[0].peer = peer;
    auto side = std::make_unique<node::cluster_side>(options, config, log, metrics, clock, random);
    const auto done = side->listen();
    why = done ? "" : done.error();
    return side;
  }

  std::string directory, why;
  runtime::config config;
  node::cluster_options options;
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(cluster_sides, listening)

BOOST_AUTO_TEST_CASE(a_node_listens_where_the_file_says_that_it_is_reached) {
  const auto port = free_port();
  const auto side = listen("127.0.0.1:" + std::to_string(port));
  BOOST_TEST(why == "");
  BOOST_TEST(answers("127.0.0.1", port));
  BOOST_TEST(!answers("127.0.0.2", port));
}

BOOST_AUTO_TEST_CASE(or_on_the_address_of_its_own_configuration_at_that_port) {
  const auto port = free_port();
  config.peers.address = "0.0.0.0";
  const auto side = listen("node-one.hospital.example:" + std::to_string(port));
  BOOST_TEST(why == "");
  BOOST_TEST(answers("127.0.0.1", port));
  BOOST_TEST(answers("127.0.0.2", port));
}

BOOST_AUTO_TEST_CASE(a_name_that_is_no_address_of_this_machine_is_refused_with_the_setting_that_helps) {
  const auto side = listen("node-one.hospital.example:7100");
  BOOST_TEST(why.find("peers.address") != std::string::npos, why);
}

BOOST_AUTO_TEST_SUITE_END()
