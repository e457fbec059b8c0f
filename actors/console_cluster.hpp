// What the console knows of the cluster its node belongs to, and how it asks other nodes.
#pragma once

#include "runtime/cluster_view.hpp"
#include "runtime/defaults.hpp"
#include "runtime/shard_view.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace epione::actors {

/// A member of a group that its leader has not heard for so long is shown as not heard.
inline constexpr std::int64_t member_heard_limit_ms = 4 * std::int64_t{runtime::defaults::raft_election_ms};

/// The link with one other node, as this node knows it.
struct console_link {
  std::string node;
  bool linked = false;
  std::int64_t since_us = 0;                   ///< wall clock: when the link came or went; 0: there never was one
  std::string version;                         ///< of the last link; empty: there never was one
  std::string why;                             ///< not linked: why not
  std::optional<std::int64_t> round_trip_ns;   ///< nothing: not measured
  std::optional<std::int64_t> clock_offset_us; ///< how far its wall clock is before ours
  bool clock_alarm = false;                    ///< the clocks differ by more than peers.clock_offset_max_ms
  std::uint64_t sent_bytes = 0, received_bytes = 0, in_flight_bytes = 0;
  std::uint64_t dropped = 0; ///< messages that were not sent
};

/// The views outlive the console.
struct console_cluster {
  std::string node; ///< this one
  const runtime::cluster_view& nodes;
  const runtime::shard_view& shards;
  std::function<std::vector<console_link>()> links; ///< by name

  std::optional<console_link> link(const std::string& with) const;
  /// Of a shard; empty: nobody is known to lead it.
  std::string leader_of(std::uint32_t shard) const;
  /// How many shards a node leads, from 0, the catalog, up to this one.
  std::uint64_t led_by(const std::string& who, std::uint32_t up_to) const;
};

} // namespace epione::actors
