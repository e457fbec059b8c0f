#include "runtime/storage/journal_rows.hpp"

#include "runtime/mutation.hpp"
#include "runtime/storage/bytes.hpp"
#include "runtime/storage/mark_file.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace epione::runtime {

const char* const journal_schema =
    "CREATE TABLE entry(position INTEGER PRIMARY KEY, group_id INTEGER NOT NULL, entry_index INTEGER NOT NULL, term INTEGER NOT "
    "NULL,"
    " type INTEGER NOT NULL, number INTEGER NOT NULL, before BLOB NOT NULL, checksum INTEGER NOT NULL, data BLOB NOT NULL);"
    "CREATE TABLE groups(id INTEGER PRIMARY KEY, term INTEGER NOT NULL, voted_for INTEGER NOT NULL, number INTEGER NOT NULL,"
    " has_cut INTEGER NOT NULL, cut_index INTEGER NOT NULL, cut_term INTEGER NOT NULL, cut_configuration_index INTEGER NOT NULL,"
    " cut_hash BLOB NOT NULL, checksum INTEGER NOT NULL, cut_configuration BLOB NOT NULL)";

const char* const select_entry =
    "SELECT group_id, entry_index, term, type, number, before, checksum, data FROM entry WHERE position = ?";
const char* const insert_group = "INSERT OR REPLACE INTO groups VALUES(?,?,?,?,?,?,?,?,?,?,?)";

namespace {

std::string_view view(const row_hash& hash) {
  return {reinterpret_cast<const char*>(hash.data()), hash.size()};
}

row_hash to_row_hash(std::string_view blob) {
  row_hash out{};
  std::copy_n(blob.data(), std::min(blob.size(), out.size()), reinterpret_cast<char*>(out.data()));
  return out;
}

std::uint64_t checksum_of(std::uint32_t group, const group_row& row) {
  const auto cut = row.cut.value_or(messages::snapshot_point{});
  return hashed_record<128>{}
      .add(group)
      .add(row.term)
      .add(row.voted_for)
      .add(row.number)
      .add(static_cast<std::uint64_t>(row.cut.has_value()))
      .add(cut.index)
      .add(cut.term)
      .add(cut.configuration_index)
      .add_bytes(view(row.cut_hash))
      .add(XXH3_64bits(cut.configuration.data(), cut.configuration.size()))
      .hash64();
}

std::uint64_t newest_number(const group_state& state) {
  return std::max(state.row.number, state.last_number);
}

[[noreturn]] void damaged(const connection& c, std::uint32_t group, std::uint64_t index, const std::string& what) {
  fail(ec::damaged, c.path() + ": group " + std::to_string(group) + ", entry " + std::to_string(index) + ": " + what);
}

} // namespace

row_hash hash_of(const messages::log_entry& entry, std::uint32_t group, std::uint64_t number, const row_hash& before) {
  const auto data = XXH3_128bits(entry.data->data(), entry.data->size());
  const auto hash = hashed_record<96>{}
                        .add(group)
                        .add(entry.index)
                        .add(entry.term)
                        .add(static_cast<std::uint64_t>(entry.type))
                        .add(number)
                        .add(static_cast<std::uint64_t>(entry.data->size()))
                        .add(data.low64)
                        .add(data.high64)
                        .add_bytes(view(before))
                        .hash128();
  row_hash out;
  auto* at = out.data();
  put(at, hash.low64);
  put(at, hash.high64);
  return out;
}

std::uint64_t checksum_of(const row_hash& hash) {
  const auto* at = hash.data();
  return take<std::uint64_t>(at);
}

void bind(prepared& insert, std::uint32_t group, const group_row& row) {
  const auto* cut = row.cut ? &*row.cut : nullptr;
  insert.bind(1, group)
      .bind(2, row.term)
      .bind(3, row.voted_for)
      .bind(4, row.number)
      .bind(5, cut != nullptr ? 1u : 0u)
      .bind(6, cut != nullptr ? cut->index : 0)
      .bind(7, cut != nullptr ? cut->term : 0)
      .bind(8, cut != nullptr ? cut->configuration_index : 0)
      .bind(9, view(row.cut_hash))
      .bind(10, checksum_of(group, row))
      .bind(11, cut != nullptr ? std::string_view{cut->configuration} : std::string_view{});
}

