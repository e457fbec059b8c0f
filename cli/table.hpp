// Tables for people.
#pragma once

#include <iosfwd>
#include <string>
#include <string_view>
#include <vector>

namespace epione::cli {

/// Columns as wide as their widest cell, two spaces between; the first row is the heading. What would move the cursor or break
/// a row (control characters) is shown as '?'.
void print_table(std::ostream& out, const std::vector<std::vector<std::string>>& rows);

/// `text` with control characters shown as '?'.
std::string printable(std::string_view text);

} // namespace epione::cli
