// The audit chain: each event's hash covers the one before it, so that a change anywhere shows.
#pragma once

#include "domain/ids.hpp"

#include <cstdint>
#include <string_view>

namespace epione::domain {

/// Hash before the first event of a chain: BLAKE2b-256 of "epione chain" and the shard's number (4 bytes, little endian).
chain_hash chain_origin(std::uint32_t shard);

/// BLAKE2b-256 of the hash before, the sequence number (8 bytes, little endian) and the event's bytes.
chain_hash chain_next(const chain_hash& before, std::uint64_t seq, std::string_view event_bytes);

} // namespace epione::domain
