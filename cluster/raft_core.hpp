// One group's Raft member without disk, network, clock or threads: libraft's raft_step() behind the rules its header does not
// state. Whoever drives it writes what an output asks for, says when that is durable, sends the messages and keeps the time.
#pragma once

#include "cluster/configuration.hpp"
#include "cluster/log_tail.hpp"
#include "messages/log.hpp"
#include "messages/raft.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <tl/expected.hpp>
#include <vector>

struct epione_raft;
struct epione_raft_update;

namespace epione::cluster {

struct raft_options {
  std::uint64_t id = 0;          ///< of this server in the group's configuration
  unsigned seed = 1;             ///< of the election timer's randomness
  std::uint32_t election_ms = 0; ///< a follower stands for election after 1 to 2 times this without a leader
  std::uint32_t heartbeat_ms = 0;
  std::uint32_t lease_ms = 0;       ///< less than election_ms, by more than clocks differ in that time
  std::uint32_t in_flight_max = 0;  ///< entries sent to a follower and not yet acknowledged
  std::uint32_t trailing_max = 0;   ///< entries kept in memory behind a cut, for followers that are a little late
  std::size_t memory_bytes_max = 0; ///< of a single server's applied entries that may stay in memory
};

enum class raft_role : std::uint8_t { unavailable, follower, candidate, leader };

using messages::message_kind;
using messages::raft_message;

/// To be written in one journal transaction; replaces everything stored from entries[0].index on.
struct raft_write {
  std::optional<std::uint64_t> term, voted_for;
  messages::log_entries entries;
};

/// What the steps since the last output ask for, in this order: write, then send.
struct raft_output {
  std::vector<raft_write> writes;
  std::vector<raft_message> messages;
  bool role_changed = false;
  bool commit_advanced = false;
};

/// Not thread-safe. A broken rule throws invariant_violation; the core is of no use afterwards. `now_ms` must never go back.
class raft_core {
public:
  explicit raft_core(const raft_options& options);
  ~raft_core();
  raft_core(const raft_core&) = delete;
  raft_core& operator=(const raft_core&) = delete;

  /// First call, with all that is stored. Fails, with a sentence, when that cannot be a log.
  tl::expected<raft_output, std::string> start(const messages::group_log& stored, std::int64_t now_ms);
  /// Appends one entry; its index. Nothing when this server does not lead. A change is submitted only when none is under way, and
  /// adds, removes or moves one server.
  std::optional<std::uint64_t> submit(messages::entry_type type, std::shared_ptr<const std::string> data, std::int64_t now_ms,
                                      raft_output& out);
  /// Every write handed out up to the one that ends with this entry is durable; 0: the write without entries is.
  /// A completion that a truncation has overtaken counts only as far as it still holds.
  void written(std::uint64_t index, std::int64_t now_ms, raft_output& out);
  /// The timer. Harmless before timeout_at_ms().
  void tick(std::int64_t now_ms, raft_output& out);
  /// Fails, with a sentence, for a message no member sends; nothing has changed then. install_snapshot is not taken here: what it
  /// offers is fetched and put in place by the driver, who then starts a new core on it.
  tl::expected<void, std::string> receive(const raft_message& message, std::int64_t now_ms, raft_output& out);
  /// The library takes a snapshot of entry 1 alone for entry 1 itself: a member that begins empty is then sent neither, for ever.
  static constexpr std::uint64_t snapshot_index_min = 2;
  /// The store holds everything up to this point durably, which is at least that entry. Ignored when an earlier call went as far.
  void snapshot(const messages::snapshot_point& point, std::int64_t now_ms, raft_output& out);

  /// Begins to hand leadership over to this voter: it is told to stand for election once it has the whole log, and until then, or
  /// an election timeout at most, nothing can be submitted. Leases end at once. False when this server does not lead or that one
  /// is no other voter.
  bool transfer(std::uint64_t id, std::int64_t now_ms, raft_output& out);
  /// Whether this server leads, and no other can before `now_ms` + 1: a quorum has known it as its leader, counted from when it
  /// sent what they answered, for less than lease_ms (dissertation, 6.4.1).
  bool has_lease(std::int64_t now_ms) const;

