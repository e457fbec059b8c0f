// One voter: the rules of driving libraft's core, each broken on purpose somewhere.
#include "cluster/invariant.hpp"
#include "cluster/raft_core.hpp"
#include "tests/unit/cluster/raft_members.hpp"

#include <boost/test/unit_test.hpp>

using namespace epione;
using namespace epione::cluster;
using namespace epione::cluster::test;
using epione::messages::entry_type;

namespace {

messages::group_log log_of(std::uint64_t n, std::uint64_t term = 1) {
  auto log = new_group(1);
  log.term = term;
  for (std::uint64_t i = 2; i <= n; ++i)
    log.entries.push_back(command(i, term, "e" + std::to_string(i)));
  return log;
}

messages::snapshot_point point_at(std::uint64_t index, std::uint64_t term = 1) {
  return {index, term, encode_configuration(voters(1)), 1};
}

std::string refusal(const messages::group_log& log) {
  raft_core core{options(1)};
  auto out = core.start(log, 1);
  return out ? "" : out.error();
}

} // namespace

BOOST_AUTO_TEST_SUITE(one_voter)

BOOST_AUTO_TEST_CASE(a_new_group_is_led_at_once_and_serves_what_it_has) {
  member m{1, new_group(1)};
  m.start(1000);
  BOOST_TEST((m.core->role() == raft_role::leader));
  BOOST_TEST(m.core->commit_index() == 1);
  BOOST_TEST(m.core->servers().size() == 1);
  BOOST_TEST(m.writing.empty());
}

BOOST_AUTO_TEST_CASE(an_entry_is_committed_once_it_is_written_and_not_before) {
  member m{1, new_group(1)};
  m.start(1000);
  raft_output out;
  BOOST_TEST(m.core->submit(entry_type::command, bytes("a"), 1001, out).value() == 2);
  BOOST_TEST(out.writes.size() == 1);
  BOOST_TEST(out.writes[0].entries[0].term == 1);
  BOOST_TEST(!out.commit_advanced);
  BOOST_TEST(m.core->commit_index() == 1);
  out = {};
  m.core->written(2, 1002, out);
  BOOST_TEST(out.commit_advanced);
  BOOST_TEST(m.core->commit_index() == 2);
  BOOST_TEST(m.core->applicable_index() == 2);
}

BOOST_AUTO_TEST_CASE(several_writes_may_be_under_way_and_complete_together) {
  member m{1, new_group(1)};
  m.start(1000);
  raft_output out;
  for (const char* text : {"a", "b", "c"})
    m.core->submit(entry_type::command, bytes(text), 1001, out);
  BOOST_TEST(out.writes.size() == 3);
  out = {};
  m.core->written(3, 1002, out); // the journal's message for the first two
  BOOST_TEST(m.core->commit_index() == 3);
  m.core->written(4, 1003, out);
  BOOST_TEST(m.core->commit_index() == 4);
}

BOOST_AUTO_TEST_CASE(a_completion_nobody_waits_for_breaks_a_rule) {
  member m{1, new_group(1)};
  m.start(1000);
  raft_output out;
  BOOST_CHECK_THROW(m.core->written(2, 1001, out), invariant_violation);
  member k{1, new_group(1)};
  k.start(1000);
  k.core->submit(entry_type::command, bytes("a"), 1001, out);
  BOOST_CHECK_THROW(k.core->written(3, 1001, out), invariant_violation);
}

BOOST_AUTO_TEST_CASE(time_that_goes_back_breaks_a_rule) {
  member m{1, new_group(1)};
  m.start(1000);
  raft_output out;
  BOOST_CHECK_THROW(m.core->tick(999, out), invariant_violation);
}

