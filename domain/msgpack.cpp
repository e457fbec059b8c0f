#include "domain/msgpack.hpp"

#include <array>
#include <bit>
#include <cmath>
#include <cstring>

namespace epione::domain {

namespace {

constexpr double integer_limit = 9007199254740992.0; // 2^53: every integer up to here is a double of its own

template <class T>
void append_tagged(std::string& out, unsigned tag, T value) {
  std::array<char, 1 + sizeof(T)> bytes;
  bytes[0] = static_cast<char>(tag);
  for (std::size_t i = 0; i < sizeof(T); ++i)
    bytes[1 + i] = static_cast<char>(static_cast<std::uint8_t>(value >> (8 * (sizeof(T) - 1 - i))));
  out.append(bytes.data(), bytes.size());
}

} // namespace

void append_nil(std::string& out) {
  out.push_back(static_cast<char>(0xC0));
}

void append_bool(std::string& out, bool value) {
  out.push_back(static_cast<char>(value ? 0xC3 : 0xC2));
}

void append_uint(std::string& out, std::uint64_t value) {
  if (value <= 0x7F)
    out.push_back(static_cast<char>(value));
  else if (value <= 0xFF)
    append_tagged(out, 0xCC, static_cast<std::uint8_t>(value));
  else if (value <= 0xFFFF)
    append_tagged(out, 0xCD, static_cast<std::uint16_t>(value));
  else if (value <= 0xFFFFFFFF)
    append_tagged(out, 0xCE, static_cast<std::uint32_t>(value));
  else
    append_tagged(out, 0xCF, value);
}

void append_int(std::string& out, std::int64_t value) {
  if (value >= 0)
    return append_uint(out, static_cast<std::uint64_t>(value));
  if (value >= -32)
    out.push_back(static_cast<char>(value));
  else if (value >= -128)
    append_tagged(out, 0xD0, static_cast<std::uint8_t>(value));
  else if (value >= -32768)
    append_tagged(out, 0xD1, static_cast<std::uint16_t>(value));
  else if (value >= -2147483648LL)
    append_tagged(out, 0xD2, static_cast<std::uint32_t>(value));
  else
    append_tagged(out, 0xD3, static_cast<std::uint64_t>(value));
}

void append_double(std::string& out, double value) {
  if (std::fabs(value) <= integer_limit && std::trunc(value) == value)
    return append_int(out, static_cast<std::int64_t>(value));
  // A double beyond the range of float must not be converted to one: that is undefined.
  if (std::fabs(value) <= 3.4028234663852886e38) {
    const auto shorter = static_cast<float>(value);
    if (static_cast<double>(shorter) == value)
      return append_tagged(out, 0xCA, std::bit_cast<std::uint32_t>(shorter));
  }
  append_tagged(out, 0xCB, std::bit_cast<std::uint64_t>(value));
}

void append_string(std::string& out, std::string_view value) {
  const auto size = value.size();
  if (size <= 31)
    out.push_back(static_cast<char>(0xA0 | size));
  else if (size <= 0xFF)
    append_tagged(out, 0xD9, static_cast<std::uint8_t>(size));
  else if (size <= 0xFFFF)
    append_tagged(out, 0xDA, static_cast<std::uint16_t>(size));
  else
    append_tagged(out, 0xDB, static_cast<std::uint32_t>(size));
  out.append(value);
}

void append_bin(std::string& out, std::string_view value) {
  const auto size = value.size();
  if (size <= 0xFF)
    append_tagged(out, 0xC4, static_cast<std::uint8_t>(size));
  else if (size <= 0xFFFF)
    append_tagged(out, 0xC5, static_cast<std::uint16_t>(size));
  else
    append_tagged(out, 0xC6, static_cast<std::uint32_t>(size));
  out.append(value);
}

void append_array_header(std::string& out, std::uint32_t count) {
  if (count <= 15)
    out.push_back(static_cast<char>(0x90 | count));
  else if (count <= 0xFFFF)
    append_tagged(out, 0xDC, static_cast<std::uint16_t>(count));
  else
    append_tagged(out, 0xDD, count);
}

void append_map_header(std::string& out, std::uint32_t count) {
  if (count <= 15)
    out.push_back(static_cast<char>(0x80 | count));
  else if (count <= 0xFFFF)
    append_tagged(out, 0xDE, static_cast<std::uint16_t>(count));
  else
    append_tagged(out, 0xDF, count);
}

bool valid_utf8(std::string_view text) {
  const auto* p = reinterpret_cast<const unsigned char*>(text.data());
  const auto* const end = p + text.size();
  while (p != end) {
    if (end - p >= 8) { // most text is ASCII
      std::uint64_t eight;
      std::memcpy(&eight, p, sizeof(eight));
      if ((eight & 0x8080808080808080u) == 0) {
        p += 8;
        continue;
      }
    }
    const unsigned first = *p;
    if (first < 0x80) {
      ++p;
      continue;
    }
    // Length, and the range of the second byte that rules out overlong forms, surrogates and what is above U+10FFFF
    // (Unicode standard, table 3-7).
    std::ptrdiff_t length;
    unsigned low = 0x80, high = 0xBF;
    if (first >= 0xC2 && first <= 0xDF) {
      length = 2;
    } else if (first >= 0xE0 && first <= 0xEF) {
      length = 3;
      low = first == 0xE0 ? 0xA0 : 0x80;
      high = first == 0xED ? 0x9F : 0xBF;
    } else if (first >= 0xF0 && first <= 0xF4) {
      length = 4;
      low = first == 0xF0 ? 0x90 : 0x80;
      high = first == 0xF4 ? 0x8F : 0xBF;
    } else {
      return false;
    }
    if (end - p < length || p[1] < low || p[1] > high)
      return false;
    for (std::ptrdiff_t i = 2; i < length; ++i)
      if ((p[i] & 0xC0) != 0x80)
        return false;
    p += length;
  }
  return true;
}

bool msgpack_reader::take(std::size_t n, std::string_view& out) {
  if (rest_.size() < n) {
    damaged_ = true;
    return false;
  }
  out = rest_.substr(0, n);
  rest_.remove_prefix(n);
  return true;
}

std::uint64_t msgpack_reader::big_endian(std::size_t n) {
  std::string_view bytes;
  if (!take(n, bytes))
    return 0;
  std::uint64_t value = 0;
  for (char c : bytes)
    value = value << 8 | static_cast<std::uint8_t>(c);
  return value;
}

msgpack_value msgpack_reader::sized(msgpack_type type, std::size_t length_bytes, std::size_t extra) {
  msgpack_value v;
  v.type = type;
  const auto size = static_cast<std::size_t>(big_endian(length_bytes)) + extra;
  if (damaged_ || !take(size, v.text))
    v.type = msgpack_type::damaged;
  return v;
}

msgpack_value msgpack_reader::counted(msgpack_type type, std::size_t count_bytes) {
  msgpack_value v;
  v.type = type;
  v.count = static_cast<std::uint32_t>(big_endian(count_bytes));
  if (damaged_)
    v.type = msgpack_type::damaged;
  return v;
}

msgpack_value msgpack_reader::next() {
  msgpack_value v;
  if (damaged_) {
    v.type = msgpack_type::damaged;
    return v;
  }
  if (rest_.empty())
    return v;
  const auto tag = static_cast<std::uint8_t>(rest_.front());
  rest_.remove_prefix(1);
  if (tag <= 0x7F || tag >= 0xE0) {
    v.type = msgpack_type::integer;
    v.negative = tag >= 0xE0;
    v.integer = v.negative ? static_cast<std::uint64_t>(static_cast<std::int64_t>(static_cast<std::int8_t>(tag))) : tag;
    return v;
  }
  if (tag <= 0x8F || (tag & 0xF0) == 0x90) {
    v.type = tag <= 0x8F ? msgpack_type::map : msgpack_type::array;
    v.count = tag & 0x0F;
    return v;
  }
  if (tag <= 0xBF) {
    v.type = take(tag & 0x1F, v.text) ? msgpack_type::string : msgpack_type::damaged;
    return v;
  }
  switch (tag) {
    case 0xC0: v.type = msgpack_type::nil; break;
    case 0xC2:
    case 0xC3:
      v.type = msgpack_type::boolean;
      v.boolean = tag == 0xC3;
      break;
    case 0xC4: return sized(msgpack_type::bin, 1, 0);
    case 0xC5: return sized(msgpack_type::bin, 2, 0);
    case 0xC6: return sized(msgpack_type::bin, 4, 0);
    case 0xC7: return sized(msgpack_type::ext, 1, 1);
    case 0xC8: return sized(msgpack_type::ext, 2, 1);
    case 0xC9: return sized(msgpack_type::ext, 4, 1);
    case 0xCA:
      v.type = msgpack_type::number;
      v.number = static_cast<double>(std::bit_cast<float>(static_cast<std::uint32_t>(big_endian(4))));
      break;
    case 0xCB:
      v.type = msgpack_type::number;
      v.number = std::bit_cast<double>(big_endian(8));
      break;
    case 0xCC:
    case 0xCD:
    case 0xCE:
    case 0xCF:
      v.type = msgpack_type::integer;
      v.integer = big_endian(std::size_t{1} << (tag - 0xCC));
      break;
    case 0xD0:
    case 0xD1:
    case 0xD2:
    case 0xD3: {
      const auto bytes = std::size_t{1} << (tag - 0xD0);
      const auto shift = 64 - 8 * bytes;
      v.type = msgpack_type::integer;
      v.integer = static_cast<std::uint64_t>(static_cast<std::int64_t>(big_endian(bytes) << shift) >> shift);
      v.negative = v.as_int64() < 0;
      break;
    }
    case 0xD4:
    case 0xD5:
    case 0xD6:
    case 0xD7:
    case 0xD8: v.type = take(1 + (std::size_t{1} << (tag - 0xD4)), v.text) ? msgpack_type::ext : msgpack_type::damaged; break;
    case 0xD9: return sized(msgpack_type::string, 1, 0);
    case 0xDA: return sized(msgpack_type::string, 2, 0);
    case 0xDB: return sized(msgpack_type::string, 4, 0);
    case 0xDC: return counted(msgpack_type::array, 2);
    case 0xDD: return counted(msgpack_type::array, 4);
    case 0xDE: return counted(msgpack_type::map, 2);
    case 0xDF: return counted(msgpack_type::map, 4);
    default: damaged_ = true; // 0xC1 is never used
  }
  if (damaged_)
    v.type = msgpack_type::damaged;
  return v;
}

bool msgpack_reader::skip(std::string_view& bytes) {
  const auto before = rest_;
  if (!skip())
    return false;
  bytes = before.substr(0, before.size() - rest_.size());
  return true;
}

bool msgpack_reader::skip() {
  // Values still to be skipped; a header adds its own. Fits: each is paid for with a byte of input before it is counted off.
  for (std::uint64_t left = 1; left > 0; --left) {
    const auto v = next();
    switch (v.type) {
      case msgpack_type::end: damaged_ = true; return false;
      case msgpack_type::damaged: return false;
      case msgpack_type::array: left += v.count; break;
      case msgpack_type::map: left += 2 * std::uint64_t{v.count}; break;
      default: break;
    }
  }
  return true;
}

} // namespace epione::domain
