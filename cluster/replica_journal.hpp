// A replica and the node's journal: what it has loaded and written there, under which write epoch.
#pragma once

#include "cluster/raft_core.hpp"
#include "cluster/replica_identity.hpp"
#include "messages/log.hpp"

#include <chrono>
#include <cstdint>
#include <string>
#include <utility>

namespace epione::cluster {

class replica_journal {
public:
  explicit replica_journal(const replica_identity& replica) : replica_(replica) {}

  /// Looks the journal up in the directory, and monitors it. False: it is not there.
  bool start();
  bool is_from(const caf::actor_addr& who) const { return journal_ != nullptr && who == journal_.address(); }

  /// What was written before, and its completions, count no more.
  void begin_epoch() { write_epoch_ = replica_.next_epoch(); }
  bool is_current(std::uint64_t write_epoch) const { return write_epoch == write_epoch_; }

  /// The whole log of the group: `loaded` gets a messages::group_log, `failed` why not.
  template <class Loaded, class Failed>
  void load(Loaded loaded, Failed failed) {
    replica_.self
        ->request(journal_, std::chrono::milliseconds{runtime::defaults::journal_load_limit_ms}, messages::load_atom::value,
                  replica_.options.group)
        .then([loaded = std::move(loaded)](const messages::group_log_ptr& log) { loaded(*log); },
              [failed = std::move(failed)](caf::error& why) { failed(why); });
  }
  /// What ends a replica whose log cannot be loaded.
  caf::error no_answer(const caf::error& why) const;

  // Each of these is answered by persisted or failed, with the write epoch.
  void write(raft_write& w);
  /// The explicit act that begins a group, with this node as its only voter.
  void begin_group();
  /// A single voter leads again in the term it stopped in, and stand-bys may hold entries of that term which it sent and never
  /// stored: what it appends now must be of another term, or they would take the one for the other.
  void raise_term(std::uint64_t term);
  /// The log is to begin behind this point, in the term that is known so far or a later one.
  void replace(const messages::snapshot_point& point, std::uint64_t term);

  /// The log is no longer needed up to this point; not answered.
  void cut(const messages::snapshot_point_ptr& point);

private:
  messages::journal_write new_write() const;
  void send(messages::journal_write write);

  const replica_identity& replica_;
  messages::journal_actor journal_;
  std::uint64_t write_epoch_ = 0; ///< of the core: its writes and their completions carry it
};

/// Whether this server alone decides, by the log's newest configuration.
bool is_only_voter(const messages::group_log& log, std::uint64_t server_id);

} // namespace epione::cluster