BOOST_AUTO_TEST_CASE(a_restart_takes_what_is_stored_as_committed) {
  member m{1, log_of(5, 3)};
  m.start(1000);
  BOOST_TEST((m.core->role() == raft_role::leader));
  BOOST_TEST(m.core->term() == 3);
  BOOST_TEST(m.core->commit_index() == 5);
  BOOST_TEST(m.core->log().copy(2, 5, 1).size() == 1);
  BOOST_TEST(m.core->log().copy(2, 5, 1 << 20).size() == 4);
}

BOOST_AUTO_TEST_CASE(a_change_behind_the_first_entry_is_committed_again_after_a_restart) {
  auto log = log_of(2);
  log.entries.push_back({3, 1, entry_type::change,
                         bytes(encode_configuration({{1, "node1", server_role::voter}, {2, "node2", server_role::stand_by}}))});
  member m{1, log};
  m.start(1000);
  BOOST_TEST(m.core->commit_index() == 3);
  BOOST_TEST(m.core->servers().size() == 2);
  // Had the committed change not been fed, this one would be refused as the second under way.
  raft_output out;
  const auto next = encode_configuration({{1, "node1", server_role::voter}});
  BOOST_TEST(m.core->submit(entry_type::change, bytes(next), 1001, out).value() == 4);
}

BOOST_AUTO_TEST_CASE(a_change_that_swaps_servers_breaks_a_rule) {
  auto log = log_of(1);
  log.entries.push_back({2, 1, entry_type::change,
                         bytes(encode_configuration({{1, "node1", server_role::voter}, {2, "node2", server_role::stand_by}}))});
  member m{1, log};
  m.start(1000);
  raft_output out;
  const auto swapped = encode_configuration({{1, "node1", server_role::voter}, {3, "node3", server_role::stand_by}});
  BOOST_CHECK_THROW(m.core->submit(entry_type::change, bytes(swapped), 1001, out), invariant_violation);
}

BOOST_AUTO_TEST_CASE(a_cut_log_starts_behind_its_cut) {
  messages::group_log log;
  log.term = 2;
  log.cut = point_at(10, 2);
  log.entries = {command(11, 2), command(12, 2)};
  member m{1, log};
  m.start(1000);
  BOOST_TEST((m.core->role() == raft_role::leader));
  BOOST_TEST(m.core->commit_index() == 12);
  BOOST_TEST(m.core->log().term_of(10) == 2);
  BOOST_TEST(m.core->log().term_of(9) == 0);
  raft_output out;
  BOOST_TEST(m.core->submit(entry_type::command, bytes("a"), 1001, out).value() == 13);
}

BOOST_AUTO_TEST_CASE(a_log_cut_at_its_end_starts_as_well) {
  messages::group_log log;
  log.term = 2;
  log.cut = point_at(10, 2);
  member m{1, log};
  m.start(1000);
  BOOST_TEST(m.core->commit_index() == 10);
  raft_output out;
  BOOST_TEST(m.core->submit(entry_type::command, bytes("a"), 1001, out).value() == 11);
  out = {};
  m.core->written(11, 1002, out);
  BOOST_TEST(m.core->applicable_index() == 11);
}

BOOST_AUTO_TEST_CASE(a_snapshot_trims_the_core_and_the_memory) {
  member m{1, log_of(20)};
  m.start(1000);
  raft_output out;
  m.core->release(20);
  m.core->snapshot(point_at(15), 1001, out);
  BOOST_TEST(m.core->log().cut_index() == 15);
  BOOST_TEST(m.core->log().term_of(15) == 1);
  BOOST_TEST(m.core->log().term_of(14) == 0);
  m.core->snapshot(point_at(12), 1002, out); // older: nothing happens
  BOOST_TEST(m.core->log().cut_index() == 15);
  m.core->snapshot(point_at(20), 1003, out);
  BOOST_TEST(m.core->submit(entry_type::command, bytes("a"), 1004, out).value() == 21);
  m.core->written(21, 1005, out);
  BOOST_TEST(m.core->commit_index() == 21);
}

