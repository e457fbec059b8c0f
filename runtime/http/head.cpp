#include "runtime/http/head.hpp"
#include "domain/blanks.hpp"

#include <algorithm>
#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/field.hpp>
#include <boost/beast/http/verb.hpp>
#include <cstring>
#include <limits>

namespace epione::runtime::http {

namespace beast = boost::beast::http;

namespace {

using std::string_view;

/// Characters of a token (RFC 9110, 5.6.2).
constexpr std::array<bool, 256> token_table = [] {
  std::array<bool, 256> t{};
  for (int c = '0'; c <= '9'; ++c)
    t[static_cast<std::size_t>(c)] = true;
  for (int c = 'a'; c <= 'z'; ++c)
    t[static_cast<std::size_t>(c)] = t[static_cast<std::size_t>(c - 'a' + 'A')] = true;
  for (const char c : {'!', '#', '$', '%', '&', '\'', '*', '+', '-', '.', '^', '_', '`', '|', '~'})
    t[static_cast<std::size_t>(c)] = true;
  return t;
}();

/// Characters of a Host field: uri-host and port (RFC 3986, 3.2.2).
constexpr std::array<bool, 256> host_table = [] {
  std::array<bool, 256> t{};
  for (int c = '0'; c <= '9'; ++c)
    t[static_cast<std::size_t>(c)] = true;
  for (int c = 'a'; c <= 'z'; ++c)
    t[static_cast<std::size_t>(c)] = t[static_cast<std::size_t>(c - 'a' + 'A')] = true;
  for (const char c : {'-', '.', '_', '~', '%', '!', '$', '&', '\'', '(', ')', '*', '+', ',', ';', '=', ':', '[', ']'})
    t[static_cast<std::size_t>(c)] = true;
  return t;
}();

bool is_token(string_view text) {
  for (const char c : text)
    if (!token_table[static_cast<unsigned char>(c)])
      return false;
  return !text.empty();
}

constexpr char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

constexpr bool decimal(char c) {
  return c >= '0' && c <= '9';
}

/// Whether a comma-separated list holds the token.
bool list_has(string_view list, string_view token) {
  while (!list.empty()) {
    const auto comma = list.find(',');
    if (equal_ignoring_case(domain::trim(list.substr(0, comma)), token))
      return true;
    if (comma == string_view::npos)
      break;
    list.remove_prefix(comma + 1);
  }
  return false;
}

/// RFC 9112, 3: method SP request-target SP HTTP-version, one space each.
std::optional<head_refusal> check_request_line(string_view line) {
  const auto first = line.find(' ');
  const auto last = line.rfind(' ');
  if (first == string_view::npos || first == last)
    return head_refusal{400, "the request line is not METHOD TARGET HTTP/1.1"};
  const auto verb = line.substr(0, first);
  const auto target = line.substr(first + 1, last - first - 1);
  const auto version = line.substr(last + 1);
  if (!is_token(verb))
    return head_refusal{400, "the request's method is not a token"};
  if (target.empty())
    return head_refusal{400, "the request has no target"};
  for (const char c : target)
    if (c <= 0x20 || c == 0x7f || c == '#' || static_cast<unsigned char>(c) >= 0x80)
      return head_refusal{400, "the request's target holds a character that must be percent-encoded"};
  if (version.size() != 8 || version.substr(0, 5) != "HTTP/" || !decimal(version[5]) || version[6] != '.' || !decimal(version[7]))
    return head_refusal{400, "the request line does not end with an HTTP version"};
  if (version[5] != '1' || version[7] > '1')
    return head_refusal{505, "this server speaks HTTP/1.1 and HTTP/1.0"};
  return std::nullopt;
}

/// RFC 9112, 5: name ":" value, without folding, without a space before the colon, without control characters.
std::optional<head_refusal> check_field_line(string_view line) {
  if (line.front() == ' ' || line.front() == '\t')
    return head_refusal{400, "a header line is folded"};
  const auto colon = line.find(':');
  if (colon == string_view::npos)
    return head_refusal{400, "a header line has no colon"};
  const auto name = line.substr(0, colon);
  if (!name.empty() && (name.back() == ' ' || name.back() == '\t'))
    return head_refusal{400, "a header name is followed by a space"};
  if (!is_token(name))
    return head_refusal{400, "a header name is not a token"};
  return std::nullopt;
}

/// Line by line: every line ends with CRLF, and no other control character is anywhere.
std::optional<head_refusal> check_lines(string_view raw) {
  bool first = true;
  while (true) {
    const auto* feed = static_cast<const char*>(std::memchr(raw.data(), '\n', raw.size()));
    if (feed == nullptr)
      return head_refusal{400, "the header does not end with an empty line"};
    const auto length = static_cast<std::size_t>(feed - raw.data());
    if (length == 0 || raw[length - 1] != '\r')
      return head_refusal{400, "a line of the header ends with a bare LF"};
    const auto line = raw.substr(0, length - 1);
    for (const char c : line) {
      const auto u = static_cast<unsigned char>(c);
      if ((u < 0x20 && u != '\t') || u == 0x7f)
        return head_refusal{400, "the header holds a control character"};
    }
    raw.remove_prefix(length + 1);
    if (line.empty()) {
      if (first)
        return head_refusal{400, "the request line is missing"};
      return std::nullopt;
    }
    if (auto refusal = first ? check_request_line(line) : check_field_line(line))
      return refusal;
    first = false;
  }
}

/// Beast's parser told to stop at the head's end; it allocates nothing, we keep what we need.
class head_parser final : public beast::basic_parser<true> {
public:
  explicit head_parser(request_head& out) : out_(out) {
    eager(false);
    header_limit(std::numeric_limits<std::uint32_t>::max());
    body_limit(std::numeric_limits<std::uint64_t>::max()); // the connection decides, and answers 413
  }