  raft_role role() const;
  std::uint64_t term() const;
  std::uint64_t leader_id() const; ///< 0: unknown
  std::uint64_t commit_index() const { return commit_seen_; }
  std::uint64_t stored_index() const; ///< highest entry known to be durable here
  /// What a store may apply: committed, and durable here, so that a journal is never behind its store.
  std::uint64_t applicable_index() const;
  std::int64_t timeout_at_ms() const;
  /// Newest in the log, committed or not.
  const configuration& servers() const { return changes_.back().servers; }
  /// Whether the newest configuration is not committed yet; no other can be submitted then.
  bool change_under_way() const { return changes_.back().index > commit_seen_; }
  /// Index of the newest committed configuration.
  std::uint64_t servers_index() const { return changes_.back().index; }
  /// Leaders: what this member is known to hold durably, 0 when nothing is known; and when it was last heard (0: never).
  std::uint64_t match_index(std::uint64_t id) const;
  std::int64_t heard_ms(std::uint64_t id) const;
  bool writes_outstanding() const { return !in_flight_.empty() || !waiting_.empty(); }

  const log_tail& log() const { return log_; }
  /// The store has applied up to here: what is older need not stay in memory, unless followers may ask for it.
  void release(std::uint64_t applied);
  /// Puts entries that were dropped from memory back, as the journal has them.
  void refill(const messages::group_log& stored) { log_.refill(stored.entries); }

private:
  struct change {
    std::uint64_t index;
    std::shared_ptr<const std::string> data;
    configuration servers;
  };
  /// A write that waits for its turn.
  struct pending {
    raft_write write;
    bool alone = false; ///< carries term or vote, or replaces what is still being written
  };
  /// A write that was handed out.
  struct flight {
    std::uint64_t last = 0;  ///< its highest entry, 0 without entries
    std::uint64_t valid = 0; ///< up to where it still holds; 0: nowhere
    std::uint64_t term = 0;  ///< of the entry `valid`
    bool alone = false, vote = false;
  };

  void expect_started(std::int64_t now_ms);
  void check(int code, const char* event);
  void absorb(const epione_raft_update& update, std::span<const messages::log_entry> supplied, raft_output& out);
  void append(const epione_raft_update& update, std::span<const messages::log_entry> supplied, raft_write& write);
  void take_messages(const epione_raft_update& update, raft_output& out);
  void commit(raft_output& out);
  void release_writes(raft_output& out);
  void receive_part(const raft_message& part, raft_output& out);
  void note_heard(const raft_message& result);
  /// Whether nobody else belongs to the group: nobody may ask for entries.
  bool is_alone() const { return servers().size() == 1 && servers().front().id == options_.id; }

  raft_options options_;
  epione_raft* core_ = nullptr;
  bool started_ = false;
  std::int64_t now_ms_ = 0;
  log_tail log_;
  std::vector<change> changes_; ///< the newest committed one and what is behind it
  std::uint64_t commit_seen_ = 0, snapshot_index_ = 0;
  std::deque<pending> waiting_;
  std::deque<flight> in_flight_;
  std::uint64_t highest_outstanding_ = 0; ///< entry that waits to be written or is being written
  unsigned votes_outstanding_ = 0;        ///< writes of term or vote that are not durable: no message leaves before
  std::vector<raft_message> held_;

  struct peer_contact {
    std::int64_t stamp_ms = 0; ///< newest send time of ours that it has answered in this term
    std::int64_t heard_ms = 0; ///< when it was last heard of at all
  };
  std::map<std::uint64_t, peer_contact> contacts_;
  std::uint64_t contacts_term_ = 0;     ///< in which they were made
  std::uint64_t disrupting_term_ = 0;   ///< in which the leader before asked this server to stand for election
  std::uint64_t transferring_term_ = 0; ///< leadership of this term is being given away: no lease any more
  std::uint64_t seen_leader_ = 0, seen_term_ = 0;
  std::int64_t seen_stamp_ms_ = 0; ///< newest send time of that leader
};

} // namespace epione::cluster
