// Replies as bytes: status line, header and body in one piece, so that one write sends them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <ctime>
#include <string>
#include <string_view>

namespace epione::runtime::http {

struct response {
  int status = 200;
  std::string_view body;
  std::string_view content_type = "application/json";
  std::string_view allow = {};     ///< 405 only
  std::uint32_t retry_after_s = 0; ///< 0: not sent
  std::string_view header = {};    ///< further lines, each with its CRLF
};

struct response_framing {
  std::string_view date; ///< IMF-fixdate
  bool http_1_1 = true;
  bool keep_alive = true;
  bool without_body = false; ///< answers HEAD: the length is sent, the body is not
};

std::string_view reason_phrase(int status);

/// Appends the whole response to `out`; of status 304 without body.
void append_response(std::string& out, const response& r, const response_framing& framing);

/// "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110, 5.6.7).
std::string imf_date(std::time_t time);

} // namespace epione::runtime::http
