#include "runtime/storage/amendment_rows.hpp"

#include "domain/command.hpp"
#include "domain/event.hpp"
#include "runtime/storage/bytes.hpp"
#include "runtime/storage/shard_rows.hpp"

#include <optional>
#include <string>

namespace epione::runtime {

namespace {

constexpr const char* all_rows = "SELECT first, version, seq, checksum FROM amendment ORDER BY first, version";
constexpr const char* rows_of = "SELECT first, version, seq, checksum FROM amendment WHERE first = ? ORDER BY version";
constexpr const char* newest_of =
    "SELECT first, version, seq, checksum FROM amendment WHERE first = ? ORDER BY version DESC LIMIT 1";
constexpr const char* one_of = "SELECT first, version, seq, checksum FROM amendment WHERE first = ? AND version = ?";

struct amendment_row {
  std::uint64_t first = 0, version = 0, seq = 0;
};

std::uint64_t amendment_checksum(const amendment_row& row) {
  return hashed_record<24>{}.add(row.first).add(row.version).add(row.seq).hash64();
}

[[noreturn]] void damaged(const connection& c, const amendment_row& row, const std::string& what) {
  fail(ec::damaged,
       c.path() + ": the row of version " + std::to_string(row.version) + " of event " + std::to_string(row.first) + " " + what);
}

amendment_row read_row(const connection& c, const prepared& read) {
  amendment_row row{read.number(0), read.number(1), read.number(2)};
  if (amendment_checksum(row) != read.number(3))
    damaged(c, row, "does not match its checksum");
  return row;
}

std::optional<domain::receipt> receipt_at(connection& c, prepared& select, std::uint64_t seq,
                                          std::optional<std::uint64_t> version) {
  const resetting r{select};
  select.bind(1, seq);
  if (!select.step())
    return std::nullopt;
  const auto row = read_event(c, select);
  if (version && (!domain::is_amendment(static_cast<domain::command_type>(row.type)) ||
                  domain::amended_version(row.body).value_or(0) != *version))
    return std::nullopt;
  if (!version && !holds_submission(row))
    return std::nullopt;
  const auto record = domain::decode_record_event(row.body);
  return record ? std::optional{record->id} : std::nullopt;
}

} // namespace

amendment_writer::amendment_writer(connection& c)
    : connection_(c), insert_(c, "INSERT INTO amendment VALUES(?,?,?,?)"), newest_(c, newest_of), find_(c, one_of) {}

std::uint64_t amendment_writer::newest(std::uint64_t first) {
  const resetting r{newest_};
  newest_.bind(1, first);
  return newest_.step() ? read_row(connection_, newest_).version : 1;
}

std::uint64_t amendment_writer::find(std::uint64_t first, std::uint64_t version) {
  const resetting r{find_};
  find_.bind(1, first).bind(2, version);
  return find_.step() ? read_row(connection_, find_).seq : 0;
}

void amendment_writer::add(std::uint64_t first, std::uint64_t version, std::uint64_t seq) {
  insert_.bind(1, first).bind(2, version).bind(3, seq).bind(4, amendment_checksum(amendment_row{first, version, seq})).run();
}

amendment_reader::amendment_reader(connection& c) : connection_(c), select_(c, rows_of) {}

std::vector<std::uint64_t> amendment_reader::of(std::uint64_t first) {
  std::vector<std::uint64_t> out;
  const resetting r{select_};
  select_.bind(1, first);
  while (select_.step()) {
    const auto row = read_row(connection_, select_);
    if (row.version != out.size() + 2)
      damaged(connection_, row, "is not the one that comes next");
    out.push_back(row.seq);
  }
  return out;
}

void check_amendments(connection& c, std::uint64_t events) {
  prepared rows{c, all_rows}, select{c, select_event};
  std::uint64_t count = 0;
  amendment_row before;
  while (rows.step()) {
    const auto row = read_row(c, rows);
    const auto expected = row.first == before.first ? before.version + 1 : 2;
    if (row.version != expected || (row.first == before.first && row.seq <= before.seq) || row.seq <= row.first)
      damaged(c, row, "is not the one that comes next");
    const auto of = receipt_at(c, select, row.first, std::nullopt);
    if (!of || of != receipt_at(c, select, row.seq, row.version))
      damaged(c, row, "names events that do not belong together");
    before = row;
    ++count;
  }
  if (count != events)
    fail(ec::damaged, c.path() + ": its events hold " + std::to_string(events) + " amendments, but its table of them has " +
                          std::to_string(count) + " rows");
}

} // namespace epione::runtime
