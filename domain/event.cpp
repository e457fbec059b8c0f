#include "domain/event.hpp"

#include "domain/msgpack.hpp"
#include "domain/unreadable.hpp"

#include <cstring>
#include <utility>

namespace epione::domain {

namespace {

constexpr std::uint64_t event_format = 1;
constexpr std::uint32_t event_members = 9;
constexpr std::uint64_t record_format = 1;
constexpr std::uint32_t record_members = 13;               // of a submission that plans no notice, as ever
constexpr std::uint32_t record_members_with_notices = 14;  // the list of them, which is never empty
constexpr std::uint32_t record_members_with_resource = 15; // the list, which may be empty, and the resource, which is not
constexpr std::uint64_t amendment_format = 1;
constexpr std::uint32_t amendment_members = 3;
constexpr std::uint32_t plan_members = 4;

/// An event whose texts point into the bytes it was read from.
struct event_view {
  std::int64_t time_us = 0;
  std::string_view who, role, action, entity, before, after, reason;
};

bool read_string(msgpack_reader& r, std::string_view& out) {
  const auto v = r.next();
  out = v.text;
  return v.type == msgpack_type::string;
}

bool read_string(msgpack_reader& r, std::string& out) {
  std::string_view view;
  const bool ok = read_string(r, view);
  out.assign(view);
  return ok;
}

bool read_bin(msgpack_reader& r, std::string_view& out) {
  const auto v = r.next();
  out = v.text;
  return v.type == msgpack_type::bin;
}

bool read_int(msgpack_reader& r, std::int64_t& out) {
  const auto v = r.next();
  out = v.as_int64();
  return v.is_int64();
}

bool read_id(msgpack_reader& r, id128& out) {
  std::string_view view;
  if (!read_bin(r, view) || view.size() != out.bytes.size())
    return false;
  std::memcpy(out.bytes.data(), view.data(), view.size());
  return true;
}

bool read_bool(msgpack_reader& r, bool& out) {
  const auto v = r.next();
  out = v.boolean;
  return v.type == msgpack_type::boolean;
}

bool read_array(msgpack_reader& r, std::uint32_t& count) {
  const auto v = r.next();
  count = v.count;
  return v.type == msgpack_type::array;
}

tl::expected<event_view, std::string> decode_view(std::string_view bytes) {
  msgpack_reader r{bytes};
  std::uint32_t count = 0;
  if (!read_array(r, count) || count == 0)
    return unreadable("the event does not begin as one");
  const auto format = r.next();
  if (!format.is_uint64() || format.integer != event_format || count != event_members)
    return unreadable("the event has a format that this version does not know");
  event_view e;
  if (!read_int(r, e.time_us) || !read_string(r, e.who) || !read_string(r, e.role) || !read_string(r, e.action) ||
      !read_string(r, e.entity) || !read_bin(r, e.before) || !read_bin(r, e.after) || !read_string(r, e.reason))
    return unreadable("the event is damaged");
  if (!r.at_end())
    return unreadable("something follows the event");
  return e;
}

void append_id(std::string& out, const id128& x) {
  append_bin(out, {reinterpret_cast<const char*>(x.bytes.data()), x.bytes.size()});
}

std::string encode_record(const submission_record& r) {
  std::size_t bytes = 96 + r.study.size() + r.subject.size() + r.site.size() + r.key.size() + r.form.size() + r.version.size() +
                      r.authored.size() + r.answers.size() + r.resource.size();
  for (const auto& s : r.scores)
    bytes += 20 + s.name.size() + s.label.size();
  for (const auto& a : r.alerts)
    bytes += 5 + a.rule.size();
  for (const auto& n : r.notices)
    bytes += 17 + n.rule.size() + n.channel.size() + n.recipient.size();
  std::string out;
  out.reserve(bytes);
  append_array_header(out, !r.resource.empty() ? record_members_with_resource
                           : r.notices.empty() ? record_members
                                               : record_members_with_notices);
  append_uint(out, record_format);
  append_string(out, r.study);
  append_string(out, r.subject);
  append_string(out, r.site);
  append_string(out, r.key);
  append_id(out, r.id);
  append_id(out, r.content_fingerprint);
  append_string(out, r.form);
  append_string(out, r.version);
  append_string(out, r.authored);
  append_bin(out, r.answers);
  append_array_header(out, static_cast<std::uint32_t>(r.scores.size()));
  for (const auto& s : r.scores) {
    append_array_header(out, 3);
    append_string(out, s.name);
    append_double(out, s.value);
    append_string(out, s.label);
  }
  append_array_header(out, static_cast<std::uint32_t>(r.alerts.size()));
  for (const auto& a : r.alerts)
    append_string(out, a.rule);
  if (r.notices.empty() && r.resource.empty())
    return out;
  append_array_header(out, static_cast<std::uint32_t>(r.notices.size()));
  for (const auto& n : r.notices) {
    append_array_header(out, plan_members);
    append_string(out, n.rule);
    append_string(out, n.channel);
    append_string(out, n.recipient);
    append_bool(out, n.urgent);
  }
  if (!r.resource.empty())
    append_string(out, r.resource);
  return out;
}

bool is_record(std::uint32_t members) {
  return members >= record_members && members <= record_members_with_resource;
}

bool read_score(msgpack_reader& r, score& s) {
  std::uint32_t count = 0;
  if (!read_array(r, count) || count != 3 || !read_string(r, s.name))
    return false;
  const auto value = r.next();
  s.value = value.as_double();
  return value.is_number() && read_string(r, s.label);
}

bool read_plan(msgpack_reader& r, std::string_view& rule, planned_notice& n) {
  std::uint32_t count = 0;
  return read_array(r, count) && count == plan_members && read_string(r, rule) && read_string(r, n.channel) &&
         read_string(r, n.recipient) && read_bool(r, n.urgent);
}

bool read_record(std::string_view bytes, submission_record& x) {
  msgpack_reader r{bytes};
  std::uint32_t members = 0, count = 0;
  std::int64_t format = 0;
  std::string_view answers;
  if (!read_array(r, members) || !is_record(members) || !read_int(r, format) || format != record_format)
    return false;
  if (!read_string(r, x.study) || !read_string(r, x.subject) || !read_string(r, x.site) || !read_string(r, x.key) ||
      !read_id(r, x.id) || !read_id(r, x.content_fingerprint) || !read_string(r, x.form) || !read_string(r, x.version) ||
      !read_string(r, x.authored) || !read_bin(r, answers))
    return false;
  x.answers.assign(answers);
  if (!read_array(r, count))
    return false;
  for (std::uint32_t i = 0; i < count; ++i) // grows with what is really there, whatever the count says
    if (!read_score(r, x.scores.emplace_back()))
      return false;
  if (!read_array(r, count))
    return false;
  for (std::uint32_t i = 0; i < count; ++i)
    if (!read_string(r, x.alerts.emplace_back().rule))
      return false;
  if (members == record_members)
    return r.at_end();
  if (!read_array(r, count) || (count == 0 && members == record_members_with_notices))
    return false;
  for (std::uint32_t i = 0; i < count; ++i) {
    std::string_view rule;
    planned_notice n;
    if (!read_plan(r, rule, n))
      return false;
    x.notices.push_back({std::string{rule}, std::string{n.channel}, std::string{n.recipient}, n.urgent});
  }
  if (members == record_members_with_resource && (!read_string(r, x.resource) || x.resource.empty()))
    return false;
  return r.at_end();
}

/// Only as far as its notices need.
bool read_planned(std::string_view bytes, std::vector<planned_notice>& out) {
  msgpack_reader r{bytes};
  std::uint32_t members = 0, count = 0;
  std::int64_t format = 0;
  std::string_view study, skipped;
  if (!read_array(r, members) || !is_record(members) || !read_int(r, format) || format != record_format || !read_string(r, study))
    return false;
  for (std::uint32_t i = 2; i < record_members; ++i)
    if (!r.skip(skipped))
      return false;
  if (members == record_members)
    return r.at_end();
  if (!read_array(r, count) || (count == 0 && members == record_members_with_notices))
    return false;
  for (std::uint32_t i = 0; i < count; ++i) {
    auto& n = out.emplace_back();
    n.study = study;
    if (!read_plan(r, skipped, n))
      return false;
  }
  return members != record_members_with_resource || r.skip(skipped) ? r.at_end() : false;
}

std::string encode_version(std::uint64_t version, std::string_view record) {
  std::string out;
  out.reserve(record.size() + 16);
  append_array_header(out, amendment_members);
  append_uint(out, amendment_format);
  append_uint(out, version);
  append_bin(out, record);
  return out;
}

/// One side of an amendment; what it gives points into the bytes.
bool read_version(std::string_view bytes, std::uint64_t& version, std::string_view& record) {
  msgpack_reader r{bytes};
  std::uint32_t members = 0;
  if (!read_array(r, members) || members != amendment_members)
    return false;
  const auto format = r.next(), number = r.next();
  if (!format.is_uint64() || format.integer != amendment_format || !number.is_uint64() || !read_bin(r, record))
    return false;
  version = number.integer;
  return r.at_end();
}

tl::expected<event_view, std::string> view_amendment(std::string_view bytes) {
  auto e = decode_view(bytes);
  if (e && e->action != amendment_action)
    return unreadable("the event is not an amendment but " + std::string{e->action});
  return e;
}

constexpr const char* damaged_record = "the submission in the event is damaged, or of a format that this version does not know";

/// The record that an event of a submission or an amendment leaves, pointing into its bytes.
tl::expected<std::string_view, std::string> record_in(const event_view& e) {
  if (e.action == submission_action)
    return e.after;
  std::uint64_t version = 0;
  std::string_view record;
  if (e.action != amendment_action)
    return unreadable("the event is not a submission but " + std::string{e.action});
  if (!read_version(e.after, version, record))
    return unreadable(damaged_record);
  return record;
}

void append_event_head(std::string& out, std::int64_t time_us) {
  append_array_header(out, event_members);
  append_uint(out, event_format);
  append_int(out, time_us);
}

} // namespace

std::string encode(const event& e) {
  std::string out;
  out.reserve(48 + e.who.size() + e.role.size() + e.action.size() + e.entity.size() + e.before.size() + e.after.size() +
              e.reason.size());
  append_event_head(out, e.time_us);
  append_string(out, e.who);
  append_string(out, e.role);
  append_string(out, e.action);
  append_string(out, e.entity);
  append_bin(out, e.before);
  append_bin(out, e.after);
  append_string(out, e.reason);
  return out;
}

tl::expected<event, std::string> decode_event(std::string_view bytes) {
  const auto view = decode_view(bytes);
  if (!view)
    return unreadable(view.error());
  event e;
  e.time_us = view->time_us;
  e.who.assign(view->who);
  e.role.assign(view->role);
  e.action.assign(view->action);
  e.entity.assign(view->entity);
  e.before.assign(view->before);
  e.after.assign(view->after);
  e.reason.assign(view->reason);
  return e;
}

tl::expected<std::string_view, std::string> action_of(std::string_view event_bytes) {
  const auto view = decode_view(event_bytes);
  if (!view)
    return unreadable(view.error());
  return view->action;
}

std::string encode_submission_event(const submission_record& r) {
  const auto after = encode_record(r);
  std::string name; // reused for the two texts that have to be put together
  name.reserve(r.study.size() + r.subject.size() + 40);
  std::string out;
  out.reserve(after.size() + r.study.size() + 2 * r.subject.size() + 128);
  append_event_head(out, r.stored_us);
  name.append("subject:").append(r.subject);
  append_string(out, name);
  append_string(out, "patient");
  append_string(out, submission_action);
  name.assign(r.study).append("/").append(r.subject).append("/").append(to_text(r.id));
  append_string(out, name);
  append_bin(out, {});
  append_bin(out, after);
  append_string(out, {});
  return out;
}

tl::expected<submission_record, std::string> decode_submission_event(std::string_view event_bytes) {
  const auto e = decode_view(event_bytes);
  if (!e)
    return unreadable(e.error());
  if (e->action != submission_action)
    return unreadable("the event is not a submission but " + std::string{e->action});
  submission_record r;
  if (!read_record(e->after, r))
    return unreadable(damaged_record);
  r.stored_us = e->time_us;
  return r;
}

tl::expected<submission_record, std::string> decode_record_event(std::string_view event_bytes) {
  const auto e = decode_view(event_bytes);
  if (!e)
    return unreadable(e.error());
  const auto bytes = record_in(*e);
  if (!bytes)
    return unreadable(bytes.error());
  submission_record r;
  if (!read_record(*bytes, r))
    return unreadable(damaged_record);
  r.stored_us = e->time_us;
  return r;
}

std::string encode_amendment_event(const amendment& a) {
  event e;
  e.time_us = a.after.stored_us;
  e.who = a.who;
  e.role = a.role;
  e.action = amendment_action;
  e.entity = a.after.study + "/" + a.after.subject + "/" + to_text(a.after.id);
  e.before = encode_version(a.version - 1, encode_record(a.before));
  e.after = encode_version(a.version, encode_record(a.after));
  e.reason = a.reason;
  return encode(e);
}

tl::expected<amendment, std::string> decode_amendment_event(std::string_view event_bytes) {
  const auto e = view_amendment(event_bytes);
  if (!e)
    return unreadable(e.error());
  amendment a;
  std::uint64_t before = 0;
  std::string_view old_record, new_record;
  if (!read_version(e->before, before, old_record) || !read_version(e->after, a.version, new_record) || before + 1 != a.version ||
      before == 0 || !read_record(old_record, a.before) || !read_record(new_record, a.after))
    return unreadable(damaged_record);
  a.after.stored_us = e->time_us; // when it was before is the earlier event's to say
  a.who.assign(e->who);
  a.role.assign(e->role);
  a.reason.assign(e->reason);
  return a;
}

tl::expected<std::uint64_t, std::string> amended_version(std::string_view event_bytes) {
  const auto e = view_amendment(event_bytes);
  if (!e)
    return unreadable(e.error());
  std::uint64_t version = 0;
  std::string_view record;
  if (!read_version(e->after, version, record))
    return unreadable(damaged_record);
  return version;
}

tl::expected<std::vector<planned_notice>, std::string> planned_notices(std::string_view event_bytes) {
  const auto e = decode_view(event_bytes);
  if (!e)
    return unreadable(e.error());
  const auto record = record_in(*e);
  if (!record)
    return unreadable(record.error());
  std::vector<planned_notice> out;
  if (!read_planned(*record, out))
    return unreadable(damaged_record);
  return out;
}

} // namespace epione::domain
