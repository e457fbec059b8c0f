// The next step that brings a group's members to where they should be, and the replica that moves next.
#include "cluster/placement.hpp"

#include "cluster/configuration.hpp"

#include <algorithm>
#include <array>
#include <boost/test/unit_test.hpp>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

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

/// Where nothing is known of the other groups.
group_step next_step(const domain::cluster_state& nodes, std::uint32_t group, const runtime::group_view& v) {
  std::vector<std::optional<runtime::group_view>> groups(group + 2);
  groups[group] = v;
  return placement{nodes, std::move(groups)}.next_step(group);
}

bool is_change(const group_step& step, server_change::kind what, std::uint64_t id) {
  return step.change && step.change->what == what && step.change->id == id && !step.transfer;
}

bool is_nothing(const group_step& step) {
  return !step.change && !step.transfer;
}

constexpr auto add = server_change::kind::add, promote = server_change::kind::promote, take_out = server_change::kind::remove;

constexpr auto member_phase = node_phase::member, leaving_phase = node_phase::leaving, invited_phase = node_phase::invited;

/// Four nodes, of which the fourth has just joined: four shards on the others, led by the first.
struct four_nodes {
  domain::cluster_state nodes =
      nodes_of({{"n1", member_phase}, {"n2", member_phase}, {"n3", member_phase}, {"n4", member_phase}});
  std::vector<std::optional<runtime::group_view>> groups{
      group_of({{1, "leader"}, {2, "voter"}, {3, "voter"}, {4, "voter"}}), group_of({{1, "leader"}, {2, "voter"}, {3, "voter"}}),
      group_of({{1, "leader"}, {2, "voter"}, {3, "voter"}}), group_of({{1, "leader"}, {2, "voter"}, {3, "voter"}}),
      group_of({{1, "leader"}, {2, "voter"}, {3, "voter"}})};

  placement now() const { return {nodes, groups}; }
  void away(std::uint64_t id) {
    for (auto& v : groups)
      for (auto& m : v->members)
        if (m.id == id)
          m.heard_ms = 5'000;
  }
};

} // namespace

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

// ---- one replica's move
// ----------------------------------------------------------------------------------------------------------------------------

