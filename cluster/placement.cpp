// Where a group's members should be, and the next step to there.
#include "cluster/steward.hpp"
#include "runtime/defaults.hpp"

#include <algorithm>

namespace epione::cluster {

namespace {

using domain::cluster_node;
using domain::node_phase;
using messages::server_change;

bool is_wanted(const cluster_node* n) {
  return n != nullptr && n->phase == node_phase::member;
}

/// Every node's share of the groups is the same as far as it can be, and stays when another one comes: each group prefers nodes
/// in an order of its own.
std::vector<const cluster_node*> preferred(const domain::cluster_state& nodes, std::uint32_t group) {
  std::vector<const cluster_node*> out;
  for (const auto& n : nodes.nodes)
    if (is_wanted(&n))
      out.push_back(&n);
  std::sort(out.begin(), out.end(), [](const auto* a, const auto* b) { return a->server_id < b->server_id; });
  if (!out.empty())
    std::rotate(out.begin(), out.begin() + static_cast<std::ptrdiff_t>(group % out.size()), out.end());
  return out;
}

bool is_alive(const runtime::member_view& m) {
  return m.heard_ms >= 0 && m.heard_ms < std::int64_t{runtime::defaults::raft_election_ms};
}

} // namespace

group_step next_step(const domain::cluster_state& nodes, std::uint32_t group, std::uint32_t groups,
                     const runtime::group_view& v) {
  static_cast<void>(groups);
  group_step step;
  if (v.role != "leader" || !v.serving || v.change_under_way)
    return step;
  const auto order = preferred(nodes, group);
  const auto wanted = std::min<std::size_t>(order.size(), group == 0 ? runtime::defaults::catalog_voters_max
                                                                     : std::max(1u, nodes.replication_factor));
  std::vector<const runtime::member_view*> keep, leave, stand_by;
  for (const auto& m : v.members)
    if (const auto* n = nodes.find_server(m.id); !is_wanted(n))
      leave.push_back(&m);
    else if (m.role == "stand-by")
      stand_by.push_back(&m);
    else
      keep.push_back(&m);
  // Who counts for nothing can go at any time.
  for (const auto* m : leave)
    if (m->role == "stand-by") {
      step.change = server_change{server_change::kind::remove, m->id, m->node};
      return step;
    }
  // First the new ones, then the old ones go: a group never has fewer members than it can have.
  if (group == 0 && keep.size() >= wanted) {
    // Every node has the catalog; beyond so many voters as a stand-by.
    stand_by.clear();
  }
  if (!stand_by.empty()) {
    const auto* m = stand_by.front();
    if (m->known && is_alive(*m) && m->match > 0 && m->match + runtime::defaults::raft_promotion_lag_max >= v.last)
      step.change = server_change{server_change::kind::promote, m->id, m->node};
    else if (!is_alive(*m) && keep.size() + 1 > wanted)
      step.change = server_change{server_change::kind::remove, m->id, m->node};
    return step;
  }
  if (keep.size() < wanted || group == 0) {
    for (const auto* n : order) {
      const bool is_there = std::any_of(v.members.begin(), v.members.end(),
                                        [&](const auto& m) { return m.id == n->server_id || m.node == n->name; });
      if (!is_there) {
        step.change = server_change{server_change::kind::add, n->server_id, n->name};
        return step;
      }
    }
  }
  if (leave.empty() && keep.size() > wanted) {
    // One that others would rather have goes; the last in this group's order.
    for (auto n = order.rbegin(); n != order.rend() && leave.empty(); ++n)
      for (const auto* m : keep)
        if (m->id == (*n)->server_id && m->id != v.leader_id)
          leave.push_back(m);
  }
  if (leave.empty())
    return step;
  const auto* gone = leave.front();
  // A voter goes only while those that stay are a working majority without it.
  std::size_t voters = 0, alive = 0;
  for (const auto& m : v.members)
    if (m.id != gone->id && m.role != "stand-by") {
      ++voters;
      alive += m.id == v.leader_id || is_alive(m) ? 1 : 0;
    }
  if (gone->id == v.leader_id) {
    for (const auto* m : keep)
      if (is_alive(*m) && m->match + runtime::defaults::raft_promotion_lag_max >= v.last) {
        step.transfer = m->id;
        return step;
      }
    return step;
  }
  if (voters > 0 && alive > voters / 2)
    step.change = server_change{server_change::kind::remove, gone->id, gone->node};
  return step;
}

} // namespace epione::cluster
