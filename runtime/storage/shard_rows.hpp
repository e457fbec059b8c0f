// The tables of shard-NNN.db and what makes a row of them trustworthy; shared by the writer, the readers and the audit.
//
// There is no index beside the tables of events and subjects: a unique index on (subject, key) costs more than all the rest from
// a few million rows on (docs/benchmarks.md). A subject's events are chained by `previous`, newest first; its row holds where the
// chain begins and 16 bits of every key, so that a new key is known to be new without reading an event.
#pragma once

#include "domain/ids.hpp"
#include "runtime/storage/amendment_rows.hpp"
#include "runtime/storage/notice_rows.hpp"
#include "runtime/storage/shard_store.hpp"
#include "runtime/storage/sqlite.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace epione::runtime {

/// Version 2 has the tables of notices (notice_rows.hpp) and the sum of the rows of subjects, version 3 the table of amendments
/// (amendment_rows.hpp).
inline constexpr file_format shard_format{0x45505348 /* EPSH */, 3, "shard store", format_2_schema, format_3_schema};
inline constexpr std::int32_t notices_since = 2, amendments_since = 3;
extern const char* const shard_schema;

/// An event as stored. SQLite has no page checksums, so each row carries its own and is never served without it being checked.
struct event_row {
  std::uint64_t seq = 0, previous = 0, type = 0;
  domain::chain_hash hash{};
  std::string_view body;
};
std::uint64_t checksum_of(const event_row& row);
bool holds_submission(const event_row& row);
extern const char* const insert_event;  ///< seq, previous, type, checksum, hash, body
extern const char* const select_event;  ///< by seq
extern const char* const select_events; ///< from seq on, in order
void bind(prepared& insert, const event_row& row);
/// From the row `read` stands on; its body is valid until the next step. Throws `damaged`.
event_row read_event(connection& c, const prepared& read);

/// Up to defaults::subject_tags_listed_max keys are listed one by one, 2 bytes each; of more only the set is kept (8 KiB, one bit
/// a value), so that the row of a subject with very many submissions does not grow without bound.
class subject_row {
public:
  std::uint64_t last = 0; ///< its newest event; 0: none
  std::uint64_t count() const;
  bool has(std::uint16_t tag) const;
  void add(std::uint16_t tag);
  /// Oldest first; ascending once only the set is kept.
  std::vector<std::uint16_t> tags() const;

  static subject_row from(std::uint64_t last, std::string_view blob);
  const std::string& blob() const { return blob_; }

private:
  bool folded() const;
  std::string blob_;
};
std::uint64_t checksum_of(std::uint64_t subject_hash, const subject_row& row);
extern const char* const upsert_subject; ///< hash, last, checksum, tags
extern const char* const select_subject;
void bind(prepared& upsert, std::uint64_t subject_hash, const subject_row& row);
/// Uses and resets `select`. Throws `damaged`.
subject_row read_subject(connection& c, prepared& select, std::uint64_t subject_hash);

/// The one row of a store's state.
struct state_row {
  std::uint32_t shard = 0;
  applied_point applied;
  chain_head head;
  /// Sum of the checksums of all rows of subjects, modulo 2^64: each row speaks for itself only, and one that is gone would pass
  /// for a patient who never sent anything. 0 of a store that was written before there was a sum.
  std::uint64_t subjects = 0;
};
extern const char* const replace_state;
void bind(prepared& replace, const state_row& row);
/// Throws `damaged`.
state_row read_state(connection& c, std::uint32_t shard);

/// Throws `damaged` unless the newest event is the one that the state names and continues the one before it.
void check_head(connection& c, const state_row& state);

/// Throws `damaged` unless the rows of subjects are whole and just those that the state names. Reads all of them, some 2 million
/// a second. The caller holds a read transaction if somebody may write.
/// Returns their sum; a state without one names whatever is there.
std::uint64_t check_subjects(connection& c, const state_row& state);

/// The submission with this receipt among the subject's events from `last` back. Throws `damaged`.
struct found_submission {
  std::uint64_t seq = 0;
  domain::fingerprint content{};
  std::string body;
  std::size_t notices = 0; ///< how many it planned
};
std::optional<found_submission> find_submission(connection& c, prepared& select, std::uint64_t last, const domain::receipt& id);

} // namespace epione::runtime
