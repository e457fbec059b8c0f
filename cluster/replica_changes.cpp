#include "cluster/replica_changes.hpp"

#include "runtime/defaults.hpp"

#include <algorithm>
#include <memory>
#include <string>

namespace epione::cluster {

using namespace messages;

std::optional<caf::error> replica_changes::not_now() const {
  if (!standing_.serving)
    return replica_.error(ec::not_serving, " does not lead");
  if (waiting_ || standing_.core()->change_under_way())
    return replica_.error(ec::not_serving, ": another change of its members is under way");
  return std::nullopt;
}

bool replica_changes::needs_whole_log() const {
  return standing_.core()->log().first_in_memory() > standing_.core()->log().cut_index() + 1;
}

void replica_changes::refuse_waiting() {
  if (auto change = take_waiting())
    change->second.deliver(replica_.error(ec::not_serving, " does not lead any more"));
}

bool replica_changes::begin(const server_change& change, promise answer, raft_output& out) {
  const auto next = changed(change);
  if (!next) {
    answer.deliver(next.error());
    return false;
  }
  const auto index = standing_.core()->submit(
      entry_type::change, std::make_shared<const std::string>(encode_configuration(*next)), replica_.now_ms(), out);
  if (!index) {
    answer.deliver(replica_.error(ec::not_serving, ": it does not lead any more"));
    return false;
  }
  replica_.env.log.info(replica_.name, "changes its members",
                        {{"entry", *index}, {"server", change.id}, {"members", std::uint64_t{next->size()}}});
  answer.deliver(*index);
  return true;
}

tl::expected<configuration, caf::error> replica_changes::changed(const server_change& change) const {
  auto next = standing_.core()->servers();
  for (auto& x : next) // one that was alone before tells the others its name with the first change
    if (x.id == replica_.options.server_id)
      x.address = replica_.options.address;
  const auto who = std::find_if(next.begin(), next.end(), [&](const server& x) { return x.id == change.id; });
  const auto refused = [&](ec code, const std::string& why) { return tl::unexpected(replica_.error(code, ": " + why)); };
  const auto id = std::to_string(change.id);
  // Or two who decide on the same members, one of them late, would take out two of them.
  if (!change.seen.empty() && change.seen != roster(next))
    return refused(ec::not_serving, "its members are " + roster(next) + " by now");
  switch (change.what) {
    case server_change::kind::add:
      if (who != next.end())
        return refused(ec::invalid, "server " + id + " belongs to it already");
      for (const auto& x : next)
        if (members_.node_of(x.id) == change.node)
          return refused(ec::invalid, "node " + change.node + " belongs to it already, as server " + std::to_string(x.id));
      next.push_back({change.id, change.node, server_role::stand_by});
      break;
    case server_change::kind::promote: {
      if (who == next.end() || who->role == server_role::voter)
        return refused(ec::invalid, "server " + id + " is no stand-by of it");
      const auto match = standing_.core()->match_index(change.id), last = standing_.core()->log().last();
      // It has to know at least that it is a member: one that does not cannot vote (see may_vote in raft_core.c).
      if (!members_.heard_recently(change.id) || match == 0 || match < standing_.core()->log().cut_index() ||
          match < standing_.core()->servers_index() || match + runtime::defaults::raft_promotion_lag_max < last)
        return refused(ec::not_serving, "server " + id + " is not caught up: it holds entries up to " + std::to_string(match) +
                                            " of " + std::to_string(last));
      who->role = server_role::voter;
      break;
    }
    case server_change::kind::remove:
      if (who == next.end())
        return refused(ec::invalid, "server " + id + " does not belong to it");
      if (change.id == replica_.options.server_id)
        return refused(ec::invalid, "its leader does not remove itself; hand leadership over first");
      next.erase(who);
      break;
  }
  return next;
}

bool replica_changes::transfer(std::uint64_t id, raft_output& out) {
  if (id == 0)
    id = members_.best_successor();
  if (id == 0 || !standing_.core()->transfer(id, replica_.now_ms(), out))
    return false;
  replica_.env.log.info(replica_.name, "hands its leadership over", {{"to", id}});
  transfer_until_ms_ = replica_.now_ms() + 2 * std::int64_t{replica_.options.election_ms};
  return true;
}

bool replica_changes::is_transfer_in_vain() {
  if (transfer_until_ms_ == 0 || replica_.now_ms() < transfer_until_ms_)
    return false;
  transfer_until_ms_ = 0;
  return standing_.leads() && !standing_.core()->has_lease(replica_.now_ms());
}

} // namespace epione::cluster
