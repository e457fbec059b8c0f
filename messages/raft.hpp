// What members of a group say to each other, as replicas and peer links speak of it.
#pragma once

#include "messages/log.hpp"

#include <cstdint>
#include <memory>
#include <vector>

namespace epione::messages {

/// Numbers are libraft's (enum raft_message_type).
enum class message_kind : std::uint8_t {
  append_entries = 1,
  append_entries_result,
  request_vote,
  request_vote_result,
  install_snapshot,
  timeout_now
};

/// What members say to each other (Raft paper, figures 2 and 13; dissertation, 3.10).
struct raft_message {
  message_kind kind = message_kind::append_entries;
  std::uint8_t version = 0;
  std::uint64_t peer = 0; ///< server id: whom it goes to, or who sent it
  std::uint64_t term = 0;
  std::uint64_t index = 0, index_term = 0; ///< the entry before `entries`; a candidate's or follower's last; a snapshot's
  std::uint64_t commit = 0;                ///< append_entries: the leader's; install_snapshot: index of its configuration
  std::uint64_t rejected = 0;
  std::uint16_t features = 0, capacity = 0;
  bool granted = false, pre_vote = false, disrupt_leader = false;
  /// append_entries: when its sender, the leader, sent it (its own monotonic clock, ms). append_entries_result: the newest such
  /// time of this term's leader that the follower has seen: it has known him as its leader since. For leases; 0: unknown.
  std::int64_t stamp_ms = 0;
  log_entries entries;
};
using raft_messages_ptr = std::shared_ptr<const std::vector<raft_message>>;

} // namespace epione::messages