std::vector<std::pair<std::uint32_t, group_row>> read_groups(connection& c) {
  std::vector<std::pair<std::uint32_t, group_row>> out;
  prepared read{c,
                "SELECT id, term, voted_for, number, has_cut, cut_index, cut_term, cut_configuration_index, cut_hash, checksum,"
                " cut_configuration FROM groups ORDER BY id"};
  while (read.step()) {
    const auto group = static_cast<std::uint32_t>(read.number(0));
    group_row row;
    row.term = read.number(1);
    row.voted_for = read.number(2);
    row.number = read.number(3);
    if (read.number(4) != 0)
      row.cut = messages::snapshot_point{read.number(5), read.number(6), std::string{read.blob(10)}, read.number(7)};
    row.cut_hash = to_row_hash(read.blob(8));
    if (checksum_of(group, row) != read.number(9))
      fail(ec::damaged, c.path() + ": group " + std::to_string(group) + ": its row of terms does not match its checksum");
    out.emplace_back(group, std::move(row));
  }
  return out;
}

journal_index read_index(connection& c) {
  journal_index out;
  // None of these columns lies behind the data, so that its pages are not read.
  prepared read{c, "SELECT position, group_id, entry_index FROM entry ORDER BY position"};
  bool first = true;
  while (read.step()) {
    out.lowest = first ? read.number(0) : out.lowest;
    first = false;
    out.next = read.number(0) + 1;
    out.entries[static_cast<std::uint32_t>(read.number(1))].emplace_back(read.number(2), read.number(0));
  }
  if (first)
    out.lowest = out.next;
  for (auto& [group, entries] : out.entries)
    std::sort(entries.begin(), entries.end());
  return out;
}

entry_row read_entry(connection& c, prepared& select, std::uint64_t position, std::uint32_t group, std::uint64_t index) {
  const resetting r{select};
  select.bind(1, position);
  if (!select.step() || select.number(0) != group || select.number(1) != index)
    damaged(c, group, index, "is missing");
  entry_row out;
  out.entry.index = index;
  out.entry.term = select.number(2);
  out.entry.type = static_cast<messages::entry_type>(select.number(3));
  out.entry.data = std::make_shared<const std::string>(select.blob(7));
  out.number = select.number(4);
  out.before = to_row_hash(select.blob(5));
  out.checksum = select.number(6);
  if (select.number(3) > 255)
    damaged(c, group, index, "has the type " + std::to_string(select.number(3)));
  return out;
}

void read_entries(connection& c, const journal_index& index, std::uint32_t group, group_state& state,
                  const std::function<void(messages::log_entry&&, std::uint64_t position)>& entry) {
  state.last = state.cut_index();
  state.last_hash = state.row.cut_hash;
  state.last_number = 0;
  const auto known = index.entries.find(group);
  if (known == index.entries.end())
    return;
  prepared select{c, select_entry};
  for (const auto& [at, position] : known->second) {
    if (at <= state.cut_index())
      continue;
    if (at <= state.last)
      damaged(c, group, at, "is there twice");
    if (at != state.last + 1)
      damaged(c, group, state.last + 1, "is missing; the next one there is " + std::to_string(at));
    auto row = read_entry(c, select, position, group, at);
    if (row.before != state.last_hash)
      damaged(c, group, at, "does not continue the entry before it");
    const auto hash = hash_of(row.entry, group, row.number, row.before);
    if (checksum_of(hash) != row.checksum)
      damaged(c, group, at, "does not match its checksum");
    state.last = at;
    state.last_hash = hash;
    state.last_number = row.number;
    entry(std::move(row.entry), position);
  }
}

void check_mark(const std::string& path, const journal_mark& mark,
                const std::vector<std::pair<std::uint32_t, group_state>>& groups) {
  if (mutated(mutation::ignore_missing_tail))
    return;
  std::uint64_t number = 0;
  for (const auto& [group, state] : groups)
    number = std::max(number, newest_number(state));
  std::string missing;
  for (const auto& m : mark.groups) {
    const auto found = std::find_if(groups.begin(), groups.end(), [&](const auto& g) { return g.first == m.group; });
    const auto state = found == groups.end() ? group_state{} : found->second;
    // A crash between a transaction and its mark leaves the mark one behind: what that transaction touched may be otherwise.
    if (newest_number(state) > mark.number)
      continue;
    if (state.last < m.last)
      missing += "; group " + std::to_string(m.group) + ": entries " + std::to_string(state.last + 1) + " to " +
                 std::to_string(m.last) + " are missing";
    else if (state.row.term < m.term)
      missing += "; group " + std::to_string(m.group) + ": term " + std::to_string(m.term) + " is missing";
  }
  if (number >= mark.number && missing.empty())
    return;
  fail(ec::damaged, path + ": is behind its mark: its newest transaction is " + std::to_string(number) + ", " +
                        std::to_string(mark.number) + " was durable" + missing +
                        "; restore the data directory from a backup or from another member of the cluster");
}

} // namespace epione::runtime
