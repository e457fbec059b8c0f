#include "messages/snapshot.hpp"

#include "messages/wire.hpp"

namespace epione::messages {

using namespace domain;

namespace {

constexpr std::uint32_t question_members = 7; // before: without requester, and before that without at_least
constexpr std::uint32_t question_members_without_requester = 6, question_members_least = 5;
constexpr std::uint32_t offer_members = 6;

} // namespace

std::string encode(const snapshot_question& q) {
  std::string out;
  append_array_header(out, question_members);
  append_uint(out, static_cast<std::uint64_t>(q.what));
  append_uint(out, q.group);
  append_uint(out, q.transfer);
  append_uint(out, q.offset);
  append_uint(out, q.size);
  append_uint(out, q.at_least);
  append_uint(out, q.requester);
  return out;
}

tl::expected<snapshot_question, std::string> decode_snapshot_question(std::string_view bytes) {
  wire_reader r{bytes};
  snapshot_question q;
  const auto members = r.array(fields_max);
  const auto what = r.number();
  q.group = static_cast<std::uint32_t>(r.number());
  q.transfer = r.number();
  q.offset = r.number();
  q.size = r.number();
  if (members >= question_members_without_requester)
    q.at_least = r.number();
  if (members >= question_members)
    q.requester = r.number();
  if (!r.good() || members < question_members_least || what < 1 || what > 3)
    return tl::unexpected(std::string{"a question for a store's file that cannot be read"});
  q.what = static_cast<snapshot_question::kind>(what);
  return q;
}

std::string encode(const snapshot_offer& o) {
  std::string out;
  append_array_header(out, offer_members);
  append_uint(out, o.transfer);
  append_uint(out, o.size);
  append_uint(out, o.point.index);
  append_uint(out, o.point.term);
  append_bin(out, o.point.configuration);
  append_uint(out, o.point.configuration_index);
  return out;
}

tl::expected<snapshot_offer, std::string> decode_snapshot_offer(std::string_view bytes) {
  wire_reader r{bytes};
  snapshot_offer o;
  const auto members = r.array(fields_max);
  o.transfer = r.number();
  o.size = r.number();
  o.point.index = r.number();
  o.point.term = r.number();
  o.point.configuration = r.bytes();
  o.point.configuration_index = r.number();
  if (!r.good() || members < offer_members || o.point.index == 0 || o.point.term == 0)
    return tl::unexpected(std::string{"an offer of a store's file that cannot be read"});
  return o;
}

std::string encode_number(std::uint64_t n) {
  std::string out;
  append_uint(out, n);
  return out;
}

tl::expected<std::uint64_t, std::string> decode_number(std::string_view bytes) {
  wire_reader r{bytes};
  const auto n = r.number();
  if (!r.good())
    return tl::unexpected(std::string{"no number"});
  return n;
}

} // namespace epione::messages
