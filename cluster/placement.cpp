#include "cluster/placement.hpp"

#include "cluster/configuration.hpp"
#include "runtime/defaults.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

namespace epione::cluster {

namespace {

using domain::cluster_node;
using domain::node_phase;
using messages::server_change;
using runtime::group_view;
using runtime::member_view;
namespace defaults = runtime::defaults;

bool is_wanted(const cluster_node* n) {
  return n != nullptr && n->phase == node_phase::member;
}

bool is_alive(const member_view& m) {
  return m.role == "leader" || (m.heard_ms >= 0 && m.heard_ms < std::int64_t{defaults::raft_election_ms});
}

bool is_caught_up(const member_view& m, const group_view& v) {
  return m.match + defaults::raft_promotion_lag_max >= v.last;
}

/// For so long that it is no hiccup. Of one that this leader has never heard nobody knows for how long.
bool is_silent(const member_view& m) {
  return m.heard_ms >= std::int64_t{defaults::stand_by_silence_ms};
}

bool all_alive(const std::vector<const member_view*>& all) {
  return std::all_of(all.begin(), all.end(), [](const auto* m) { return is_alive(*m); });
}

const member_view* find_member(const group_view& v, std::uint64_t id) {
  const auto at = std::find_if(v.members.begin(), v.members.end(), [id](const auto& m) { return m.id == id; });
  return at == v.members.end() ? nullptr : &*at;
}

std::size_t value_of(const std::map<std::uint64_t, std::size_t>& counts, std::uint64_t id) {
  const auto found = counts.find(id);
  return found == counts.end() ? 0 : found->second;
}

server_change removal(const member_view& m) {
  return {server_change::kind::remove, m.id, m.node, {}};
}

} // namespace

std::string roster_of(const group_view& v) {
  configuration servers;
  for (const auto& m : v.members)
    servers.push_back({m.id, m.node, m.role == "stand-by" ? server_role::stand_by : server_role::voter});
  return roster(std::move(servers));
}

placement::placement(const domain::cluster_state& nodes, std::vector<std::optional<group_view>> groups,
                     std::set<std::uint64_t> draining)
    : nodes_(nodes), groups_(std::move(groups)), draining_(std::move(draining)) {
  count();
}

void placement::count() {
  replicas_.clear();
  leads_.clear();
  complete_ = true;
  for (std::size_t g = 0; g < groups_.size(); ++g) {
    const auto& v = groups_[g];
    complete_ = complete_ && v && v->led();
    if (!v)
      continue;
    ++leads_[v->leader_id];
    if (g != 0)
      for (const auto& m : v->members)
        ++replicas_[m.id];
  }
}

void placement::expect(std::uint32_t group, const server_change& change) {
  auto& v = groups_.at(group);
  if (!v)
    return;
  const auto at = std::find_if(v->members.begin(), v->members.end(), [&](const auto& m) { return m.id == change.id; });
  switch (change.what) {
    case server_change::kind::add:
      if (at == v->members.end())
        v->members.push_back({change.id, change.node, "stand-by", true, 0, -1});
      break;
    case server_change::kind::promote:
      if (at != v->members.end() && at->role == "stand-by")
        at->role = "voter";
      break;
    case server_change::kind::remove:
      if (at != v->members.end())
        v->members.erase(at);
      break;
  }
  v->change_under_way = true;
  count();
}

std::size_t placement::replicas_of(std::uint64_t id) const {
  return value_of(replicas_, id);
}

std::size_t placement::wanted(std::uint32_t group) const {
  const auto there = std::count_if(nodes_.nodes.begin(), nodes_.nodes.end(), [](const auto& n) { return is_wanted(&n); });
  return std::min<std::size_t>(static_cast<std::size_t>(there),
                               group == 0 ? defaults::catalog_voters_max : std::max(1u, nodes_.replication_factor));
}

/// Where all have the same, each group prefers nodes in an order of its own.
std::vector<const cluster_node*> placement::preferred(std::uint32_t group) const {
  std::vector<const cluster_node*> out;
  for (const auto& n : nodes_.nodes)
    if (is_wanted(&n))
      out.push_back(&n);
  std::sort(out.begin(), out.end(), [](const auto* a, const auto* b) { return a->server_id < b->server_id; });
  if (!out.empty())
    std::rotate(out.begin(), out.begin() + static_cast<std::ptrdiff_t>(group % out.size()), out.end());
  return out;
}

/// As group 0, which every node follows, has heard of it; where nothing is known of group 0, nothing speaks against it.
bool placement::is_there(std::uint64_t id) const {
  if (groups_.empty() || !groups_.front())
    return true;
  const auto* m = find_member(*groups_.front(), id);
  return m != nullptr && is_alive(*m) && is_caught_up(*m, *groups_.front());
}

/// `awaited`: there is one that could be added and is away just now.
std::optional<server_change> placement::whom_to_add(std::uint32_t group, const group_view& v, bool& awaited) const {
  const cluster_node* best = nullptr;
  for (const auto* n : preferred(group)) {
    const bool is_member =
        std::any_of(v.members.begin(), v.members.end(), [&](const auto& m) { return m.id == n->server_id || m.node == n->name; });
    if (is_member)
      continue;
    if (group != 0 && !is_there(n->server_id)) { // it would only be waited for
      awaited = true;
      continue;
    }
    if (best == nullptr || (group != 0 && replicas_of(n->server_id) < replicas_of(best->server_id)))
      best = n;
  }
  if (best == nullptr)
    return std::nullopt;
  return server_change{server_change::kind::add, best->server_id, best->name, {}};
}

/// The one whose node has most goes; of equals rather one that counts for nothing yet, and the leader last.
const member_view* placement::whom_to_spare(const members& among, const group_view& v) const {
  const auto rank = [&](const member_view* m) {
    return std::tuple{replicas_of(m->id), m->role == "stand-by", m->id != v.leader_id, m->id};
  };
  return *std::max_element(among.begin(), among.end(), [&](const auto* a, const auto* b) { return rank(a) < rank(b); });
}

group_step placement::step_of_stand_bys(std::uint32_t group, const members& stand_by, const members& keep,
                                        const group_view& v) const {
  group_step step;
  const bool lacking = keep.size() < wanted(group);
  if (!lacking) {
    if (!complete_)
      return step; // who has most is not known
    auto all = keep;
    all.insert(all.end(), stand_by.begin(), stand_by.end());
    if (const auto* spare = whom_to_spare(all, v); spare->role == "stand-by") {
      step.change = removal(*spare);
      return step;
    }
  }
  // With one voter more than wanted a majority is more: not while one of them is away.
  if (lacking || all_alive(keep))
    for (const auto* m : stand_by)
      if (m->known && is_alive(*m) && m->match > 0 && is_caught_up(*m, v)) {
        step.change = server_change{server_change::kind::promote, m->id, m->node, {}};
        return step;
      }
  bool awaited = false;
  for (const auto* m : stand_by)
    if (group != 0 && is_silent(*m) && (!lacking || whom_to_add(group, v, awaited))) {
      step.change = removal(*m);
      return step;
    }
  return step;
}

/// A voter goes only while those that stay are a working majority without it.
group_step placement::removal_of(const member_view& gone, const members& keep, const group_view& v) const {
  group_step step;
  if (gone.id == v.leader_id) {
    const member_view* next = nullptr;
    const auto rank = [&](const member_view* m) { return std::tuple{draining_.contains(m->id), value_of(leads_, m->id), m->id}; };
    for (const auto* m : keep)
      if (m->id != gone.id && is_alive(*m) && is_caught_up(*m, v) && (next == nullptr || rank(m) < rank(next)))
        next = m;
    if (next != nullptr)
      step.transfer = next->id;
    return step;
  }
  std::size_t voters = 0, alive = 0;
  for (const auto& m : v.members)
    if (m.id != gone.id && m.role != "stand-by") {
      ++voters;
      alive += is_alive(m) ? 1 : 0;
    }
  if (voters > 0 && alive > voters / 2)
    step.change = removal(gone);
  return step;
}

group_step placement::next_step(std::uint32_t group) const {
  group_step step;
  if (group >= groups_.size() || !groups_[group] || !groups_[group]->led() || groups_[group]->change_under_way)
    return step;
  const auto& v = *groups_[group];
  members keep, leave, stand_by;
  for (const auto& m : v.members)
    (!is_wanted(nodes_.find_server(m.id)) ? leave : m.role == "stand-by" ? stand_by : keep).push_back(&m);
  // Who counts for nothing can go at any time.
  for (const auto* m : leave)
    if (m->role == "stand-by") {
      step.change = removal(*m);
      return step;
    }
  // First the new ones, then the old ones go: a group never has fewer members than it can have.
  if (group == 0 && keep.size() >= wanted(group))
    stand_by.clear(); // every node has the catalog; beyond so many voters as a stand-by
  if (!stand_by.empty())
    step = step_of_stand_bys(group, stand_by, keep, v);
  if (step.change || (!stand_by.empty() && group != 0))
    return step;
  if (keep.size() < wanted(group) || group == 0) {
    bool awaited = false;
    step.change = whom_to_add(group, v, awaited);
    if (step.change || !stand_by.empty())
      return step;
    // Until then who leaves stays, unless it is of no use any more.
    if (awaited)
      std::erase_if(leave, [](const auto* m) { return is_alive(*m); });
  }
  if (!leave.empty())
    return removal_of(*leave.front(), keep, v);
  // While one is away it is not known which of them is worth less.
  if (keep.size() > wanted(group) && complete_ && all_alive(keep))
    return removal_of(*whom_to_spare(keep, v), keep, v);
  return step;
}

bool placement::is_settled() const {
  if (!complete_ || groups_.empty() || groups_.front()->change_under_way)
    return false;
  for (std::uint32_t g = 1; g < groups_.size(); ++g) {
    const auto& v = *groups_[g];
    if (v.change_under_way || v.members.size() != wanted(g) ||
        std::any_of(v.members.begin(), v.members.end(),
                    [&](const auto& m) { return m.role == "stand-by" || !is_wanted(nodes_.find_server(m.id)); }))
      return false;
  }
  return true;
}

/// The first group of which it can move; rather one that is not led there, because a leader hands over first.
std::optional<std::uint32_t> placement::group_to_move(std::uint64_t from, std::uint64_t to) const {
  const auto* target = nodes_.find_server(to);
  std::optional<std::uint32_t> led;
  for (std::uint32_t g = 1; g < groups_.size(); ++g) {
    const auto& v = *groups_[g];
    const bool fits = find_member(v, from) != nullptr && std::all_of(v.members.begin(), v.members.end(), [&](const auto& m) {
                        return m.id != to && m.node != target->name && is_alive(m) && is_caught_up(m, v);
                      });
    if (!fits)
      continue;
    if (v.leader_id != from)
      return g;
    if (!led)
      led = g;
  }
  return led;
}

std::optional<replica_move> placement::next_move() const {
  if (!is_settled())
    return std::nullopt;
  std::vector<std::uint64_t> by_load; // one that drains is about to be stopped: it neither gives nor takes
  for (const auto& n : nodes_.nodes)
    if (is_wanted(&n) && is_there(n.server_id) && !draining_.contains(n.server_id))
      by_load.push_back(n.server_id);
  std::sort(by_load.begin(), by_load.end(),
            [&](auto a, auto b) { return std::pair{replicas_of(a), a} < std::pair{replicas_of(b), b}; });
  for (auto from = by_load.rbegin(); from != by_load.rend(); ++from)
    for (const auto to : by_load) {
      if (replicas_of(*from) < replicas_of(to) + 2)
        break;
      if (const auto g = group_to_move(*from, to))
        return replica_move{*g, *from, to};
    }
  return std::nullopt;
}

} // namespace epione::cluster
