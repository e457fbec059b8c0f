// Several voters in one thread: elections, replication, truncation, and the order of votes and messages.
#include "cluster/invariant.hpp"
#include "tests/unit/cluster/raft_members.hpp"

#include <algorithm>
#include <boost/test/unit_test.hpp>

using namespace epione;
using namespace epione::cluster;
using namespace epione::cluster::test;
using epione::messages::entry_type;

BOOST_AUTO_TEST_SUITE(several_voters)

BOOST_AUTO_TEST_CASE(a_leader_is_elected_and_its_entries_reach_everybody) {
  group g{3};
  auto& leader = g.elect();
  BOOST_TEST(leader.core->term() == 2);
  g.submit(leader, "a");
  g.submit(leader, "b");
  g.settle();
  g.pass(200);
  for (auto& m : g.members)
    BOOST_TEST(applicable(m) == "a b ");
}

BOOST_AUTO_TEST_CASE(no_vote_leaves_before_it_is_stored) {
  group g{3};
  for (auto& m : g.members)
    m.slow_disk = true;
  g.pass(1000);
  // Candidates have passed the pre-vote, which is not stored; their own term and vote wait for the disk, and so does what they
  // ask.
  auto candidate = std::find_if(g.members.begin(), g.members.end(), [](const member& m) { return !m.writing.empty(); });
  BOOST_REQUIRE((candidate != g.members.end()));
  BOOST_TEST(candidate->writing.front().term.value() == 2);
  BOOST_TEST(candidate->writing.front().voted_for.value() == candidate->id);
  BOOST_TEST((g.leader() == nullptr));
  for (auto& m : g.members)
    m.slow_disk = false;
  g.settle();
  BOOST_TEST((g.leader() != nullptr));
  for (const auto& m : g.members)
    BOOST_TEST(m.stored.term >= 2);
}

BOOST_AUTO_TEST_CASE(an_entry_on_one_server_is_not_committed_and_is_replaced) {
  group g{3};
  auto& old_leader = g.elect();
  g.submit(old_leader, "kept");
  g.settle();
  old_leader.cut_off = true;
  g.submit(old_leader, "lost1");
  g.submit(old_leader, "lost2");
  g.settle();
  BOOST_TEST(applicable(old_leader) == "kept ");
  auto& new_leader = g.elect();
  BOOST_TEST(new_leader.id != old_leader.id);
  g.submit(new_leader, "new");
  g.settle();
  old_leader.cut_off = false;
  g.pass(1000);
  for (auto& m : g.members)
    BOOST_TEST(applicable(m) == "kept new ");
  BOOST_TEST((old_leader.core->role() == raft_role::follower));
}

BOOST_AUTO_TEST_CASE(a_completion_that_a_truncation_has_overtaken_acknowledges_nothing) {
  group g{3};
  auto& old_leader = g.elect();
  g.submit(old_leader, "kept");
  g.settle();
  const auto stored = old_leader.core->stored_index();
  old_leader.cut_off = old_leader.slow_disk = true;
  g.submit(old_leader, "lost1");
  g.submit(old_leader, "lost2");
  g.submit(old_leader, "lost3");
  BOOST_TEST(old_leader.writing.size() == 3);
  auto& new_leader = g.elect();
  g.submit(new_leader, "new1");
  g.submit(new_leader, "new2");
  g.settle();
  old_leader.cut_off = false;
  for (int i = 0; i < 20; ++i)
    g.pass(100); // it hears the new entries while the old ones are still on their way to its disk
  BOOST_TEST(old_leader.core->log().last_term() == new_leader.core->term());
  // Now the old writes complete: they must not count for the new entries at the same places.
  while (!old_leader.writing.empty() && !old_leader.writing.front().term) {
    const auto& w = old_leader.writing.front();
    if (w.entries.front().term == new_leader.core->term())
      break;
    raft_output out;
    old_leader.core->written(old_leader.write_one(), g.now_ms, out);
    BOOST_TEST(old_leader.core->stored_index() == stored);
    for (const auto& m : out.messages)
      BOOST_TEST(m.index <= stored);
    old_leader.take(out);
  }
  old_leader.slow_disk = false;
  g.pass(1000);
  for (auto& m : g.members) {
    BOOST_TEST(applicable(m) == "kept new1 new2 ");
    BOOST_TEST(m.core->applicable_index() == m.core->commit_index());
  }
}

