// Anchors: signed statements of how far chains had come at some time. A chain alone shows what was changed within it; that its
// end was cut off, or all of it written anew, shows only by what was said of it elsewhere. Anchors are events of group 0, and can
// be written out to be kept where nobody who can change the data can reach them.
#pragma once

#include "domain/ids.hpp"

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

namespace epione::domain {

/// Action of an anchor's event: `after` is encode(anchor), `entity` the node's name.
inline constexpr std::string_view anchor_action = "chain.anchor";

/// A chain's newest event at some time.
struct anchored_head {
  std::uint32_t shard = 0;
  std::uint64_t seq = 0;
  chain_hash hash{};
  std::uint64_t index = 0; ///< of the log entry that had been applied then
};

using signing_seed = std::array<std::uint8_t, 32>; ///< what a node keeps for itself
using public_key = std::array<std::uint8_t, 32>;

struct anchor {
  std::string cluster, node; ///< who says it
  std::int64_t time_us = 0;  ///< wall clock
  std::vector<anchored_head> heads;
  public_key key{};
  std::array<std::uint8_t, 64> signature{};
};

/// Fills key and signature: Ed25519 over everything else.
void sign(anchor& a, const signing_seed& seed);
/// Whether the signature is that of its key over what it says.
bool is_signed(const anchor& a);

std::string encode(const anchor& a);
/// Fails with a sentence.
tl::expected<anchor, std::string> decode_anchor(std::string_view bytes);

/// Action of the event with which a restored cluster begins: `before` names the cluster it was (msgpack string), `after` is
/// encode_heads() of where the chains ended, `entity` the new cluster. What anchors before it say of later events is of what was
/// lost.
inline constexpr std::string_view restore_action = "cluster.restore";

/// Where the chains ended in the backup.
std::string encode_heads(const std::vector<anchored_head>& heads);
tl::expected<std::vector<anchored_head>, std::string> decode_heads(std::string_view bytes);

} // namespace epione::domain
