// A replica's epoch: whom it serves, what was proposed in it, reads under the lease, and what the listener is told of who leads.
//
// Every change of a replica's state opens a new one, so that proposals and answers of the one before count no more. Before it
// serves, a leader commits a barrier that it submitted itself in this epoch, and its store applies everything up to it.
#pragma once

#include "cluster/replica_feed.hpp"
#include "cluster/replica_identity.hpp"
#include "cluster/replica_members.hpp"
#include "cluster/replica_metrics.hpp"
#include "cluster/replica_standing.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <utility>

namespace epione::cluster {

class replica_epoch {
public:
  replica_epoch(const replica_identity& replica, replica_standing& standing, const replica_members& members,
                const replica_feed& feed, replica_metrics& metrics)
      : replica_(replica), standing_(standing), members_(members), feed_(feed), metrics_(metrics) {}

  /// From now on this one answers for the group; none must be open.
  void set_listener(const messages::shard_listener& listener);
  bool listens(const caf::actor_addr& who) const { return listener_ != nullptr && who == listener_.address(); }
  void lose_listener() { listener_ = nullptr; }

  /// What is to be carried out, when it leads. Does nothing without a core or a listener.
  [[nodiscard]] std::optional<raft_output> open();
  /// `known`: of what was proposed in it. True: it served.
  bool close(ec why, messages::outcome known);
  /// True: from now on.
  bool maybe_serve();

  // ---- proposals and reads -----------------------------------------------------------------------------------------------
  /// False: refused. Otherwise `out` is to be carried out.
  bool propose(std::uint64_t epoch, std::uint64_t batch, const messages::bytes_ptr& bytes, const messages::proposer& who,
               raft_output& out);
  void report_committed();
  std::size_t proposals() const { return proposals_.size(); }
  /// Answers the listener.
  void read_index(std::uint64_t epoch, messages::ticket t) const;
  caf::result<std::uint64_t> read_index() const;

  // ---- what else the listener is told ------------------------------------------------------------------------------------
  void tell_applied(std::uint64_t index) const;
  /// True: who leads has changed, or who says so.
  bool tell_leader();
  /// The log was loaded anew.
  void forget_leader() { told_leader_ = 0; }
  /// Entries of the leader.
  void on_append(const raft_message& m);
  /// That the store has applied all that was committed when it began to follow.
  void tell_following();

private:
  struct proposal {
    std::uint64_t index, batch;
    messages::proposer who;
  };

  bool knows_what_is_committed(const raft_message& m) const;

  const replica_identity& replica_;
  replica_standing& standing_;
  const replica_members& members_;
  const replica_feed& feed_;
  replica_metrics& metrics_;
  messages::shard_listener listener_;
  std::deque<proposal> proposals_;           ///< of this epoch, not committed yet
  std::uint64_t told_leader_ = 0;            ///< whom the listener and the view know as leader
  std::string told_without_;                 ///< the same of a leader that says this server does not belong to it
  std::optional<std::uint64_t> follow_from_; ///< committed when this epoch's leader was first heard
  bool follow_told_ = false;
};

} // namespace epione::cluster
