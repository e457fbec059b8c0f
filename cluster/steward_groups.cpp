#include "cluster/steward_groups.hpp"

#include "runtime/defaults.hpp"
#include "runtime/directory.hpp"

#include <algorithm>
#include <chrono>
#include <memory>
#include <utility>

namespace epione::cluster {

using namespace messages;
using domain::cluster_state;
namespace defaults = runtime::defaults;

namespace {

/// Every member is a voter, is heard, and has nearly everything.
bool is_whole(std::uint32_t group, const runtime::group_view& v) {
  return std::all_of(v.members.begin(), v.members.end(), [&](const auto& m) {
    return (m.role != "stand-by" || group == 0) && m.heard_ms >= 0 && m.heard_ms < std::int64_t{defaults::raft_election_ms} &&
           m.match + defaults::raft_promotion_lag_max >= v.last;
  });
}

} // namespace

steward_groups::steward_groups(const steward_standing& standing)
    : standing_(standing),
      steps_(standing.env.metrics.counter("epione_membership_steps_total", "Changes of groups' members asked for by this node")),
      moves_(
          standing.env.metrics.counter("epione_replica_moves_total", "Replicas of shards moved to give every node its share")) {}

bool steward_groups::look_at(const cluster_state& nodes) {
  const auto now = standing_.now_ms();
  std::erase_if(asked_, [now](const auto& x) { return x.second.until_ms <= now; });
  const auto groups = led_groups();
  placement wanted{nodes, groups, draining_servers(nodes)};
  const bool whole = take_next_steps(wanted, groups);
  const bool moving = move_replicas(nodes, wanted, groups);
  if (!whole || moving)
    whole_since_ms_.reset();
  else if (!whole_since_ms_)
    whole_since_ms_ = now;
  return whole_since_ms_ && now - *whole_since_ms_ > std::int64_t{defaults::leadership_rest_ms};
}

/// True: none is needed, and everything is whole.
bool steward_groups::take_next_steps(placement& wanted, const group_views& groups) {
  for (const auto& [group, x] : asked_)
    if (x.change)
      wanted.expect(group, *x.change);
  bool whole = true;
  for (std::uint32_t g = 0; g <= standing_.options.shards; ++g) {
    const auto& v = groups[g];
    if (!v) {
      whole = false;
      continue;
    }
    const auto step = wanted.next_step(g);
    const auto asked = asked_.find(g);
    const bool changing = asked != asked_.end() && asked->second.change;
    whole = whole && !step.change && !step.transfer && !changing && is_whole(g, *v);
    if (asked != asked_.end() || asked_.size() >= defaults::membership_steps_at_once)
      continue;
    if (step.change) {
      ask_for_change(g, *v, *step.change);
      wanted.expect(g, *step.change);
    } else if (step.transfer) {
      ask_for_transfer(g, v->leader, *step.transfer);
    }
  }
  return whole;
}

/// By their leaders' own word.
steward_groups::group_views steward_groups::led_groups() const {
  group_views out(standing_.options.shards + 1);
  for (std::uint32_t g = 0; g <= standing_.options.shards; ++g)
    if (auto v = standing_.shards.best(g); v && v->role == "leader")
      out[g] = std::move(v);
  return out;
}

std::set<std::uint64_t> steward_groups::draining_servers(const cluster_state& nodes) const {
  std::set<std::uint64_t> out;
  for (const auto& n : nodes.nodes)
    if (n.name == standing_.options.node ? standing_.draining : standing_.shards.is_draining(n.name))
      out.insert(n.server_id);
  return out;
}

/// One replica at a time in the whole cluster, and only when nothing else has been going on for longer than a node's word of
/// its groups may be old: so what is decided on is true. False: no replica has to move, or can.
bool steward_groups::move_replicas(const cluster_state& nodes, const placement& wanted, const group_views& groups) {
  const auto now = standing_.now_ms();
  if (!asked_.empty() || !wanted.is_settled()) {
    settled_since_ms_.reset();
    return false;
  }
  if (!settled_since_ms_)
    settled_since_ms_ = now;
  const auto move = wanted.next_move();
  if (!move || now - *settled_since_ms_ < std::int64_t{defaults::replica_rest_ms})
    return move.has_value();
  const auto *from = nodes.find_server(move->from), *to = nodes.find_server(move->to);
  standing_.env.log.info(steward_part, "moves a replica", {{"group", move->group}, {"from", from->name}, {"to", to->name}});
  moves_.Increment();
  ask_for_change(move->group, *groups[move->group], {server_change::kind::add, to->server_id, to->name, {}});
  return true;
}

void steward_groups::ask_for_change(std::uint32_t group, const runtime::group_view& seen, server_change change) {
  change.seen = roster_of(seen);
  ask(group, seen.leader, steward_question::change_members(group, std::move(change)));
}

void steward_groups::ask_for_transfer(std::uint32_t group, const std::string& leader, std::uint64_t to) {
  ask(group, leader, steward_question::transfer(group, to));
}

void steward_groups::ask(std::uint32_t group, const std::string& leader, const steward_question& q) {
  const auto router = standing_.env.directory->get<router_actor>("router");
  if (router == nullptr)
    return;
  steps_.Increment();
  const auto limit_ms = defaults::membership_step_limit_ms;
  auto& asked = asked_[group];
  asked.until_ms = standing_.now_ms() + std::int64_t{limit_ms};
  if (q.verb == steward_verb::change)
    asked.change = q.change;
  standing_.self
      ->request(router, std::chrono::milliseconds{limit_ms + defaults::console_margin_ms}, ask_atom::value, leader,
                routed_kind::steward, std::make_shared<const std::string>(encode(q)), limit_ms)
      .then(
          [this, group](const bytes_ptr& bytes) {
            const auto a = decode_steward_answer(*bytes);
            if (a && a->error != ec::none && a->error != ec::not_serving)
              standing_.env.log.warning(steward_part, "a group's members could not be changed",
                                        {{"group", group}, {"why", a->text}});
            // What was begun shows in a moment; until then nothing else is asked of this group.
            auto& begun = asked_[group];
            begun.until_ms = standing_.now_ms() + std::int64_t{defaults::membership_pause_ms};
            if (!a || a->error != ec::none)
              begun.change.reset();
          },
          [this, group](caf::error&) { asked_.erase(group); });
}

} // namespace epione::cluster
