#include "runtime/http/decode.hpp"

#include "domain/hex.hpp"
#include "domain/msgpack.hpp"
#include "runtime/catalog_view.hpp"
#include "runtime/defaults.hpp"
#include "runtime/http/decode_json.hpp"
#include "runtime/random.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <new>
#include <utility>

namespace epione::runtime::http {

namespace {

using std::string_view;

/// What a submission may hold beside `data`.
enum class member : std::uint8_t { patient, data, key, study, unknown };

member member_named(string_view name) {
  if (name == "patientId")
    return member::patient;
  if (name == "data")
    return member::data;
  if (name == "key")
    return member::key;
  if (name == "study")
    return member::study;
  return member::unknown;
}

constexpr const char* member_names[] = {"patientId", "data", "key", "study"};

decode_error refuse(int status, string_view sentence) {
  return {status, error_body(sentence)};
}

decode_error unknown_member(string_view name) {
  constexpr std::size_t shown_max = 64;
  std::string sentence = "unknown member \"";
  if (name.size() <= shown_max)
    sentence += name;
  else
    sentence += "...";
  return refuse(400, sentence + "\"; known are patientId, data, key and study");
}

decode_error wrong_type(string_view name, string_view wanted) {
  return refuse(400, std::string{name} + " must be " + std::string{wanted});
}

decode_error too_long(string_view name, std::size_t limit) {
  return refuse(400, std::string{name} + " is longer than " + std::to_string(limit) + " bytes");
}

constexpr double integers_end = 9007199254740992.0; // 2^53

/// Versions of the library differ in whether they pass over it. A body that begins so was written by what is no JSON writer.
bool begins_with_mark(string_view text) {
  return text.starts_with("\xef\xbb\xbf");
}

constexpr const char* mark_mistake = "is not JSON: it begins with a byte order mark; send UTF-8 without one";

} // namespace

std::string error_body(string_view sentence) {
  std::string out = R"({"error":)";
  domain::append_json_string(out, sentence);
  out += '}';
  return out;
}

/// What was found in a body, before it is judged as a whole.
struct submission_decoder::fields {
  std::array<bool, 4> seen{};
  std::string patient; ///< empty: missing, null, 0 or ""
  std::optional<std::string> key;
  std::string study; ///< empty: not given
  bool has_data = false;
  std::string content;