BOOST_AUTO_TEST_CASE(a_snapshot_of_what_is_not_committed_or_of_another_term_breaks_a_rule) {
  raft_output out;
  member m{1, log_of(5)};
  m.start(1000);
  BOOST_CHECK_THROW(m.core->snapshot(point_at(6), 1001, out), invariant_violation);
  member k{1, log_of(5)};
  k.start(1000);
  BOOST_CHECK_THROW(k.core->snapshot(point_at(4, 2), 1001, out), invariant_violation);
}

BOOST_AUTO_TEST_CASE(a_snapshot_of_the_first_entry_alone_breaks_a_rule) {
  raft_output out;
  member m{1, log_of(5)};
  m.start(1000);
  BOOST_CHECK_THROW(m.core->snapshot(point_at(1), 1001, out), invariant_violation);
}

BOOST_AUTO_TEST_CASE(applied_entries_leave_memory_and_come_back_from_the_journal) {
  const auto stored = log_of(10);
  member m{1, stored};
  m.start(1000);
  m.core->release(7);
  BOOST_TEST(m.core->log().first_in_memory() == 8);
  BOOST_TEST(m.core->log().term_of(3) == 1);
  BOOST_CHECK_THROW(m.core->log().copy(3, 10, 1 << 20), invariant_violation);
  m.core->refill(stored);
  BOOST_TEST(m.core->log().first_in_memory() == 1);
  BOOST_TEST(*m.core->log().at(3).data == "e3");
  BOOST_CHECK_THROW(m.core->release(11), invariant_violation);
}

BOOST_AUTO_TEST_CASE(what_cannot_be_a_log_is_refused_with_a_sentence) {
  auto gap = log_of(4);
  gap.entries.erase(gap.entries.begin() + 2);
  BOOST_TEST(refusal(gap) == "entry 3 is missing, 4 follows");
  auto backwards = log_of(3, 2);
  backwards.entries[2].term = 1;
  BOOST_TEST(refusal(backwards).find("entry 3 has term 1") == 0);
  auto no_change = log_of(2);
  no_change.entries[0].type = entry_type::command;
  BOOST_TEST(refusal(no_change) == "entry 1 is not the group's first configuration");
  auto cut = log_of(1);
  cut.entries.clear();
  cut.cut = messages::snapshot_point{4, 1, "garbage..", 1};
  BOOST_TEST(refusal(cut).find("configuration:") == 0);
  auto torn = log_of(1);
  auto half = encode_configuration(voters(1));
  half.resize(12);
  torn.entries[0].data = bytes(half);
  BOOST_TEST(refusal(torn).find("configuration: ends in server 1") != std::string::npos);
  BOOST_TEST(refusal(log_of(5)).empty());
}

BOOST_AUTO_TEST_CASE(the_timer_runs_and_changes_nothing) {
  member m{1, new_group(1)};
  m.start(1000);
  for (std::int64_t now = 1000; now < 10'000; now += 50) {
    raft_output out;
    m.core->tick(now, out);
    BOOST_TEST(out.writes.empty());
    BOOST_TEST(out.messages.empty());
    BOOST_TEST(!out.role_changed);
  }
  BOOST_TEST(m.core->timeout_at_ms() > 10'000);
}

BOOST_AUTO_TEST_CASE(a_hundred_thousand_released_entries_leave_nothing_in_memory) {
  member m{1, new_group(1)};
  m.start(1000);
  const auto data = bytes(std::string(512, 'x'));
  constexpr int steps = 100'000;
  for (int i = 0; i < steps; ++i) {
    raft_output out;
    const auto index = m.core->submit(entry_type::command, data, 1001, out);
    m.core->written(*index, 1001, out);
    m.core->release(*index);
  }
  BOOST_TEST(m.core->commit_index() == steps + 1);
  BOOST_TEST(m.core->log().bytes() == 0);
}

BOOST_AUTO_TEST_SUITE_END()