  /// The first thing wrong with the fields, if anything.
  std::optional<head_refusal> refusal;
  unsigned hosts = 0;
  bool close = false;

  // Later Boost reports trailers here; without `override` so that older ones compile. Trailers are not read by this parser.
  virtual void on_trailer_field_impl(beast::field, boost::beast::string_view, boost::beast::string_view,
                                     boost::beast::error_code&) {}

private:
  using text = boost::beast::string_view;
  using error = boost::beast::error_code;

  static string_view view(text t) { return {t.data(), t.size()}; }

  void refuse(int status, const char* sentence) {
    if (!refusal)
      refusal = head_refusal{status, sentence};
  }

  void on_request_impl(beast::verb verb, text, text target, int version, error&) override {
    out_.http_1_1 = version == 11;
    out_.target = view(target);
    switch (verb) {
      case beast::verb::get: out_.verb = method::get; break;
      case beast::verb::head: out_.verb = method::head; break;
      case beast::verb::post: out_.verb = method::post; break;
      case beast::verb::put: out_.verb = method::put; break;
      case beast::verb::delete_:
      case beast::verb::patch:
      case beast::verb::options:
      case beast::verb::trace:
      case beast::verb::connect: out_.verb = method::other; break;
      default: refuse(501, "this server does not know the request's method"); break;
    }
  }

  void on_field_impl(beast::field name, text, text raw_value, error&) override {
    const auto value = view(raw_value);
    switch (name) {
      case beast::field::host: on_host(value); break;
      case beast::field::content_length: on_length(value); break;
      case beast::field::transfer_encoding: on_coding(value); break;
      case beast::field::content_type:
        if (out_.content_type.data() != nullptr)
          refuse(400, "the header has Content-Type twice");
        out_.content_type = value;
        break;
      case beast::field::content_encoding: on_encoding(value); break;
      case beast::field::expect: on_expect(value); break;
      case beast::field::connection: close = close || list_has(value, "close"); break;
      case beast::field::unknown: break;
      default: break;
    }
  }

  void on_host(string_view value) {
    if (++hosts > 1) // RFC 9112, 3.2
      refuse(400, "the header has Host twice");
    for (const char c : value)
      if (!host_table[static_cast<unsigned char>(c)])
        refuse(400, "the value of Host is not a host");
    out_.host = value;
  }

  void on_length(string_view value) {
    if (out_.content_length) // RFC 9112, 6.3: two equal ones may be repaired, we refuse
      refuse(400, "the header has Content-Length twice");
    std::uint64_t length = 0;
    bool valid = !value.empty() && value.size() <= 18;
    for (const char c : value) {
      valid = valid && decimal(c);
      if (valid)
        length = length * 10 + static_cast<std::uint64_t>(c - '0');
    }
    if (!valid)
      refuse(value.size() > 18 && value.find_first_not_of("0123456789") == string_view::npos ? 413 : 400,
             "Content-Length is not a length this server takes");
    out_.content_length = length;
  }

  void on_coding(string_view value) {
    if (coded_)
      refuse(400, "the header has Transfer-Encoding twice");
    coded_ = true;
    if (equal_ignoring_case(value, "chunked"))
      out_.chunked = true;
    else // RFC 9112, 6.1
      refuse(501, "this server knows only the transfer coding chunked");
  }

  void on_encoding(string_view value) {
    if (out_.content_encoding.data() != nullptr)
      refuse(400, "the header has Content-Encoding twice");
    out_.content_encoding = value;
  }

  void on_expect(string_view value) {
    if (equal_ignoring_case(value, "100-continue"))
      out_.expects_continue = true;
    else
      refuse(417, "this server knows only the expectation 100-continue");
  }

  void on_header_impl(error&) override {}
  void on_response_impl(int, text, int, error&) override {}
  void on_body_init_impl(const boost::optional<std::uint64_t>&, error&) override {}
  std::size_t on_body_impl(text body, error&) override { return body.size(); }
  void on_chunk_header_impl(std::uint64_t, text, error&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, text body, error&) override { return body.size(); }
  void on_finish_impl(error&) override {}

