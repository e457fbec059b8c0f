// An expression's text as tokens, as the grammar of FHIRPath N1 (2.0.0, appendix B) cuts it.
#pragma once

#include "domain/fhirpath_moment.hpp"

#include <cstddef>
#include <string>
#include <string_view>

namespace epione::domain::fhirpath {

/// Ends compiling or evaluating; never leaves this library, whose public functions return it as a problem.
struct failure {
  std::size_t offset = 0; ///< of the byte in the expression's text
  std::string message;
};

enum class token_kind : std::uint8_t { end, identifier, delimited, string, number, moment, special, symbol };

struct token {
  token_kind kind = token_kind::end;
  std::size_t offset = 0, end = 0; ///< bytes
  std::string text;                ///< without quotes, escapes resolved; of a special one "this", "index" or "total"
  fhirpath::moment moment;

  bool is(std::string_view symbol) const { return kind == token_kind::symbol && text == symbol; }
  bool is_word(std::string_view word) const { return kind == token_kind::identifier && text == word; }
};

class lexer {
public:
  /// `text` must live as long as this.
  explicit lexer(std::string_view text) : text_(text) {}
  /// Throws a failure at what no token begins with.
  token next();

private:
  bool at(std::string_view expected) const { return text_.substr(at_).starts_with(expected); }
  char peek(std::size_t ahead = 0) const { return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0'; }
  bool digits(std::size_t ahead, std::size_t n) const;
  void skip_blank();
  token quoted(char quote, token_kind kind);
  void append_escape(std::string& to);
  unsigned hexadecimal();
  token date_or_time();
  token cut(token_kind kind, std::size_t length);

  std::string_view text_;
  std::size_t at_ = 0;
};

/// Whether a name can stand without backticks.
bool plain_identifier(std::string_view name);

} // namespace epione::domain::fhirpath
