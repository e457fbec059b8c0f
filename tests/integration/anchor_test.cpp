// A node has group 0 keep how far its chains have come, as often as it is to, and not when nothing is new.
#include "domain/anchor.hpp"
#include "runtime/storage/anchors.hpp"
#include "runtime/storage/audit.hpp"
#include "tests/integration/scratch_disk.hpp"
#include "tests/integration/test_cluster.hpp"
#include "tests/integration/test_node.hpp"

#include <boost/test/unit_test.hpp>

using namespace epione;
using namespace epione::tests;

namespace {

constexpr std::int64_t first_ms = runtime::defaults::anchor_first_ms, interval_ms = runtime::defaults::anchor_interval_ms;

struct one_node {
  scratch_disk disk;
  test_node node{disk.disk(), disk.directory()};

  std::vector<domain::anchor> anchors() {
    auto found = runtime::newest_anchors(disk.disk(), disk.directory());
    BOOST_REQUIRE_MESSAGE(found.has_value(), (found ? "" : found.error().message));
    return *found;
  }
  std::uint64_t count() { return runtime::audit_directory(disk.disk(), disk.directory(), {}).anchors; }
  void pass(std::int64_t ms) {
    node.run(2'000); // the stores apply what is committed
    node.advance_to(node.clock.now_ns() + ms * 1'000'000);
    node.run(2'000);
  }
};

} // namespace

BOOST_AUTO_TEST_SUITE(anchors)

BOOST_FIXTURE_TEST_CASE(heads_are_kept_in_group_0_while_anything_is_stored, one_node) {
  BOOST_REQUIRE(node.start_with_demo());
  BOOST_TEST(anchors().empty());
  BOOST_TEST(node.send("7", node.phq9(), "k1") == 202);
  pass(first_ms);
  BOOST_REQUIRE(anchors().size() == 1u);
  const auto first = anchors().front();
  BOOST_TEST(domain::is_signed(first));
  BOOST_TEST(first.heads.size() == 2u); // group 0 and the shard that has something
  pass(interval_ms);
  pass(interval_ms);
  BOOST_TEST(count() == 1u); // nothing new
  BOOST_TEST(node.send("7", node.phq9(), "k2") == 202);
  pass(interval_ms);
  BOOST_REQUIRE(count() == 2u);
  BOOST_TEST(anchors().back().heads.back().seq == 2u);
  BOOST_TEST((anchors().back().key == first.key));
  BOOST_TEST(runtime::audit_directory(disk.disk(), disk.directory(), {}).ok());
}

BOOST_FIXTURE_TEST_CASE(a_node_keeps_its_key, one_node) {
  BOOST_REQUIRE(node.start_with_demo());
  BOOST_TEST(node.send("7", node.phq9(), "k1") == 202);
  pass(first_ms);
  const auto key = anchors().front().key;
  BOOST_REQUIRE(node.stop());
  BOOST_REQUIRE(node.start());
  BOOST_TEST(node.send("7", node.phq9(), "k2") == 202);
  pass(first_ms);
  BOOST_TEST(count() == 2u);
  BOOST_TEST((anchors().front().key == key));
}

BOOST_AUTO_TEST_CASE(every_node_of_a_cluster_says_what_it_leads) {
  scratch_disk disk;
  test_cluster cluster{disk.disk(), 3};
  BOOST_REQUIRE(cluster.form());
  for (int patient = 1; patient <= 6; ++patient)
    BOOST_TEST(cluster.send(cluster.at(1), std::to_string(patient), test_node::phq9(), "key") == 202);
  cluster.run(first_ms + 5'000);
  for (auto& m : cluster.members) {
    const auto kept = runtime::newest_anchors(disk.disk(), m->directory);
    BOOST_REQUIRE(kept.has_value());
    std::set<std::uint32_t> shards;
    for (const auto& a : *kept)
      for (const auto& h : a.heads)
        shards.insert(h.shard);
    BOOST_TEST(shards.size() == 3u, m->name); // both shards and group 0, whoever leads them
    BOOST_TEST(runtime::audit_directory(disk.disk(), m->directory, {}).ok());
  }
}

BOOST_AUTO_TEST_SUITE_END()
