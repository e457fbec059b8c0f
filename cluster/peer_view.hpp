// How the links with other nodes are, for who is not an actor and must not wait: router, console, metrics.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace epione::cluster {

struct peer_state {
  std::string node;
  bool linked = false;
  std::int64_t since_us = 0;     ///< wall clock: when the link came or went; 0: there never was one
  std::string address, version;  ///< as long as there is no link: of the last one
  std::string cluster;           ///< empty: not a member
  std::uint64_t server_id = 0;   ///< 0: not a member
  std::uint64_t incarnation = 0; ///< changes when the node was started again
  std::string why;               ///< not linked: why not
  std::optional<std::int64_t> round_trip_ns;
  std::optional<std::int64_t> clock_offset_us; ///< how far its wall clock is before ours
  bool clock_alarm = false;                    ///< the clocks differ by more than peers.clock_offset_max_ms
  std::uint64_t sent_bytes = 0, received_bytes = 0;
  std::uint64_t dropped = 0;         ///< parcels and Raft messages that were not sent
  std::uint64_t in_flight_bytes = 0; ///< sent and not acknowledged
};

/// Thread-safe. Each link writes its own entry.
class peer_view {
public:
  void set(peer_state state) {
    std::lock_guard guard{mutex_};
    auto& entry = states_[state.node];
    entry = std::move(state);
  }
  void remove(const std::string& node) {
    std::lock_guard guard{mutex_};
    states_.erase(node);
  }
  std::optional<peer_state> get(const std::string& node) const {
    std::lock_guard guard{mutex_};
    const auto found = states_.find(node);
    return found == states_.end() ? std::nullopt : std::optional{found->second};
  }
  bool linked(const std::string& node) const {
    std::lock_guard guard{mutex_};
    const auto found = states_.find(node);
    return found != states_.end() && found->second.linked;
  }
  /// By name.
  std::vector<peer_state> all() const {
    std::lock_guard guard{mutex_};
    std::vector<peer_state> result;
    for (const auto& [node, state] : states_)
      result.push_back(state);
    return result;
  }

private:
  mutable std::mutex mutex_;
  std::map<std::string, peer_state> states_;
};

} // namespace epione::cluster