BOOST_AUTO_TEST_CASE(a_follower_applies_only_what_its_own_disk_has) {
  group g{3};
  auto& leader = g.elect();
  g.pass(200);
  auto& late = g.at(leader.id % 3 + 1);
  late.slow_disk = true;
  g.submit(leader, "a");
  g.settle();
  g.pass(100);
  BOOST_TEST(late.core->commit_index() == leader.core->commit_index());
  BOOST_TEST(late.core->applicable_index() < late.core->commit_index());
  BOOST_TEST(applicable(late).empty());
  late.slow_disk = false;
  g.settle();
  BOOST_TEST(applicable(late) == "a ");
}

// A leader that goes back to probe a follower, or a network that reorders, sends entries again which are committed already, with
// a commit index of now.
BOOST_AUTO_TEST_CASE(a_late_append_takes_no_commit_back) {
  group g{3};
  auto& leader = g.elect();
  for (const auto* text : {"a", "b", "c"})
    g.submit(leader, text);
  g.settle();
  g.pass(200);
  auto& follower = g.at(leader.id % 3 + 1);
  const auto committed = follower.core->commit_index();
  BOOST_REQUIRE(committed == leader.core->log().last());
  raft_message late;
  late.kind = message_kind::append_entries;
  late.peer = leader.id;
  late.term = leader.core->term();
  late.index = committed - 2;
  late.index_term = leader.core->log().term_of(late.index);
  late.commit = committed + 1;
  late.entries = leader.core->log().copy(committed - 1, committed - 1, 1 << 20);
  BOOST_REQUIRE(late.entries.size() == 1);
  raft_output out;
  BOOST_TEST(follower.core->receive(late, g.now_ms, out).has_value());
  BOOST_TEST(follower.core->commit_index() == committed);
  late.entries.clear(); // as a heartbeat
  BOOST_TEST(follower.core->receive(late, g.now_ms, out).has_value());
  BOOST_TEST(follower.core->commit_index() == committed);
}

BOOST_AUTO_TEST_CASE(members_that_restart_have_what_was_committed) {
  group g{3};
  g.submit(g.elect(), "a");
  g.settle();
  for (int round = 0; round < 10; ++round) {
    auto& leader = g.elect();
    g.submit(leader, std::to_string(round));
    g.settle();
    leader.core.reset(); // killed: what it had not written is gone
    leader.outbox.clear();
    g.pass(3000);
    leader.start(g.now_ms);
    g.pass(1000);
  }
  for (auto& m : g.members)
    BOOST_TEST(applicable(m) == "a 0 1 2 3 4 5 6 7 8 9 ");
}

BOOST_AUTO_TEST_CASE(a_change_inside_a_batch_is_registered_under_its_own_index) {
  group g{2};
  auto& leader = g.elect();
  auto& follower = g.at(3 - leader.id);
  g.pass(200);
  follower.cut_off = true;
  g.submit(leader, "a");
  g.submit(leader, "b");
  auto more = voters(2);
  more.push_back({3, "node3", server_role::stand_by});
  raft_output out;
  const auto index = leader.core->submit(entry_type::change, bytes(encode_configuration(more)), g.now_ms, out);
  leader.take(out);
  g.submit(leader, "c");
  leader.outbox.clear();
  follower.cut_off = false;
  while (!leader.writing.empty())
    leader.write_all(g.now_ms);
  // One message with all of them, as a leader sends it to a follower that is late.
  const auto before = *index - 3;
  raft_message m;
  m.kind = message_kind::append_entries;
  m.peer = leader.id;
  m.term = leader.core->term();
  m.index = before;
  m.index_term = leader.core->log().term_of(before);
  m.commit = leader.core->commit_index();
  m.entries = leader.core->log().copy(before + 1, leader.core->log().last(), 1 << 20);
  BOOST_TEST(m.entries.size() == 4);
  out = {};
  BOOST_TEST(follower.core->receive(m, g.now_ms, out).has_value());
  follower.take(out);
  BOOST_TEST(follower.core->servers().size() == 3);
  // A new leader without the change takes everything from its place on back: so does the configuration.
  m.term += 1;
  m.index = *index - 1;
  m.index_term = follower.core->log().term_of(m.index);
  m.entries = {command(*index, m.term, "other")};
  BOOST_TEST(follower.core->receive(m, g.now_ms, out).has_value());
  follower.take(out);
  BOOST_TEST(follower.core->servers().size() == 2);
  BOOST_TEST(follower.core->log().last() == *index);
}

