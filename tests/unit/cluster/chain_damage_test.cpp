// What a replica and a store do about files that are damaged, missing or behind, and about entries that cannot be applied.
#include "tests/unit/cluster/chain_fixture.hpp"

using namespace epione;
using namespace epione::cluster;
using namespace epione::cluster::test;

BOOST_FIXTURE_TEST_SUITE(damage_found, fixture)

BOOST_AUTO_TEST_CASE(a_journal_behind_its_store_is_refused_with_what_is_missing) {
  fill(*node, 5);
  renew();
  std::filesystem::remove(path + "/journal.db");
  std::filesystem::remove(path + "/journal.db-wal");
  std::filesystem::remove(path + "/journal.db-shm");
  std::filesystem::remove(path + "/journal.mark");
  node->start();
  const auto why = node->end_of("replica 1");
  BOOST_TEST(why.find("damaged: the journal is behind the store of group 1: its log ends at entry 1, but the store has applied "
                      "entry 7; entries 2 to 7 are missing") == 0,
             why);
}

BOOST_AUTO_TEST_CASE(a_damaged_store_is_set_aside_and_built_again_from_the_journal) {
  fill(*node, 5);
  renew();
  damage(path + "/shard-001.db", flip_newest_event);
  node->start();
  heard h;
  node->listen(h);
  BOOST_TEST(h.serving > 0);
  for (std::uint64_t i = 1; i <= 5; ++i)
    BOOST_TEST(node->stored_events(i) == 1);
  BOOST_TEST(std::filesystem::exists(path + "/shard-001.db.damaged-1"));
  BOOST_TEST(node->log.count("builds its store again") == 1);
}

BOOST_AUTO_TEST_CASE(a_damaged_store_whose_log_was_cut_is_refused) {
  fill(*node, 5);
  node->checkpoint_store();
  BOOST_TEST(node->detail(node->replica, "cut") == "7");
  renew();
  damage(path + "/shard-001.db", flip_newest_event);
  node->start();
  const auto why = node->end_of("store 1");
  BOOST_TEST(why.find("damaged: ") == 0, why);
  BOOST_TEST(why.find("entries 1 to 7 were deleted") != std::string::npos, why);
  BOOST_TEST(why.find("Restore") != std::string::npos);
  BOOST_TEST(std::filesystem::exists(path + "/shard-001.db"));
}

BOOST_AUTO_TEST_CASE(a_missing_store_is_built_again_and_refused_when_the_log_was_cut) {
  fill(*node, 5);
  renew();
  for (const char* suffix : {"", "-wal", "-shm"})
    std::filesystem::remove(path + "/shard-001.db" + suffix);
  node->start();
  {
    heard h;
    node->listen(h);
    BOOST_TEST(h.serving > 0);
    BOOST_TEST(node->stored_events(5) == 1);
  }
  node->checkpoint_store();
  renew();
  for (const char* suffix : {"", "-wal", "-shm"})
    std::filesystem::remove(path + "/shard-001.db" + suffix);
  node->start();
  const auto why = node->end_of("replica 1");
  BOOST_TEST(why.find("damaged: the store of group 1 has applied up to entry 0, but the journal begins at entry 9") == 0, why);
}

BOOST_AUTO_TEST_CASE(a_store_that_is_found_damaged_while_it_runs_is_built_again_as_well) {
  fill(*node, 5);
  node->stop(node->store, caf::exit_reason::kill);
  damage(path + "/shard-001.db", flip_newest_event);
  node->start_store(); // the replica has dropped what was applied from its memory, and asks the journal for it
  node->run();
  node->flush_store();
  BOOST_TEST(node->end_of("replica 1") == "running");
  for (std::uint64_t i = 1; i <= 5; ++i)
    BOOST_TEST(node->stored_events(i) == 1);
}

BOOST_AUTO_TEST_CASE(a_store_that_is_damaged_again_right_after_it_was_built_is_refused) {
  node->start();
  heard h;
  auto c = node->listen(h);
  auto broken = command_of(1, "a", "one"); // stored as it is; looked up when its key comes again
  broken.event = "no submission";
  node->propose(c, h.serving, 1, {broken});
  node->propose(c, h.serving, 2, {command_of(1, "a", "one")});
  node->run();
  node->flush_store();
  node->advance(1100ms); // built again, and fed again
  BOOST_TEST(node->end_of("store 1").find("damaged: ") == 0, node->end_of("store 1"));
  BOOST_TEST(!std::filesystem::exists(path + "/shard-001.db.damaged-2"));
}

BOOST_AUTO_TEST_CASE(an_entry_that_is_not_understood_stops_the_store_with_an_alarm) {
  node->start();
  heard h;
  auto c = node->listen(h);
  node->self->send(node->replica_handle(), propose_atom::value, h.serving, std::uint64_t{1},
                   std::make_shared<const std::string>("from the future"), proposer{c});
  node->run();
  node->flush_store();
  BOOST_TEST(node->end_of("store 1").find("unknown_command: ") == 0, node->end_of("store 1"));
  BOOST_TEST(node->log.count("ALARM") == 1);
  BOOST_TEST(node->end_of("replica 1") == "running");
}

BOOST_AUTO_TEST_CASE(two_contents_under_one_key_stop_the_store_with_an_alarm) {
  node->start();
  heard h;
  auto c = node->listen(h);
  node->propose(c, h.serving, 1, {command_of(1, "a", "one")});
  node->propose(c, h.serving, 2, {command_of(1, "a", "one")});
  node->run();
  node->flush_store();
  BOOST_TEST(node->stored_events(1) == 1);
  node->propose(c, h.serving, 3, {command_of(1, "a", "other")});
  node->run();
  node->flush_store();
  BOOST_TEST(node->end_of("store 1").find("conflicting_apply") == 0, node->end_of("store 1"));
  BOOST_TEST(node->stored_events(1) == 1);
}

BOOST_AUTO_TEST_SUITE_END()
