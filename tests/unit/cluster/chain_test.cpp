// Journal writer, replica and store together: when a shard serves, what an acknowledgement means, and what survives whom.
#include "tests/unit/cluster/chain_fixture.hpp"

using namespace epione;
using namespace epione::cluster;
using namespace epione::cluster::test;

BOOST_FIXTURE_TEST_SUITE(serving, fixture)

BOOST_AUTO_TEST_CASE(a_new_group_serves_once_its_own_barrier_is_applied) {
  node->start();
  BOOST_TEST(node->detail(node->replica, "committed") == "1");
  heard h;
  node->listen(h);
  BOOST_TEST(h.serving > 0);
  BOOST_TEST(h.applied == 2); // the group's configuration and the barrier
  BOOST_TEST((h.all == std::vector<std::string>{"applied 2", "applied 2", "serving"}));
}

BOOST_AUTO_TEST_CASE(without_a_store_nobody_is_served) {
  node->start_journal();
  node->start_replica();
  heard h;
  node->listen(h);
  BOOST_TEST(h.serving == 0);
  BOOST_TEST(node->detail(node->replica, "committed") == "2");
  node->start_store();
  node->run();
  BOOST_TEST(h.serving > 0);
}

BOOST_AUTO_TEST_CASE(an_entry_is_reported_once_it_is_in_the_journal_and_then_reaches_the_store) {
  node->start();
  heard h;
  auto c = node->listen(h);
  node->propose(c, h.serving, 7, one(42, "a"));
  node->run();
  BOOST_TEST((h.committed == std::vector<std::uint64_t>{7}));
  BOOST_TEST(node->stored_events(42) == 0); // gathers
  node->advance(1100ms);
  BOOST_TEST(node->stored_events(42) == 1);
  BOOST_TEST(h.applied == 3);
}

BOOST_AUTO_TEST_CASE(a_flush_applies_at_once) {
  node->start();
  heard h;
  auto c = node->listen(h);
  for (std::uint64_t i = 1; i <= 5; ++i)
    node->propose(c, h.serving, i, one(i, "a"));
  node->run();
  node->flush_store();
  BOOST_TEST(h.applied == 7);
  BOOST_TEST(h.committed.size() == 5);
}

BOOST_AUTO_TEST_CASE(a_read_index_is_what_is_committed_and_0_in_another_epoch) {
  node->start();
  heard h;
  auto c = node->listen(h);
  node->propose(c, h.serving, 1, one(1, "a"));
  node->run();
  node->self->send(node->replica_handle(), read_index_atom::value, h.serving, ticket{1});
  node->run();
  BOOST_TEST(h.read_index == 3);
  node->self->send(node->replica_handle(), read_index_atom::value, h.serving + 1, ticket{2});
  node->run();
  BOOST_TEST(h.read_index == 0);
}

BOOST_AUTO_TEST_CASE(a_new_listener_opens_a_new_epoch_and_the_old_one_is_told) {
  node->start();
  heard first, second;
  auto a = node->listen(first);
  const auto epoch = first.serving;
  auto b = node->listen(second);
  BOOST_TEST(first.closed == epoch);
  BOOST_TEST((first.known == outcome::unknown));
  BOOST_TEST(second.serving > epoch);
  node->propose(a, epoch, 1, one(1, "a"));
  node->run();
  BOOST_TEST((first.refused == std::vector<std::uint64_t>{1}));
  node->flush_store();
  BOOST_TEST(node->stored_events(1) == 0);
}

