// Strings as they are written elsewhere: encode(), decode(), escape() and unescape() (N1 section 5.6, for trial use).
#include "domain/canonical.hpp"
#include "domain/fhirpath_functions.hpp"
#include "domain/hex.hpp"
#include "domain/msgpack.hpp"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

namespace epione::domain::fhirpath {

namespace {

using enum argument_scope;

constexpr std::string_view base64_alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view url_base64_alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

std::string encoded_base64(std::string_view text, std::string_view alphabet) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); i += 3) {
    const auto part = text.substr(i, 3);
    unsigned bits = 0;
    for (std::size_t k = 0; k < 3; ++k)
      bits = bits << 8 | (k < part.size() ? static_cast<unsigned char>(part[k]) : 0u);
    for (std::size_t k = 0; k < 4; ++k)
      out += k <= part.size() ? alphabet[bits >> (18 - 6 * k) & 63] : '=';
  }
  return out;
}

std::optional<std::string> decoded_base64(std::string_view text, std::string_view alphabet) {
  if (text.size() % 4 != 0)
    return std::nullopt;
  for (int padding = 0; padding < 2 && text.ends_with('='); ++padding)
    text.remove_suffix(1);
  std::string out;
  unsigned bits = 0, count = 0;
  for (const char c : text) {
    const auto digit = alphabet.find(c);
    if (digit == std::string_view::npos)
      return std::nullopt;
    bits = (bits << 6 | static_cast<unsigned>(digit)) & 0xFFFFu;
    count += 6;
    if (count >= 8) {
      count -= 8;
      out += static_cast<char>(bits >> count & 0xFFu);
    }
  }
  return out;
}

/// Digits of either case, unlike from_hex(), which reads what this program wrote.
std::optional<std::string> decoded_hex(std::string_view text) {
  if (text.size() % 2 != 0)
    return std::nullopt;
  std::string out;
  for (std::size_t i = 0; i < text.size(); i += 2) {
    const int high = hex_digit(text[i]), low = hex_digit(text[i + 1]);
    if (high < 0 || low < 0)
      return std::nullopt;
    out += static_cast<char>(high * 16 + low);
  }
  return out;
}

std::string encoded_hex(std::string_view text) {
  return to_hex({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
}

/// Input and the one argument; nothing when one of them is empty.
std::optional<std::pair<std::string, std::string>> text_and_form(const call& c) {
  auto own = c.text();
  auto form = own ? c.text(0) : std::nullopt;
  return form ? std::optional{std::pair{std::move(*own), std::move(*form)}} : std::nullopt;
}

collection made_text(const call& c, std::optional<std::string> text) {
  if (!text || !valid_utf8(*text)) // what was decoded is no string
    return {};
  c.run.spend_text(text->size());
  return one(std::move(*text));
}

[[noreturn]] void unknown_form(const call& c, const char* known) {
  c.run.fail(c.name() + " knows " + known);
}

struct html_reference {
  char character;
  std::string_view written;
};
constexpr html_reference html_references[] = {{'&', "&amp;"}, {'<', "&lt;"}, {'>', "&gt;"}, {'"', "&quot;"}, {'\'', "&#39;"}};

std::string escaped_html(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto known =
        std::find_if(std::begin(html_references), std::end(html_references), [&](const auto& r) { return r.character == c; });
    if (known == std::end(html_references))
      out += c;
    else
      out += known->written;
  }
  return out;
}

/// What escaped_html() writes, and &apos;; other references stay.
std::string unescaped_html(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const auto known = std::find_if(std::begin(html_references), std::end(html_references),
                                    [&](const auto& r) { return text.starts_with(r.written); });
    if (known != std::end(html_references)) {
      out += known->character;
      text.remove_prefix(known->written.size());
    } else if (text.starts_with("&apos;")) {
      out += '\'';
      text.remove_prefix(6);
    } else {
      out += text.front();
      text.remove_prefix(1);
    }
  }
  return out;
}

std::string escaped_json(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out.substr(1, out.size() - 2);
}

std::optional<std::string> unescaped_json(const std::string& text) {
  const auto read = nlohmann::json::parse('"' + text + '"', nullptr, false);
  return read.is_string() ? std::optional{read.get<std::string>()} : std::nullopt;
}

/// A text in one of the forms that a function knows, or out of it.
struct form_row {
  std::string_view name;
  std::optional<std::string> (*of)(const std::string& text); ///< none: the text is not in that form
};

/// `growth`: how many times longer the result may be, spent before it is made.
template <std::size_t N>
collection in_form(const call& c, const form_row (&forms)[N], std::size_t growth, const char* known) {
  const auto given = text_and_form(c);
  if (!given)
    return {};
  const auto& [text, form] = *given;
  c.run.spend_text(growth * text.size());
  for (const auto& f : forms)
    if (form == f.name)
      return made_text(c, f.of(text));
  unknown_form(c, known);
}

constexpr const char* encodings = "hex, base64 and urlbase64";
constexpr const char* escapes = "html and json";

constexpr form_row encoders[] = {
    {"hex", [](const std::string& text) { return std::optional<std::string>{encoded_hex(text)}; }},
    {"base64", [](const std::string& text) { return std::optional<std::string>{encoded_base64(text, base64_alphabet)}; }},
    {"urlbase64", [](const std::string& text) { return std::optional<std::string>{encoded_base64(text, url_base64_alphabet)}; }}};
constexpr form_row decoders[] = {
    {"hex", [](const std::string& text) { return std::optional<std::string>{decoded_hex(text)}; }},
    {"base64", [](const std::string& text) { return std::optional<std::string>{decoded_base64(text, base64_alphabet)}; }},
    {"urlbase64", [](const std::string& text) { return std::optional<std::string>{decoded_base64(text, url_base64_alphabet)}; }}};
constexpr form_row escapers[] = {
    {"html", [](const std::string& text) { return std::optional<std::string>{escaped_html(text)}; }},
    {"json", [](const std::string& text) { return std::optional<std::string>{escaped_json(text)}; }}};
constexpr form_row unescapers[] = {
    {"html", [](const std::string& text) { return std::optional<std::string>{unescaped_html(text)}; }},
    {"json", [](const std::string& text) { return unescaped_json(text); }}};

collection encode(const call& c) {
  return in_form(c, encoders, 2, encodings);
}
collection decode(const call& c) {
  return in_form(c, decoders, 1, encodings);
}
collection escape(const call& c) {
  return in_form(c, escapers, 1, escapes);
}
collection unescape(const call& c) {
  return in_form(c, unescapers, 1, escapes);
}

constexpr std::string_view coded_strings = "Strings";
constexpr std::array coded_table{
    function{"encode", 1, 1, outer, encode, coded_strings},
    function{"decode", 1, 1, outer, decode, coded_strings},
    function{"escape", 1, 1, outer, escape, coded_strings},
    function{"unescape", 1, 1, outer, unescape, coded_strings},
};

} // namespace

std::span<const function> coded_functions() {
  return coded_table;
}

} // namespace epione::domain::fhirpath
