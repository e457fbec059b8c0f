// How the console shows things to people: aligned columns, numbers a person can read, no line wider than the terminal.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace epione::actors {

/// Rows under a heading, two spaces between columns. What would move the cursor (control characters) is shown as '?'.
class console_table {
public:
  enum class kind : std::uint8_t {
    text,
    number, ///< to the right
    cut     ///< text that is shortened with "…" where the terminal is too narrow
  };
  struct column {
    std::string title;
    kind is = kind::text;
    std::size_t least = 0; ///< its width, also where all cells are narrower: for tables that go on later
  };

  explicit console_table(std::vector<column> columns) : columns_(std::move(columns)) {}
  /// As many cells as there are columns.
  void add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }
  bool empty() const { return rows_.empty(); }
  /// Lines that end with a line feed. `width`: columns of the terminal; 0: as wide as needed.
  std::string text(std::size_t width, bool heading = true) const;

private:
  std::vector<std::size_t> widths(std::size_t limit, bool heading) const;
  std::vector<column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

/// 1234567 as "1,234,567".
std::string grouped(std::uint64_t x);
/// "512 B", "4.1 MiB".
std::string bytes_text(std::uint64_t bytes);
/// "840 ms", "12 s", "5m03s", "2h05m", "3d04h".
std::string duration_text(std::int64_t ms);
/// A rate: "0", "0.4", "812", "12,345".
std::string rate_text(double per_second);
/// "2026-11-25 02:13:47" of a wall clock in microseconds, UTC.
std::string time_text(std::int64_t wall_us);

/// Columns of a terminal that `text` takes.
std::size_t text_width(std::string_view text);
/// At most `width` columns of it, the last one "…" when something is missing.
std::string shortened(std::string_view text, std::size_t width);

} // namespace epione::actors
