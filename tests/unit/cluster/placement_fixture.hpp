// Nodes and groups as a steward sees them, and what it would do next.
#pragma once

#include "cluster/placement.hpp"

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace epione::cluster::placement_test {

using domain::node_phase;
using messages::server_change;

inline domain::cluster_state nodes_of(std::initializer_list<std::pair<const char*, node_phase>> all) {
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
inline runtime::group_view group_of(std::initializer_list<std::pair<std::uint64_t, const char*>> members) {
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
inline group_step next_step(const domain::cluster_state& nodes, std::uint32_t group, const runtime::group_view& v) {
  std::vector<std::optional<runtime::group_view>> groups(group + 2);
  groups[group] = v;
  return placement{nodes, std::move(groups)}.next_step(group);
}

inline bool is_change(const group_step& step, server_change::kind what, std::uint64_t id) {
  return step.change && step.change->what == what && step.change->id == id && !step.transfer;
}

inline bool is_nothing(const group_step& step) {
  return !step.change && !step.transfer;
}

inline constexpr auto add = server_change::kind::add, promote = server_change::kind::promote,
                      take_out = server_change::kind::remove;

inline constexpr auto member_phase = node_phase::member, leaving_phase = node_phase::leaving, invited_phase = node_phase::invited;

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

} // namespace epione::cluster::placement_test
