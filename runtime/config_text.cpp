#include "runtime/config_text.hpp"

#include <algorithm>
#include <charconv>
#include <system_error>
#include <vector>

namespace epione::runtime {

std::optional<std::uint64_t> parse_quantity(std::string_view unit, std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{})
    return std::nullopt;
  std::string_view suffix{end, static_cast<std::size_t>(text.data() + text.size() - end)};
  while (!suffix.empty() && suffix.front() == ' ')
    suffix.remove_prefix(1);
  struct unit_factor {
    std::string_view unit, suffix;
    std::uint64_t factor;
  };
  static constexpr unit_factor factors[] = {{"bytes", "KiB", 1024},
                                            {"bytes", "MiB", 1024 * 1024},
                                            {"bytes", "GiB", 1024 * 1024 * 1024},
                                            {"bytes", "bytes", 1},
                                            {"ms", "ms", 1},
                                            {"ms", "s", 1'000},
                                            {"ms", "min", 60'000},
                                            {"s", "s", 1},
                                            {"s", "min", 60},
                                            {"s", "h", 3'600}};
  std::uint64_t factor = suffix.empty() ? 1 : 0;
  for (const auto& f : factors)
    if (!suffix.empty() && f.unit == unit && f.suffix == suffix)
      factor = f.factor;
  if (factor == 0 || number > UINT64_MAX / factor)
    return std::nullopt;
  return number * factor;
}

std::string quantity_help(std::string_view unit) {
  if (unit == "bytes")
    return "a number of bytes, or one with KiB, MiB or GiB";
  if (unit == "ms")
    return "a number of milliseconds, or one with ms, s or min";
  if (unit == "s")
    return "a number of seconds, or one with s, min or h";
  return "a whole number";
}

std::string range_text(std::string_view unit, std::uint64_t minimum, std::uint64_t maximum) {
  if (unit.empty())
    return {};
  return std::to_string(minimum) + " to " + std::to_string(maximum) + (unit == "count" ? "" : " " + std::string{unit});
}

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j)
    row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t above = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1)});
      diagonal = above;
    }
  }
  return row[b.size()];
}

} // namespace epione::runtime
