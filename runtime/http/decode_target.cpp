// What stands outside of a body: content types, and the path and query of a GET.
#include "domain/blanks.hpp"
#include "domain/ids.hpp"
#include "domain/msgpack.hpp"
#include "runtime/catalog_view.hpp"
#include "runtime/defaults.hpp"
#include "runtime/http/decode.hpp"
#include "runtime/http/head.hpp"
#include "runtime/http/routes.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

namespace epione::runtime::http {

namespace {

using std::string_view;

decode_error refuse_target(int status, string_view sentence) {
  return {status, error_body(sentence)};
}

template <class Number>
std::optional<Number> parse_number(string_view text) {
  Number out{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (error != std::errc{} || end != text.data() + text.size())
    return std::nullopt;
  return out;
}

struct read_query {
  std::optional<std::string> study, limit, before, after;
};

std::optional<decode_error> parse_query(string_view query, read_query& out) {
  std::string name, value;
  while (!query.empty()) {
    auto pair = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(pair.size() + 1, query.size()));
    if (pair.empty())
      continue;
    const auto equals = std::min(pair.find('='), pair.size());
    if (!percent_decode(pair.substr(0, equals), true, name) ||
        !percent_decode(pair.substr(std::min(equals + 1, pair.size())), true, value))
      return refuse_target(400, "the query holds a broken percent-encoding");
    auto* target = name == "study"    ? &out.study
                   : name == "limit"  ? &out.limit
                   : name == "before" ? &out.before
                   : name == "after"  ? &out.after
                                      : nullptr;
    if (target == nullptr)
      return refuse_target(400, "the query may hold study, limit, before and after, and nothing else");
    if (*target)
      return refuse_target(400, name + " is there twice in the query");
    *target = std::move(value);
  }
  return std::nullopt;
}

std::optional<decode_error> choose_study(const std::optional<std::string>& given, string_view subject,
                                         const catalog_snapshot& catalog, std::string& out) {
  if (given && !given->empty()) {
    if (catalog.studies.find(*given) == catalog.studies.end())
      return refuse_target(404, "unknown study");
    out = *given;
  } else if (const auto found = catalog.study_of(subject); found != nullptr) {
    out = found->id();
  } else if (catalog.studies.empty()) {
    return refuse_target(404, "unknown study");
  } else {
    return refuse_target(400, "study is required");
  }
  return std::nullopt;
}

} // namespace

std::optional<media> media_type(string_view content_type, string_view content_encoding) {
  if (!content_encoding.empty() && !equal_ignoring_case(content_encoding, "identity"))
    return std::nullopt;
  const auto type = domain::take(content_type, ';');
  while (!content_type.empty()) {
    auto parameter = domain::take(content_type, ';');
    const auto name = domain::take(parameter, '=');
    if (parameter.size() >= 2 && parameter.front() == '"' && parameter.back() == '"')
      parameter = parameter.substr(1, parameter.size() - 2);
    if (equal_ignoring_case(name, "charset") && !equal_ignoring_case(parameter, "utf-8") &&
        !equal_ignoring_case(parameter, "utf8"))
      return std::nullopt;
  }
  if (equal_ignoring_case(type, "application/json"))
    return media::json;
  for (const string_view name : {"application/msgpack", "application/vnd.msgpack", "application/x-msgpack"})
    if (equal_ignoring_case(type, name))
      return media::msgpack;
  return std::nullopt;
}

tl::expected<std::shared_ptr<messages::read_request>, decode_error>
decode_read(const read_target& target, std::uint32_t shard_count, const catalog_snapshot& catalog, std::uint32_t limit_max) {
  auto out = std::make_shared<messages::read_request>();
  if (!percent_decode(target.subject, false, out->subject) || !domain::valid_utf8(out->subject))
    return tl::unexpected{refuse_target(400, "the subject in the path is not percent-encoded UTF-8")};
  if (out->subject.size() > defaults::subject_bytes_max)
    return tl::unexpected{
        refuse_target(400, "the subject is longer than " + std::to_string(defaults::subject_bytes_max) + " bytes")};
  read_query query;
  if (auto wrong = parse_query(target.query, query))
    return tl::unexpected{std::move(*wrong)};
  if (!target.receipt.empty()) {
    if (query.limit || query.before || query.after)
      return tl::unexpected{refuse_target(400, "limit, before and after belong to the list of submissions")};
    out->id = domain::parse_receipt(target.receipt);
    if (!out->id)
      return tl::unexpected{refuse_target(404, "unknown receipt; one has 32 hexadecimal digits")};
  }
  if (query.limit) {
    const auto limit = parse_number<std::uint32_t>(*query.limit);
    if (!limit || *limit == 0 || *limit > limit_max)
      return tl::unexpected{refuse_target(400, "limit must be between 1 and " + std::to_string(limit_max))};
    out->limit = *limit;
  } else {
    out->limit = std::min(out->limit, limit_max);
  }
  if (query.before) {
    const auto before = parse_number<std::uint64_t>(*query.before);
    if (!before || *before == 0)
      return tl::unexpected{refuse_target(400, "before must be the next of an earlier answer")};
    out->before_seq = *before;
  }
  if (query.after) {
    out->after = domain::parse_receipt(*query.after);
    if (!out->after)
      return tl::unexpected{refuse_target(400, "after must be a receipt; one has 32 hexadecimal digits")};
  }
  if (auto wrong = choose_study(query.study, out->subject, catalog, out->study))
    return tl::unexpected{std::move(*wrong)};
  out->subject_hash = domain::subject_hash(out->study, out->subject);
  out->shard = domain::shard_of(out->subject_hash, shard_count);
  return out;
}

} // namespace epione::runtime::http