BOOST_AUTO_TEST_CASE(what_is_proposed_before_serving_is_refused) {
  node->start_journal();
  node->start_replica();
  heard h;
  auto c = node->listen(h);
  for (std::uint64_t epoch = 0; epoch < 5; ++epoch)
    node->propose(c, epoch, epoch, one(1, "a"));
  node->run();
  BOOST_TEST(h.refused.size() == 5);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_FIXTURE_TEST_SUITE(restarts, fixture)

BOOST_AUTO_TEST_CASE(a_restart_applies_what_was_acknowledged_and_no_epoch_comes_twice) {
  std::uint64_t last_epoch = 0;
  {
    node->start();
    heard h;
    auto c = node->listen(h);
    last_epoch = h.serving;
    for (std::uint64_t i = 1; i <= 10; ++i)
      node->propose(c, h.serving, i, one(i, "a"));
    node->run();
    BOOST_TEST(h.committed.size() == 10);
  }
  const auto epochs = node->epochs;
  renew();
  node->epochs = epochs;
  node->start();
  heard h;
  node->listen(h);
  BOOST_TEST(h.serving > last_epoch);
  for (std::uint64_t i = 1; i <= 10; ++i)
    BOOST_TEST(node->stored_events(i) == 1);
}

BOOST_AUTO_TEST_CASE(a_stop_writes_everything_down_and_cuts_the_log) {
  {
    node->start();
    heard h;
    auto c = node->listen(h);
    for (std::uint64_t i = 1; i <= 10; ++i)
      node->propose(c, h.serving, i, one(i, "a"));
    node->run();
    node->stop(node->store);
    BOOST_TEST(node->stored_events(10) == 1);
    BOOST_TEST(node->detail(node->replica, "cut") == "12");
  }
  renew();
  node->start();
  heard h;
  auto c = node->listen(h);
  BOOST_TEST(h.applied == 13);
  node->propose(c, h.serving, 1, one(1, "b"));
  node->run();
  node->flush_store();
  BOOST_TEST(node->stored_events(1) == 2);
}

BOOST_AUTO_TEST_CASE(a_store_that_holds_the_first_entry_alone_cuts_no_log) {
  node->start();
  node->flush_store();
  BOOST_TEST(node->detail(node->replica, "applied") == "1");
  node->checkpoint_store(); // the replica is told that entry 1 is durable
  BOOST_TEST(node->end_of("replica 1") == "running");
  BOOST_TEST(node->detail(node->replica, "cut") == "0");
  heard h;
  auto c = node->listen(h);
  node->propose(c, h.serving, 1, one(1, "a"));
  node->run();
  node->flush_store();
  node->checkpoint_store(); // a later one cuts it
  BOOST_TEST(node->end_of("replica 1") == "running");
  BOOST_TEST(node->detail(node->replica, "cut") == "3");
}

BOOST_AUTO_TEST_CASE(a_killed_store_goes_on_where_it_was) {
  node->start();
  heard h;
  auto c = node->listen(h);
  for (std::uint64_t i = 1; i <= 5; ++i)
    node->propose(c, h.serving, i, one(i, "a"));
  node->run();
  node->flush_store();
  node->propose(c, h.serving, 6, one(6, "a"));
  node->run();
  node->stop(node->store, caf::exit_reason::kill); // entry 8 had reached it
  node->propose(c, h.serving, 7, one(7, "a"));
  node->run();
  node->start_store();
  node->run();
  node->flush_store();
  for (std::uint64_t i = 1; i <= 7; ++i)
    BOOST_TEST(node->stored_events(i) == 1);
  BOOST_TEST(h.applied == 10); // the seven, the group's first entry, and the barriers of two epochs: a new store opens one
}

BOOST_AUTO_TEST_CASE(a_killed_replica_finds_what_was_on_its_way_in_the_journal) {
  node->start();
  heard h;
  auto c = node->listen(h);
  node->propose(c, h.serving, 1, one(1, "a"));
  node->scheduler.run_once(); // the replica has sent it to the journal, which has not seen it
  node->stop(node->replica, caf::exit_reason::kill);
  BOOST_TEST(h.committed.empty());
  node->stop(node->store);
  node->start_replica();
  node->start_store();
  node->run();
  heard again;
  node->listen(again);
  BOOST_TEST(again.serving > h.serving);
  BOOST_TEST(node->stored_events(1) == 1); // its outcome was unknown, and it is there
}

BOOST_AUTO_TEST_CASE(a_journal_that_is_gone_closes_the_epoch_as_unknown) {
  node->start();
  heard h;
  node->listen(h);
  node->stop(node->journal, caf::exit_reason::kill);
  BOOST_TEST(h.closed == h.serving);
  BOOST_TEST((h.known == outcome::unknown));
}

BOOST_AUTO_TEST_CASE(an_exception_in_any_of_them_ends_it_and_loses_nothing) {
  for (const char* where : {"replica.propose", "replica.persisted", "journal.flush", "journal.load", "store.apply", "store.open",
                            "store.checkpoint"}) {
    renew();
    node->start();
    heard h;
    auto c = node->listen(h);
    const std::string key = where;
    node->propose(c, h.serving, 1, one(1, key));
    node->run();
    BOOST_TEST(h.committed.size() == 1);
    node->faults.where = where;
    node->propose(c, h.serving, 2, one(2, key));
    node->run();
    node->checkpoint_store();
    const auto acknowledged = h.committed.size();
    renew();
    node->start();
    heard again;
    node->listen(again);
    BOOST_TEST(again.serving > 0, where);
    BOOST_TEST(node->stored_events(1) >= 1);
    if (acknowledged == 2)
      BOOST_TEST(node->stored_events(2) >= 1);
  }
  BOOST_TEST(node->stored_events(1) == 7); // each key exactly once
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_FIXTURE_TEST_SUITE(no_space, fixture)

BOOST_AUTO_TEST_CASE(a_full_disk_closes_the_epoch_as_not_stored_and_it_goes_on_when_there_is_space) {
  node->start();
  heard h;
  auto c = node->listen(h);
  const auto epoch = h.serving;
  node->propose(c, epoch, 1, one(1, "a"));
  node->run();
  node->disk.space = 0;
  node->propose(c, epoch, 2, one(2, "a"));
  node->propose(c, epoch, 3, one(3, "a"));
  node->run();
  BOOST_TEST((h.committed == std::vector<std::uint64_t>{1}));
  BOOST_TEST(h.closed == epoch);
  BOOST_TEST((h.why == ec::disk_full));
  BOOST_TEST((h.known == outcome::not_stored));
  node->propose(c, epoch, 4, one(4, "a"));
  node->run();
  BOOST_TEST((h.refused == std::vector<std::uint64_t>{4}));
  node->advance(10s); // tries again all the while
  BOOST_TEST(h.serving == epoch);
  BOOST_TEST((h.why == ec::disk_full));
  node->disk.space = 1u << 30;
  node->advance(3s);
  BOOST_TEST(h.serving > epoch);
  node->propose(c, h.serving, 5, one(5, "a"));
  node->run();
  node->flush_store();
  BOOST_TEST(node->stored_events(1) == 1);
  BOOST_TEST(node->stored_events(2) == 0);
  BOOST_TEST(node->stored_events(3) == 0);
  BOOST_TEST(node->stored_events(4) == 0);
  BOOST_TEST(node->stored_events(5) == 1);
  BOOST_TEST(node->process.ends.empty());
}

BOOST_AUTO_TEST_CASE(a_new_group_on_a_full_disk_begins_when_there_is_space) {
  node->disk.space = 0;
  node->start();
  heard h;
  node->listen(h);
  node->advance(5s);
  BOOST_TEST(h.serving == 0);
  node->disk.space = 1u << 30;
  node->advance(3s);
  BOOST_TEST(h.serving > 0);
}

BOOST_AUTO_TEST_SUITE_END()
