#include "domain/anchor.hpp"

#include "domain/msgpack.hpp"
#include "domain/msgpack_fields.hpp"

#include <algorithm>
#include <sodium/crypto_sign.h>
#include <span>

namespace epione::domain {

namespace {

constexpr std::uint64_t anchor_format = 1;
constexpr std::uint32_t anchor_members = 7, head_members = 4;
constexpr std::uint32_t heads_max = 10'000;

std::string_view text_of(std::span<const std::uint8_t> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

void append_heads(std::string& out, const std::vector<anchored_head>& heads) {
  append_array_header(out, static_cast<std::uint32_t>(heads.size()));
  for (const auto& h : heads) {
    append_array_header(out, head_members);
    append_uint(out, h.shard);
    append_uint(out, h.seq);
    append_bin(out, text_of(h.hash));
    append_uint(out, h.index);
  }
}

void append_statement(std::string& out, const anchor& a) {
  append_uint(out, anchor_format);
  append_string(out, a.cluster);
  append_string(out, a.node);
  append_int(out, a.time_us);
  append_heads(out, a.heads);
}

/// What is signed. The words in front keep a signature from meaning anything else. It never gains a member: a version that signs
/// more gives it another format, which this one says it does not know. What is added behind the signature is left out.
std::string signed_bytes(const anchor& a) {
  std::string out{"epione anchor"};
  append_statement(out, a);
  return out;
}

/// `members_most`: of a head.
std::vector<anchored_head> read_heads(field_reader& in, std::uint32_t members_most) {
  std::vector<anchored_head> out;
  const auto count = in.array(heads_max);
  for (std::uint32_t i = 0; in.good() && i < count; ++i) {
    const auto members = in.array(head_members, members_most);
    anchored_head h;
    h.shard = static_cast<std::uint32_t>(in.number());
    h.seq = in.number();
    in.bytes(h.hash);
    h.index = in.number();
    in.skip_rest(members, head_members);
    out.push_back(h);
  }
  return out;
}

} // namespace

void sign(anchor& a, const signing_seed& seed) {
  std::array<std::uint8_t, crypto_sign_SECRETKEYBYTES> secret{};
  crypto_sign_seed_keypair(a.key.data(), secret.data(), seed.data());
  const auto bytes = signed_bytes(a);
  crypto_sign_detached(a.signature.data(), nullptr, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(),
                       secret.data());
}

bool is_signed(const anchor& a) {
  const auto bytes = signed_bytes(a);
  return crypto_sign_verify_detached(a.signature.data(), reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(),
                                     a.key.data()) == 0;
}

std::string encode(const anchor& a) {
  std::string out;
  append_array_header(out, anchor_members);
  append_statement(out, a);
  append_bin(out, text_of(a.key));
  append_bin(out, text_of(a.signature));
  return out;
}

tl::expected<anchor, std::string> decode_anchor(std::string_view bytes) {
  field_reader in{bytes};
  anchor a;
  in.array(anchor_members, fields_max);
  if (const auto format = in.number(); in.good() && format != anchor_format)
    return tl::unexpected("an anchor of format " + std::to_string(format) + ", which this version does not know");
  a.cluster = in.text();
  a.node = in.text();
  a.time_us = in.signed_number();
  a.heads = read_heads(in, head_members); // all of them is signed: with one more it would not be what this version can check
  in.bytes(a.key);
  in.bytes(a.signature);
  if (!in.good())
    return tl::unexpected(std::string{"an anchor that cannot be read"});
  return a;
}

std::string encode_heads(const std::vector<anchored_head>& heads) {
  std::string out;
  append_heads(out, heads);
  return out;
}

tl::expected<std::vector<anchored_head>, std::string> decode_heads(std::string_view bytes) {
  field_reader in{bytes};
  auto heads = read_heads(in, fields_max);
  if (!in.good())
    return tl::unexpected(std::string{"a list of chains' heads that cannot be read"});
  return heads;
}

} // namespace epione::domain
