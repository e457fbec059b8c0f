#include "cluster/replica_members.hpp"

#include "runtime/defaults.hpp"
#include "runtime/directory.hpp"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

namespace epione::cluster {

using namespace messages;

const server* replica_members::find(std::uint64_t id) const {
  if (standing_.core() != nullptr)
    for (const auto& x : standing_.core()->servers())
      if (x.id == id)
        return &x;
  return nullptr;
}

std::string replica_members::node_of(std::uint64_t id) const {
  if (id == replica_.options.server_id)
    return replica_.options.address;
  if (const auto* x = find(id); x != nullptr && x->address != nameless)
    return x->address;
  const auto heard = nodes_.find(id);
  return heard == nodes_.end() ? std::string{} : heard->second;
}

bool replica_members::is_from(std::uint64_t id, const std::string& node) {
  if (const auto* x = find(id); x != nullptr && x->address != nameless)
    return x->address == node;
  if (nodes_.size() >= runtime::defaults::cluster_nodes_max)
    nodes_.clear();
  nodes_[id] = node;
  return true;
}

void replica_members::send(std::vector<raft_message> messages) const {
  if (messages.empty())
    return;
  std::map<std::string, std::vector<raft_message>> by_node;
  for (auto& m : messages)
    if (auto node = node_of(m.peer); !node.empty())
      by_node[std::move(node)].push_back(std::move(m));
  for (auto& [node, parcel] : by_node) {
    if (auto link = replica_.env.directory->get<peer_link_actor>("peer " + node); link != nullptr)
      replica_.self->send(link, raft_atom::value, replica_.options.group,
                          std::make_shared<const std::vector<raft_message>>(std::move(parcel)));
  }
}

bool replica_members::heard_recently(std::uint64_t id) const {
  const auto heard = standing_.core()->heard_ms(id);
  return heard != 0 && replica_.now_ms() - heard < replica_.options.election_ms;
}

bool replica_members::somebody_takes_over_a_copy() const {
  const auto cut = standing_.core()->log().cut_index();
  const auto& servers = standing_.core()->servers();
  return std::any_of(servers.begin(), servers.end(), [&](const server& x) {
    return x.id != replica_.options.server_id && heard_recently(x.id) && standing_.core()->match_index(x.id) < cut;
  });
}

std::uint64_t replica_members::best_successor() const {
  std::uint64_t id = 0, most = 0;
  for (const auto& x : standing_.core()->servers())
    if (x.role == server_role::voter && x.id != replica_.options.server_id && standing_.core()->match_index(x.id) >= most &&
        heard_recently(x.id)) {
      most = standing_.core()->match_index(x.id);
      id = x.id;
    }
  return id;
}

std::string replica_members::leader_elsewhere() const {
  if (const auto id = standing_.core()->leader_id(); id != 0)
    return node_of(id);
  if (auto leader = leader_without_this(); !leader.empty())
    return leader;
  const auto* view = replica_.options.view;
  if (view == nullptr || find(replica_.options.server_id) != nullptr)
    return {};
  const auto known = view->where(replica_.options.group).leader;
  return known.empty() ? "another node" : known;
}

std::string replica_members::leader_without_this() const {
  const auto& o = replica_.options;
  const auto v = o.view == nullptr ? std::nullopt : o.view->best(o.group);
  const auto is_this = [&o](const auto& m) { return m.id == o.server_id; };
  return v && v->led() && v->leader_id != o.server_id && std::none_of(v->members.begin(), v->members.end(), is_this)
             ? v->leader
             : std::string{};
}

bool replica_members::has_been_taken_out() const {
  return standing_.core()->role() == raft_role::candidate && !leader_without_this().empty();
}

} // namespace epione::cluster
