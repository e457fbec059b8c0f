#include "messages/routed.hpp"

#include "messages/wire.hpp"

#include <utility>

namespace epione::messages {

namespace {

using namespace domain;

constexpr std::uint32_t members_max = 64;      // of one array; a later version may add some
constexpr std::uint32_t events_max = 10'000;   // of one read; its limit is far below
constexpr std::uint32_t notices_max = 100'000; // of one event

tl::unexpected<std::string> refuse(const char* what) {
  return tl::unexpected<std::string>(what);
}

void begin(std::string& out, std::uint32_t members, routed_kind kind) {
  append_array_header(out, members);
  append_uint(out, static_cast<std::uint64_t>(kind));
}

} // namespace

std::string encode_routed(const submission& s) {
  std::string out;
  out.reserve(96 + s.study.size() + s.subject.size() + s.key.size() + s.content.size());
  begin(out, 10, routed_kind::submit);
  append_string(out, s.study);
  append_string(out, s.subject);
  append_string(out, s.key);
  append_bool(out, s.key_given);
  append_uint(out, s.subject_hash);
  append_uint(out, s.shard);
  append_id(out, s.id);
  append_id(out, s.fingerprint);
  append_bin(out, s.content);
  return out;
}

std::string encode_routed(const read_request& r) {
  std::string out;
  begin(out, 8, routed_kind::read);
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
  return out;
}

std::string encode_question(routed_kind kind, std::string_view question) {
  std::string out;
  out.reserve(16 + question.size());
  begin(out, 2, kind);
  append_bin(out, question);
  return out;
}

tl::expected<routed_request, std::string> decode_routed(std::string_view bytes) {
  wire_reader r{bytes};
  routed_request x;
  const auto members = r.array(members_max);
  const auto kind = r.number();
  if (!r.good() || kind < 1 || kind > static_cast<std::uint64_t>(routed_kind::console))
    return refuse("a request of an unknown kind");
  x.kind = static_cast<routed_kind>(kind);
  if (x.kind == routed_kind::submit) {
    if (members < 10)
      return refuse("a submission with parts missing");
    auto& s = x.what;
    s.study = r.text();
    s.subject = r.text();
    s.key = r.text();
    s.key_given = r.truth();
    s.subject_hash = r.number();
    s.shard = static_cast<std::uint32_t>(r.number());
    s.id = r.id<receipt>();
    s.fingerprint = r.id<fingerprint>();
    s.content = r.bytes();
  } else if (x.kind == routed_kind::read) {
    if (members < 8)
      return refuse("a read with parts missing");
    auto& q = x.read;
    q.study = r.text();
    q.subject = r.text();
    q.subject_hash = r.number();
    q.shard = static_cast<std::uint32_t>(r.number());
    const auto id = r.bytes();
    if (id.size() == sizeof(receipt::bytes)) {
      receipt named;
      std::memcpy(named.bytes.data(), id.data(), id.size());
      q.id = named;
    } else if (!id.empty()) {
      return refuse("a read with a receipt that is none");
    }
    q.before_seq = r.number();
    q.limit = static_cast<std::uint32_t>(r.number());
  } else {
    x.question = r.bytes();
  }
  if (!r.good())
    return refuse("a request that cannot be read");
  return x;
}

std::string encode_answer(const reply& r) {
  std::string out;
  out.reserve(24 + r.body.size());
  begin(out, 5, routed_kind::submit);
  append_uint(out, static_cast<std::uint64_t>(r.status));
  append_bin(out, r.body);
  append_uint(out, r.retry_after_s);
  append_uint(out, static_cast<std::uint64_t>(r.hint));
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
    append_array_header(out, 3);
    append_uint(out, e.seq);
    append_bin(out, e.bytes);
    append_array_header(out, static_cast<std::uint32_t>(e.notices.size()));
    for (const auto n : e.notices)
      append_uint(out, static_cast<std::uint64_t>(n));
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
  const auto members = r.array(members_max);
  const auto kind = r.number();
  if (!r.good() || kind < 1 || kind > static_cast<std::uint64_t>(routed_kind::console))
    return refuse("an answer of an unknown kind");
  x.kind = static_cast<routed_kind>(kind);
  if (members < (x.kind == routed_kind::submit ? 5u : 3u))
    return refuse("an answer with parts missing");
  if (x.kind == routed_kind::submit) {
    x.answer.status = static_cast<int>(r.number());
    x.answer.body = r.bytes();
    x.answer.retry_after_s = static_cast<std::uint32_t>(r.number());
    const auto where = r.number();
    if (where > static_cast<std::uint64_t>(elsewhere::after_that))
      return refuse("an answer that says something unknown");
    x.answer.hint = static_cast<elsewhere>(where);
    if (r.good() && (x.answer.status < 100 || x.answer.status > 599))
      return refuse("an answer with a status that is none");
  } else {
    const auto error = r.number();
    if (error > 255)
      return refuse("an answer with an error that is none");
    x.error = static_cast<ec>(error);
    if (x.kind != routed_kind::read) {
      x.text = r.bytes();
    } else {
      const auto events = r.array(events_max);
      for (std::uint32_t i = 0; r.good() && i < events; ++i) {
        stored_event e;
        const auto parts = r.array(members_max);
        e.seq = r.number();
        e.bytes = r.bytes();
        const auto notices = r.array(notices_max);
        for (std::uint32_t n = 0; r.good() && n < notices; ++n) {
          const auto state = r.number();
          if (state > static_cast<std::uint64_t>(notice_state::sent))
            return refuse("an event with a notice in an unknown state");
          e.notices.push_back(static_cast<notice_state>(state));
        }
        r.skip_rest(parts, 3);
        x.events.push_back(std::move(e));
      }
    }
  }
  if (!r.good())
    return refuse("an answer that cannot be read");
  return x;
}

} // namespace epione::messages
