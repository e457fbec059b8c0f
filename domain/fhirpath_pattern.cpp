#include "domain/fhirpath_pattern.hpp"

#include "domain/fhirpath_limits.hpp"

#include <algorithm>
#include <charconv>
#include <re2/re2.h>
#include <vector>

namespace epione::domain::fhirpath {

struct pattern::compiled {
  compiled(const std::string& text, const re2::RE2::Options& options) : re(text, options) {}
  re2::RE2 re;
};

namespace {

/// (?<name> as RE2 has always written it, (?P<name>. Look-behind stays as it is, and is refused.
std::string with_p(std::string_view text) {
  std::string out;
  bool in_class = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    out += text[i];
    if (text[i] == '\\' && i + 1 < text.size())
      out += text[++i];
    else if (text[i] == '[')
      in_class = true;
    else if (text[i] == ']')
      in_class = false;
    else if (!in_class && text.substr(i).starts_with("(?<") && !text.substr(i).starts_with("(?<=") &&
             !text.substr(i).starts_with("(?<!")) {
      out += "?P";
      ++i;
    }
  }
  return out;
}

/// One piece of a substitution: a text, or what a group matched.
struct piece {
  std::string text;
  int group = -1;
};

tl::expected<std::vector<piece>, std::string> split(std::string_view substitution, const re2::RE2& re) {
  std::vector<piece> pieces;
  for (std::size_t i = 0; i < substitution.size();) {
    const auto rest = substitution.substr(i);
    if (rest.front() != '$') {
      const auto end = std::min(rest.find('$'), rest.size());
      pieces.push_back({std::string{rest.substr(0, end)}});
      i += end;
      continue;
    }
    if (rest.starts_with("$$")) {
      pieces.push_back({"$"});
      i += 2;
      continue;
    }
    const bool braces = rest.starts_with("${");
    const auto end = braces ? rest.find('}') : std::min(rest.find_first_not_of("0123456789", 1), rest.size());
    if (end == std::string_view::npos || end == 1)
      return tl::unexpected{
          std::string{"after $ in a substitution there must be a group, as $1 or ${name}; write $$ for a dollar"}};
    const std::string name{rest.substr(braces ? 2 : 1, end - (braces ? 2 : 1))};
    int group = -1;
    const auto read = std::from_chars(name.data(), name.data() + name.size(), group);
    if (read.ec != std::errc{} || read.ptr != name.data() + name.size()) {
      const auto named = re.NamedCapturingGroups().find(name);
      group = named == re.NamedCapturingGroups().end() ? -1 : named->second;
    }
    if (group < 0 || group > re.NumberOfCapturingGroups())
      return tl::unexpected{std::string{"the substitution names a group that the pattern does not have"}};
    pieces.push_back({{}, group});
    i += end + (braces ? 1 : 0);
  }
  return pieces;
}

/// Bytes of the character at the front.
std::size_t character_bytes(std::string_view text) {
  std::size_t n = text.empty() ? 0 : 1;
  while (n < text.size() && (static_cast<unsigned char>(text[n]) & 0xC0) == 0x80)
    ++n;
  return n;
}

} // namespace

tl::expected<pattern, std::string> pattern::compile(std::string_view text) {
  if (text.size() > pattern_bytes_max)
    return tl::unexpected{"the pattern has " + std::to_string(text.size()) + " bytes; at most " +
                          std::to_string(pattern_bytes_max) + " are allowed"};
  re2::RE2::Options options;
  options.set_log_errors(false);
  options.set_dot_nl(true);
  options.set_max_mem(pattern_memory_bytes_max);
  auto c = std::make_shared<compiled>(with_p(text), options);
  if (!c->re.ok())
    return tl::unexpected{"the pattern is not one: " + c->re.error()};
  return pattern{std::move(c)};
}

bool pattern::empty() const {
  return compiled_->re.pattern().empty();
}

bool pattern::found_in(std::string_view text) const {
  return re2::RE2::PartialMatch(re2::StringPiece{text.data(), text.size()}, compiled_->re);
}

bool pattern::is_whole(std::string_view text) const {
  return re2::RE2::FullMatch(re2::StringPiece{text.data(), text.size()}, compiled_->re);
}

tl::expected<std::string, std::string> pattern::replace(std::string_view text, std::string_view substitution,
                                                        std::size_t bytes_max) const {
  const auto pieces = split(substitution, compiled_->re);
  if (!pieces)
    return tl::unexpected{pieces.error()};
  std::string out;
  std::vector<re2::StringPiece> groups(static_cast<std::size_t>(compiled_->re.NumberOfCapturingGroups()) + 1);
  const re2::StringPiece whole{text.data(), text.size()};
  std::size_t at = 0; // up to here it is in the result
  for (std::size_t from = 0; from <= text.size();) {
    if (!compiled_->re.Match(whole, from, text.size(), re2::RE2::UNANCHORED, groups.data(), static_cast<int>(groups.size())))
      break;
    const auto begin = static_cast<std::size_t>(groups[0].data() - text.data()), end = begin + groups[0].size();
    out.append(text.substr(at, begin - at));
    for (const auto& p : *pieces) {
      if (p.group < 0)
        out += p.text;
      else if (const auto& g = groups[static_cast<std::size_t>(p.group)]; g.data() != nullptr)
        out.append(g.data(), g.size());
    }
    at = end;
    from = end > begin ? end : end + std::max<std::size_t>(character_bytes(text.substr(end)), 1);
    if (out.size() > bytes_max)
      break;
  }
  out.append(text.substr(at));
  if (out.size() > bytes_max)
    return tl::unexpected{"the result is longer than " + std::to_string(bytes_max) + " bytes"};
  return out;
}

std::uint64_t pattern::steps(std::size_t bytes) const {
  // Its slow way visits every instruction for each byte, about two nanoseconds each.
  return 1 + bytes * static_cast<std::uint64_t>(std::max(compiled_->re.ProgramSize(), 1)) / 25;
}

} // namespace epione::domain::fhirpath
