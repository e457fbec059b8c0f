// Where each shard is led and how its members are, for who is not an actor of the shard and must not wait: gateway, router,
// console, metrics.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
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
  }
  void remove(std::uint32_t group) {
    std::lock_guard guard{mutex_};
    groups_.erase(group);
  }
  place where(std::uint32_t group) const {
    std::lock_guard guard{mutex_};
    const auto found = groups_.find(group);
    if (found == groups_.end())
      return {};
    const auto& g = found->second;
    return g.serving ? place{true, {}} : g.role == "leader" ? place{} : place{false, g.leader};
  }
  std::optional<group_view> get(std::uint32_t group) const {
    std::lock_guard guard{mutex_};
    const auto found = groups_.find(group);
    return found == groups_.end() ? std::nullopt : std::optional{found->second};
  }
  std::map<std::uint32_t, group_view> all() const {
    std::lock_guard guard{mutex_};
    return groups_;
  }

private:
  mutable std::mutex mutex_;
  std::map<std::uint32_t, group_view> groups_;
};

} // namespace epione::runtime
