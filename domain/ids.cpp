#include "domain/ids.hpp"

#include "domain/digest.hpp"
#include "domain/notice_route.hpp"

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace epione::domain {

namespace {

/// Unambiguous: ("a", "bc") and ("ab", "c") must not be the same.
void append_with_length(std::string& out, std::string_view text) {
  const auto size = static_cast<std::uint32_t>(text.size());
  for (unsigned shift = 0; shift < 32; shift += 8)
    out.push_back(static_cast<char>(static_cast<std::uint8_t>(size >> shift)));
  out.append(text);
}

constexpr char id_digits[] = "0123456789abcdef";

int digit_value(char c) {
  if (c >= '0' && c <= '9')
    return c - '0';
  if (c >= 'a' && c <= 'f')
    return c - 'a' + 10;
  return -1;
}

} // namespace

std::uint64_t subject_hash(std::string_view study, std::string_view subject) {
  std::string bytes;
  bytes.reserve(study.size() + subject.size() + 8);
  append_with_length(bytes, study);
  append_with_length(bytes, subject);
  return XXH64(bytes.data(), bytes.size(), 0);
}

std::uint32_t notice_lane(std::string_view study, std::string_view channel, std::string_view recipient, bool urgent) {
  std::string bytes;
  bytes.reserve(study.size() + channel.size() + recipient.size() + 12);
  append_with_length(bytes, study);
  append_with_length(bytes, channel);
  append_with_length(bytes, recipient);
  return XXH32(bytes.data(), bytes.size(), urgent ? 1 : 0);
}

std::uint32_t shard_of(std::uint64_t subject_hash, std::uint32_t shard_count) {
  return 1 + static_cast<std::uint32_t>(subject_hash % shard_count);
}

receipt make_receipt(std::string_view study, std::string_view subject, std::string_view key) {
  std::string bytes;
  bytes.reserve(study.size() + subject.size() + key.size() + 12);
  append_with_length(bytes, study);
  append_with_length(bytes, subject);
  append_with_length(bytes, key);
  receipt r;
  digest<16>().add(bytes).finish(r.bytes);
  return r;
}

fingerprint make_fingerprint(std::string_view canonical_content) {
  fingerprint f;
  digest<16>().add(canonical_content).finish(f.bytes);
  return f;
}

std::uint16_t key_tag(const receipt& r) {
  return static_cast<std::uint16_t>(r.bytes[0] << 8 | r.bytes[1]);
}

std::string to_text(const id128& x) {
  std::string text;
  text.reserve(32);
  for (auto byte : x.bytes) {
    text += id_digits[byte >> 4];
    text += id_digits[byte & 15];
  }
  return text;
}

std::optional<receipt> parse_receipt(std::string_view text) {
  receipt r;
  if (text.size() != 2 * r.bytes.size())
    return std::nullopt;
  for (std::size_t i = 0; i < r.bytes.size(); ++i) {
    const int high = digit_value(text[2 * i]);
    const int low = digit_value(text[2 * i + 1]);
    if (high < 0 || low < 0)
      return std::nullopt;
    r.bytes[i] = static_cast<std::uint8_t>(high << 4 | low);
  }
  return r;
}

} // namespace epione::domain
