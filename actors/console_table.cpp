#include "actors/console_table.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <ctime>

namespace epione::actors {

namespace {

constexpr std::size_t gap = 2;
constexpr std::size_t cut_width_min = 8; // below it a shortened text says nothing

bool is_continuation(char c) {
  return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U;
}

/// One a code point, two for the wide ones of East Asian scripts (U+3000 to U+DFFF, near enough for aligning).
std::size_t columns_of(char first) {
  const auto byte = static_cast<unsigned char>(first);
  return byte >= 0xE3U && byte <= 0xEDU ? 2 : 1;
}

std::string printable(std::string_view text) {
  std::string out{text};
  std::replace_if(out.begin(), out.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20U || c == 0x7F; }, '?');
  return out;
}

template <class... Arguments>
std::string format(const char* pattern, Arguments... arguments) {
  std::array<char, 64> text{};
  const auto n = std::snprintf(text.data(), text.size(), pattern, arguments...);
  return {text.data(), static_cast<std::size_t>(std::clamp(n, 0, static_cast<int>(text.size()) - 1))};
}

} // namespace

std::size_t text_width(std::string_view text) {
  std::size_t columns = 0;
  for (const char c : text)
    if (!is_continuation(c))
      columns += columns_of(c);
  return columns;
}

std::string shortened(std::string_view text, std::size_t width) {
  if (text_width(text) <= width)
    return std::string{text};
  if (width == 0)
    return {};
  std::size_t columns = 0, end = 0;
  while (end < text.size() && columns + columns_of(text[end]) <= width - 1) {
    columns += columns_of(text[end++]);
    while (end < text.size() && is_continuation(text[end]))
      ++end;
  }
  return std::string{text.substr(0, end)} + "…";
}

std::vector<std::size_t> console_table::widths(std::size_t limit, bool heading) const {
  std::vector<std::size_t> result(columns_.size(), 0);
  std::size_t all = gap * (columns_.size() - 1);
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    result[i] = std::max(columns_[i].least, heading ? text_width(columns_[i].title) : 0);
    for (const auto& row : rows_)
      result[i] = std::max(result[i], text_width(row[i]));
    all += result[i];
  }
  while (limit != 0 && all > limit) { // from the widest one that may be cut
    std::size_t widest = columns_.size();
    for (std::size_t i = 0; i < columns_.size(); ++i)
      if (columns_[i].is == kind::cut && result[i] > cut_width_min && (widest == columns_.size() || result[i] > result[widest]))
        widest = i;
    if (widest == columns_.size())
      break;
    --result[widest];
    --all;
  }
  return result;
}

std::string console_table::text(std::size_t width, bool heading) const {
  if (columns_.empty())
    return {};
  const auto columns = widths(width, heading);
  std::string out;
  const auto add_line = [&](auto&& cell) {
    std::string line;
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      const auto shown = shortened(printable(cell(i)), columns[i]);
      const std::string fill(columns[i] - text_width(shown), ' ');
      line += (i == 0 ? "" : "  ") + (columns_[i].is == kind::number ? fill + shown : shown + fill);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out += (width == 0 ? line : shortened(line, width)) + "\n";
  };
  if (heading)
    add_line([&](std::size_t i) -> std::string_view { return columns_[i].title; });
  for (const auto& row : rows_)
    add_line([&](std::size_t i) -> std::string_view { return row[i]; });
  return out;
}

std::string grouped(std::uint64_t x) {
  auto text = std::to_string(x);
  for (auto at = static_cast<std::ptrdiff_t>(text.size()) - 3; at > 0; at -= 3)
    text.insert(static_cast<std::size_t>(at), ",");
  return text;
}

std::string bytes_text(std::uint64_t bytes) {
  if (bytes < 1024)
    return std::to_string(bytes) + " B";
  constexpr std::array units{"KiB", "MiB", "GiB", "TiB"};
  double value = static_cast<double>(bytes) / 1024;
  std::size_t unit = 0;
  while (value >= 1023.95 && unit + 1 < units.size()) {
    value /= 1024;
    ++unit;
  }
  return format(value < 9.95 ? "%.1f %s" : "%.0f %s", value, units.at(unit));
}

std::string duration_text(std::int64_t ms) {
  const auto s = ms / 1000;
  if (ms < 1000)
    return format("%d ms", static_cast<int>(ms));
  if (s < 60)
    return format("%d s", static_cast<int>(s));
  if (s < 3600)
    return format("%dm%02ds", static_cast<int>(s / 60), static_cast<int>(s % 60));
  if (s < 86'400)
    return format("%dh%02dm", static_cast<int>(s / 3600), static_cast<int>(s / 60 % 60));
  return format("%lldd%02dh", static_cast<long long>(s / 86'400), static_cast<int>(s / 3600 % 24));
}

std::string rate_text(double per_second) {
  if (per_second <= 0)
    return "0";
  return per_second < 9.95 ? format("%.1f", per_second) : grouped(static_cast<std::uint64_t>(std::llround(per_second)));
}

std::string time_text(std::int64_t wall_us) {
  const std::time_t seconds = wall_us / 1'000'000;
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  std::array<char, 32> text{};
  return {text.data(), std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M:%S", &utc)};
}

} // namespace epione::actors
