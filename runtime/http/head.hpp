// A request's head: strict checks on the raw bytes first, Boost.Beast's parser for its structure second.
//
// Beast alone accepts what two parsers in a row may read differently (a second Host, other transfer codings, line folding), and
// those differences are what request smuggling is made of. Everything here is refused rather than repaired.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace epione::runtime::http {

enum class method : std::uint8_t { get, head, post, put, other };

/// Points into the raw head it was read from.
struct request_head {
  http::method verb = method::other;
  std::string_view target; ///< origin form: path and query; the authority of an absolute form is taken off
  bool http_1_1 = true;
  bool keep_alive = true;
  bool chunked = false;
  bool expects_continue = false;
  std::optional<std::uint64_t> content_length;
  /// Whom the request is meant for: the authority of an absolute target, else the value of Host; none in HTTP/1.0 without it.
  std::optional<std::string_view> host;
  std::string_view content_type, content_encoding;
  std::optional<std::string_view> idempotency_key;
};

/// Why a head is refused; the connection is closed after such an answer.
struct head_refusal {
  int status = 400;
  const char* sentence = "";
};

/// Length of the head including its empty line, 0 while that has not arrived. `from` is where the last search ended.
/// Stops early, with the length so far, at a line end that makes the head invalid anyway: parse_head() names it.
std::size_t find_head_end(std::string_view bytes, std::size_t from);

/// `raw` is a whole head including its empty line. RFC 9112; sections are named at the checks.
std::optional<head_refusal> parse_head(std::string_view raw, request_head& out);

/// The value of a field of a head that parse_head() has accepted; nothing when it is not there. For the few routes that look at
/// more than request_head has. Of several the first.
std::optional<std::string_view> find_field(std::string_view raw, std::string_view name);
/// The same of a field whose value is a list and may stand in several lines (RFC 9110, 5.3): all of them, with commas between.
std::optional<std::string> find_list(std::string_view raw, std::string_view name);

/// ASCII only, as HTTP compares tokens.
bool equal_ignoring_case(std::string_view a, std::string_view b);

} // namespace epione::runtime::http
