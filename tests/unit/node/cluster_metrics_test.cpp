// What /metrics says of the cluster is what this node sees of it.
#include "node/cluster_metrics.hpp"

#include "node/cluster_answers.hpp"
#include "tests/support/memory_network.hpp"

#include <boost/test/unit_test.hpp>

using namespace epione;

namespace {

/// n1 leads the catalog and shard 1, where n3 is behind and n2 is whole; n2 leads shard 2. Replicas on all three.
struct three_of_them {
  three_of_them() {
    know({"n1", "n2", "n3"}, {});
    parts.name = "n1";
    parts.shards.set(0, group("n1", 100, 100));
    parts.shards.set(1, group("n1", 100, 90));
    parts.shards.claim("n2", {{2, group("n2", 100, 100)}}, false);
  }
  void know(const std::vector<std::string>& members, const std::vector<std::string>& invited) {
    auto state = std::make_shared<domain::cluster_state>();
    state->replication_factor = 3;
    for (const auto& name : members)
      state->add({name, "", "", domain::node_phase::member, static_cast<std::uint64_t>(name[1] - '0'), {}, false});
    for (const auto& name : invited)
      state->add({name, "", "", domain::node_phase::invited, 0, {}, false});
    parts.nodes.set(state);
  }
  std::string missing(std::uint32_t of) { return node::what_is_missing(of, parts).value_or(""); }
  static runtime::group_view group(const std::string& leader, std::uint64_t last, std::uint64_t of_n3) {
    runtime::group_view v;
    v.role = "leader";
    v.leader = leader;
    v.serving = true;
    v.last = v.commit = last;
    v.members = {{1, "n1", leader == "n1" ? "leader" : "voter", true, last, 0},
                 {2, "n2", leader == "n2" ? "leader" : "voter", true, last, 0},
                 {3, "n3", "voter", true, of_n3, 0}};
    return v;
  }
  double gauge(const char* name, const runtime::metric_labels& labels = {}) {
    looked_up.refresh();
    return metrics.gauge(name, "", labels).Value();
  }
  double lag(const char* node) { return gauge("epione_replica_lag_entries", {{"peer", node}}); }

  tests::memory_network network;
  cluster::local_identity identity{"n1", "test", 1};
  tests::memory_network::transport transport{network, identity};
  node::cluster_parts parts{transport, identity};
  runtime::metrics metrics;
  node::cluster_metrics looked_up{metrics, parts, 2};
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(cluster_metrics_suite, three_of_them)

BOOST_AUTO_TEST_CASE(leaders_and_replicas_are_counted) {
  BOOST_TEST(gauge("epione_shards_led") == 2);
  BOOST_TEST(gauge("epione_shards_not_led") == 0);
  BOOST_TEST(gauge("epione_shards_not_whole") == 0);
  BOOST_TEST(lag("n2") == 0);
  BOOST_TEST(lag("n3") == 10);
}

BOOST_AUTO_TEST_CASE(a_leader_that_is_gone_and_a_replica_that_is_far_behind_are_missed) {
  parts.shards.forget("n2");
  parts.shards.set(1, group("n1", 1'000'000, 0));
  BOOST_TEST(gauge("epione_shards_not_led") == 1);
  BOOST_TEST(gauge("epione_shards_not_whole") == 2);
  BOOST_TEST(lag("n3") == 1'000'000);
  runtime::group_view elsewhere;
  elsewhere.role = "follower";
  elsewhere.leader = "n2";
  parts.shards.set(1, elsewhere);
  BOOST_TEST(lag("n3") == 0); // its new leader says it
  BOOST_TEST(gauge("epione_shards_led") == 1);
}

BOOST_AUTO_TEST_CASE(a_node_that_was_invited_is_missed_only_for_copies_there_are_no_nodes_for) {
  know({"n1", "n2", "n3"}, {"n4", "n5"});
  BOOST_TEST(missing(0) == "");
  BOOST_TEST(missing(1) == "");
  BOOST_TEST(gauge("epione_shards_not_whole") == 0);
  // With n3 a member too few, the three copies of a shard wait for who may join, and so does the catalog, but for no more.
  know({"n1", "n2"}, {"n3", "n4"});
  auto without_n3 = group("n1", 100, 100);
  without_n3.members.pop_back();
  parts.shards.set(0, without_n3);
  parts.shards.set(1, without_n3);
  for (const auto of : {0U, 1U})
    BOOST_TEST(missing(of) == "it is on 2 of 3 nodes; may join and have not yet: n3, n4");
  know({"n1", "n2"}, {});
  BOOST_TEST(missing(0) == "");
  BOOST_TEST(missing(1) == "");
}

BOOST_AUTO_TEST_SUITE_END()