BOOST_FIXTURE_TEST_CASE(a_replica_moves_from_who_has_most_to_who_has_least, four_nodes) {
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

BOOST_FIXTURE_TEST_CASE(who_has_one_more_than_the_others_keeps_it, four_nodes) {
  groups.resize(2); // one shard: 1, 1, 1 and 0
  BOOST_TEST(now().is_settled());
  BOOST_TEST(!now().next_move().has_value());
}

BOOST_FIXTURE_TEST_CASE(nothing_moves_while_anything_else_is_under_way_or_unknown, four_nodes) {
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

BOOST_FIXTURE_TEST_CASE(nothing_moves_to_or_from_who_is_away_or_drains, four_nodes) {
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

BOOST_FIXTURE_TEST_CASE(the_stand_by_of_a_move_becomes_a_voter_while_all_others_are_there, four_nodes) {
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

BOOST_FIXTURE_TEST_CASE(a_stand_by_that_falls_silent_is_taken_out_and_one_not_heard_yet_is_waited_for, four_nodes) {
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

BOOST_FIXTURE_TEST_CASE(of_one_too_many_the_one_goes_whose_node_has_most_and_never_who_has_just_come, four_nodes) {
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

BOOST_FIXTURE_TEST_CASE(a_leader_that_moves_hands_over_first_to_who_leads_least, four_nodes) {
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

BOOST_AUTO_TEST_CASE(a_change_names_the_members_it_was_decided_on) {
  const auto v = group_of({{3, "leader"}, {1, "voter"}, {2, "stand-by"}});
  BOOST_TEST(roster_of(v) == "1 voter, 2 stand-by, 3 voter");
  BOOST_TEST(roster_of(v) ==
             roster({{1, "n1", server_role::voter}, {2, "n2", server_role::stand_by}, {3, "n3", server_role::voter}}));
}

// ---- whole clusters
// ----------------------------------------------------------------------------------------------------------------------------

namespace {

/// A cluster of nothing but members: what whoever decides sees, maybe late, what follows from it, and what the groups' leaders
/// make of that. Each tick is one look, at most four steps, and some catching up.
class played_cluster {
public:
  struct member {
    std::uint64_t id = 0;
    bool voter = false, caught_up = false;
  };
  struct group {
    std::vector<member> members;
    std::uint64_t leader = 0;
  };

  played_cluster(unsigned seed, std::uint32_t replication, std::uint32_t shards) : luck_(seed) {
    nodes_.replication_factor = replication;
    nodes_.next_server_id = 1;
    join();
    groups_.assign(shards + 1, {{{1, true, true}}, 1});
    seen_[0].resize(groups_.size());
    seen_[1] = seen_[0];
  }

  void join() {
    const auto id = nodes_.next_server_id++;
    nodes_.add({"n" + std::to_string(id), "", "", member_phase, id, "", false});
  }

  /// Something happens to a node, or comes to light late.
  void disturb(std::size_t nodes_max) {
    const auto& any = nodes_.nodes[luck_() % nodes_.nodes.size()];
    switch (luck_() % 8) {
      case 0:
        if (nodes_.nodes.size() < nodes_max)
          join();
        break;
      case 1:
      case 2: away_.insert(any.server_id); break;
      case 3:
      case 4: away_.erase(any.server_id); break;
      case 5:
        if (any.phase == member_phase && staying() > 2)
          nodes_.find(any.name)->phase = leaving_phase;
        break;
      default: late_ = luck_() % 2 == 0;
    }
  }

  /// Everybody is there and everything is seen at once, until nothing is left to do.
  void settle() {
    late_ = false;
    away_.clear();
    bool counting = false;
    std::size_t least = 0, moves_before = 0;
    const auto ticks_max = 200 + 50 * groups_.size() * (1 + nodes_.replication_factor);
    for (std::size_t ticks = 0; !is_done(); ++ticks) {
      if (!counting && look().is_settled()) {
        counting = true;
        least = least_moves();
        moves_before = moves;
      }
      tick();
      BOOST_REQUIRE_MESSAGE(ticks < ticks_max, "nothing is settled after " << ticks << " looks");
    }
    if (counting)
      BOOST_TEST(moves - moves_before == least);
    const auto now = counts();
    BOOST_TEST(now.front() - now.back() <= 1u);
    for (std::size_t g = 1; g < groups_.size(); ++g)
      BOOST_TEST(groups_[g].members.size() == wanted());
  }

  void tick() {
    for (auto& x : groups_)
      for (auto& m : x.members)
        if (!away_.contains(m.id) && luck_() % 2 == 0)
          m.caught_up = true;
    auto& shown = seen_[late_ ? luck_() % 2 : 0];
    for (std::size_t g = 0; g < groups_.size(); ++g)
      if (!late_ || luck_() % 4 == 0)
        shown[g] = g == 0 ? catalog() : view(groups_[g]);
    placement wanted{nodes_, shown};
    std::size_t asked = 0;
    for (std::uint32_t g = 1; g < groups_.size() && asked < 4; ++g) {
      const auto step = wanted.next_step(g);
      if (step.transfer)
        hand_over(groups_[g], *step.transfer);
      if (step.change) {
        carry_out(g, *step.change, *shown[g]);
        wanted.expect(g, *step.change);
      }
      asked += is_nothing(step) ? 0 : 1;
    }
    if (const auto move = wanted.next_move(); move && asked == 0) {
      if (!late_) // one at a time
        for (std::size_t g = 1; g < groups_.size(); ++g)
          BOOST_TEST(groups_[g].members.size() == this->wanted());
      BOOST_TEST(wanted.replicas_of(move->from) >= wanted.replicas_of(move->to) + 2);
      ++moves;
      carry_out(move->group, {add, move->to, nodes_.find_server(move->to)->name, {}}, *shown[move->group]);
    }
    const auto gone = std::find_if(nodes_.nodes.begin(), nodes_.nodes.end(), [&](const auto& n) {
      return n.phase == leaving_phase && std::none_of(groups_.begin() + 1, groups_.end(), [&](const auto& x) {
               return std::any_of(x.members.begin(), x.members.end(), [&](const auto& m) { return m.id == n.server_id; });
             });
    });
    if (gone != nodes_.nodes.end())
      nodes_.remove(std::string{gone->name});
  }

  std::size_t moves = 0;

private:
  bool stays(std::uint64_t id) const {
    const auto* n = nodes_.find_server(id);
    return n != nullptr && n->phase == member_phase;
  }
  std::size_t staying() const {
    return static_cast<std::size_t>(
        std::count_if(nodes_.nodes.begin(), nodes_.nodes.end(), [&](const auto& n) { return n.phase == member_phase; }));
  }
  std::size_t wanted() const { return std::min<std::size_t>(staying(), nodes_.replication_factor); }

  /// Replicas of each node, most first.
  std::vector<std::size_t> counts() const {
    std::vector<std::size_t> out;
    for (const auto& n : nodes_.nodes)
      if (n.phase == member_phase)
        out.push_back(static_cast<std::size_t>(std::count_if(groups_.begin() + 1, groups_.end(), [&](const auto& x) {
          return std::any_of(x.members.begin(), x.members.end(), [&](const auto& m) { return m.id == n.server_id; });
        })));
    std::sort(out.rbegin(), out.rend());
    return out;
  }

  /// What is above an even share has to go, no less.
  std::size_t least_moves() const {
    const auto now = counts();
    std::size_t all = 0, over = 0;
    for (const auto n : now)
      all += n;
    for (std::size_t i = 0; i < now.size(); ++i) {
      const auto share = all / now.size() + (i < all % now.size() ? 1 : 0);
      over += now[i] - std::min(now[i], share);
    }
    return over;
  }

  std::optional<runtime::group_view> catalog() {
    group x;
    for (const auto& n : nodes_.nodes)
      x.members.push_back({n.server_id, true, true});
    return view(x);
  }

  /// Led by another one when the leader is away; by nobody without a majority.
  std::optional<runtime::group_view> view(group& x) {
    std::vector<std::uint64_t> there;
    std::size_t voters = 0;
    for (const auto& m : x.members) {
      voters += m.voter ? 1 : 0;
      if (m.voter && !away_.contains(m.id))
        there.push_back(m.id);
    }
    if (there.size() <= voters / 2)
      return std::nullopt;
    if (std::find(there.begin(), there.end(), x.leader) == there.end())
      x.leader = there[luck_() % there.size()];
    runtime::group_view v;
    v.role = "leader";
    v.serving = true;
    v.last = 1'000;
    v.leader_id = x.leader;
    v.leader = "n" + std::to_string(x.leader);
    for (const auto& m : x.members)
      v.members.push_back({m.id, "n" + std::to_string(m.id),
                           m.id == x.leader ? "leader"
                           : m.voter        ? "voter"
                                            : "stand-by",
                           true, m.caught_up ? 1'000u : 10u, away_.contains(m.id) ? 60'000 : 1});
    return v;
  }

  void hand_over(group& x, std::uint64_t to) {
    if (std::any_of(x.members.begin(), x.members.end(), [&](const auto& m) { return m.id == to && m.voter; }) &&
        !away_.contains(to) && view(x))
      x.leader = to;
  }

  /// As the leader's replica does.
  void carry_out(std::uint32_t g, const server_change& change, const runtime::group_view& seen) {
    auto& x = groups_[g];
    const auto now = view(x);
    if (!now || roster_of(*now) != roster_of(seen))
      return;
    const auto at = std::find_if(x.members.begin(), x.members.end(), [&](const auto& m) { return m.id == change.id; });
    switch (change.what) {
      case server_change::kind::add:
        if (at == x.members.end())
          x.members.push_back({change.id, false, false});
        break;
      case server_change::kind::promote:
        if (at != x.members.end() && at->caught_up && !away_.contains(change.id))
          at->voter = true;
        break;
      case server_change::kind::remove:
        if (at == x.members.end() || x.leader == change.id)
          return;
        check_removal(x, *at);
        x.members.erase(at);
        break;
    }
  }

  void check_removal(const group& x, const member& gone) {
    if (!gone.voter)
      return;
    std::size_t voters = 0, there = 0, staying_voters = 0;
    for (const auto& m : x.members)
      if (m.voter && m.id != gone.id) {
        ++voters;
        there += away_.contains(m.id) ? 0 : 1;
        staying_voters += stays(m.id) ? 1 : 0;
      }
    if (stays(gone.id))
      BOOST_TEST(staying_voters >= wanted());
    if (late_)
      return;
    BOOST_TEST(there > voters / 2);
    const bool all_in = std::all_of(nodes_.nodes.begin(), nodes_.nodes.end(), [&](const auto& n) {
      return n.phase != member_phase ||
             std::any_of(x.members.begin(), x.members.end(), [&](const auto& m) { return m.id == n.server_id; });
    });
    BOOST_TEST((staying_voters >= wanted() || away_.contains(gone.id) || all_in));
  }

  placement look() {
    std::vector<std::optional<runtime::group_view>> shown;
    for (std::size_t g = 0; g < groups_.size(); ++g)
      shown.push_back(g == 0 ? catalog() : view(groups_[g]));
    return {nodes_, std::move(shown)};
  }

  bool is_done() {
    const auto now = look();
    for (const auto& n : nodes_.nodes)
      if (n.phase == leaving_phase)
        return false;
    return now.is_settled() && !now.next_move();
  }

  std::mt19937 luck_;
  domain::cluster_state nodes_;
  std::vector<group> groups_;
  std::array<std::vector<std::optional<runtime::group_view>>, 2> seen_; ///< by each of two who may decide
  std::set<std::uint64_t> away_;
  bool late_ = false;
};

} // namespace

BOOST_AUTO_TEST_CASE(growth_by_one_node_moves_its_share_and_nothing_else) {
  played_cluster x{1, 3, 16};
  x.join();
  x.join();
  x.settle();
  BOOST_TEST(x.moves == 0u); // three nodes have everything
  for (const std::size_t nodes : {4u, 5u, 6u, 7u, 8u, 9u}) {
    x.moves = 0;
    x.join();
    x.settle();
    BOOST_TEST(x.moves == 16u * 3u / nodes, nodes << " nodes, " << x.moves << " moves");
  }
}

BOOST_AUTO_TEST_CASE(whatever_happens_every_node_ends_with_its_share_and_no_group_is_ever_short) {
  for (unsigned seed = 1; seed <= 60; ++seed) {
    BOOST_TEST_CONTEXT("seed " << seed) {
      std::mt19937 luck{seed};
      const std::uint32_t replication = std::array{1u, 3u, 5u}[luck() % 3], shards = 1 + static_cast<std::uint32_t>(luck() % 64);
      const std::size_t nodes = 3 + luck() % 7;
      played_cluster x{seed, replication, shards};
      for (std::size_t i = 1; i < nodes; ++i)
        x.join();
      for (int round = 0; round < 3; ++round) {
        for (int i = 0; i < 40; ++i) {
          if (i % 4 == 0)
            x.disturb(9);
          x.tick();
        }
        x.settle();
      }
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()
