#include "cluster/claims.hpp"

#include "messages/wire.hpp"

#include <utility>

namespace epione::cluster {

using namespace domain;

namespace {

constexpr std::uint64_t claims_cast = 1; ///< which cast it is; others may follow
constexpr std::uint32_t groups_max = 1u << 15, members_max = 64, parts_max = 64;
constexpr std::uint32_t group_parts = 9, member_parts = 6;

} // namespace

std::string encode_claims(const claims& c) {
  const auto& led = c.led;
  std::string out;
  append_array_header(out, 3);
  append_uint(out, claims_cast);
  append_array_header(out, static_cast<std::uint32_t>(led.size()));
  for (const auto& [group, v] : led) {
    append_array_header(out, group_parts);
    append_uint(out, group);
    append_uint(out, v.term);
    append_uint(out, v.commit);
    append_uint(out, v.applied);
    append_uint(out, v.last);
    append_uint(out, v.leader_id);
    append_bool(out, v.serving);
    append_bool(out, v.change_under_way);
    append_array_header(out, static_cast<std::uint32_t>(v.members.size()));
    for (const auto& m : v.members) {
      append_array_header(out, member_parts);
      append_uint(out, m.id);
      append_string(out, m.node);
      append_string(out, m.role);
      append_bool(out, m.known);
      append_uint(out, m.match);
      append_int(out, m.heard_ms);
    }
  }
  append_bool(out, c.draining);
  return out;
}

tl::expected<claims, std::string> decode_claims(std::string_view bytes, const std::string& node) {
  messages::wire_reader r{bytes};
  claims c;
  auto& led = c.led;
  const auto outer = r.array(parts_max);
  const auto kind = r.number();
  if (!r.good() || outer < 3 || kind != claims_cast)
    return tl::unexpected(std::string{"not what a node says of its groups"});
  const auto groups = r.array(groups_max);
  for (std::uint32_t i = 0; r.good() && i < groups; ++i) {
    runtime::group_view v;
    const auto parts = r.array(parts_max);
    const auto group = static_cast<std::uint32_t>(r.number());
    v.term = r.number();
    v.commit = r.number();
    v.applied = r.number();
    v.last = r.number();
    v.leader_id = r.number();
    v.serving = r.truth();
    v.change_under_way = r.truth();
    v.role = "leader";
    v.leader = node;
    const auto members = r.array(members_max);
    for (std::uint32_t k = 0; r.good() && k < members; ++k) {
      runtime::member_view m;
      const auto values = r.array(parts_max);
      m.id = r.number();
      m.node = r.text();
      m.role = r.text();
      m.known = r.truth();
      m.match = r.number();
      m.heard_ms = r.signed_number();
      r.skip_rest(values, member_parts);
      v.members.push_back(std::move(m));
    }
    r.skip_rest(parts, group_parts);
    led.emplace(group, std::move(v));
  }
  c.draining = r.truth();
  if (!r.good())
    return tl::unexpected(std::string{"what a node says of its groups cannot be read"});
  return c;
}

} // namespace epione::cluster
