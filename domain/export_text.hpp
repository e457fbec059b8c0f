// One submission as a row of CSV or a line of NDJSON. docs/export.md describes both.
#pragma once

#include "domain/event.hpp"
#include "domain/export_columns.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

namespace epione::domain {

/// A stored submission and its place.
struct export_row {
  std::uint32_t shard = 0;
  std::uint64_t seq = 0;
  const submission_record& record;
  const amendment* amended = nullptr; ///< that `record` is from; null: what was stored first
};

/// RFC 4180: fields with a comma, a quote or a line break in quotes, lines end with CR LF; UTF-8 without a byte order mark.
///
/// A spreadsheet takes a cell that begins with = + - @ (or their full-width forms), a tab or a line break for a formula, and what
/// a patient wrote would then run on a data manager's machine. So a text that begins with one of them, or with an apostrophe,
/// gets an apostrophe in front: taking one off every text that begins with one gives back what was stored. Numbers are left as
/// they are. Several answers to one item stand in one cell with | between; a | or \ within an answer has a \ in front.
class csv_writer {
public:
  /// `columns` must outlive it.
  explicit csv_writer(const export_columns& columns) : columns_(columns) {}
  void append_header(std::string& out);
  /// Fails, leaving `out` as it was, for a submission whose form, score or item has no column, or whose answers are damaged; the
  /// sentence names the linkId, never an answer.
  tl::expected<void, std::string> append_row(std::string& out, const export_row& row);

private:
  tl::expected<void, std::string> append_form(std::string& out, const export_form& form, const submission_record& record);
  bool append_answer(std::string& out, std::string_view raw);
  void append_cell(std::string& out, std::string_view text);

  const export_columns& columns_;
  std::string cells_, text_;                                // reused
  std::vector<std::pair<std::size_t, std::size_t>> places_; // of the form's cells: where each lies in cells_
};

/// One JSON object and a line feed; of an amended one with the member "amendment". Fails, leaving `out` as it was, when the
/// answers are damaged.
tl::expected<void, std::string> append_ndjson(std::string& out, const export_row& row);

} // namespace epione::domain
