// Changes of who belongs to a group, and of who leads it, as its leader makes them.
#pragma once

#include "cluster/replica_identity.hpp"
#include "cluster/replica_members.hpp"
#include "cluster/replica_standing.hpp"

#include <cstdint>
#include <optional>
#include <utility>

namespace epione::cluster {

class replica_changes {
public:
  using promise = caf::typed_response_promise<std::uint64_t>;

  replica_changes(const replica_identity& replica, replica_standing& standing, const replica_members& members)
      : replica_(replica), standing_(standing), members_(members) {}

  /// Why none can begin now.
  std::optional<caf::error> not_now() const;
  /// Whether the core has to get back what it dropped first: a single voter forgets what is applied; a follower may need all of
  /// it.
  bool needs_whole_log() const;
  /// Until take_waiting(), or refused with the epoch.
  void wait(const messages::server_change& change, promise answer) { waiting_.emplace(change, std::move(answer)); }
  std::optional<std::pair<messages::server_change, promise>> take_waiting() { return std::exchange(waiting_, std::nullopt); }
  /// The replica leads no more.
  void refuse_waiting();
  /// Answers it, with the index of its entry or why not. True: `out` is to be carried out.
  bool begin(const messages::server_change& change, promise answer, raft_output& out);

  /// Begins to hand leadership over to this member (0: to the voter that has most). False: it cannot.
  bool transfer(std::uint64_t id, raft_output& out);
  /// Once, when its time is over: nobody took the leadership over, and the word to stand for election may still arrive, so that
  /// this member can hold no lease in its term any more.
  bool is_transfer_in_vain();

private:
  tl::expected<configuration, caf::error> changed(const messages::server_change& change) const;

  const replica_identity& replica_;
  replica_standing& standing_; ///< to whose core changes are submitted
  const replica_members& members_;
  std::optional<std::pair<messages::server_change, promise>> waiting_;
  std::int64_t transfer_until_ms_ = 0; ///< not 0: then a leadership that was to be handed over is given up
};

} // namespace epione::cluster