  /// False: the member is there twice.
  bool see(member m) { return !std::exchange(seen[static_cast<std::size_t>(m)], true); }
  void set_text(member m, string_view text) {
    if (m == member::key)
      key.emplace(text);
    else
      study = text;
  }
  void set_patient(std::int64_t number) { patient = number == 0 ? std::string{} : std::to_string(number); }
  void set_patient(std::uint64_t number) { patient = number == 0 ? std::string{} : std::to_string(number); }
  /// "0" is no patient either: 42 and "42" are the same one.
  void set_patient(std::string_view text) { patient = text == "0" ? std::string_view{} : text; }
  /// 42.0 is 42, as everywhere in canonical content.
  bool set_patient(double number) {
    if (std::nearbyint(number) != number || std::abs(number) > integers_end)
      return false;
    set_patient(static_cast<std::int64_t>(number));
    return true;
  }
};

struct submission_decoder::parsers {
  simdjson::dom::parser outer, inner;
  std::string inner_text; ///< `data` given as a string, with room behind it
};

submission_decoder::submission_decoder(std::uint32_t shard_count, random_source& random)
    : shard_count_(shard_count), random_(random), writer_(defaults::json_depth_max), parsers_(std::make_unique<parsers>()) {
  static_assert(body_padding >= simdjson::SIMDJSON_PADDING);
  // Depth is the writer's to judge; the parser only has to survive. One more level for the object around `data`.
  constexpr std::size_t first_bytes = 4096, depth = defaults::json_depth_max + 2;
  if (parsers_->outer.allocate(first_bytes, depth) != simdjson::SUCCESS ||
      parsers_->inner.allocate(first_bytes, depth) != simdjson::SUCCESS)
    throw std::bad_alloc{};
}

submission_decoder::~submission_decoder() = default;

submission_decoder::refusal submission_decoder::read_json(string_view body, fields& out) {
  using simdjson::dom::element_type;
  if (begins_with_mark(body))
    return refuse(400, std::string{"the body "} + mark_mistake);
  simdjson::dom::element root;
  if (const auto error = parsers_->outer.parse(body.data(), body.size(), false).get(root); error != simdjson::SUCCESS)
    return refuse(400, "the body " + json_mistake(body, error));
  simdjson::dom::object members;
  if (root.get(members) != simdjson::SUCCESS)
    return refuse(400, "the body must be an object");
  for (const auto& [name, value] : members) {
    const auto which = member_named(name);
    if (which == member::unknown)
      return unknown_member(name);
    if (!out.see(which))
      return refuse(400, std::string{name} + " is there twice");
    refusal wrong;
    switch (which) {
      case member::patient:
        switch (value.type()) {
          case element_type::INT64: out.set_patient(value.get_int64().value_unsafe()); break;
          case element_type::UINT64: out.set_patient(value.get_uint64().value_unsafe()); break;
          case element_type::DOUBLE:
            if (!out.set_patient(value.get_double().value_unsafe()))
              wrong = wrong_type(name, "an integer or a string");
            break;
          case element_type::STRING: out.set_patient(std::string_view{value.get_string().value_unsafe()}); break;
          case element_type::NULL_VALUE: break;
          default: wrong = wrong_type(name, "an integer or a string"); break;
        }
        break;
      case member::data:
        if (value.is_object()) {
          writer_.start(out.content);
          if (!write_value(writer_, value) || !writer_.finish())
            wrong = refuse(400, "data: " + writer_.error());
          out.has_data = true;
        } else if (value.is_string()) {
          wrong = read_data_text(value.get_string().value_unsafe(), out);
        } else if (!value.is_null()) {
          wrong = wrong_type(name, "an object or a string holding one");
        }
        break;
      case member::key:
      case member::study:
        if (value.is_string())
          out.set_text(which, value.get_string().value_unsafe());
        else if (!value.is_null())
          wrong = wrong_type(name, "a string");
        break;
      case member::unknown: break;
    }
    if (wrong)
      return wrong;
  }
  return {};
}

submission_decoder::refusal submission_decoder::read_data_text(string_view text, fields& out) {
  if (begins_with_mark(text))
    return refuse(400, std::string{"the text in data "} + mark_mistake);
  auto& copy = parsers_->inner_text;
  copy.reserve(text.size() + body_padding);
  copy = text;
  simdjson::dom::element root;
  if (const auto error = parsers_->inner.parse(copy.data(), copy.size(), false).get(root); error != simdjson::SUCCESS)
    return refuse(400, "the text in data " + json_mistake(copy, error));
  if (!root.is_object())
    return wrong_type("data", "an object or a string holding one");
  writer_.start(out.content);
  if (!write_value(writer_, root) || !writer_.finish())
    return refuse(400, "data: " + writer_.error());
  out.has_data = true;
  return {};
}

submission_decoder::refusal submission_decoder::read_msgpack(string_view body, fields& out) {
  using domain::msgpack_type;
  // Made canonical as a whole, it is known to be well-formed, and the part under "data" is canonical as well.
  const auto whole = domain::canonical_from_msgpack(body, defaults::json_depth_max + 1);
  if (!whole)
    return refuse(400, "the body is not msgpack that is taken: " + whole.error());
  domain::msgpack_reader reader{*whole};
  const auto top = reader.next();
  if (top.type != msgpack_type::map)
    return refuse(400, "the body must be a map");
  for (std::uint32_t i = 0; i < top.count; ++i) {
    const auto name = reader.next().text;
    const auto which = member_named(name);
    if (which == member::unknown)
      return unknown_member(name);
    const auto before = reader.rest();
    auto ahead = reader;
    const auto value = ahead.next();
    reader.skip();
    const auto bytes = before.substr(0, before.size() - reader.rest().size());
    refusal wrong;
    switch (which) {
      case member::patient:
        if (value.type == msgpack_type::integer && value.negative)
          out.set_patient(value.as_int64());
        else if (value.type == msgpack_type::integer)
          out.set_patient(value.integer);
        else if (value.type == msgpack_type::string)
          out.set_patient(value.text);
        else if (value.type != msgpack_type::nil)
          wrong = wrong_type(name, "an integer or a string");
        break;
      case member::data:
        if (value.type == msgpack_type::map) {
          out.content = bytes;
          out.has_data = true;
        } else if (value.type == msgpack_type::string) {
          wrong = read_data_text(value.text, out);
        } else if (value.type != msgpack_type::nil) {
          wrong = wrong_type(name, "a map or a string holding one");
        }
        break;
      case member::key:
      case member::study:
        if (value.type == msgpack_type::string)
          out.set_text(which, value.text);
        else if (value.type != msgpack_type::nil)
          wrong = wrong_type(name, "a string");
        break;
      case member::unknown: break;
    }
    if (wrong)
      return wrong;
  }
  return {};
}

namespace {

/// RFC 8941 strings are quoted, and the draft for Idempotency-Key asks for one; most senders leave the quotes away. Both name the
/// same key. Nothing: the quotes do not fit.
std::optional<std::string> unquote(string_view value) {
  if (!value.starts_with('"'))
    return std::string{value};
  if (value.size() < 2 || !value.ends_with('"'))
    return std::nullopt;
  value = value.substr(1, value.size() - 2);
  std::string out;
  for (std::size_t i = 0; i < value.size(); ++i) {
    if (value[i] == '"')
      return std::nullopt;
    if (value[i] == '\\' && (++i == value.size() || (value[i] != '"' && value[i] != '\\')))
      return std::nullopt;
    out += value[i];
  }
  return out;
}

std::optional<decode_error> merge_key(std::optional<string_view> header, std::optional<std::string>& key) {
  if (header) {
    auto given = unquote(*header);
    if (!given || !domain::valid_utf8(*given))
      return refuse(400, "Idempotency-Key is not a text");
    if (key && *key != *given)
      return refuse(400, "key and Idempotency-Key are both given and differ");
    key = std::move(given);
  }
  if (key && key->empty())
    return refuse(400, "key must not be empty; leave it out to send without protection against repeats");
  if (key && key->size() > defaults::key_bytes_max)
    return too_long("key", defaults::key_bytes_max);
  return std::nullopt;
}

/// Fills in the study when there is no doubt about it.
std::optional<decode_error> choose_study(std::string& study, string_view subject, const catalog_snapshot& catalog) {
  if (study.size() > defaults::study_id_bytes_max)
    return too_long("study", defaults::study_id_bytes_max);
  if (!study.empty())
    return std::nullopt;
  if (catalog.studies.empty())
    return refuse(404, "unknown study");
  const auto found = catalog.study_of(subject);
  if (found == nullptr)
    return refuse(400, "study is required");
  study = found->id();
  return std::nullopt;
}

} // namespace

tl::expected<std::shared_ptr<messages::submission>, decode_error>
submission_decoder::decode(string_view body, media type, std::optional<string_view> header_key, const catalog_snapshot& catalog) {
  fields found;
  if (auto wrong = type == media::json ? read_json(body, found) : read_msgpack(body, found))
    return tl::unexpected{std::move(*wrong)};
  if (found.patient.empty())
    return tl::unexpected{refuse(400, "patientId is required")};
  if (found.patient.size() > defaults::subject_bytes_max)
    return tl::unexpected{too_long("patientId", defaults::subject_bytes_max)};
  if (auto wrong = merge_key(header_key, found.key))
    return tl::unexpected{std::move(*wrong)};
  if (!found.has_data)
    return tl::unexpected{refuse(400, "data is required")};
  if (auto wrong = choose_study(found.study, found.patient, catalog))
    return tl::unexpected{std::move(*wrong)};

  auto out = std::make_shared<messages::submission>();
  out->key_given = found.key.has_value();
  if (found.key) {
    out->key = std::move(*found.key);
  } else {
    const auto study = catalog.studies.find(found.study);
    if (study == catalog.studies.end())
      return tl::unexpected{refuse(404, "unknown study")};
    if (!study->second->site_of(found.patient))
      return tl::unexpected{refuse(404, "unknown subject")};
    std::array<std::uint8_t, 16> chance;
    random_.fill(chance);
    out->key = domain::to_hex(chance);
  }
  out->study = std::move(found.study);
  out->subject = std::move(found.patient);
  out->content = std::move(found.content);
  out->subject_hash = domain::subject_hash(out->study, out->subject);
  out->shard = domain::shard_of(out->subject_hash, shard_count_);
  out->id = domain::make_receipt(out->study, out->subject, out->key);
  out->fingerprint = domain::make_fingerprint(out->content);
  return out;
}

} // namespace epione::runtime::http
