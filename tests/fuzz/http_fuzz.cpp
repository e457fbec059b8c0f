// From a request's bytes to a submission: head, chunks, JSON and msgpack. However it arrives in pieces it means the same, and
// what is accepted is canonical and can be assessed.
#include "domain/canonical.hpp"
#include "runtime/catalog_view.hpp"
#include "runtime/defaults.hpp"
#include "runtime/http/chunked.hpp"
#include "runtime/http/decode.hpp"
#include "runtime/http/head.hpp"
#include "runtime/http/routes.hpp"
#include "tests/fuzz/demo.hpp"
#include "tests/support/seeded_random.hpp"

#include <algorithm>

using namespace epione;
using namespace epione::runtime::http;
using epione::fuzz::promise;

namespace {

constexpr std::size_t body_max = 4'096;

std::shared_ptr<const runtime::catalog_snapshot> make_catalog() {
  auto catalog = std::make_shared<runtime::catalog_snapshot>();
  auto demo = domain::compile_study(fuzz::demo_source());
  promise(demo.has_value(), "the demo study compiles");
  catalog->studies.emplace((*demo)->id(), *demo);
  return catalog;
}

const runtime::catalog_snapshot& catalog() {
  static const auto one = make_catalog();
  return *one;
}

struct body {
  chunked_decoder::state now = chunked_decoder::state::more;
  std::string bytes;
  std::size_t used = 0;
  friend bool operator==(const body&, const body&) = default;
};

/// As a connection does: what is decoded moves to the front, and the next bytes are read behind it.
body read_chunks(std::string_view raw, std::size_t piece) {
  body out;
  chunked_decoder decoder;
  for (std::size_t at = 0; at < raw.size() && out.now == chunked_decoder::state::more; at += piece) {
    std::string part{raw.substr(at, piece)};
    const auto step = decoder.feed(part.data(), part.size(), body_max - out.bytes.size());
    promise(step.decoded <= part.size() && step.used <= part.size(), "a step stays within its bytes");
    out.now = step.now;
    out.bytes.append(part, 0, step.decoded);
    out.used = at + step.used;
    promise(out.bytes.size() <= body_max, "no more is decoded than there is room for");
  }
  if (out.now != chunked_decoder::state::done)
    out.used = 0;
  if (out.now == chunked_decoder::state::malformed || out.now == chunked_decoder::state::too_large)
    out.bytes.clear(); // the connection is closed, whatever came before
  return out;
}

void assess(const std::string& content) {
  const auto again = domain::canonical_from_msgpack(content, runtime::defaults::json_depth_max);
  promise(again.has_value() && *again == content, "an accepted content is canonical");
  const auto verdict = catalog().studies.begin()->second->assess(content);
  if (!verdict.accepted())
    return;
  promise(!verdict.form.empty(), "what is accepted has a form");
  promise(domain::canonical_from_msgpack(verdict.answers, runtime::defaults::json_depth_max) == verdict.answers,
          "accepted answers are canonical");
  domain::submission_record record;
  record.study = "demo";
  record.answers = verdict.answers;
  record.scores = verdict.scores;
  record.alerts = verdict.alerts;
  const auto read = domain::decode_submission_event(domain::encode_submission_event(record));
  promise(read && read->answers == record.answers && read->scores.size() == record.scores.size(), "what is stored can be read");
}

void submit(std::string_view bytes, media type, std::optional<std::string_view> key) {
  static tests::seeded_random random{1};
  static submission_decoder decoder{16, random};
  std::string padded{bytes};
  padded.append(body_padding, '\xee');
  const auto decoded = decoder.decode(std::string_view{padded}.substr(0, bytes.size()), type, key, catalog());
  if (!decoded) {
    promise(decoded.error().status >= 400 && decoded.error().status < 500, "a refusal is the sender's");
    return;
  }
  const auto& s = **decoded;
  promise(!s.subject.empty() && !s.key.empty() && s.key.size() <= runtime::defaults::key_bytes_max, "it has subject and key");
  promise(s.shard >= 1 && s.shard <= 16, "it has a shard");
  assess(s.content);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view raw{reinterpret_cast<const char*>(data), size};
  const auto end = find_head_end(raw, 0);
  const auto first = raw.substr(0, size / 2);
  const auto early = find_head_end(first, 0);
  promise(early == 0 ? end == 0 || find_head_end(raw, first.size()) == end : early == end, "a head ends where it ends");
  promise(end <= size, "a head lies within its bytes");
  if (end == 0)
    return 0;
  request_head head;
  if (const auto refused = parse_head(raw.substr(0, end), head)) {
    promise(refused->status >= 400 && refused->status < 600 && *refused->sentence != '\0', "a refusal says why");
    return 0;
  }
  const auto match = find_route(head.verb, head.target);
  if (match && (match->found->id == route_id::history || match->found->id == route_id::submission)) {
    const auto one = match->found->id == route_id::submission;
    const auto read =
        decode_read({match->segments[0], one ? match->segments[1] : std::string_view{}, match->query}, 16, catalog(), 200);
    promise(read || read.error().status >= 400, "a read is decoded or refused");
  }
  auto rest = raw.substr(end);
  std::string bytes;
  if (head.chunked) {
    const auto whole = read_chunks(rest, std::max<std::size_t>(rest.size(), 1));
    for (const std::size_t piece : {1, 3, 64})
      promise(read_chunks(rest, piece) == whole, "chunks mean the same in any pieces");
    if (whole.now != chunked_decoder::state::done)
      return 0;
    bytes = whole.bytes;
  } else {
    bytes =
        rest.substr(0, static_cast<std::size_t>(std::min<std::uint64_t>(head.content_length.value_or(rest.size()), rest.size())));
  }
  if (const auto type = media_type(head.content_type, head.content_encoding))
    submit(bytes, *type, head.idempotency_key);
  return 0;
}
