// The replica that moves next, and the steps of its move.
#include "tests/unit/cluster/placement_fixture.hpp"

#include <boost/test/unit_test.hpp>
#include <utility>

using namespace epione;
using namespace epione::cluster;
using namespace epione::cluster::placement_test;

BOOST_FIXTURE_TEST_SUITE(placement_moves, four_nodes)

BOOST_AUTO_TEST_CASE(a_replica_moves_from_who_has_most_to_who_has_least) {
  auto move = now().next_move();
  BOOST_REQUIRE(move.has_value());
  BOOST_TEST(move->from == 3u);
  BOOST_TEST(move->to == 4u);
  BOOST_TEST(move->group == 1u);
  BOOST_TEST(is_nothing(now().next_step(1))); // a group by itself lacks nothing
  // The first that it does not lead.
  groups[1]->leader_id = 3;
  std::swap(groups[1]->members[0].role, groups[1]->members[2].role);
  move = now().next_move();
  BOOST_REQUIRE(move.has_value());
  BOOST_TEST(move->group == 2u);
}

BOOST_AUTO_TEST_CASE(who_has_one_more_than_the_others_keeps_it) {
  groups.resize(2); // one shard: 1, 1, 1 and 0
  BOOST_TEST(now().is_settled());
  BOOST_TEST(!now().next_move().has_value());
}

BOOST_AUTO_TEST_CASE(nothing_moves_while_anything_else_is_under_way_or_unknown) {
  BOOST_REQUIRE(now().next_move().has_value());
  const auto whole = groups;
  for (const std::size_t g : {0u, 4u}) {
    groups[g].reset();
    BOOST_TEST(!now().next_move().has_value());
    groups = whole;
    groups[g]->serving = false;
    BOOST_TEST(!now().next_move().has_value());
    groups = whole;
    groups[g]->change_under_way = true;
    BOOST_TEST(!now().next_move().has_value());
    groups = whole;
  }
  groups[4] = group_of({{1, "leader"}, {2, "voter"}, {3, "voter"}, {4, "stand-by"}});
  BOOST_TEST(!now().next_move().has_value());
  groups[4] = group_of({{1, "leader"}, {2, "voter"}, {3, "voter"}, {4, "voter"}});
  BOOST_TEST(!now().next_move().has_value());
  groups[4] = group_of({{1, "leader"}, {2, "voter"}});
  BOOST_TEST(!now().next_move().has_value());
  groups = whole;
  auto asked = now();
  asked.expect(4, {add, 4, "n4", {}});
  BOOST_TEST(asked.replicas_of(4) == 1u);
  BOOST_TEST(!asked.next_move().has_value());
  nodes.find("n2")->phase = leaving_phase;
  BOOST_TEST(!now().next_move().has_value());
}

BOOST_AUTO_TEST_CASE(nothing_moves_to_or_from_who_is_away_or_drains) {
  const auto whole = groups;
  away(4);
  BOOST_TEST(!now().next_move().has_value());
  groups = whole;
  groups[1]->members[1].heard_ms = -1; // of this group it would be one too few that is there
  BOOST_TEST(now().next_move()->group == 2u);
  groups[1]->members[1] = whole[1]->members[1];
  groups[1]->members[1].match = 10;
  BOOST_TEST(now().next_move()->group == 2u);
  groups = whole;
  groups[0]->members[3].match = 10; // it has the catalog first
  BOOST_TEST(!now().next_move().has_value());
  groups = whole;
  BOOST_TEST((!placement{nodes, groups, {4}}.next_move().has_value()));
  BOOST_TEST((placement{nodes, groups, {3}}.next_move()->from == 2u));
}

BOOST_AUTO_TEST_CASE(the_stand_by_of_a_move_becomes_a_voter_while_all_others_are_there) {
  groups[1] = group_of({{1, "leader"}, {2, "voter"}, {3, "voter"}, {4, "stand-by"}});
  BOOST_TEST(is_change(now().next_step(1), promote, 4));
  groups[1]->members[1].heard_ms = 5'000; // three of four would have to be there
  BOOST_TEST(is_nothing(now().next_step(1)));
  groups[1]->members[1].heard_ms = 1;
  groups[1]->members[3].match = 10;
  BOOST_TEST(is_nothing(now().next_step(1)));
  groups[4].reset(); // who has most is not known
  groups[1]->members[3].match = 1'000;
  BOOST_TEST(is_nothing(now().next_step(1)));
}

BOOST_AUTO_TEST_CASE(a_stand_by_that_falls_silent_is_taken_out_and_one_not_heard_yet_is_waited_for) {
  groups[1] = group_of({{1, "leader"}, {2, "voter"}, {3, "voter"}, {4, "stand-by"}});
  for (const auto heard_ms : {-1, 600, 9'999}) {
    groups[1]->members[3].heard_ms = heard_ms;
    BOOST_TEST(is_nothing(now().next_step(1)), "not heard for " << heard_ms << " ms");
  }
  groups[1]->members[3].heard_ms = 10'000;
  BOOST_TEST(is_change(now().next_step(1), take_out, 4));
  // One that the group lacks goes only where another one can be had.
  groups[1] = group_of({{1, "leader"}, {2, "voter"}, {4, "stand-by"}});
  groups[1]->members[2].heard_ms = 10'000;
  BOOST_TEST(is_change(now().next_step(1), take_out, 4));
  groups[0]->members[2].heard_ms = 10'000; // n3 is away as well
  BOOST_TEST(is_nothing(now().next_step(1)));
}

BOOST_AUTO_TEST_CASE(of_one_too_many_the_one_goes_whose_node_has_most_and_never_who_has_just_come) {
  groups[1] = group_of({{1, "leader"}, {2, "voter"}, {3, "voter"}, {4, "voter"}});
  BOOST_TEST(is_change(now().next_step(1), take_out, 3));
  groups[2] = group_of({{1, "leader"}, {2, "voter"}, {4, "voter"}}); // n3 has less by now
  BOOST_TEST(is_change(now().next_step(1), take_out, 2));
  const auto whole = groups;
  groups[1]->members[1].heard_ms = 5'000; // which one is worth less is not known
  BOOST_TEST(is_nothing(now().next_step(1)));
  groups = whole;
  groups[3].reset();
  BOOST_TEST(is_nothing(now().next_step(1)));
}

BOOST_AUTO_TEST_CASE(a_leader_that_moves_hands_over_first_to_who_leads_least) {
  groups[2] = group_of({{2, "leader"}, {1, "voter"}, {4, "voter"}});
  groups[3] = group_of({{2, "leader"}, {1, "voter"}, {3, "voter"}});
  groups[1] = group_of({{1, "leader"}, {2, "voter"}, {3, "voter"}, {4, "voter"}});
  groups[4] = group_of({{1, "leader"}, {4, "voter"}, {3, "voter"}}); // n1 has four, the others three
  const auto step = now().next_step(1);
  BOOST_TEST(!step.change.has_value());
  BOOST_REQUIRE(step.transfer.has_value());
  BOOST_TEST(*step.transfer == 3u);
  const placement draining{nodes, groups, {3}};
  BOOST_TEST(*draining.next_step(1).transfer == 4u);
}

BOOST_AUTO_TEST_SUITE_END()
