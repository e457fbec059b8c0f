#include "domain/fhirpath_lexer.hpp"

#include <algorithm>
#include <array>

namespace epione::domain::fhirpath {

namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

void append_utf8(std::string& to, unsigned point) {
  const auto tail = [&](unsigned bits) { to += static_cast<char>(0x80 | (bits & 0x3F)); };
  if (point < 0x80) {
    to += static_cast<char>(point);
  } else if (point < 0x800) {
    to += static_cast<char>(0xC0 | (point >> 6));
    tail(point);
  } else if (point < 0x10000) {
    to += static_cast<char>(0xE0 | (point >> 12));
    tail(point >> 6);
    tail(point);
  } else {
    to += static_cast<char>(0xF0 | (point >> 18));
    tail(point >> 12);
    tail(point >> 6);
    tail(point);
  }
}

} // namespace

bool plain_identifier(std::string_view name) {
  constexpr std::array<std::string_view, 8> reserved{"and", "or", "xor", "implies", "div", "mod", "true", "false"};
  return !name.empty() && is_letter(name.front()) &&
         std::all_of(name.begin(), name.end(), [](char c) { return is_letter(c) || is_digit(c); }) &&
         std::find(reserved.begin(), reserved.end(), name) == reserved.end();
}

bool lexer::digits(std::size_t ahead, std::size_t n) const {
  for (std::size_t i = 0; i < n; ++i)
    if (!is_digit(peek(ahead + i)))
      return false;
  return true;
}

void lexer::skip_blank() {
  for (;;) {
    if (at("//")) {
      at_ = std::min(text_.find_first_of("\r\n", at_), text_.size());
    } else if (at("/*")) {
      const auto end = text_.find("*/", at_ + 2);
      if (end == std::string_view::npos)
        throw failure{at_, "this comment has no end; close it with */"};
      at_ = end + 2;
    } else if (at_ < text_.size() && std::string_view{" \t\r\n"}.find(text_[at_]) != std::string_view::npos) {
      ++at_;
    } else {
      return;
    }
  }
}

token lexer::cut(token_kind kind, std::size_t length) {
  token t{kind, at_, at_ + length, std::string{text_.substr(at_, length)}, {}};
  at_ += length;
  return t;
}

token lexer::next() {
  skip_blank();
  if (at_ >= text_.size())
    return {token_kind::end, text_.size(), text_.size(), {}, {}};
  const char c = peek();
  std::size_t length = 1;
  if (is_letter(c)) {
    while (is_letter(peek(length)) || is_digit(peek(length)))
      ++length;
    return cut(token_kind::identifier, length);
  }
  if (is_digit(c)) {
    while (is_digit(peek(length)))
      ++length;
    if (peek(length) == '.' && is_digit(peek(length + 1)))
      for (++length; is_digit(peek(length));)
        ++length;
    return cut(token_kind::number, length);
  }
  if (c == '\'')
    return quoted(c, token_kind::string);
  if (c == '`')
    return quoted(c, token_kind::delimited);
  if (c == '@')
    return date_or_time();
  if (c == '$') {
    for (const std::string_view word : {"$this", "$index", "$total"})
      if (at(word) && !is_letter(peek(word.size())) && !is_digit(peek(word.size()))) {
        auto t = cut(token_kind::special, word.size());
        t.text.erase(0, 1);
        return t;
      }
    throw failure{at_, "after $ there can be this, index or total"};
  }
  for (const std::string_view two : {"<=", ">=", "!=", "!~"})
    if (at(two))
      return cut(token_kind::symbol, 2);
  if (std::string_view{"()[]{}.,+-*/&|=~<>%"}.find(c) != std::string_view::npos)
    return cut(token_kind::symbol, 1);
  if (c == '"')
    throw failure{at_, "strings stand in single quotes: 'text'"};
  throw failure{at_, "no part of an expression begins like this"};
}

token lexer::quoted(char quote, token_kind kind) {
  token t{kind, at_, at_, {}, {}};
  for (++at_; at_ < text_.size() && text_[at_] != quote;) {
    if (text_[at_] == '\\')
      append_escape(t.text);
    else
      t.text += text_[at_++];
  }
  if (at_ >= text_.size())
    throw failure{t.offset, quote == '\'' ? "this string has no end; close it with '" : "this name has no end; close it with `"};
  t.end = ++at_;
  if (kind == token_kind::delimited && t.text.empty())
    throw failure{t.offset, "a name between ` cannot be empty"};
  return t;
}

unsigned lexer::hexadecimal() {
  unsigned value = 0;
  for (int i = 0; i < 4; ++i, ++at_) {
    const char c = peek();
    const auto place = std::string_view{"0123456789abcdef"}.find(c >= 'A' && c <= 'F' ? static_cast<char>(c - 'A' + 'a') : c);
    if (c == '\0' || place == std::string_view::npos)
      throw failure{at_, "after \\u there must be four hexadecimal digits"};
    value = 16 * value + static_cast<unsigned>(place);
  }
  return value;
}

void lexer::append_escape(std::string& to) {
  constexpr std::string_view written = "`'\"\\/fnrt", meant = "`'\"\\/\f\n\r\t";
  const auto begin = at_++;
  const char c = peek();
  if (const auto place = written.find(c); c != '\0' && place != std::string_view::npos) {
    to += meant[place];
    ++at_;
    return;
  }
  if (c != 'u')
    throw failure{begin, "unknown escape; there are \\' \\\" \\` \\\\ \\/ \\f \\n \\r \\t and \\u with four hexadecimal digits"};
  ++at_;
  auto point = hexadecimal();
  if (point >= 0xD800 && point < 0xDC00 && at("\\u")) {
    at_ += 2;
    const auto low = hexadecimal();
    point = low >= 0xDC00 && low < 0xE000 ? 0x10000 + ((point - 0xD800) << 10) + (low - 0xDC00) : 0xD800;
  }
  if (point >= 0xD800 && point < 0xE000)
    throw failure{begin, "this is half a character; write both of its surrogates, one after the other"};
  append_utf8(to, point);
}

token lexer::date_or_time() {
  std::size_t length = 1;
  const bool time_only = peek(1) == 'T';
  if (!time_only) {
    if (!digits(1, 4))
      throw failure{at_, "after @ there must be a date as 2024-05-01, or T and a time as T08:30"};
    length = 5;
    for (int part = 0; part < 2 && peek(length) == '-' && digits(length + 1, 2); ++part)
      length += 3;
  }
  const bool with_time = peek(length) == 'T';
  if (with_time) {
    ++length;
    if (digits(length, 2)) {
      length += 2;
      for (int part = 0; part < 2 && peek(length) == ':' && digits(length + 1, 2); ++part)
        length += 3;
      if (peek(length) == '.' && is_digit(peek(length + 1)))
        for (++length; is_digit(peek(length));)
          ++length;
      if (!time_only && peek(length) == 'Z')
        ++length;
      else if (!time_only && (peek(length) == '+' || peek(length) == '-') && digits(length + 1, 2) && peek(length + 3) == ':' &&
               digits(length + 4, 2))
        length += 6;
    }
  }
  auto t = cut(token_kind::moment, length);
  const auto body = std::string_view{t.text}.substr(time_only ? 2 : 1);
  const auto read = time_only ? parse_time(body) : with_time ? parse_date_time(body) : parse_date(body);
  if (!read)
    throw failure{t.offset, time_only ? "there is no such time" : "there is no such date or time in the calendar"};
  t.moment = *read;
  return t;
}

} // namespace epione::domain::fhirpath
