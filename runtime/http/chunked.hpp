// Chunked transfer coding (RFC 9112, 7.1), decoded in place so that a body lies in one piece wherever it came from.
#pragma once

#include <cstddef>
#include <cstdint>

namespace epione::runtime::http {

/// Takes bytes as they come. Strict: CRLF only, no spaces in sizes; extensions and trailers are read over within a limit.
class chunked_decoder {
public:
  enum class state : std::uint8_t { more, done, malformed, too_large };

  /// Decodes `bytes`, moving what belongs to the body to their front. Afterwards the first `decoded` bytes are body, and, only
  /// when the state is `done`, those from `used` on belong to the next request. `room` is how many more body bytes are allowed.
  struct step {
    state now = state::more;
    std::size_t decoded = 0;
    std::size_t used = 0;
  };
  step feed(char* bytes, std::size_t count, std::size_t room);

private:
  enum class place : std::uint8_t {
    size_first,
    size,
    extension,
    size_lf,
    data,
    data_cr,
    data_lf,
    line,
    trailer,
    trailer_lf,
    end_lf
  };

  /// One byte outside of chunk data. False when it must not be there.
  bool take(char c);
  bool take_size(char c);
  bool end_size_line();

  place at_ = place::size_first;
  std::uint64_t left_ = 0; ///< of the chunk's data
  std::uint32_t digits_ = 0;
  std::uint32_t extra_ = 0; ///< bytes of extensions and trailers, all together
  bool finished_ = false;
};

} // namespace epione::runtime::http