BOOST_AUTO_TEST_CASE(a_stand_by_that_was_made_a_voter_without_hearing_of_it_votes) {
  auto servers = voters(2);
  servers.push_back({3, "node3", server_role::stand_by});
  group g{servers};
  auto& leader = g.elect();
  g.submit(leader, "a");
  g.pass(200);
  auto& stand_by = g.at(3);
  stand_by.cut_off = true;
  raft_output out;
  const auto index = leader.core->submit(entry_type::change, bytes(encode_configuration(voters(3))), g.now_ms, out).value();
  leader.take(out);
  g.settle();
  BOOST_TEST(leader.core->commit_index() >= index);
  BOOST_TEST(stand_by.core->log().last() < index);
  g.at(3 - leader.id).core.reset(); // lost for good, disk and all
  leader.start(g.now_ms);
  stand_by.cut_off = false;
  BOOST_TEST(g.elect().id == leader.id);
  g.submit(leader, "b");
  g.pass(200);
  BOOST_TEST(applicable(leader) == "a b ");
  BOOST_TEST(applicable(stand_by) == "a b ");
  BOOST_TEST((stand_by.core->servers()[2].role == server_role::voter));
}

BOOST_AUTO_TEST_CASE(a_stand_by_stands_for_no_election) {
  auto servers = voters(2);
  servers.push_back({3, "node3", server_role::stand_by});
  group g{servers};
  g.pass(200);
  g.at(1).core.reset();
  g.at(2).core.reset();
  g.pass(3'000);
  BOOST_TEST((g.at(3).core->role() == raft_role::follower));
  BOOST_TEST(g.at(3).writing.empty());
}

BOOST_AUTO_TEST_CASE(a_message_no_member_sends_is_refused_and_changes_nothing) {
  group g{3};
  auto& leader = g.elect();
  g.pass(200);
  auto& follower = g.at(leader.id % 3 + 1);
  const auto last = follower.core->log().last();
  raft_message m;
  m.kind = message_kind::append_entries;
  m.peer = leader.id;
  m.term = leader.core->term();
  m.index = last;
  m.index_term = follower.core->log().last_term();
  m.entries = {command(last + 2, m.term)};
  raft_output out;
  BOOST_TEST(!follower.core->receive(m, g.now_ms, out));
  m.entries = {command(last + 1, m.term + 1)};
  BOOST_TEST(!follower.core->receive(m, g.now_ms, out));
  m.entries = {{last + 1, m.term, entry_type::change, bytes("\x01garbage")}};
  BOOST_TEST(!follower.core->receive(m, g.now_ms, out));
  m.entries.clear();
  m.peer = follower.id;
  BOOST_TEST(!follower.core->receive(m, g.now_ms, out));
  BOOST_TEST(follower.core->log().last() == last);
  BOOST_TEST(out.writes.empty());
}

BOOST_AUTO_TEST_CASE(what_followers_may_need_stays_in_memory_behind_a_cut) {
  group g{3};
  auto& leader = g.elect();
  for (int i = 0; i < 20; ++i)
    g.submit(leader, "e");
  g.settle();
  const auto end = leader.core->applicable_index();
  leader.core->release(end); // a group of several keeps everything until a snapshot
  BOOST_TEST(leader.core->log().first_in_memory() == 1);
  raft_output out;
  leader.core->snapshot({end, leader.core->log().term_of(end), encode_configuration(voters(3)), 1}, g.now_ms, out);
  BOOST_TEST(leader.core->log().cut_index() == end - options(1).trailing_max);
  BOOST_TEST(leader.core->log().first_in_memory() == end - options(1).trailing_max + 1);
  g.submit(leader, "more");
  g.settle();
  g.pass(200);
  for (auto& m : g.members)
    BOOST_TEST(m.core->commit_index() == leader.core->commit_index());
}

BOOST_AUTO_TEST_SUITE_END()
