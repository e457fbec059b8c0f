#include "actors/operator_act.hpp"

#include <algorithm>
#include <memory>
#include <utility>

namespace epione::actors {

std::string cannot_ask(const console_cluster& cluster, const std::string& node) {
  if (const auto nodes = cluster.nodes.get(); nodes != nullptr) {
    const auto* n = nodes->find(node);
    if (n == nullptr) {
      std::string all;
      for (const auto& x : nodes->nodes)
        all += (all.empty() ? "" : ", ") + x.name;
      return "there is no node " + node + " in the cluster, only " + all;
    }
    if (n->phase == domain::node_phase::invited)
      return "node " + node + " was invited and has not joined yet; it leads nothing";
  }
  if (node == cluster.node)
    return {};
  const auto link = cluster.link(node);
  if (link && link->linked)
    return {};
  return "node " + cluster.node + " has no link with node " + node + (link ? " just now: " + link->why : "");
}

tl::expected<transfer_order, std::string> transfer_of(const console_cluster& cluster, std::uint32_t shard,
                                                      const std::string& to) {
  const auto text = "shard " + std::to_string(shard);
  const auto v = cluster.shards.best(shard);
  const auto from = cluster.leader_of(shard);
  if (!v || from.empty())
    return tl::unexpected("no node is known to lead " + text + " just now; try again");
  const auto member = std::find_if(v->members.begin(), v->members.end(), [&](const auto& m) { return m.node == to; });
  if (member == v->members.end())
    return tl::unexpected("node " + to + " has no replica of " + text);
  if (from == to)
    return tl::unexpected("node " + to + " leads " + text + " already");
  if (member->role == "stand-by")
    return tl::unexpected("node " + to + " is a stand-by of " + text + " and cannot lead it before it has caught up");
  if (auto why = cannot_ask(cluster, from); !why.empty())
    return tl::unexpected(std::move(why));
  return transfer_order{shard, from, to, member->id};
}

messages::event_ptr record_of_act(const runtime::environment& env, std::string who, std::string action, std::string entity,
                                  std::string reason) {
  auto act = std::make_shared<domain::event>();
  act->time_us = env.clock.wall_us();
  act->who = std::move(who);
  act->role = "operator";
  act->action = std::move(action);
  act->entity = std::move(entity);
  act->reason = std::move(reason);
  return act;
}

void log_act(const runtime::environment& env, std::string_view part, const domain::event& act, const std::string& why) {
  if (why.empty())
    env.log.warning(part, "an operator's command", {{"who", act.who}, {"action", act.action}, {"entity", act.entity}});
  else
    env.log.error(part, "an operator's command is carried out without a record in the audit trail",
                  {{"who", act.who}, {"action", act.action}, {"entity", act.entity}, {"reason", act.reason}, {"why", why}});
}

std::string unrecorded_text(const std::string& why) {
  return why.empty() ? std::string{} : "this is not in the audit trail: " + why + "; the log has it";
}

} // namespace epione::actors
