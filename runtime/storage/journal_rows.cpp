#include "runtime/storage/journal_rows.hpp"

#include "runtime/storage/bytes.hpp"
#include "runtime/storage/mark_file.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace epione::runtime {

const char* const journal_schema =
    "CREATE TABLE entry(key INTEGER PRIMARY KEY, term INTEGER NOT NULL, type INTEGER NOT NULL,"
    " number INTEGER NOT NULL, before BLOB NOT NULL, checksum INTEGER NOT NULL, data BLOB NOT NULL);"
    "CREATE TABLE groups(id INTEGER PRIMARY KEY, term INTEGER NOT NULL, voted_for INTEGER NOT NULL,"
    " number INTEGER NOT NULL, has_cut INTEGER NOT NULL, cut_index INTEGER NOT NULL,"
    " cut_term INTEGER NOT NULL, cut_configuration_index INTEGER NOT NULL, cut_hash BLOB NOT NULL,"
    " checksum INTEGER NOT NULL, cut_configuration BLOB NOT NULL)";

const char* const insert_group = "INSERT OR REPLACE INTO groups VALUES(?,?,?,?,?,?,?,?,?,?,?)";

namespace {

std::string_view view(const row_hash& hash) {
  return {reinterpret_cast<const char*>(hash.data()), hash.size()};
}

row_hash to_row_hash(std::string_view blob) {
  row_hash out{};
  std::memcpy(out.data(), blob.data(), std::min(blob.size(), out.size()));
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
                        .add(row_key(group, entry.index))
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

void read_entries(connection& c, std::uint32_t group, group_state& state,
                  const std::function<void(messages::log_entry&&)>& entry) {
  prepared first{c, "SELECT min(key) FROM entry WHERE key BETWEEN ? AND ?"};
  first.bind(1, row_key(group, 0)).bind(2, row_key(group + 1, 0) - 1);
  state.last = state.cut_index();
  state.last_hash = state.row.cut_hash;
  state.last_number = 0;
  state.first = state.last + 1;
  if (first.step() && first.number(0) != 0)
    state.first = std::min(state.first, index_of(first.number(0)));
  prepared read{c, "SELECT key, term, type, number, before, checksum, data FROM entry WHERE key BETWEEN ? AND ? ORDER BY key"};
  read.bind(1, row_key(group, state.last + 1)).bind(2, row_key(group + 1, 0) - 1);
  while (read.step()) {
    messages::log_entry e;
    e.index = index_of(read.number(0));
    e.term = read.number(1);
    e.type = static_cast<messages::entry_type>(read.number(2));
    if (e.index != state.last + 1)
      damaged(c, group, state.last + 1, "is missing; the next one there is " + std::to_string(e.index));
    if (to_row_hash(read.blob(4)) != state.last_hash)
      damaged(c, group, e.index, "does not continue the entry before it");
    e.data = std::make_shared<const std::string>(read.blob(6));
    const auto hash = hash_of(e, group, read.number(3), state.last_hash);
    if (checksum_of(hash) != read.number(5) || read.number(2) > 255)
      damaged(c, group, e.index, "does not match its checksum");
    state.last = e.index;
    state.last_hash = hash;
    state.last_number = read.number(3);
    entry(std::move(e));
  }
}

void check_mark(const std::string& path, const journal_mark& mark,
                const std::vector<std::pair<std::uint32_t, group_state>>& groups) {
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
