// From a body's bytes to a submission: JSON or msgpack, every rule about its members, canonical content, names and hashes.
//
// Nothing here knows HTTP's framing. What is refused is described without ever repeating an answer.
#pragma once

#include "domain/canonical.hpp"
#include "messages/submission.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

namespace epione::runtime {
struct catalog_snapshot;
class random_source;
} // namespace epione::runtime

namespace epione::runtime::http {

/// A refusal, ready to be sent.
struct decode_error {
  int status = 400;
  std::string body; ///< {"error": "..."}
};

enum class media : std::uint8_t { json, msgpack };

/// From Content-Type and Content-Encoding; nothing: 415. Parameters are ignored but for a charset other than UTF-8.
std::optional<media> media_type(std::string_view content_type, std::string_view content_encoding);

/// {"error": "..."}
std::string error_body(std::string_view sentence);

/// Behind a body's last byte this many more bytes can be read (their values do not matter): simdjson reads in blocks.
inline constexpr std::size_t body_padding = 64;

/// Decodes one body after the other; keeps its memory. One a thread.
class submission_decoder {
public:
  submission_decoder(std::uint32_t shard_count, random_source& random);
  ~submission_decoder();

  /// `body` must be followed by `body_padding` readable bytes. `header_key` is Idempotency-Key's value, if there was one. Whether
  /// study and subject exist is only asked when no key was given: a retry must not fail on what changed since.
  tl::expected<std::shared_ptr<messages::submission>, decode_error>
  decode(std::string_view body, media type, std::optional<std::string_view> header_key, const catalog_snapshot& catalog);

private:
  struct fields;
  struct parsers;
  using refusal = std::optional<decode_error>;

  refusal read_json(std::string_view body, fields& out);
  refusal read_msgpack(std::string_view body, fields& out);
  /// `data` given as a string.
  refusal read_data_text(std::string_view text, fields& out);

  std::uint32_t shard_count_;
  random_source& random_;
  domain::canonical_writer writer_;
  std::unique_ptr<parsers> parsers_; ///< simdjson's, whose header is large
};

/// One GET's path and query.
struct read_target {
  std::string_view subject, receipt; ///< percent-encoded; the receipt empty for the history
  std::string_view query;
};
tl::expected<std::shared_ptr<messages::read_request>, decode_error>
decode_read(const read_target& target, std::uint32_t shard_count, const catalog_snapshot& catalog, std::uint32_t limit_max);

} // namespace epione::runtime::http
