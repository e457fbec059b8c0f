// What the disk may do to a node: no space, damage, cut tails. Nothing acknowledged is lost, and nothing damaged is served.
#include "runtime/error_text.hpp"
#include "tests/integration/scratch_disk.hpp"
#include "tests/integration/test_node.hpp"

#include <boost/test/unit_test.hpp>

using namespace epione;
using epione::tests::json;
using epione::tests::scratch_disk;
using epione::tests::test_node;

namespace {

void fill(test_node& node, int count) {
  for (int i = 0; i < count; ++i)
    BOOST_REQUIRE(node.send(std::to_string(1 + i % 4), node.phq9(0, i % 3), "k" + std::to_string(i)) == 202);
}

std::size_t stored(test_node& node) {
  std::size_t n = 0;
  for (int s = 1; s <= 4; ++s)
    n += node.receipts(std::to_string(s)).size();
  return n;
}

} // namespace

BOOST_AUTO_TEST_SUITE(disks)

BOOST_AUTO_TEST_CASE(a_full_disk_is_503_not_stored_and_the_node_goes_on_when_space_returns) {
  scratch_disk disk;
  test_node node{disk.disk(), disk.directory()};
  BOOST_REQUIRE(node.start_with_demo());
  fill(node, 8);
  disk.disk().set_capacity(0);
  int refused = 0;
  for (int i = 0; i < 6; ++i) {
    const auto t = node.post(std::to_string(1 + i % 4), node.phq9(), "full " + std::to_string(i));
    BOOST_TEST(node.status(t) == 503);
    BOOST_TEST(node.body(t)["outcome"] == "not_stored");
    refused += node.status(t) == 503;
  }
  BOOST_TEST(refused == 6);
  BOOST_TEST(!node.ended);
  BOOST_TEST(!node.process.exit_code.has_value());
  disk.disk().set_capacity(std::nullopt);
  BOOST_REQUIRE(node.run_until([&] { return node.ready(); }, 30'000));
  BOOST_TEST(stored(node) == 8u); // what was answered not_stored is absent
  for (int i = 0; i < 6; ++i)
    BOOST_TEST(node.send(std::to_string(1 + i % 4), node.phq9(), "full " + std::to_string(i)) == 202);
  BOOST_TEST(stored(node) == 14u);
}

BOOST_AUTO_TEST_CASE(a_failed_sync_ends_the_process) {
  scratch_disk disk;
  test_node node{disk.disk(), disk.directory()};
  BOOST_REQUIRE(node.start_with_demo());
  fill(node, 4);
  disk.disk().fail_at(1, simulation::fault::io_error);
  const auto t = node.post("1", node.phq9(), "lost?");
  node.run(3'000);
  BOOST_TEST(node.process.exit_code.has_value());
  const auto answer = node.sink.answers.find(t);
  BOOST_TEST((answer == node.sink.answers.end() || answer->second.status == 503));
}

BOOST_AUTO_TEST_CASE(a_flipped_bit_in_the_journal_is_refused_with_what_is_wrong) {
  scratch_disk disk;
  {
    test_node node{disk.disk(), disk.directory()};
    BOOST_REQUIRE(node.start_with_demo());
    fill(node, 12);
    disk.disk().kill();
    node.crash();
  }
  const auto wal = disk.directory() + "/journal.db-wal";
  BOOST_REQUIRE(disk.disk().size(wal) > 8'192u);
  disk.disk().flip_bit(wal, disk.disk().size(wal) / 2);
  test_node node{disk.disk(), disk.directory()};
  BOOST_TEST(!node.start(10'000));
  BOOST_TEST(node.ended);
  BOOST_TEST((node.end_reason == ec::damaged));
  BOOST_TEST(runtime::error_text(node.end_reason).find("journal") != std::string::npos, runtime::error_text(node.end_reason));
}

BOOST_AUTO_TEST_CASE(a_cut_tail_of_the_journal_is_refused_with_what_is_missing) {
  scratch_disk disk;
  {
    test_node node{disk.disk(), disk.directory()};
    BOOST_REQUIRE(node.start_with_demo());
    fill(node, 12);
    disk.disk().kill();
    node.crash();
  }
  const auto wal = disk.directory() + "/journal.db-wal";
  disk.disk().truncate(wal, disk.disk().size(wal) - 4'096);
  test_node node{disk.disk(), disk.directory()};
  BOOST_TEST(!node.start(10'000));
  BOOST_TEST((node.end_reason == ec::damaged));
}

BOOST_AUTO_TEST_CASE(a_damaged_store_is_built_again_from_the_journal) {
  scratch_disk disk;
  {
    test_node node{disk.disk(), disk.directory()};
    BOOST_REQUIRE(node.start_with_demo());
    fill(node, 12);
    node.run(3'000);
    disk.disk().kill();
    node.crash();
  }
  for (const auto* name : {"/shard-001.db", "/shard-001.db-wal", "/shard-001.db-shm"})
    if (disk.disk().exists(disk.directory() + name) && disk.disk().size(disk.directory() + name) > 0)
      disk.disk().truncate(disk.directory() + name, disk.disk().size(disk.directory() + name) / 2);
  disk.disk().flip_bit(disk.directory() + "/shard-001.db", 20, 3);
  test_node node{disk.disk(), disk.directory()};
  const bool started = node.start();
  BOOST_REQUIRE_MESSAGE(started, node.why_not());
  BOOST_TEST(stored(node) == 12u);
  BOOST_TEST(node.send("1", node.phq9(0, 0), "k0") == 200);
}

BOOST_AUTO_TEST_CASE(a_store_that_is_gone_and_cannot_be_rebuilt_is_refused) {
  scratch_disk disk;
  auto config = test_node::small_config();
  config.storage.store_checkpoint_bytes = 1; // the log is cut as soon as it may be
  {
    test_node node{disk.disk(), disk.directory(), config};
    BOOST_REQUIRE(node.start_with_demo());
    fill(node, 12);
    node.run(5'000);
    BOOST_TEST(node.stop()); // the last checkpoint cuts the log
  }
  for (const auto* name : {"/shard-001.db", "/shard-001.db-wal", "/shard-001.db-shm"})
    if (disk.disk().exists(disk.directory() + name))
      disk.disk().remove(disk.directory() + name);
  test_node node{disk.disk(), disk.directory(), config};
  BOOST_TEST(!node.start(10'000));
  BOOST_TEST((node.end_reason == ec::damaged), runtime::error_text(node.end_reason));
}

BOOST_AUTO_TEST_CASE(a_drain_under_load_finishes_what_was_accepted) {
  scratch_disk disk;
  std::vector<messages::ticket> tickets;
  {
    test_node node{disk.disk(), disk.directory()};
    BOOST_REQUIRE(node.start_with_demo());
    for (int i = 0; i < 40; ++i)
      tickets.push_back(node.post(std::to_string(i + 1), node.phq9(), "k"));
    BOOST_TEST(node.drain());
    for (auto t : tickets)
      BOOST_TEST(node.sink.answers.at(t).status == 202);
    const auto late = node.post("99", node.phq9(), "late");
    BOOST_TEST(node.status(late) == 503);
    BOOST_TEST(node.body(late)["outcome"] == "not_stored");
    BOOST_TEST(node.stop());
  }
  test_node node{disk.disk(), disk.directory()};
  BOOST_REQUIRE(node.start());
  for (int i = 0; i < 40; ++i)
    BOOST_TEST(node.receipts(std::to_string(i + 1)).size() == 1u);
  BOOST_TEST(node.receipts("99").empty());
}

BOOST_AUTO_TEST_SUITE_END()
