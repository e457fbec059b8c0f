// What crosses a link between nodes: envelopes of parcels. Never a bare struct, so that neighbouring versions understand each
// other, and never trusted: every bound is checked, whoever sent it.
//
// An envelope is "EPE", a version byte (1), the xxHash64 of the rest (8 bytes, little endian), and a msgpack map: 1 → parcels,
// an array of [kind, to, bytes]. A hello is the same with "EPH" and a map of its own; every version must be able to read every
// other's. Members of maps that are not known are skipped, and so are values behind the known ones of an array and parcels of an
// unknown kind: that is how a later version adds something.
#pragma once

#include "messages/raft.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

namespace epione::messages {

/// Numbers are those of the wire and never change their meaning.
enum class parcel_kind : std::uint8_t {
  raft = 1,    ///< to: the group; bytes: encode_raft()
  request = 2, ///< router's: a question; to: its number, which the reply carries
  reply = 3,   ///< router's: the answer
  cast = 4,    ///< router's: nobody answers
  ping = 5,    ///< bytes: encode(ping)
  pong = 6,    ///< bytes: encode(pong)
  ack = 7,     ///< to: bytes of envelopes received since the link is there
  chunk = 8,   ///< a piece of a snapshot; to: number of the transfer
};

/// Whether others than links may send it.
constexpr bool is_for_router(parcel_kind x) {
  return x == parcel_kind::request || x == parcel_kind::reply || x == parcel_kind::cast || x == parcel_kind::chunk;
}

struct parcel {
  parcel_kind kind = parcel_kind::cast;
  std::uint64_t to = 0;
  std::shared_ptr<const std::string> bytes; ///< never null
};

/// What a node says of itself when a link begins; the other side's, as the owner of a link is told.
struct link_info {
  std::string node;              ///< equals a name of the certificate
  std::string address;           ///< HOST:PORT it was reached at or comes from
  std::string cluster;           ///< id; empty: not a member yet
  std::string version;           ///< of the program
  std::uint32_t protocol = 0;    ///< spoken on this link: the highest both know
  std::uint64_t server_id = 0;   ///< in the groups' configurations; 0: not a member yet
  std::uint64_t incarnation = 0; ///< random, of this start of its program
};
using link_info_ptr = std::shared_ptr<const link_info>;

/// Limits of what is read, checked before anything of that size is made.
struct envelope_limits {
  std::size_t envelope_bytes_max;
  std::size_t parcels_max;
  std::size_t messages_max; ///< of a raft parcel
  std::size_t entries_max;  ///< of a message
};

/// Bytes an envelope has beside its parcels, and a parcel beside its bytes, at most.
inline constexpr std::size_t envelope_overhead = 24, parcel_overhead = 24;

std::string encode_envelope(std::span<const parcel> parcels);
/// Fails with a sentence.
tl::expected<std::vector<parcel>, std::string> decode_envelope(std::string_view bytes, const envelope_limits& limits);

/// Entries are those behind `index`; throws std::logic_error when they are not.
std::string encode_raft(std::span<const raft_message> messages);
/// Fails with a sentence.
tl::expected<std::vector<raft_message>, std::string> decode_raft(std::string_view bytes, const envelope_limits& limits);
/// About how many bytes encode_raft() makes of it, without making them.
std::size_t encoded_size(const raft_message& message);

/// Sent every second. Times are the sender's.
struct ping {
  std::int64_t mono_ns = 0; ///< comes back with the answer
  std::int64_t wall_us = 0;
};
struct pong {
  std::int64_t ping_mono_ns = 0, ping_wall_us = 0; ///< of the ping that is answered
  std::int64_t wall_us = 0;                        ///< of who answers, at once
};
std::string encode(const ping& x);
std::string encode(const pong& x);
tl::expected<ping, std::string> decode_ping(std::string_view bytes);
tl::expected<pong, std::string> decode_pong(std::string_view bytes);

/// First message of each side on a new link.
struct hello {
  std::uint32_t protocol_min = 0, protocol_max = 0;
  std::string node, cluster, version;
  std::uint64_t server_id = 0, incarnation = 0;
};
std::string encode(const hello& x);
tl::expected<hello, std::string> decode_hello(std::string_view bytes);

} // namespace epione::messages
