// Functions on strings (N1 section 5.6). Positions and lengths are in characters.
#include "domain/fhirpath_case.hpp"
#include "domain/fhirpath_functions.hpp"

#include <algorithm>
#include <array>

namespace epione::domain::fhirpath {

namespace {

using enum argument_scope;

/// Input and first argument; nothing when one of them is empty.
std::optional<std::pair<std::string, std::string>> two_texts(const call& c) {
  auto own = c.text();
  if (!own)
    return std::nullopt;
  auto other = c.text(0);
  return other ? std::optional{std::pair{std::move(*own), std::move(*other)}} : std::nullopt;
}

collection made(const call& c, std::string text) {
  c.run.spend_text(text.size());
  return one(std::move(text));
}

/// Bytes of the first n characters.
std::size_t bytes_of(std::string_view text, std::int64_t n) {
  std::size_t i = 0;
  while (i < text.size())
    if ((static_cast<unsigned char>(text[i]) & 0xC0) != 0x80 && n-- == 0)
      break;
    else
      ++i;
  return i;
}

/// Where the part begins that `find` finds.
template <class Find>
collection place_of_part(const call& c, Find find) {
  const auto both = two_texts(c);
  if (!both)
    return {};
  c.run.spend_text(both->first.size());
  const auto at = find(both->first, both->second);
  const auto position = at == std::string::npos
                            ? std::int64_t{-1}
                            : static_cast<std::int64_t>(characters(std::string_view{both->first}.substr(0, at)));
  return one(position);
}

collection index_of(const call& c) {
  return place_of_part(c, [](const auto& text, const auto& part) { return text.find(part); });
}

collection last_index_of(const call& c) {
  return place_of_part(c, [](const auto& text, const auto& part) { return text.rfind(part); });
}

collection substring(const call& c) {
  const auto text = c.text();
  const auto start = c.integer(0);
  const auto length = c.arguments() > 1 ? c.integer(1) : std::nullopt;
  if (!text || !start || *start < 0 || *start >= static_cast<std::int64_t>(characters(*text)))
    return {};
  const auto rest = std::string_view{*text}.substr(bytes_of(*text, *start));
  return made(c, std::string{length ? rest.substr(0, bytes_of(rest, std::max<std::int64_t>(*length, 0))) : rest});
}

collection starts_with(const call& c) {
  const auto both = two_texts(c);
  return both ? one(both->first.starts_with(both->second)) : collection{};
}

collection ends_with(const call& c) {
  const auto both = two_texts(c);
  return both ? one(both->first.ends_with(both->second)) : collection{};
}

collection contains(const call& c) {
  const auto both = two_texts(c);
  if (!both)
    return {};
  c.run.spend_text(both->first.size());
  return one(both->first.find(both->second) != std::string::npos);
}

collection upper(const call& c) {
  const auto text = c.text();
  return text ? made(c, upper_case(*text)) : collection{};
}

collection lower(const call& c) {
  const auto text = c.text();
  return text ? made(c, lower_case(*text)) : collection{};
}

/// Pieces between separators; between all characters when the separator is empty.
std::vector<std::string_view> pieces(std::string_view text, std::string_view separator) {
  std::vector<std::string_view> all;
  if (separator.empty()) {
    for (; !text.empty(); text.remove_prefix(all.back().size()))
      all.push_back(text.substr(0, bytes_of(text, 1)));
    return all;
  }
  for (std::size_t begin = 0;;) {
    const auto end = text.find(separator, begin);
    all.push_back(text.substr(begin, end - begin));
    if (end == std::string_view::npos)
      return all;
    begin = end + separator.size();
  }
}

collection replace(const call& c) {
  const auto both = two_texts(c);
  const auto by = c.text(1);
  if (!both || !by)
    return {};
  const auto parts = pieces(both->first, both->second);
  c.run.spend_text(both->first.size());
  c.run.spend_text(parts.size() * by->size()); // before it is made
  std::string out;
  if (both->second.empty()) { // around every character
    out = *by;
    for (const auto part : parts)
      (out += part) += *by;
    return made(c, std::move(out));
  }
  for (std::size_t i = 0; i < parts.size(); ++i)
    (out += i == 0 ? "" : *by) += parts[i];
  return made(c, std::move(out));
}

/// The literal one, made when the expression was compiled, or that of the argument.
std::optional<pattern> pattern_of(const call& c) {
  if (c.node.pattern)
    return c.node.pattern;
  const auto text = c.text(0);
  if (!text)
    return std::nullopt;
  c.run.spend(10 * text->size() + 100); // compiling takes as long
  auto compiled = pattern::compile(*text);
  if (!compiled)
    c.run.fail(c.name() + ": " + compiled.error());
  return std::move(*compiled);
}

collection match(const call& c, bool (pattern::*how)(std::string_view) const) {
  const auto text = c.text();
  if (!text)
    return {};
  const auto p = pattern_of(c);
  if (!p)
    return {};
  c.run.spend(p->steps(text->size()));
  return one(((*p).*how)(*text));
}

collection matches(const call& c) {
  return match(c, &pattern::found_in);
}

collection matches_full(const call& c) {
  return match(c, &pattern::is_whole);
}

collection replace_matches(const call& c) {
  const auto text = c.text();
  if (!text)
    return {};
  const auto p = pattern_of(c);
  const auto by = c.text(1);
  if (!p || !by)
    return {};
  if (p->empty())
    return made(c, *text);
  c.run.spend(8 * p->steps(text->size())); // groups are found the slow way
  auto result = p->replace(*text, *by, c.run.world().limits.string_bytes_max);
  if (!result)
    c.run.fail(c.name() + ": " + result.error());
  return made(c, std::move(*result));
}

collection length(const call& c) {
  const auto text = c.text();
  return text ? one(static_cast<std::int64_t>(characters(*text))) : collection{};
}

collection texts(const call& c, const std::vector<std::string_view>& parts) {
  c.run.check_size(parts.size());
  collection all;
  all.reserve(parts.size());
  for (const auto part : parts)
    all.emplace_back(std::string{part});
  return all;
}

collection to_chars(const call& c) {
  const auto text = c.text();
  return text ? texts(c, pieces(*text, "")) : collection{};
}

collection split(const call& c) {
  const auto both = two_texts(c);
  return both ? texts(c, pieces(both->first, both->second)) : collection{};
}

collection join(const call& c) {
  const auto separator = c.arguments() > 0 ? c.text(0).value_or("") : "";
  if (c.input.empty())
    return {};
  std::string out;
  for (std::size_t i = 0; i < c.input.size(); ++i) {
    const auto part = c.run.string(c.input.subspan(i, 1), "join()");
    (out += i == 0 ? "" : separator) += *part;
    c.run.spend_text(part->size() + separator.size());
    if (out.size() > c.run.world().limits.string_bytes_max)
      break;
  }
  return made(c, std::move(out));
}

collection trim(const call& c) {
  const auto text = c.text();
  if (!text)
    return {};
  constexpr std::string_view blank = " \t\n\v\f\r";
  const auto begin = text->find_first_not_of(blank);
  if (begin == std::string::npos)
    return one(std::string{});
  return made(c, text->substr(begin, text->find_last_not_of(blank) - begin + 1));
}

constexpr std::string_view strings = "Strings";
constexpr std::array string_table{
    function{"indexOf", 1, 1, outer, index_of, strings},
    function{"lastIndexOf", 1, 1, outer, last_index_of, strings},
    function{"substring", 1, 2, outer, substring, strings},
    function{"startsWith", 1, 1, outer, starts_with, strings},
    function{"endsWith", 1, 1, outer, ends_with, strings},
    function{"contains", 1, 1, outer, contains, strings},
    function{"upper", 0, 0, outer, upper, strings},
    function{"lower", 0, 0, outer, lower, strings},
    function{"replace", 2, 2, outer, replace, strings},
    function{"matches", 1, 1, outer, matches, strings},
    function{"matchesFull", 1, 1, outer, matches_full, strings},
    function{"replaceMatches", 2, 2, outer, replace_matches, strings},
    function{"length", 0, 0, outer, length, strings},
    function{"toChars", 0, 0, outer, to_chars, strings},
    function{"join", 0, 1, outer, join, strings},
    function{"split", 1, 1, outer, split, strings},
    function{"trim", 0, 0, outer, trim, strings},
};

} // namespace

std::span<const function> string_functions() {
  return string_table;
}

} // namespace epione::domain::fhirpath
