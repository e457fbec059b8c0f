#include "runtime/storage/shard_rows.hpp"

#include "domain/chain.hpp"
#include "domain/command.hpp"
#include "domain/event.hpp"
#include "runtime/defaults.hpp"
#include "runtime/storage/bytes.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

namespace epione::runtime {

const char* const shard_schema =
    "CREATE TABLE event(seq INTEGER PRIMARY KEY, previous INTEGER NOT NULL, type INTEGER NOT NULL, checksum INTEGER NOT NULL,"
    " hash BLOB NOT NULL, body BLOB NOT NULL);"
    "CREATE TABLE subject(hash INTEGER PRIMARY KEY, last INTEGER NOT NULL, checksum INTEGER NOT NULL, tags BLOB NOT NULL);"
    "CREATE TABLE state(id INTEGER PRIMARY KEY CHECK(id = 1), shard INTEGER NOT NULL, applied INTEGER NOT NULL, term INTEGER NOT "
    "NULL,"
    " configuration_index INTEGER NOT NULL, head INTEGER NOT NULL, head_hash BLOB NOT NULL, checksum INTEGER NOT NULL,"
    " configuration BLOB NOT NULL)";

const char* const insert_event = "INSERT INTO event VALUES(?,?,?,?,?,?)";
const char* const select_event = "SELECT seq, previous, type, checksum, hash, body FROM event WHERE seq = ?";
const char* const select_events = "SELECT seq, previous, type, checksum, hash, body FROM event WHERE seq >= ? ORDER BY seq";
const char* const upsert_subject = "INSERT OR REPLACE INTO subject VALUES(?,?,?,?)";
const char* const select_subject = "SELECT last, checksum, tags FROM subject WHERE hash = ?";
const char* const replace_state = "INSERT OR REPLACE INTO state VALUES(1,?,?,?,?,?,?,?,?,?)";

namespace {

constexpr std::size_t set_bytes = 65'536 / 8;
constexpr std::size_t folded_bytes = set_bytes + 8;                  // the set, then how many
static_assert(defaults::subject_tags_listed_max * 2 < folded_bytes); // so that the length tells them apart

std::string_view view(const domain::chain_hash& hash) {
  return {reinterpret_cast<const char*>(hash.data()), hash.size()};
}

std::uint64_t checksum_of(const state_row& row) {
  hashed_record<128> out;
  out.add(row.shard)
      .add(row.applied.index)
      .add(row.applied.term)
      .add(row.applied.configuration_index)
      .add(row.head.seq)
      .add_bytes(view(row.head.hash))
      .add(XXH3_64bits(row.applied.configuration.data(), row.applied.configuration.size()));
  if (row.subjects != 0) // format 1 had none
    out.add(row.subjects);
  return out.hash64();
}

[[noreturn]] void damaged_event(const connection& c, std::uint64_t seq, const std::string& what) {
  fail(ec::damaged, c.path() + ": event " + std::to_string(seq) + ": " + what);
}

std::string quick_check(connection& c) {
  prepared check{c, "PRAGMA quick_check(subject)"};
  return check.step() ? std::string{check.blob(0)} : std::string{"ok"};
}

/// What is wrong with a page's own bookkeeping may leave its rows readable until the next write.
void check_subject_pages(connection& c) {
  const auto found = quick_check(c);
  if (found == "ok")
    return;
  // SQLite finds a page at fault that could not be read, for want of memory perhaps, and a store that is called damaged is put
  // aside. Whether the disk gives the rows is what a query says; and what is wrong stays wrong.
  const auto read = guarded([&] {
    prepared rows{c, "SELECT hash, last, checksum, tags FROM subject"};
    while (rows.step()) {
    }
  });
  if (!read && read.error().code != ec::damaged)
    throw storage_failure{read.error()};
  if (quick_check(c) != "ok")
    fail(ec::damaged, c.path() + ": the table of subjects is damaged: " + found);
}

[[noreturn]] void refuse_subject(const connection& c, std::uint64_t subject_hash) {
  fail(ec::damaged, c.path() + ": the subject row " + std::to_string(static_cast<std::int64_t>(subject_hash)) +
                        " does not match its checksum");
}

} // namespace

std::uint64_t checksum_of(const event_row& row) {
  return hashed_record<96>{}
      .add(row.seq)
      .add(row.previous)
      .add(row.type)
      .add_bytes(view(row.hash))
      .add(XXH3_64bits(row.body.data(), row.body.size()))
      .hash64();
}

bool holds_submission(const event_row& row) {
  return row.type <= UINT8_MAX && domain::is_submission(static_cast<domain::command_type>(row.type));
}

void bind(prepared& insert, const event_row& row) {
  insert.bind(1, row.seq)
      .bind(2, row.previous)
      .bind(3, row.type)
      .bind(4, checksum_of(row))
      .bind(5, view(row.hash))
      .bind(6, row.body);
}

event_row read_event(connection& c, const prepared& read) {
  event_row row;
  row.seq = read.number(0);
  row.previous = read.number(1);
  row.type = read.number(2);
  const auto hash = read.blob(4);
  row.body = read.blob(5);
  if (hash.size() != row.hash.size())
    damaged_event(c, row.seq, "has a hash of " + std::to_string(hash.size()) + " bytes");
  std::copy_n(hash.data(), hash.size(), reinterpret_cast<char*>(row.hash.data()));
  if (checksum_of(row) != read.number(3))
    damaged_event(c, row.seq, "does not match its checksum");
  if (row.previous >= row.seq)
    damaged_event(c, row.seq, "names a later one as the one before it");
  return row;
}

bool subject_row::folded() const {
  return blob_.size() == folded_bytes;
}

std::uint64_t subject_row::count() const {
  if (!folded())
    return blob_.size() / 2;
  std::uint64_t out = 0;
  std::memcpy(&out, blob_.data() + set_bytes, sizeof(out));
  return out;
}

bool subject_row::has(std::uint16_t tag) const {
  if (folded())
    return (static_cast<unsigned char>(blob_[tag / 8]) >> (tag % 8) & 1) != 0;
  for (std::size_t at = 0; at + 2 <= blob_.size(); at += 2)
    if (std::memcmp(blob_.data() + at, &tag, 2) == 0)
      return true;
  return false;
}

void subject_row::add(std::uint16_t tag) {
  if (!folded() && count() < defaults::subject_tags_listed_max) {
    blob_.append(reinterpret_cast<const char*>(&tag), 2);
    return;
  }
  const auto set = [](std::string& bits, std::uint16_t t) {
    bits[t / 8] = static_cast<char>(static_cast<unsigned char>(bits[t / 8]) | 1u << (t % 8));
  };
  auto total = count();
  if (!folded()) {
    std::string bits(folded_bytes, '\0');
    for (const auto t : tags())
      set(bits, t);
    blob_ = std::move(bits);
  }
  set(blob_, tag);
  ++total;
  std::memcpy(blob_.data() + set_bytes, &total, sizeof(total));
}

std::vector<std::uint16_t> subject_row::tags() const {
  std::vector<std::uint16_t> out;
  if (!folded()) {
    out.resize(blob_.size() / 2);
    if (!blob_.empty()) // an empty view may have no address, which memcpy may not be given
      std::memcpy(out.data(), blob_.data(), out.size() * 2);
    return out;
  }
  for (std::uint32_t tag = 0; tag < 65'536; ++tag)
    if (has(static_cast<std::uint16_t>(tag)))
      out.push_back(static_cast<std::uint16_t>(tag));
  return out;
}

subject_row subject_row::from(std::uint64_t last, std::string_view blob) {
  subject_row out;
  out.last = last;
  out.blob_ = blob;
  return out;
}

std::uint64_t checksum_of(std::uint64_t subject_hash, const subject_row& row) {
  return hashed_record<32>{}.add(subject_hash).add(row.last).add(XXH3_64bits(row.blob().data(), row.blob().size())).hash64();
}

void bind(prepared& upsert, std::uint64_t subject_hash, const subject_row& row) {
  upsert.bind(1, subject_hash).bind(2, row.last).bind(3, checksum_of(subject_hash, row)).bind(4, row.blob());
}

subject_row read_subject(connection& c, prepared& select, std::uint64_t subject_hash) {
  const resetting r{select};
  select.bind(1, subject_hash);
  if (!select.step())
    return {};
  auto row = subject_row::from(select.number(0), select.blob(2));
  if (checksum_of(subject_hash, row) != select.number(1))
    refuse_subject(c, subject_hash);
  return row;
}

void bind(prepared& replace, const state_row& row) {
  replace.bind(1, row.shard)
      .bind(2, row.applied.index)
      .bind(3, row.applied.term)
      .bind(4, row.applied.configuration_index)
      .bind(5, row.head.seq)
      .bind(6, view(row.head.hash))
      .bind(7, checksum_of(row))
      .bind(8, row.applied.configuration)
      .bind(9, row.subjects);
}

state_row read_state(connection& c, std::uint32_t shard) {
  prepared read{c,
                c.version() < notices_since
                    ? "SELECT shard, applied, term, configuration_index, head, head_hash, checksum, configuration, 0 FROM state"
                    : "SELECT shard, applied, term, configuration_index, head, head_hash, checksum, configuration, subjects "
                      "FROM state"};
  state_row row;
  row.shard = shard;
  if (!read.step()) {
    row.head.hash = domain::chain_origin(shard);
    return row;
  }
  row.shard = static_cast<std::uint32_t>(read.number(0));
  row.applied = {read.number(1), read.number(2), std::string{read.blob(7)}, read.number(3)};
  row.head.seq = read.number(4);
  row.subjects = read.number(8);
  const auto hash = read.blob(5);
  std::copy_n(hash.data(), std::min(hash.size(), row.head.hash.size()), reinterpret_cast<char*>(row.head.hash.data()));
  if (checksum_of(row) != read.number(6))
    fail(ec::damaged, c.path() + ": its state row does not match its checksum");
  if (row.shard != shard)
    fail(ec::damaged, c.path() + ": holds shard " + std::to_string(row.shard) + ", not shard " + std::to_string(shard));
  return row;
}

void check_head(connection& c, const state_row& state) {
  prepared newest{c, "SELECT max(seq) FROM event"};
  const auto last = newest.step() ? newest.number(0) : 0;
  if (last != state.head.seq)
    fail(ec::damaged, c.path() + ": its state names event " + std::to_string(state.head.seq) + " as the newest, but it ends at " +
                          std::to_string(last));
  if (last == 0) {
    if (state.head.hash != domain::chain_origin(state.shard))
      fail(ec::damaged, c.path() + ": has no event, but its state names a hash");
    return;
  }
  prepared select{c, select_event};
  auto before = domain::chain_origin(state.shard);
  if (last > 1) {
    select.bind(1, last - 1);
    if (!select.step())
      damaged_event(c, last - 1, "is missing");
    before = read_event(c, select).hash;
    select.reset();
  }
  select.bind(1, last);
  if (!select.step())
    damaged_event(c, last, "is missing");
  const auto row = read_event(c, select);
  if (row.hash != state.head.hash || row.hash != domain::chain_next(before, last, row.body))
    damaged_event(c, last, "its hash does not continue the chain");
}

std::uint64_t check_subjects(connection& c, const state_row& state) {
  check_subject_pages(c);
  prepared rows{c, "SELECT hash, last, checksum, tags FROM subject"};
  std::uint64_t sum = 0;
  while (rows.step()) {
    const auto hash = rows.number(0);
    const auto row = subject_row::from(rows.number(1), rows.blob(3));
    if (checksum_of(hash, row) != rows.number(2))
      refuse_subject(c, hash);
    sum += rows.number(2);
  }
  if (sum != state.subjects && state.subjects != 0)
    fail(ec::damaged, c.path() + ": its rows of subjects are not those that its state names: one is missing, or one too many");
  return sum;
}

std::optional<found_submission> find_submission(connection& c, prepared& select, std::uint64_t last, const domain::receipt& id) {
  for (auto at = last; at != 0;) {
    const resetting r{select};
    select.bind(1, at);
    if (!select.step())
      damaged_event(c, at, "is missing, but a later one of its subject names it");
    const auto row = read_event(c, select);
    if (holds_submission(row)) {
      const auto record = domain::decode_submission_event(row.body);
      if (!record)
        damaged_event(c, at, "is no submission: " + record.error());
      if (record->id == id)
        return found_submission{row.seq, record->content_fingerprint, std::string{row.body}, record->notices.size()};
    }
    at = row.previous;
  }
  return std::nullopt;
}

} // namespace epione::runtime
