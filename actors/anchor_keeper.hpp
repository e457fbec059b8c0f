// Says from time to time how far the chains have come that this node leads, signed with a key of its own, and has group 0 keep it
// (domain/anchor.hpp).
#pragma once

#include "domain/anchor.hpp"
#include "messages/interfaces.hpp"
#include "runtime/defaults.hpp"
#include "runtime/environment.hpp"
#include "runtime/shard_view.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>

namespace epione::actors {

struct anchor_keeper_options {
  std::string cluster, node; ///< who says it; a node that is alone has no name
  std::uint32_t shards = 0;
  const runtime::shard_view* view = nullptr; ///< null: this node leads all of them
  std::uint32_t first_ms = runtime::defaults::anchor_first_ms;
  std::uint32_t interval_ms = runtime::defaults::anchor_interval_ms;
};

struct anchor_keeper_state {
  anchor_keeper_state() = default;
  std::optional<domain::signing_seed> seed;    ///< once it was needed
  std::map<std::uint32_t, std::uint64_t> said; ///< newest events of the last anchor
  bool under_way = false;
  std::uint64_t anchors = 0;
  static inline const char* name = "anchor_keeper";
};

/// The key is in DIR/anchor.key, made when it is first needed. Reads files: spawn it with spawn_blocking.
messages::anchor_keeper_actor::behavior_type
anchor_keeper(messages::anchor_keeper_actor::stateful_pointer<anchor_keeper_state> self, const runtime::environment& env,
              anchor_keeper_options options);

} // namespace epione::actors
