// The next step that brings a group's members to where they should be.
#include "cluster/steward.hpp"

#include <boost/test/unit_test.hpp>

using namespace epione;
using namespace epione::cluster;
using domain::node_phase;
using messages::server_change;

namespace {

domain::cluster_state nodes_of(std::initializer_list<std::pair<const char*, node_phase>> all) {
  domain::cluster_state s;
  s.replication_factor = 3;
  std::uint64_t id = 0;
  for (const auto& [name, phase] : all) {
    ++id;
    s.add({name, std::string{name} + ":1", "", phase, phase == node_phase::invited ? 0 : id, "", false});
  }
  s.next_server_id = id + 1;
  return s;
}

/// Led by the first one; everybody is heard and has everything.
runtime::group_view group_of(std::initializer_list<std::pair<std::uint64_t, const char*>> members) {
  runtime::group_view v;
  v.role = "leader";
  v.serving = true;
  v.last = 1'000;
  for (const auto& [id, role] : members)
    v.members.push_back({id, "n" + std::to_string(id), role, true, 1'000, 1});
  v.leader_id = v.members.front().id;
  v.leader = v.members.front().node;
  return v;
}

constexpr auto member_phase = node_phase::member, leaving_phase = node_phase::leaving, invited_phase = node_phase::invited;

} // namespace

BOOST_AUTO_TEST_SUITE(placement)

BOOST_AUTO_TEST_CASE(a_group_gets_a_stand_by_first_and_a_voter_of_it_once_it_is_caught_up) {
  const auto nodes = nodes_of({{"n1", member_phase}, {"n2", member_phase}, {"n3", invited_phase}});
  auto step = next_step(nodes, 1, 17, group_of({{1, "leader"}}));
  BOOST_REQUIRE(step.change.has_value());
  BOOST_TEST((step.change->what == server_change::kind::add));
  BOOST_TEST(step.change->id == 2u);
  auto v = group_of({{1, "leader"}, {2, "stand-by"}});
  v.members[1].match = 10;
  BOOST_TEST(!next_step(nodes, 1, 17, v).change.has_value());
  v.members[1].match = 990;
  step = next_step(nodes, 1, 17, v);
  BOOST_REQUIRE(step.change.has_value());
  BOOST_TEST((step.change->what == server_change::kind::promote));
  BOOST_TEST(!next_step(nodes, 1, 17, group_of({{1, "leader"}, {2, "voter"}})).change.has_value());
}

BOOST_AUTO_TEST_CASE(nothing_is_changed_while_a_change_is_under_way_or_nobody_serves) {
  const auto nodes = nodes_of({{"n1", member_phase}, {"n2", member_phase}});
  auto v = group_of({{1, "leader"}});
  v.change_under_way = true;
  BOOST_TEST(!next_step(nodes, 1, 17, v).change.has_value());
  v = group_of({{1, "leader"}});
  v.serving = false;
  BOOST_TEST(!next_step(nodes, 1, 17, v).change.has_value());
}

BOOST_AUTO_TEST_CASE(a_voter_goes_only_while_the_others_are_a_working_majority) {
  const auto nodes = nodes_of({{"n1", member_phase}, {"n2", leaving_phase}, {"n3", member_phase}});
  auto v = group_of({{1, "leader"}, {2, "voter"}, {3, "voter"}});
  auto step = next_step(nodes, 1, 17, v);
  BOOST_REQUIRE(step.change.has_value());
  BOOST_TEST((step.change->what == server_change::kind::remove));
  BOOST_TEST(step.change->id == 2u);
  v.members[2].heard_ms = 60'000; // n3 is away: without n2 the leader alone would be one of two
  BOOST_TEST(!next_step(nodes, 1, 17, v).change.has_value());
}

BOOST_AUTO_TEST_CASE(a_leader_that_leaves_hands_over_first) {
  const auto nodes = nodes_of({{"n1", leaving_phase}, {"n2", member_phase}, {"n3", member_phase}});
  auto v = group_of({{1, "leader"}, {2, "voter"}, {3, "voter"}});
  v.members[1].match = 1;
  const auto step = next_step(nodes, 1, 17, v);
  BOOST_TEST(!step.change.has_value());
  BOOST_REQUIRE(step.transfer.has_value());
  BOOST_TEST(*step.transfer == 3u); // n2 lacks too much
}

BOOST_AUTO_TEST_CASE(a_shard_is_on_as_many_nodes_as_the_factor_says_and_the_catalog_on_five) {
  const auto nodes = nodes_of({{"n1", member_phase}, {"n2", member_phase}, {"n3", member_phase}, {"n4", member_phase}});
  const auto three = group_of({{1, "leader"}, {2, "voter"}, {3, "voter"}});
  BOOST_TEST(!next_step(nodes, 4, 17, three).change.has_value());
  const auto step = next_step(nodes, 0, 17, three);
  BOOST_REQUIRE(step.change.has_value());
  BOOST_TEST((step.change->what == server_change::kind::add));
  BOOST_TEST(step.change->id == 4u);
}

BOOST_AUTO_TEST_CASE(the_replica_of_a_lost_directory_goes_and_never_its_successor) {
  auto nodes = nodes_of({{"n1", member_phase}, {"n2", member_phase}, {"n3", member_phase}});
  nodes.find("n3")->server_id = 9; // joined anew
  const auto step = next_step(nodes, 1, 17, group_of({{1, "leader"}, {2, "voter"}, {3, "voter"}}));
  BOOST_REQUIRE(step.change.has_value());
  BOOST_TEST((step.change->what == server_change::kind::remove));
  BOOST_TEST(step.change->id == 3u);
}

BOOST_AUTO_TEST_SUITE_END()
