// Identifiers that everything else is built on: how a submission, its content and its subject are named.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <cstring>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace epione::domain {

/// 128 bits, compared and hashed by value; text form is 32 lower-case hexadecimal digits.
struct id128 {
  std::array<std::uint8_t, 16> bytes{};
  friend auto operator<=>(const id128&, const id128&) = default;
};

/// Names one submission: BLAKE2b-128 of study, subject and key. The same key gives the same receipt, always.
struct receipt : id128 {
  friend auto operator<=>(const receipt&, const receipt&) = default;
};

/// What was submitted: BLAKE2b-128 of the canonical content (see canonical.hpp); member order and encoding do not matter.
struct fingerprint : id128 {
  friend auto operator<=>(const fingerprint&, const fingerprint&) = default;
};

/// BLAKE2b-256; links of the audit chain (see chain.hpp).
using chain_hash = std::array<std::uint8_t, 32>;

/// xxHash64 of study and subject (each preceded by its length as 4 bytes, little endian). Places a subject in a shard and
/// is its key in the store. Two subjects may share a hash: whoever looks up by it compares study and subject as well.
std::uint64_t subject_hash(std::string_view study, std::string_view subject);

/// Shard of a subject, 1 to shard_count; group 0 is the catalog's. shard_count > 0.
std::uint32_t shard_of(std::uint64_t subject_hash, std::uint32_t shard_count);

receipt make_receipt(std::string_view study, std::string_view subject, std::string_view key);
fingerprint make_fingerprint(std::string_view canonical_content);

/// First 16 bits of a receipt: what a session and a subject's row in the store keep of every key. A tag that is absent proves
/// the key new; one that is present must be looked up.
std::uint16_t key_tag(const receipt& r);

std::string to_text(const id128& x);
std::optional<receipt> parse_receipt(std::string_view text);

} // namespace epione::domain

template <>
struct std::hash<epione::domain::receipt> {
  std::size_t operator()(const epione::domain::receipt& x) const noexcept {
    std::size_t h;
    std::memcpy(&h, x.bytes.data(), sizeof(h));
    return h;
  }
};
