#include "messages/steward.hpp"

#include "domain/unreadable.hpp"
#include "messages/wire.hpp"

#include <utility>

namespace epione::messages {

using namespace domain;

namespace {

constexpr std::uint32_t steward_question_members = 10, grant_members = 4;
constexpr std::uint32_t answer_members = 4, answer_members_least = 3; // earlier versions say no seq

} // namespace

steward_question steward_question::import(const study_source& source, std::string who) {
  steward_question q;
  q.verb = steward_verb::import;
  q.bytes = domain::encode(source);
  q.text = std::move(who);
  return q;
}

steward_question steward_question::add_form(const form_addition& addition) {
  steward_question q;
  q.verb = steward_verb::add_form;
  q.bytes = domain::encode(addition);
  return q;
}

steward_question steward_question::record(const event& event) {
  steward_question q;
  q.verb = steward_verb::record;
  q.bytes = domain::encode(event);
  return q;
}

steward_question steward_question::change_members(std::uint32_t group, server_change change) {
  steward_question q;
  q.verb = steward_verb::change;
  q.group = group;
  q.text = change.seen;
  q.change = std::move(change);
  return q;
}

steward_question steward_question::transfer(std::uint32_t group, std::uint64_t to) {
  steward_question q;
  q.verb = steward_verb::transfer;
  q.group = group;
  q.change.id = to;
  return q;
}

steward_question steward_question::leaderships(std::string verb) {
  steward_question q;
  q.verb = steward_verb::nodes;
  q.text = std::move(verb);
  return q;
}

steward_question steward_question::position(std::uint32_t group) {
  steward_question q;
  q.verb = steward_verb::position;
  q.group = group;
  return q;
}

std::string encode(const steward_question& q) {
  std::string out;
  append_array_header(out, steward_question_members);
  append_uint(out, static_cast<std::uint64_t>(q.verb));
  append_uint(out, q.group);
  append_uint(out, static_cast<std::uint64_t>(q.change.what));
  append_uint(out, q.change.id);
  append_string(out, q.change.node);
  append_string(out, q.text);
  append_string(out, q.text2);
  append_string(out, q.text3);
  append_string(out, q.text4);
  append_bin(out, q.bytes);
  return out;
}

tl::expected<steward_question, std::string> decode_steward_question(std::string_view bytes) {
  wire_reader r{bytes};
  steward_question q;
  if (r.array(fields_max) < steward_question_members)
    return unreadable("a question with parts missing");
  const auto verb = r.number();
  q.group = static_cast<std::uint32_t>(r.number());
  const auto what = r.number();
  q.change.id = r.number();
  q.change.node = r.text();
  q.text = r.text();
  q.text2 = r.text();
  q.text3 = r.text();
  q.text4 = r.text();
  q.bytes = r.bytes();
  if (!r.good() || verb < 1 || verb > static_cast<std::uint64_t>(steward_verb::add_form) ||
      what > static_cast<std::uint64_t>(server_change::kind::remove))
    return unreadable("a question that cannot be read");
  q.verb = static_cast<steward_verb>(verb);
  q.change.what = static_cast<server_change::kind>(what);
  if (q.verb == steward_verb::change)
    q.change.seen = q.text; // not said by earlier versions
  return q;
}

std::string encode(const steward_answer& a) {
  std::string out;
  append_array_header(out, answer_members);
  append_uint(out, static_cast<std::uint64_t>(a.error));
  append_bin(out, a.text);
  append_bool(out, a.changed);
  append_uint(out, a.seq);
  return out;
}

tl::expected<steward_answer, std::string> decode_steward_answer(std::string_view bytes) {
  wire_reader r{bytes};
  steward_answer a;
  const auto count = r.array(fields_max);
  if (count < answer_members_least)
    return unreadable("an answer with parts missing");
  const auto error = r.number();
  a.text = r.bytes();
  a.changed = r.truth();
  if (count > answer_members_least)
    a.seq = r.number();
  if (!r.good() || error > 255)
    return unreadable("an answer that cannot be read");
  a.error = static_cast<ec>(error);
  return a;
}

std::string encode(const join_grant& g) {
  std::string out;
  append_array_header(out, grant_members);
  append_string(out, g.cluster);
  append_uint(out, g.server_id);
  append_uint(out, g.shards);
  append_bin(out, g.state);
  return out;
}

tl::expected<join_grant, std::string> decode_join_grant(std::string_view bytes) {
  wire_reader r{bytes};
  join_grant g;
  if (r.array(fields_max) < grant_members)
    return unreadable("a grant with parts missing");
  g.cluster = r.text();
  g.server_id = r.number();
  g.shards = static_cast<std::uint32_t>(r.number());
  g.state = r.bytes();
  if (!r.good() || g.cluster.empty() || g.server_id == 0 || g.shards == 0)
    return unreadable("a grant that cannot be read");
  return g;
}

} // namespace epione::messages
