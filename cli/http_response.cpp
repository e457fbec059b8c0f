#include "cli/http_response.hpp"

#include <charconv>
#include <optional>
#include <strings.h>

namespace epione::cli {

namespace {

bool is_header(std::string_view name, std::string_view wanted) {
  return name.size() == wanted.size() && strncasecmp(name.data(), wanted.data(), wanted.size()) == 0;
}

std::optional<std::uint64_t> to_number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size())
    return std::nullopt;
  return value;
}

struct head_values {
  std::optional<std::uint64_t> length;
  std::uint32_t retry_after_s = 0;
  bool close = false;
};

/// False when the line is no header.
bool take_header(std::string_view line, head_values& out) {
  const auto colon = line.find(':');
  if (colon == std::string_view::npos)
    return false;
  const auto name = line.substr(0, colon);
  auto value = line.substr(colon + 1);
  while (!value.empty() && (value.front() == ' ' || value.front() == '\t'))
    value.remove_prefix(1);
  if (is_header(name, "content-length")) {
    out.length = to_number(value);
    return out.length.has_value();
  }
  if (is_header(name, "connection"))
    out.close = is_header(value, "close");
  else if (is_header(name, "retry-after"))
    out.retry_after_s = static_cast<std::uint32_t>(to_number(value).value_or(1) & 0xFFFF); // a date counts as one second
  return true;
}

} // namespace

response_state parse_response(std::string_view bytes, http_response& out, std::size_t& size) {
  constexpr std::string_view version = "HTTP/1.1 ";
  if (bytes.size() < version.size() + 3)
    return version.starts_with(bytes.substr(0, version.size())) ? response_state::more : response_state::malformed;
  const auto status = to_number(bytes.substr(version.size(), 3));
  if (!bytes.starts_with(version) || !status || *status < 100)
    return response_state::malformed;
  head_values head;
  std::size_t at = 0;
  for (bool first = true;; first = false) {
    const auto end = bytes.find('\n', at);
    if (end == std::string_view::npos)
      return response_state::more;
    if (end == at || bytes[end - 1] != '\r')
      return response_state::malformed;
    const auto line = bytes.substr(at, end - 1 - at);
    at = end + 1;
    if (line.empty())
      break;
    if (!first && !take_header(line, head))
      return response_state::malformed;
  }
  const bool bodiless = *status < 200 || *status == 204 || *status == 304;
  if (!head.length && !bodiless)
    return response_state::malformed;
  const auto length = static_cast<std::size_t>(bodiless ? 0 : *head.length);
  if (bytes.size() - at < length)
    return response_state::more;
  out = {static_cast<int>(*status), head.retry_after_s, head.close, bytes.substr(at, length)};
  size = at + length;
  return response_state::done;
}

} // namespace epione::cli
