#include "runtime/http/chunked.hpp"

#include "domain/hex.hpp"
#include "runtime/defaults.hpp"

#include <algorithm>
#include <cstring>

namespace epione::runtime::http {

namespace {

bool is_control(char c) {
  const auto u = static_cast<unsigned char>(c);
  return (u < 0x20 && u != '\t') || u == 0x7f;
}

} // namespace

chunked_decoder::step chunked_decoder::feed(char* bytes, std::size_t count, std::size_t room) {
  step out;
  std::size_t at = 0;
  while (at < count && !finished_) {
    if (at_ == place::data) {
      const auto part = static_cast<std::size_t>(std::min<std::uint64_t>(left_, count - at));
      std::memmove(bytes + out.decoded, bytes + at, part);
      out.decoded += part;
      at += part;
      left_ -= part;
      if (left_ == 0)
        at_ = place::data_cr;
      continue;
    }
    if (!take(bytes[at++])) {
      out.now = state::malformed;
      return out;
    }
    if (at_ == place::data && left_ > room - out.decoded) { // said before it is sent
      out.now = state::too_large;
      return out;
    }
  }
  out.used = at;
  out.now = finished_ ? state::done : state::more;
  return out;
}

bool chunked_decoder::take(char c) {
  switch (at_) {
    case place::size_first:
    case place::size: return take_size(c);
    case place::extension:
      if (c == '\r') {
        at_ = place::size_lf;
        return true;
      }
      return !is_control(c) && ++extra_ <= defaults::http_chunk_extra_bytes_max;
    case place::size_lf: return c == '\n' && end_size_line();
    case place::data: return false;
    case place::data_cr: at_ = place::data_lf; return c == '\r';
    case place::data_lf: at_ = place::size_first; return c == '\n';
    case place::line: // first byte of a trailer line, or of the empty line
      if (c == '\r') {
        at_ = place::end_lf;
        return true;
      }
      at_ = place::trailer;
      return c != ' ' && c != '\t' && c != ':' && !is_control(c) && ++extra_ <= defaults::http_chunk_extra_bytes_max;
    case place::trailer:
      if (c == '\r') {
        at_ = place::trailer_lf;
        return true;
      }
      return !is_control(c) && ++extra_ <= defaults::http_chunk_extra_bytes_max;
    case place::trailer_lf: at_ = place::line; return c == '\n';
    case place::end_lf: finished_ = true; return c == '\n';
  }
  return false;
}

bool chunked_decoder::take_size(char c) {
  const int value = domain::hex_digit(c);
  if (value >= 0) {
    if (at_ == place::size_first) {
      left_ = 0;
      digits_ = 0;
    }
    at_ = place::size;
    left_ = left_ * 16 + static_cast<std::uint64_t>(value);
    return ++digits_ <= 8; // 32 bits are far above any body limit
  }
  if (at_ == place::size_first)
    return false; // a size without a digit
  if (c == '\r')
    at_ = place::size_lf;
  else if (c == ';')
    at_ = place::extension;
  else
    return false;
  return true;
}

bool chunked_decoder::end_size_line() {
  at_ = left_ == 0 ? place::line : place::data;
  return true;
}

} // namespace epione::runtime::http