  request_head& out_;
  bool coded_ = false;
};

/// RFC 9112, 3.2.2: a server takes the absolute form as well, and its authority counts instead of Host. False: neither form.
bool take_origin_form(string_view& target, std::optional<string_view>& host) {
  if (target.front() == '/')
    return true;
  for (const string_view scheme : {string_view{"http://"}, string_view{"https://"}}) {
    if (target.size() > scheme.size() && equal_ignoring_case(target.substr(0, scheme.size()), scheme)) {
      const auto path = target.find_first_of("/?", scheme.size());
      host = target.substr(scheme.size(), std::min(path, target.size()) - scheme.size());
      target = path == string_view::npos ? string_view{"/"} : target.substr(path);
      return true;
    }
  }
  return false;
}

/// The value in the line that `rest` begins with, if it is that of the field `name`.
std::optional<string_view> value_in_line(string_view rest, string_view name) {
  if (rest.size() <= name.size() || rest[name.size()] != ':' || !equal_ignoring_case(rest.substr(0, name.size()), name))
    return std::nullopt;
  return domain::trim(rest.substr(name.size() + 1, rest.find('\r') - name.size() - 1));
}

constexpr string_view key_field = "idempotency-key";

/// Beast has no name for Idempotency-Key, so it is looked for among the lines; they are known to be well-formed here.
std::optional<head_refusal> find_key(string_view raw, request_head& out) {
  for (auto at = raw.find('\n'); at + 3 < raw.size(); at = raw.find('\n', at + 1)) {
    const auto rest = raw.substr(at + 1);
    if (lower(rest.front()) != key_field.front() || rest.size() <= key_field.size() || rest[key_field.size()] != ':' ||
        !equal_ignoring_case(rest.substr(0, key_field.size()), key_field))
      continue;
    if (out.idempotency_key)
      return head_refusal{400, "the header has Idempotency-Key twice"};
    out.idempotency_key = domain::trim(rest.substr(key_field.size() + 1, rest.find('\r') - key_field.size() - 1));
  }
  return std::nullopt;
}

} // namespace

bool equal_ignoring_case(string_view a, string_view b) {
  if (a.size() != b.size())
    return false;
  for (std::size_t i = 0; i < a.size(); ++i)
    if (lower(a[i]) != lower(b[i]))
      return false;
  return true;
}

std::optional<string_view> find_field(string_view raw, string_view name) {
  for (auto at = raw.find('\n'); at + 3 < raw.size(); at = raw.find('\n', at + 1))
    if (const auto value = value_in_line(raw.substr(at + 1), name))
      return value;
  return std::nullopt;
}

std::optional<std::string> find_list(string_view raw, string_view name) {
  std::optional<std::string> out;
  for (auto at = raw.find('\n'); at + 3 < raw.size(); at = raw.find('\n', at + 1)) {
    const auto value = value_in_line(raw.substr(at + 1), name);
    if (!value)
      continue;
    if (out)
      out->append(", ").append(*value);
    else
      out = std::string{*value};
  }
  return out;
}

std::size_t find_head_end(string_view bytes, std::size_t from) {
  // Line by line, so that a bare LF is seen at once and not after the time limit.
  while (from < bytes.size()) {
    const auto* feed = static_cast<const char*>(std::memchr(bytes.data() + from, '\n', bytes.size() - from));
    if (feed == nullptr)
      return 0;
    const auto at = static_cast<std::size_t>(feed - bytes.data());
    if (at == 0 || bytes[at - 1] != '\r')
      return at + 1;
    if (at == 1 || bytes[at - 2] == '\n')
      return at + 1;
    from = at + 1;
  }
  return 0;
}

std::optional<head_refusal> parse_head(string_view raw, request_head& out) {
  out = request_head{};
  if (auto refusal = check_lines(raw))
    return refusal;
  head_parser parser{out};
  boost::beast::error_code error;
  parser.put(boost::asio::buffer(raw.data(), raw.size()), error);
  if (parser.refusal)
    return parser.refusal;
  if (out.chunked && out.content_length) // RFC 9112, 6.3
    return head_refusal{400, "the header has both Content-Length and Transfer-Encoding"};
  if (error || !parser.is_header_done())
    return head_refusal{400, "the header is malformed"};
  if (out.chunked && !out.http_1_1)
    return head_refusal{400, "Transfer-Encoding needs HTTP/1.1"};
  if (out.http_1_1 && parser.hosts == 0)
    return head_refusal{400, "the header has no Host"};
  if (out.http_1_1 == false)
    out.expects_continue = false; // RFC 9110, 10.1.1
  out.keep_alive = parser.keep_alive() && !parser.close;
  if (!take_origin_form(out.target, out.host)) {
    if (out.verb == method::other) // CONNECT host:port, OPTIONS *
      out.target = "*";
    else
      return head_refusal{400, "the request's target is not a path"};
  }
  return find_key(raw, out);
}

} // namespace epione::runtime::http
