#include "domain/notice_change.hpp"

#include "domain/event.hpp"
#include "domain/msgpack.hpp"

#include <utility>

namespace epione::domain {

namespace {

constexpr std::uint64_t changes_format = 1;
constexpr std::uint32_t change_members = 5;

std::string_view action_of(notice_step step) {
  switch (step) {
    case notice_step::retried: return "notice.retry";
    case notice_step::dropped: return "notice.drop";
    default: return "notice.outcome";
  }
}

bool read_change(msgpack_reader& r, notice_change& x) {
  const auto list = r.next();
  const auto seq = r.next();
  const auto number = r.next();
  const auto step = r.next();
  const auto at = r.next();
  const auto reason = r.next();
  if (list.type != msgpack_type::array || list.count != change_members || !seq.is_uint64() || !number.is_uint64() ||
      number.integer > UINT32_MAX || !step.is_uint64() || step.integer < static_cast<std::uint64_t>(notice_step::sent) ||
      step.integer > static_cast<std::uint64_t>(notice_step::dropped) || !at.is_int64() || reason.type != msgpack_type::string)
    return false;
  x = {seq.integer, static_cast<std::uint32_t>(number.integer), static_cast<notice_step>(step.integer), at.as_int64(),
       std::string{reason.text}};
  return true;
}

/// [1, [[seq, number, step, at_us, reason], ...]], at least one.
bool read_changes(std::string_view bytes, std::vector<notice_change>& out) {
  msgpack_reader r{bytes};
  const auto outer = r.next();
  const auto format = r.next();
  const auto list = r.next();
  if (outer.type != msgpack_type::array || outer.count != 2 || !format.is_uint64() || format.integer != changes_format ||
      list.type != msgpack_type::array || list.count == 0)
    return false;
  for (std::uint32_t i = 0; i < list.count; ++i) // grows with what is really there, whatever the count says
    if (!read_change(r, out.emplace_back()) || action_of(out[i].step) != action_of(out[0].step))
      return false;
  return r.at_end();
}

} // namespace

std::string encode_notice_event(std::int64_t time_us, std::string_view who, const std::vector<notice_change>& changes,
                                std::string_view reason) {
  std::string after;
  std::size_t bytes = 16;
  for (const auto& x : changes)
    bytes += 30 + x.reason.size();
  after.reserve(bytes);
  append_array_header(after, 2);
  append_uint(after, changes_format);
  append_array_header(after, static_cast<std::uint32_t>(changes.size()));
  for (const auto& x : changes) {
    append_array_header(after, change_members);
    append_uint(after, x.seq);
    append_uint(after, x.number);
    append_uint(after, static_cast<std::uint64_t>(x.step));
    append_int(after, x.at_us);
    append_string(after, x.reason);
  }
  event e;
  e.time_us = time_us;
  e.who = who;
  e.role = who == "system" ? "system" : "operator";
  e.action = action_of(changes.front().step);
  e.entity = "notices";
  e.reason = reason;
  e.after = std::move(after);
  return encode(e);
}

tl::expected<std::vector<notice_change>, std::string> decode_notice_event(std::string_view event_bytes) {
  auto e = decode_event(event_bytes);
  if (!e)
    return tl::unexpected<std::string>(std::move(e.error()));
  std::vector<notice_change> out;
  if (!read_changes(e->after, out) || e->action != action_of(out.front().step))
    return tl::unexpected<std::string>("the event does not say what became of notices in a way that this version knows");
  return out;
}

} // namespace epione::domain
