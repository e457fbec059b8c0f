// Three nodes as one system, in one thread: what is acknowledged survives any one of them, and any of them answers for any patient.
#include "tests/integration/scratch_disk.hpp"
#include "tests/integration/test_cluster.hpp"

#include <boost/test/unit_test.hpp>

using namespace epione;
using namespace epione::tests;

namespace {

struct three_nodes {
  scratch_disk disk;
  test_cluster cluster{disk.disk(), 3};

  void form() {
    const bool formed = cluster.form();
    BOOST_REQUIRE_MESSAGE(formed, why());
  }
  std::string why() {
    std::string text = cluster.why_not;
    for (auto& m : cluster.members) {
      if (!m->runs())
        continue;
      text += "\n" + m->name + ": " + m->node->why_not();
      for (std::uint32_t g = 0; g <= test_node::small_config().shards.count; ++g)
        if (const auto v = m->parts->shards.get(g)) {
          text += "\n  group " + std::to_string(g) + " " + v->role + " term " + std::to_string(v->term) + " leader " + v->leader +
                  " commit " + std::to_string(v->commit) + " applied " + std::to_string(v->applied) + (v->serving ? " serving" : "");
          for (const auto& x : v->members)
            text += " [" + x.node + " " + x.role + " " + std::to_string(x.match) + "]";
        }
    }
    return text;
  }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(cluster, three_nodes)

BOOST_AUTO_TEST_CASE(a_node_that_is_alone_grows_to_three_and_any_of_them_answers_for_any_patient) {
  form();
  for (int patient = 1; patient <= 6; ++patient) {
    auto& through = cluster.at(static_cast<std::size_t>(patient % 3 + 1));
    BOOST_TEST(cluster.send(through, std::to_string(patient), test_node::phq9(), "key") == 202);
  }
  for (auto& m : cluster.members)
    for (int patient = 1; patient <= 6; ++patient)
      BOOST_TEST(cluster.receipts(*m, std::to_string(patient)).size() == 1u);
}

BOOST_AUTO_TEST_CASE(what_is_acknowledged_survives_the_leader_and_a_repeat_gets_its_first_receipt) {
  form();
  BOOST_TEST(cluster.send(cluster.at(1), "7", test_node::phq9(), "k1") == 202);
  const auto shard = domain::shard_of(domain::subject_hash("demo", "7"), test_node::small_config().shards.count);
  auto* first = cluster.leader(shard);
  BOOST_REQUIRE(first != nullptr);
  cluster.crash(*first);
  auto& other = first == &cluster.at(1) ? cluster.at(2) : cluster.at(1);
  BOOST_TEST(cluster.send(other, "7", test_node::phq9(), "k2") == 202);
  BOOST_TEST(cluster.send(other, "7", test_node::phq9(), "k1") == 200);
  BOOST_TEST(cluster.receipts(other, "7").size() == 2u);
}

BOOST_AUTO_TEST_SUITE_END()
