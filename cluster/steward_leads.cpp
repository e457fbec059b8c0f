#include "cluster/steward_leads.hpp"

#include "runtime/defaults.hpp"

#include <algorithm>
#include <map>
#include <utility>

namespace epione::cluster {

using namespace messages;
namespace defaults = runtime::defaults;

steward_leads::steward_leads(steward_standing& standing, steward_groups& groups)
    : standing_(standing), groups_(groups),
      moves_(standing.env.metrics.counter("epione_leadership_moves_total", "Leaderships moved to spread them evenly")) {
  standing_.draining = standing_.shards.draining(); // as it was told before it was started again
}

void steward_leads::drain(const steward_question& q, steward_promise answer) {
  standing_.draining = q.text == "drain";
  standing_.shards.set_draining(standing_.draining);
  say(answer, ec::none, standing_.draining ? give_all_away() : "node " + standing_.options.node + " may lead again");
}

std::string steward_leads::give_all_away() {
  std::size_t groups = 0;
  for (const auto& [group, v] : standing_.shards.led_here()) {
    ++groups;
    hand_over(group, 0);
  }
  return "node " + standing_.options.node + " gives " + std::to_string(groups) + " leaderships away";
}

/// Only to who does not drain, or two would hand each other the same ones.
void steward_leads::give_away_what_came_back() {
  for (const auto& [group, v] : standing_.shards.led_here()) {
    const runtime::member_view* to = nullptr;
    for (const auto& m : v.members)
      if (m.role == "voter" && m.node != standing_.options.node && !standing_.shards.is_draining(m.node) &&
          m.heard_within(defaults::raft_election_ms) && (to == nullptr || m.match > to->match))
        to = &m;
    if (to != nullptr)
      hand_over(group, to->id);
  }
}

/// To this server; 0: to whoever can take it. What is in the way of that shows in who leads.
void steward_leads::hand_over(std::uint32_t group, std::uint64_t to) {
  if (const auto replica = standing_.replica(group); replica != nullptr)
    standing_.self->request(replica, steward_step_limit, transfer_atom::value, to).then([](bool) {}, [](caf::error&) {});
}

void steward_leads::spread(const domain::cluster_state& nodes) {
  if (moved_ms_ && standing_.now_ms() - *moved_ms_ < std::int64_t{defaults::leadership_move_ms})
    return;
  std::map<std::string, std::vector<std::uint32_t>> led;
  for (const auto& n : nodes.nodes)
    if (n.phase == domain::node_phase::member &&
        (n.name == standing_.options.node ? !standing_.draining
                                          : standing_.peers.linked(n.name) && !standing_.shards.is_draining(n.name)))
      led[n.name];
  for (std::uint32_t g = 0; g <= standing_.options.shards; ++g)
    if (const auto v = standing_.shards.best(g))
      if (const auto at = led.find(v->leader); at != led.end())
        at->second.push_back(g);
  std::vector<std::pair<std::string, std::vector<std::uint32_t>>> by_load{led.begin(), led.end()};
  std::stable_sort(by_load.begin(), by_load.end(),
                   [](const auto& a, const auto& b) { return a.second.size() < b.second.size(); });
  // Who leads least may have no part in what who leads most leads: then others even out.
  for (auto most = by_load.rbegin(); most != by_load.rend(); ++most)
    for (const auto& least : by_load) {
      if (most->second.size() < least.second.size() + 2)
        break;
      if (hand_one_over(most->second, least.first))
        return;
    }
}

bool steward_leads::hand_one_over(const std::vector<std::uint32_t>& led, const std::string& to) {
  for (auto g = led.rbegin(); g != led.rend(); ++g) {
    const auto v = standing_.shards.best(*g);
    if (!v || groups_.is_asked(*g))
      continue;
    for (const auto& m : v->members)
      if (m.node == to && m.role == "voter") {
        moved_ms_ = standing_.now_ms();
        moves_.Increment();
        groups_.ask_for_transfer(*g, v->leader, m.id);
        return true;
      }
  }
  return false;
}

} // namespace epione::cluster
