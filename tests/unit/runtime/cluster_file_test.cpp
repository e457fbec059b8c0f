// The cluster's file: what is taken from it, and what is refused with place and reason.
#include "runtime/cluster_file.hpp"

#include <boost/test/unit_test.hpp>

using namespace epione::runtime;

BOOST_AUTO_TEST_SUITE(cluster_files)

BOOST_AUTO_TEST_CASE(nodes_keep_the_order_of_the_file_and_paths_are_below_it) {
  const auto file = parse_cluster_file("/etc/epione/cluster.toml", R"(replication_factor = 3
shards = 16
[peers]
certificate = "certs/{node}.crt"
key = "/keys/{node}.key"
authorities = "certs/authorities.crt"
[nodes.zeta]
peer = "10.0.0.1:7100"
data_dir = "zeta"
[nodes.alpha]
peer = "[::1]:7100"
http = "127.0.0.1:8080"
)");
  BOOST_REQUIRE_MESSAGE(file.has_value(), (file ? "" : file.error()));
  BOOST_REQUIRE(file->nodes.size() == 2u);
  BOOST_TEST(file->nodes[0].name == "zeta");
  BOOST_TEST(file->shards == 16u);
  BOOST_TEST(file->path_for("zeta", file->certificate) == "/etc/epione/certs/zeta.crt");
  BOOST_TEST(file->path_for("zeta", file->key) == "/keys/zeta.key");
  BOOST_TEST(file->find("alpha")->http == "127.0.0.1:8080");
  BOOST_TEST(file->find("beta") == nullptr);
}

BOOST_AUTO_TEST_CASE(every_problem_is_named_with_its_line) {
  const auto file = parse_cluster_file("c.toml", R"(replication_factor = 0
colour = "red"
[nodes.n1]
peer = "nowhere"
[nodes.n2]
peer = "a:1"
port = 7
[nodes.n3]
peer = "a:1"
)");
  BOOST_REQUIRE(!file.has_value());
  for (const auto* part : {"c.toml:1: replication_factor", "c.toml:2: there is no entry 'colour'", "node n1 needs peer",
                           "there is no entry 'port' of a node", "two nodes have the peer address a:1"})
    BOOST_TEST(file.error().find(part) != std::string::npos, part << " is not in\n" << file.error());
}

BOOST_AUTO_TEST_CASE(a_file_without_nodes_is_of_no_use) {
  BOOST_TEST(!parse_cluster_file("c.toml", "").has_value());
  BOOST_TEST(!parse_cluster_file("c.toml", "nodes = 3").has_value());
}

BOOST_AUTO_TEST_SUITE_END()
