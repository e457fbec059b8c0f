// What a replica sends to its store: what is committed, a window at a time, and who waits for the store to have applied it.
#pragma once

#include "cluster/replica_identity.hpp"
#include "cluster/replica_journal.hpp"
#include "cluster/replica_standing.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace epione::cluster {

class replica_feed {
public:
  /// A store that is there, and what it has applied: the last index and its term.
  struct attachment {
    messages::shard_store_actor store;
    std::uint64_t applied, term;
  };

  replica_feed(const replica_identity& replica, replica_standing& standing, replica_journal& journal)
      : replica_(replica), standing_(standing), journal_(journal) {}

  // ---- whose store -----------------------------------------------------------------------------------------------------
  bool has_store() const { return store_ != nullptr; }
  bool is_from(const caf::actor_addr& who) const { return store_ != nullptr && who == store_.address(); }
  std::uint64_t applied() const { return applied_; }
  void lose_store() { store_ = nullptr; }
  /// A store that may have come before the log was loaded; nothing is sent to it before take_offered().
  void offer(attachment a) { offered_ = std::move(a); }
  const std::optional<attachment>& offered() const { return offered_; }
  void forget_offered() { offered_.reset(); }
  /// Why the offered one and the log cannot belong together, for an operator; empty: they do.
  std::string misfit() const;
  void take_offered();

  // ---- feeding ---------------------------------------------------------------------------------------------------------
  /// At once in the catalog, which others wait to see, and while a leader is not serving yet; then what is committed gathers,
  /// because each message wakes the store's thread.
  void feed();
  void feed_now();
  /// The replica's own feed message: the delay is over.
  void on_feed();
  /// Somebody waits: the store is to have, and apply, all that is committed.
  void flush();
  /// What was sent before the core lost it is in the journal: `then` once the core has it again. One at a time: others wait with
  /// the first one.
  void refill(std::function<void()> then);
  /// False: from another store than this one.
  bool on_applied(std::uint64_t index);
  /// The barrier of the next epoch is another one.
  void on_epoch_end() { barrier_flushed_ = false; }

  // ---- who waits -------------------------------------------------------------------------------------------------------
  /// Answered with what is applied once that is this entry and all that is committed now.
  caf::result<std::uint64_t> wait_for(std::uint64_t index);
  void answer_waiters();

private:
  struct waiter {
    std::uint64_t index;
    caf::typed_response_promise<std::uint64_t> answer;
  };

  const replica_identity& replica_;
  replica_standing& standing_; ///< whose core drops what is applied
  replica_journal& journal_;
  messages::shard_store_actor store_;
  std::optional<attachment> offered_;
  std::uint64_t applied_ = 0, sent_ = 0;                     ///< by, and to the store
  std::deque<std::pair<std::uint64_t, std::size_t>> window_; ///< last index and bytes of every chunk not yet applied
  std::size_t window_bytes_ = 0;
  std::vector<waiter> waiters_; ///< bounded by defaults::applied_waiters_max
  bool due_ = false;            ///< what is committed goes to the store when the delay is over
  bool refilling_ = false;      ///< the journal was asked for entries that are no longer in memory
  bool barrier_flushed_ = false;
};

} // namespace epione::cluster
