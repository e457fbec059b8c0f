#include "messages/dead_letter.hpp"

#include <charconv>

namespace epione::messages {

namespace {

/// Digits up to `end`, without a sign or zeros in front; moves `text` behind them.
template <class T>
bool take_number(std::string_view& text, T& out) {
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  const auto digits = static_cast<std::size_t>(rest - text.data());
  if (error != std::errc{} || (digits > 1 && text.front() == '0'))
    return false;
  text.remove_prefix(digits);
  return true;
}

bool take_dash(std::string_view& text) {
  if (text.empty() || text.front() != '-')
    return false;
  text.remove_prefix(1);
  return true;
}

} // namespace

std::string to_text(const notice_key& key) {
  return std::to_string(key.shard) + "-" + std::to_string(key.seq) + "-" + std::to_string(key.number);
}

std::optional<notice_key> parse_notice_key(std::string_view text) {
  notice_key key;
  if (take_number(text, key.shard) && take_dash(text) && take_number(text, key.seq) && take_dash(text) &&
      take_number(text, key.number) && text.empty())
    return key;
  return std::nullopt;
}

} // namespace epione::messages
