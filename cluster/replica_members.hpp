// A group's members as one replica knows them: on which node each is, when it was last heard, and the way to it.
#pragma once

#include "cluster/replica_identity.hpp"
#include "cluster/replica_standing.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace epione::cluster {

class replica_members {
public:
  replica_members(const replica_identity& replica, const replica_standing& standing) : replica_(replica), standing_(standing) {}

  /// Null: no member by the newest configuration.
  const server* find(std::uint64_t id) const;
  /// Empty when it is not known.
  std::string node_of(std::uint64_t id) const;
  /// Whether this member may be on that node. A member that is new here is believed: its link has told who it is.
  bool is_from(std::uint64_t id, const std::string& node);
  /// To each member's node, in one parcel. A node whose link is down gets nothing: Raft sends it again.
  void send(std::vector<raft_message> messages) const;

  // The core must be there.
  bool heard_recently(std::uint64_t id) const;
  bool somebody_takes_over_a_copy() const;
  /// Another voter that was heard recently and has most; 0: none.
  std::uint64_t best_successor() const;
  /// What the listener is told of who leads elsewhere; not empty when this node has no part in the group: others answer for it.
  std::string leader_elsewhere() const;
  /// Who leads a group that this server was taken out of: it gets no entries any more, so its own log never tells it, and it
  /// would wait for a leader for ever. Empty when no leader says so.
  std::string leader_without_this() const;
  /// It would only ask for votes that nobody gives it, for as long as it runs. Should it be added again, it hears from the
  /// leader.
  bool has_been_taken_out() const;

private:
  const replica_identity& replica_;
  const replica_standing& standing_;
  std::map<std::uint64_t, std::string> nodes_; ///< of members that were heard, by id: a new one knows nobody else
};

} // namespace epione::cluster
