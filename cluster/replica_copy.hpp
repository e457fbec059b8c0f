// A copy of another member's store, which a replica takes over when the leader has cut what it would need. It is fetched beside
// Raft; the core only hears of it once it is here, as a log that begins behind it.
#pragma once

#include "cluster/replica_identity.hpp"
#include "cluster/replica_standing.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

namespace epione::cluster {

class replica_copy {
public:
  replica_copy(const replica_identity& replica, const replica_standing& standing) : replica_(replica), standing_(standing) {}

  /// The leader offers one, from this node: fetched unless it is not needed, or one is on its way.
  void on_offer(const raft_message& m, const std::string& node);
  /// It has come, or could not be had.
  void on_fetched() { fetching_ = false; }
  /// Who brings it is down: the leader offers it again.
  void on_down(const caf::actor_addr& who);
  /// Whether the log has this entry, and so all before it, or begins behind it. The core must be there.
  bool has_all(std::uint64_t index, std::uint64_t term) const;

  bool is_here() const;
  void discard() const;

  /// It is here, and the journal is being told.
  void install(const messages::snapshot_point& point) { installing_ = point; }
  /// The journal was not: the leader offers it again.
  void give_up() { installing_.reset(); }
  /// The journal's log begins behind it. Its store takes the file; should it die before, it takes it when it attaches again.
  void on_log_replaced();

private:
  const replica_identity& replica_;
  const replica_standing& standing_;
  bool fetching_ = false;   ///< another member's store is on its way
  caf::actor_addr fetcher_; ///< who brings it
  std::optional<messages::snapshot_point> installing_;
};

} // namespace epione::cluster
