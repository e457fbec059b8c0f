#include "domain/json_text.hpp"

#include "domain/canonical.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <vector>

namespace epione::domain {

namespace {

constexpr char hex_digits[] = "0123456789abcdef";

template <class Integer>
void append_digits(std::string& out, Integer value) {
  std::array<char, 24> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  out.append(digits.data(), end);
}

/// One scalar, or the bracket that opens an array or map. What JSON does not have becomes null.
void append_value(std::string& out, const msgpack_value& v) {
  switch (v.type) {
    case msgpack_type::boolean: out += v.boolean ? "true" : "false"; break;
    case msgpack_type::integer:
      if (v.negative)
        append_digits(out, v.as_int64());
      else
        append_digits(out, v.integer);
      break;
    case msgpack_type::number: append_json_number(out, v.number); break;
    case msgpack_type::string: append_json_string(out, v.text); break;
    case msgpack_type::array: out += '['; break;
    case msgpack_type::map: out += '{'; break;
    default: out += "null";
  }
}

} // namespace

void append_quotable(std::string& out, std::string_view text, std::size_t bytes_max) {
  auto size = std::min(text.size(), bytes_max);
  while (size > 0 && size < text.size() && (static_cast<unsigned char>(text[size]) & 0xC0) == 0x80)
    --size; // not in the middle of a character
  for (char c : text.substr(0, size))
    out += static_cast<unsigned char>(c) < 0x20 || c == 0x7F ? '?' : c;
  if (size < text.size())
    out += "...";
}

std::string quotable(std::string_view text, std::size_t bytes_max) {
  std::string out;
  append_quotable(out, text, bytes_max);
  return out;
}

void append_json_string(std::string& out, std::string_view text) {
  out += '"';
  std::size_t written = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c >= 0x20 && c != '"' && c != '\\')
      continue;
    out.append(text, written, i - written);
    written = i + 1;
    switch (c) {
      case '"': out += "\\\""; break;
      case '\\': out += "\\\\"; break;
      case '\n': out += "\\n"; break;
      case '\r': out += "\\r"; break;
      case '\t': out += "\\t"; break;
      default:
        out += "\\u00";
        out += hex_digits[c >> 4];
        out += hex_digits[c & 15];
    }
  }
  out.append(text, written, std::string_view::npos);
  out += '"';
}

void append_json_number(std::string& out, double value) {
  if (!std::isfinite(value)) {
    out += "null"; // JSON has no other word for it
    return;
  }
  std::array<char, 32> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  out.append(digits.data(), end);
}

std::string json_from_msgpack(std::string_view bytes) {
  struct open_value {
    std::uint32_t left;
    bool map;
    bool first;
  };
  std::string out;
  out.reserve(2 * bytes.size());
  std::vector<open_value> open;
  msgpack_reader r{bytes};
  do {
    if (!open.empty() && open.back().left == 0) {
      out += open.back().map ? '}' : ']';
      open.pop_back();
      continue;
    }
    if (!open.empty()) {
      auto& o = open.back();
      --o.left;
      if (!o.first)
        out += ',';
      o.first = false;
      if (o.map) {
        const auto name = r.next();
        append_json_string(out, name.text);
        out += ':';
      }
    }
    const auto v = r.next();
    if (v.type == msgpack_type::damaged || v.type == msgpack_type::end)
      return "null"; // never a half of a value
    append_value(out, v);
    if (v.type == msgpack_type::array || v.type == msgpack_type::map)
      open.push_back({v.count, v.type == msgpack_type::map, true});
  } while (!open.empty());
  return out;
}

} // namespace epione::domain
