// Where each shard is led and how its members are, for who is not an actor of the shard and must not wait: gateway, router,
// console, metrics.
#pragma once

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace epione::runtime {

/// One member of a group, as this node's replica knows it.
struct member_view {
  std::uint64_t id = 0;
  std::string node;
  std::string role;           ///< "leader", "voter", "stand-by"
  bool known = false;         ///< whether match and heard_ms mean anything: only the leader knows
  std::uint64_t match = 0;    ///< what it holds durably
  std::int64_t heard_ms = -1; ///< since it was heard last; -1: never

  /// Where nobody knows, as the leader of others does, it counts as heard.
  bool heard_within(std::int64_t limit_ms) const { return !known || role == "leader" || (heard_ms >= 0 && heard_ms < limit_ms); }
};

/// A group as this node's replica knows it.
struct group_view {
  std::string role; ///< "leader", "follower", "candidate", "none"
  std::uint64_t term = 0, commit = 0, applied = 0, last = 0;
  std::uint64_t leader_id = 0;
  std::string leader; ///< its node; empty: unknown
  bool serving = false;
  bool change_under_way = false; ///< of who its members are
  std::vector<member_view> members;

  /// By its leader's own word.
  bool led() const { return role == "leader" && serving; }
  /// Entries that a member does not hold yet; nothing: unknown.
  std::optional<std::uint64_t> lag_of(const member_view& m) const {
    return m.known ? std::optional{last - std::min(m.match, last)} : std::nullopt;
  }
};

/// Thread-safe. Group 0 is the catalog; shards are 1 and up.
class shard_view {
public:
  /// Who answers for a shard.
  struct place {
    bool here = false;
    std::string leader; ///< another node; empty: nobody is known to
  };

  void set(std::uint32_t group, group_view v) {
    std::lock_guard guard{mutex_};
    groups_[group] = std::move(v);
    changed_.notify_all();
  }
  void remove(std::uint32_t group) {
    std::lock_guard guard{mutex_};
    groups_.erase(group);
    changed_.notify_all();
  }
  /// What another node says of the groups it leads: all of them.
  void claim(const std::string& node, std::map<std::uint32_t, group_view> led, bool draining) {
    std::lock_guard guard{mutex_};
    claims_[node] = std::move(led);
    if (draining)
      draining_nodes_.insert(node);
    else
      draining_nodes_.erase(node);
    changed_.notify_all();
  }
  /// Until something is said of any group, or the limit: for a thread that then looks again.
  void wait_for_word(std::chrono::milliseconds limit) const {
    std::unique_lock guard{mutex_};
    changed_.wait_for(guard, limit);
  }
  /// Whether this node gives its leaderships away.
  void set_draining(bool x) {
    std::lock_guard guard{mutex_};
    draining_ = x;
  }
  bool draining() const {
    std::lock_guard guard{mutex_};
    return draining_;
  }
  /// The same of another node.
  bool is_draining(const std::string& node) const {
    std::lock_guard guard{mutex_};
    return draining_nodes_.contains(node);
  }
  /// That node cannot be reached, or says nothing any more: neither does what it said of itself hold.
  void forget(const std::string& node) {
    std::lock_guard guard{mutex_};
    claims_.erase(node);
    draining_nodes_.erase(node);
  }
  /// Those whose word holds.
  std::vector<std::string> claimants() const {
    std::lock_guard guard{mutex_};
    std::vector<std::string> nodes;
    for (const auto& [node, led] : claims_)
      nodes.push_back(node);
    return nodes;
  }
  place where(std::uint32_t group) const {
    std::lock_guard guard{mutex_};
    const auto found = groups_.find(group);
    if (found != groups_.end()) {
      const auto& g = found->second;
      if (g.serving)
        return {true, {}};
      if (g.role == "leader")
        return {};
      if (!g.leader.empty())
        return {false, g.leader};
    }
    const auto* claim = newest_claim(group);
    return claim == nullptr || (found != groups_.end() && found->second.term > claim->term) ? place{}
                                                                                            : place{false, claim->leader};
  }
  /// As this node's replica knows it.
  std::optional<group_view> get(std::uint32_t group) const {
    std::lock_guard guard{mutex_};
    const auto found = groups_.find(group);
    return found == groups_.end() ? std::nullopt : std::optional{found->second};
  }
  /// As its leader knows it, who alone knows how far the others are; without one as get().
  std::optional<group_view> best(std::uint32_t group) const {
    std::lock_guard guard{mutex_};
    const auto found = groups_.find(group);
    const auto* claim = newest_claim(group);
    if (claim != nullptr && (found == groups_.end() || (found->second.role != "leader" && found->second.term <= claim->term)))
      return *claim;
    return found == groups_.end() ? std::nullopt : std::optional{found->second};
  }
  /// What this node leads.
  std::map<std::uint32_t, group_view> led_here() const {
    std::lock_guard guard{mutex_};
    std::map<std::uint32_t, group_view> led;
    for (const auto& [group, v] : groups_)
      if (v.role == "leader")
        led.emplace(group, v);
    return led;
  }

private:
  const group_view* newest_claim(std::uint32_t group) const {
    const group_view* newest = nullptr;
    for (const auto& [node, led] : claims_)
      if (const auto found = led.find(group); found != led.end() && (newest == nullptr || found->second.term > newest->term))
        newest = &found->second;
    return newest;
  }
  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  std::map<std::uint32_t, group_view> groups_;
  std::map<std::string, std::map<std::uint32_t, group_view>> claims_; ///< by node
  std::set<std::string> draining_nodes_;
  bool draining_ = false;
};

} // namespace epione::runtime
