// The list of nodes, as group 0 keeps it.
#include "domain/cluster_state.hpp"

#include <boost/test/unit_test.hpp>

using namespace epione::domain;

BOOST_AUTO_TEST_SUITE(cluster_states)

BOOST_AUTO_TEST_CASE(what_is_written_is_read_again_and_no_part_of_it_is_taken_for_the_whole) {
  cluster_state s;
  s.replication_factor = 3;
  s.next_server_id = 9;
  s.add({"n2", "b:2", "http://b", node_phase::leaving, 4, "x", true});
  s.add({"n1", "a:1", "", node_phase::member, 1, "", false});
  s.add({"n3", "c:3", "", node_phase::invited, 0, "", false});
  const auto bytes = encode(s);
  const auto read = decode_cluster_state(bytes);
  BOOST_REQUIRE(read.has_value());
  BOOST_TEST(read->replication_factor == 3u);
  BOOST_TEST(read->next_server_id == 9u);
  BOOST_REQUIRE(read->nodes.size() == 3u);
  BOOST_TEST(read->nodes[0].name == "n1");
  BOOST_TEST(read->find("n2")->server_id == 4u);
  BOOST_TEST((read->find("n2")->phase == node_phase::leaving));
  BOOST_TEST(read->find("n2")->replaced);
  BOOST_TEST(read->find_server(4)->name == "n2");
  BOOST_TEST(read->find_server(0) == nullptr);
  BOOST_TEST(encode(*read) == bytes);
  for (std::size_t n = 0; n < bytes.size(); ++n)
    BOOST_TEST(!decode_cluster_state(std::string_view{bytes}.substr(0, n)).has_value(), n);
}

BOOST_AUTO_TEST_CASE(names_of_nodes_are_fit_for_files_and_certificates) {
  for (const auto* good : {"n1", "node-7", "Berlin_2", "a"})
    BOOST_TEST(is_node_name(good), good);
  for (const auto* bad : {"", "-a", "a b", "a/b", "ä", "a.b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"})
    BOOST_TEST(!is_node_name(bad), bad);
}

BOOST_AUTO_TEST_SUITE_END()
