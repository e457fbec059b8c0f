// The next step that brings a group's members to where they should be.
#include "cluster/configuration.hpp"
#include "tests/unit/cluster/placement_fixture.hpp"

#include <boost/test/unit_test.hpp>

using namespace epione;
using namespace epione::cluster;
using namespace epione::cluster::placement_test;

BOOST_AUTO_TEST_SUITE(placements)

BOOST_AUTO_TEST_CASE(a_group_gets_a_stand_by_first_and_a_voter_of_it_once_it_is_caught_up) {
  const auto nodes = nodes_of({{"n1", member_phase}, {"n2", member_phase}, {"n3", invited_phase}});
  auto step = next_step(nodes, 1, group_of({{1, "leader"}}));
  BOOST_REQUIRE(step.change.has_value());
  BOOST_TEST((step.change->what == server_change::kind::add));
  BOOST_TEST(step.change->id == 2u);
  auto v = group_of({{1, "leader"}, {2, "stand-by"}});
  v.members[1].match = 10;
  BOOST_TEST(!next_step(nodes, 1, v).change.has_value());
  v.members[1].match = 990;
  step = next_step(nodes, 1, v);
  BOOST_REQUIRE(step.change.has_value());
  BOOST_TEST((step.change->what == server_change::kind::promote));
  BOOST_TEST(!next_step(nodes, 1, group_of({{1, "leader"}, {2, "voter"}})).change.has_value());
}

BOOST_AUTO_TEST_CASE(nothing_is_changed_while_a_change_is_under_way_or_nobody_serves) {
  const auto nodes = nodes_of({{"n1", member_phase}, {"n2", member_phase}});
  auto v = group_of({{1, "leader"}});
  v.change_under_way = true;
  BOOST_TEST(!next_step(nodes, 1, v).change.has_value());
  v = group_of({{1, "leader"}});
  v.serving = false;
  BOOST_TEST(!next_step(nodes, 1, v).change.has_value());
}

BOOST_AUTO_TEST_CASE(a_voter_goes_only_while_the_others_are_a_working_majority) {
  const auto nodes = nodes_of({{"n1", member_phase}, {"n2", leaving_phase}, {"n3", member_phase}});
  auto v = group_of({{1, "leader"}, {2, "voter"}, {3, "voter"}});
  auto step = next_step(nodes, 1, v);
  BOOST_REQUIRE(step.change.has_value());
  BOOST_TEST((step.change->what == server_change::kind::remove));
  BOOST_TEST(step.change->id == 2u);
  v.members[2].heard_ms = 60'000; // n3 is away: without n2 the leader alone would be one of two
  BOOST_TEST(!next_step(nodes, 1, v).change.has_value());
}

BOOST_AUTO_TEST_CASE(a_leader_that_leaves_hands_over_first) {
  const auto nodes = nodes_of({{"n1", leaving_phase}, {"n2", member_phase}, {"n3", member_phase}});
  auto v = group_of({{1, "leader"}, {2, "voter"}, {3, "voter"}});
  v.members[1].match = 1;
  const auto step = next_step(nodes, 1, v);
  BOOST_TEST(!step.change.has_value());
  BOOST_REQUIRE(step.transfer.has_value());
  BOOST_TEST(*step.transfer == 3u); // n2 lacks too much
}

BOOST_AUTO_TEST_CASE(a_shard_is_on_as_many_nodes_as_the_factor_says_and_the_catalog_on_five) {
  const auto nodes = nodes_of({{"n1", member_phase}, {"n2", member_phase}, {"n3", member_phase}, {"n4", member_phase}});
  const auto three = group_of({{1, "leader"}, {2, "voter"}, {3, "voter"}});
  BOOST_TEST(!next_step(nodes, 4, three).change.has_value());
  const auto step = next_step(nodes, 0, three);
  BOOST_REQUIRE(step.change.has_value());
  BOOST_TEST((step.change->what == server_change::kind::add));
  BOOST_TEST(step.change->id == 4u);
}

BOOST_AUTO_TEST_CASE(the_replica_of_a_lost_directory_goes_and_never_its_successor) {
  auto nodes = nodes_of({{"n1", member_phase}, {"n2", member_phase}, {"n3", member_phase}});
  nodes.find("n3")->server_id = 9; // joined anew
  const auto step = next_step(nodes, 1, group_of({{1, "leader"}, {2, "voter"}, {3, "voter"}}));
  BOOST_REQUIRE(step.change.has_value());
  BOOST_TEST((step.change->what == server_change::kind::remove));
  BOOST_TEST(step.change->id == 3u);
}

BOOST_AUTO_TEST_CASE(who_leaves_stays_until_another_one_can_take_its_place) {
  four_nodes x;
  x.nodes.find("n2")->phase = leaving_phase;
  BOOST_TEST(is_change(x.now().next_step(1), add, 4));
  x.away(4);
  BOOST_TEST(is_nothing(x.now().next_step(1)));
  x.away(2); // it is of no use any more
  BOOST_TEST(is_change(x.now().next_step(1), take_out, 2));
}

BOOST_AUTO_TEST_CASE(a_catalog_waits_for_no_stand_by_before_it_gets_the_next_one) {
  const auto nodes = nodes_of({{"n1", member_phase}, {"n2", member_phase}, {"n3", member_phase}});
  auto v = group_of({{1, "leader"}, {2, "stand-by"}});
  v.members[1].heard_ms = -1;
  BOOST_TEST(is_change(next_step(nodes, 0, v), add, 3));
}

BOOST_AUTO_TEST_CASE(a_change_names_the_members_it_was_decided_on) {
  const auto v = group_of({{3, "leader"}, {1, "voter"}, {2, "stand-by"}});
  BOOST_TEST(roster_of(v) == "1 voter, 2 stand-by, 3 voter");
  BOOST_TEST(roster_of(v) ==
             roster({{1, "n1", server_role::voter}, {2, "n2", server_role::stand_by}, {3, "n3", server_role::voter}}));
}

BOOST_AUTO_TEST_SUITE_END()
