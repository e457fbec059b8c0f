// Whole clusters in which whatever can happen does: every node ends with its share, by no more moves than that takes.
#include "tests/unit/cluster/placement_fixture.hpp"

#include <algorithm>
#include <array>
#include <boost/test/unit_test.hpp>
#include <random>
#include <set>

using namespace epione;
using namespace epione::cluster;
using namespace epione::cluster::placement_test;

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

BOOST_AUTO_TEST_SUITE(played_clusters)

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
