// How a member's store file is fetched from another node: questions and answers of routed_kind::snapshots. One file at a time, a
// piece after the other, asked for by whoever needs it; so the receiver sets the pace, and a piece that is lost is asked for
// again.
#pragma once

#include "messages/log.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

namespace epione::messages {

struct snapshot_question {
  /// Numbers are those of the wire.
  enum class kind : std::uint8_t {
    open = 1,  ///< group, at_least, requester. Answered by snapshot_offer
    piece = 2, ///< transfer, offset, size. Answered by the bytes
    close = 3, ///< transfer. Answered by the xxh3-64 of the whole file, as a number
  };
  kind what = kind::open;
  std::uint32_t group = 0;
  std::uint64_t transfer = 0, offset = 0, size = 0;
  std::uint64_t at_least = 0;  ///< entry that the file must hold; 0: whatever it holds
  std::uint64_t requester = 0; ///< which one of that node: 0 is its fetcher. Who opens anew gives up only what it began itself
};

struct snapshot_offer {
  std::uint64_t transfer = 0, size = 0; ///< size of the file in bytes
  snapshot_point point;                 ///< up to where it holds everything
};

std::string encode(const snapshot_question& q);
tl::expected<snapshot_question, std::string> decode_snapshot_question(std::string_view bytes);
std::string encode(const snapshot_offer& o);
tl::expected<snapshot_offer, std::string> decode_snapshot_offer(std::string_view bytes);
std::string encode_number(std::uint64_t n);
tl::expected<std::uint64_t, std::string> decode_number(std::string_view bytes);

} // namespace epione::messages
