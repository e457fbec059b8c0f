// As much of an HTTP/1.1 response as a client needs that knows its server: status, length, body, Retry-After, Connection.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace epione::cli {

/// Points into the bytes it was read from.
struct http_response {
  int status = 0;
  std::uint32_t retry_after_s = 0;
  bool close = false; ///< the server closes the connection after it
  std::string_view body;
};

enum class response_state : std::uint8_t { more, done, malformed };

/// Reads one response from the front of `bytes`, which may end anywhere. When done, `size` is what it took. A response without
/// Content-Length (but for 1xx, 204 and 304, which have no body) is malformed here: the connections are kept alive.
response_state parse_response(std::string_view bytes, http_response& out, std::size_t& size);

} // namespace epione::cli
