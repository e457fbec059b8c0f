#include "messages/routed.hpp"

#include "domain/unreadable.hpp"
#include "messages/wire.hpp"

#include <utility>

namespace epione::messages {

namespace {

using namespace domain;

constexpr std::uint32_t events_max = 10'000;   // of one read; its limit is far below
constexpr std::uint32_t choices_max = 10'000;  // of one parameter of a search
constexpr std::uint32_t changes_max = 10'000;  // of one request
constexpr std::uint32_t notices_max = 100'000; // of one event

void begin(std::string& out, std::uint32_t members, routed_kind kind) {
  append_array_header(out, members);
  append_uint(out, static_cast<std::uint64_t>(kind));
}

void append_part(std::string& out, std::uint64_t seq, std::string_view bytes, const std::vector<notice_state>& notices) {
  append_array_header(out, 3);
  append_uint(out, seq);
  append_bin(out, bytes);
  append_array_header(out, static_cast<std::uint32_t>(notices.size()));
  for (const auto n : notices)
    append_uint(out, static_cast<std::uint64_t>(n));
}

/// False for a notice in a state that this version does not know.
bool read_part(wire_reader& r, std::uint64_t& seq, std::string& bytes, std::vector<notice_state>& notices) {
  const auto parts = r.array(fields_max);
  seq = r.number();
  bytes = r.bytes();
  const auto count = r.array(notices_max);
  for (std::uint32_t n = 0; r.good() && n < count; ++n) {
    const auto state = r.number();
    if (state > static_cast<std::uint64_t>(notice_state::sent))
      return false;
    notices.push_back(static_cast<notice_state>(state));
  }
  r.skip_rest(parts, 3);
  return true;
}

std::string encode_filter(const response_filter& f) {
  std::string out;
  append_array_header(out, 7);
  append_string(out, f.study);
  append_string(out, f.subject);
  append_bool(out, f.by_form);
  append_array_header(out, static_cast<std::uint32_t>(f.forms.size()));
  for (const auto& x : f.forms) {
    append_array_header(out, 3);
    append_string(out, x.study);
    append_string(out, x.form);
    append_string(out, x.version);
  }
  append_array_header(out, static_cast<std::uint32_t>(f.authored.size()));
  for (const auto& choices : f.authored) {
    append_array_header(out, static_cast<std::uint32_t>(choices.size()));
    for (const auto& x : choices) {
      append_array_header(out, 3);
      append_uint(out, static_cast<std::uint64_t>(x.prefix));
      append_int(out, x.first_us);
      append_int(out, x.last_us);
    }
  }
  append_array_header(out, static_cast<std::uint32_t>(f.statuses.size()));
  for (const auto& x : f.statuses)
    append_string(out, x);
  append_array_header(out, static_cast<std::uint32_t>(f.identifiers.size()));
  for (const auto& choices : f.identifiers) {
    append_array_header(out, static_cast<std::uint32_t>(choices.size()));
    for (const auto& x : choices) {
      append_array_header(out, 4);
      append_string(out, x.system);
      append_string(out, x.value);
      append_bool(out, x.any_system);
      append_bool(out, x.any_value);
    }
  }
  return out;
}

/// Empty: none is named. False when it is no receipt.
bool take_receipt(const std::string& bytes, std::optional<receipt>& out) {
  if (bytes.empty())
    return true;
  if (bytes.size() != sizeof(receipt::bytes))
    return false;
  std::memcpy(out.emplace().bytes.data(), bytes.data(), bytes.size());
  return true;
}

response_filter read_filter(wire_reader& r) {
  response_filter f;
  r.array(fields_max);
  f.study = r.text();
  f.subject = r.text();
  f.by_form = r.truth();
  const auto forms = r.array(choices_max);
  for (std::uint32_t i = 0; r.good() && i < forms; ++i) {
    response_filter::form_choice x;
    r.array(fields_max);
    x.study = r.text();
    x.form = r.text();
    x.version = r.text();
    f.forms.push_back(std::move(x));
  }
  const auto authored = r.array(choices_max);
  for (std::uint32_t i = 0; r.good() && i < authored; ++i) {
    auto& choices = f.authored.emplace_back();
    const auto count = r.array(choices_max);
    for (std::uint32_t k = 0; r.good() && k < count; ++k) {
      response_filter::authored_choice x;
      r.array(fields_max);
      x.prefix = static_cast<date_prefix>(r.number());
      x.first_us = r.signed_number();
      x.last_us = r.signed_number();
      choices.push_back(x);
    }
  }
  const auto statuses = r.array(choices_max);
  for (std::uint32_t i = 0; r.good() && i < statuses; ++i)
    f.statuses.push_back(r.text());
  const auto identifiers = r.array(choices_max);
  for (std::uint32_t i = 0; r.good() && i < identifiers; ++i) {
    auto& choices = f.identifiers.emplace_back();
    const auto count = r.array(choices_max);
    for (std::uint32_t k = 0; r.good() && k < count; ++k) {
      response_filter::identifier_choice x;
      r.array(fields_max);
      x.system = r.text();
      x.value = r.text();
      x.any_system = r.truth();
      x.any_value = r.truth();
      choices.push_back(std::move(x));
    }
  }
  return f;
}

} // namespace

std::string encode_routed(const submission& s) {
  std::string out;
  out.reserve(96 + s.study.size() + s.subject.size() + s.key.size() + s.content.size());
  begin(out, 13, routed_kind::submit);
  append_string(out, s.study);
  append_string(out, s.subject);
  append_string(out, s.key);
  append_bool(out, s.key_given);
  append_uint(out, s.subject_hash);
  append_uint(out, s.shard);
  append_id(out, s.id);
  append_id(out, s.fingerprint);
  append_bin(out, s.content);
  append_uint(out, static_cast<std::uint64_t>(s.kind));
  append_bool(out, s.held);
  append_bool(out, s.amends);
  return out;
}

std::string encode_routed(const read_request& r) {
  std::string out;
  begin(out, 11, routed_kind::read);
  append_string(out, r.study);
  append_string(out, r.subject);
  append_uint(out, r.subject_hash);
  append_uint(out, r.shard);
  if (r.id)
    append_id(out, *r.id);
  else
    append_bin(out, {});
  append_uint(out, r.before_seq);
  append_uint(out, r.limit);
  append_bool(out, r.anywhere);
  append_bin(out, r.filter ? encode_filter(*r.filter) : std::string{});
  if (r.after)
    append_id(out, *r.after);
  else
    append_bin(out, {});
  return out;
}

std::string encode_routed(const change_request& c) {
  std::string out;
  begin(out, 4, routed_kind::change);
  append_uint(out, c.subject_hash);
  append_uint(out, c.shard);
  append_array_header(out, static_cast<std::uint32_t>(c.changes.size()));
  for (const auto& x : c.changes) {
    append_array_header(out, 5);
    append_bin(out, encode_routed(x.what));
    append_uint(out, x.expected);
    append_string(out, x.who);
    append_string(out, x.role);
    append_string(out, x.reason);
  }
  return out;
}

std::string encode_question(routed_kind kind, std::string_view question) {
  std::string out;
  out.reserve(16 + question.size());
  begin(out, 2, kind);
  append_bin(out, question);
  return out;
}

namespace {

// What is wrong with a request's parts, behind its kind; empty: nothing, or what the reader says at the end.

std::string take_submission(wire_reader& r, std::uint32_t members, submission& s) {
  if (members < 13)
    return "a submission with parts missing";
  s.study = r.text();
  s.subject = r.text();
  s.key = r.text();
  s.key_given = r.truth();
  s.subject_hash = r.number();
  s.shard = static_cast<std::uint32_t>(r.number());
  s.id = r.id<receipt>();
  s.fingerprint = r.id<fingerprint>();
  s.content = r.bytes();
  const auto written_in = r.number();
  s.held = r.truth();
  s.amends = r.truth();
  if (written_in > static_cast<std::uint64_t>(content_kind::response))
    return "a submission whose content is of an unknown kind";
  s.kind = static_cast<content_kind>(written_in);
  return {};
}

std::string take_changes(wire_reader& r, std::uint32_t members, change_request& x) {
  if (members < 4)
    return "changes with parts missing";
  x.subject_hash = r.number();
  x.shard = static_cast<std::uint32_t>(r.number());
  const auto changes = r.array(changes_max);
  for (std::uint32_t i = 0; r.good() && i < changes; ++i) {
    change one;
    const auto parts = r.array(fields_max);
    const auto what = r.bytes();
    one.expected = r.number();
    one.who = r.text();
    one.role = r.text();
    one.reason = r.text();
    r.skip_rest(parts, 5);
    auto inner = r.good() ? decode_routed(what) : tl::unexpected(std::string{"changes that cannot be read"});
    if (!inner || inner->kind != routed_kind::submit)
      return "a change that is none of a submission";
    one.what = std::move(inner->what);
    x.changes.push_back(std::move(one));
  }
  return {};
}

std::string take_read(wire_reader& r, std::uint32_t members, read_request& q) {
  if (members < 10)
    return "a read with parts missing";
  q.study = r.text();
  q.subject = r.text();
  q.subject_hash = r.number();
  q.shard = static_cast<std::uint32_t>(r.number());
  if (!take_receipt(r.bytes(), q.id))
    return "a read with a receipt that is none";
  q.before_seq = r.number();
  q.limit = static_cast<std::uint32_t>(r.number());
  q.anywhere = r.truth();
  if (const auto filter = r.bytes(); !filter.empty()) {
    wire_reader f{filter};
    q.filter = read_filter(f);
    if (!f.good())
      return "a search that cannot be read";
  }
  if (members > 10 && !take_receipt(r.bytes(), q.after)) // a node of the version before does not say it
    return "a read after a receipt that is none";
  return {};
}

} // namespace

tl::expected<routed_request, std::string> decode_routed(std::string_view bytes) {
  wire_reader r{bytes};
  routed_request x;
  const auto members = r.array(fields_max);
  const auto kind = r.number();
  if (!r.good() || kind < 1 || kind > static_cast<std::uint64_t>(routed_kind::change))
    return unreadable("a request of an unknown kind");
  x.kind = static_cast<routed_kind>(kind);
  std::string wrong;
  switch (x.kind) {
    case routed_kind::submit: wrong = take_submission(r, members, x.what); break;
    case routed_kind::change: wrong = take_changes(r, members, x.change); break;
    case routed_kind::read: wrong = take_read(r, members, x.read); break;
    default: x.question = r.bytes();
  }
  if (!wrong.empty())
    return unreadable(wrong);
  if (!r.good())
    return unreadable("a request that cannot be read");
  return x;
}

std::string encode_answer(const reply& r) {
  std::string out;
  out.reserve(24 + r.body.size());
  begin(out, 6, routed_kind::submit);
  append_uint(out, static_cast<std::uint64_t>(r.status));
  append_bin(out, r.body);
  append_uint(out, r.retry_after_s);
  append_uint(out, static_cast<std::uint64_t>(r.hint));
  append_bin(out, r.header);
  return out;
}

std::string encode_answer(const std::vector<stored_event>* events, ec error) {
  std::string out;
  begin(out, 3, routed_kind::read);
  append_uint(out, static_cast<std::uint64_t>(error));
  append_array_header(out, events == nullptr ? 0 : static_cast<std::uint32_t>(events->size()));
  if (events == nullptr)
    return out;
  for (const auto& e : *events) {
    append_array_header(out, 2);
    append_part(out, e.seq, e.bytes, e.notices);
    append_array_header(out, static_cast<std::uint32_t>(e.amendments.size()));
    for (const auto& a : e.amendments)
      append_part(out, a.seq, a.bytes, a.notices);
  }
  return out;
}

std::string encode_answer(routed_kind kind, ec error, std::string_view text) {
  std::string out;
  out.reserve(24 + text.size());
  begin(out, 3, kind);
  append_uint(out, static_cast<std::uint64_t>(error));
  append_bin(out, text);
  return out;
}

tl::expected<routed_answer, std::string> decode_answer(std::string_view bytes) {
  wire_reader r{bytes};
  routed_answer x;
  const auto members = r.array(fields_max);
  const auto kind = r.number();
  if (!r.good() || kind < 1 || kind > static_cast<std::uint64_t>(routed_kind::change))
    return unreadable("an answer of an unknown kind");
  x.kind = static_cast<routed_kind>(kind);
  if (members < (x.kind == routed_kind::submit ? 6u : 3u))
    return unreadable("an answer with parts missing");
  if (x.kind == routed_kind::submit) {
    x.answer.status = static_cast<int>(r.number());
    x.answer.body = r.bytes();
    x.answer.retry_after_s = static_cast<std::uint32_t>(r.number());
    const auto where = r.number();
    if (where > static_cast<std::uint64_t>(elsewhere::after_that))
      return unreadable("an answer that says something unknown");
    x.answer.hint = static_cast<elsewhere>(where);
    x.answer.header = r.bytes();
    if (r.good() && (x.answer.status < 100 || x.answer.status > 599))
      return unreadable("an answer with a status that is none");
  } else {
    const auto error = r.number();
    if (error > 255)
      return unreadable("an answer with an error that is none");
    x.error = static_cast<ec>(error);
    if (x.kind != routed_kind::read) {
      x.text = r.bytes();
    } else {
      const auto events = r.array(events_max);
      for (std::uint32_t i = 0; r.good() && i < events; ++i) {
        stored_event e;
        const auto parts = r.array(fields_max);
        bool known = read_part(r, e.seq, e.bytes, e.notices);
        const auto amendments = r.array(events_max);
        for (std::uint32_t n = 0; r.good() && known && n < amendments; ++n) {
          stored_amendment change;
          known = read_part(r, change.seq, change.bytes, change.notices);
          e.amendments.push_back(std::move(change));
        }
        if (!known)
          return unreadable("an event with a notice in an unknown state");
        r.skip_rest(parts, 2);
        x.events.push_back(std::move(e));
      }
    }
  }
  if (!r.good())
    return unreadable("an answer that cannot be read");
  return x;
}

} // namespace epione::messages
