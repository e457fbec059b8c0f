// Where the members of groups should be, and the next step to there. Nothing here keeps a plan or a clock: what to do follows
// from what group 0 says of the nodes and what the groups' leaders say of their members, so that whoever decides next goes on
// from wherever the one before was stopped.
//
// A replica moves in three steps of its group: the node that has least gets a stand-by, the stand-by becomes a voter once it is
// caught up, and of the members, one too many now, the one whose node has most goes. Who is added and who is removed follow from
// the same count. A replica moves only from a node that has at least two more than the one it goes to, so each move makes the sum
// of the squares of all counts smaller: moves come to an end, and no step undoes the one before.
#pragma once

#include "domain/cluster_state.hpp"
#include "messages/log.hpp"
#include "runtime/shard_view.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace epione::cluster {

/// The next step that brings a group nearer to where it should be.
struct group_step {
  std::optional<messages::server_change> change;
  std::optional<std::uint64_t> transfer; ///< its leadership is to go to this member first
};

/// One shard's replica that is to go from one node to another, for the sake of an even share.
struct replica_move {
  std::uint32_t group = 0;
  std::uint64_t from = 0, to = 0; ///< server ids
};

/// Who belongs to a group, as roster() says it: with it a change is refused when it was decided on others than there are by now.
std::string roster_of(const runtime::group_view& v);

class placement {
public:
  /// `groups`: by number, the catalog first, as their leaders say; nothing: no node is known to lead it. `draining`: server ids
  /// of nodes that give their leaderships away. `nodes` outlives it.
  placement(const domain::cluster_state& nodes, std::vector<std::optional<runtime::group_view>> groups,
            std::set<std::uint64_t> draining = {});

  /// What has been asked of a group counts as begun, whether or not it shows already.
  void expect(std::uint32_t group, const messages::server_change& change);

  /// Nothing: it is where it should be, or the next step has to wait.
  group_step next_step(std::uint32_t group) const;

  /// Every group is known, no change is under way, and each shard has as many voters as it should have, on nodes that stay, and
  /// no other member. Only then may a replica move, so that one moves at a time in the whole cluster.
  bool is_settled() const;

  /// The one replica that moves next; nothing: none, because all have their share, nodes between which one could move are away,
  /// or something is not settled. It begins as a change that adds `to` to the group; next_step() says the rest.
  std::optional<replica_move> next_move() const;

  /// Shards' replicas on that server; group 0 is on every node and counts for none.
  std::size_t replicas_of(std::uint64_t id) const;

private:
  using members = std::vector<const runtime::member_view*>;

  void count();
  std::size_t wanted(std::uint32_t group) const;
  std::vector<const domain::cluster_node*> preferred(std::uint32_t group) const;
  bool is_there(std::uint64_t id) const;
  std::optional<messages::server_change> whom_to_add(std::uint32_t group, const runtime::group_view& v, bool& awaited) const;
  const runtime::member_view* whom_to_spare(const members& among, const runtime::group_view& v) const;
  group_step step_of_stand_bys(std::uint32_t group, const members& stand_by, const members& keep,
                               const runtime::group_view& v) const;
  group_step removal_of(const runtime::member_view& gone, const members& keep, const runtime::group_view& v) const;
  std::optional<std::uint32_t> group_to_move(std::uint64_t from, std::uint64_t to) const;

  const domain::cluster_state& nodes_;
  std::vector<std::optional<runtime::group_view>> groups_;
  std::set<std::uint64_t> draining_;
  std::map<std::uint64_t, std::size_t> replicas_, leads_; ///< by server id
  bool complete_ = false;                                 ///< every group is known
};

} // namespace epione::cluster
