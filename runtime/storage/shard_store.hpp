// shard-NNN.db: the state of one shard. An event a row, in the order of its log; one small row a subject to find them by.
#pragma once

#include "domain/chain.hpp"
#include "messages/dead_letter.hpp"
#include "messages/log.hpp"
#include "messages/submission.hpp"
#include "runtime/storage/disk.hpp"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace epione::runtime {

struct applied_point {
  std::uint64_t index = 0, term = 0;
  std::string configuration; ///< libraft's encoding of the newest applied change; empty before the first
  std::uint64_t configuration_index = 0;
};

struct chain_head {
  std::uint64_t seq = 0;
  domain::chain_hash hash{};
};

/// What an applied batch did.
struct apply_result {
  std::uint64_t events = 0, repeats = 0;
};

/// The one writing connection; not thread-safe.
class shard_store {
public:
  virtual ~shard_store() = default;
  virtual const applied_point& applied() const = 0;
  virtual chain_head head() const = 0;
  /// One transaction. Entries at or below applied().index are skipped; a gap is an error (`damaged`). A submission whose receipt
  /// is stored already with the same fingerprint changes nothing; with another one: conflicting_apply, nothing is changed. An
  /// amendment makes the version behind the newest one of its submission; one that is there already is treated the same way.
  virtual storage_result<apply_result> apply(const messages::log_entries& entries) = 0;
  /// Writes all to the database file and syncs. Returns the point that was applied before it began, which is durable now; nothing
  /// when a reader was in the way (try again).
  virtual storage_result<std::optional<messages::snapshot_point>> checkpoint() = 0;
  virtual std::uint64_t wal_bytes() const = 0;
  /// Size of the database file; what is still in the WAL is not in it. Nothing when the system does not say.
  virtual std::optional<std::uint64_t> file_bytes() const = 0;
};

/// Opens or creates DIR/shard-NNN.db (NNN: three digits). `damaged` when its head row does not match its newest event.
storage_result<std::unique_ptr<shard_store>> open_shard_store(disk& d, const std::string& directory, std::uint32_t shard);

/// A reading connection of its own; not thread-safe, but beside a writer and other readers.
class store_reader {
public:
  virtual ~store_reader() = default;
  virtual storage_result<messages::subject_head> head(std::uint64_t subject_hash) = 0;
  /// The submission with this receipt, walking back from the subject's newest.
  virtual storage_result<std::optional<messages::stored_event>> find(std::uint64_t subject_hash, const domain::receipt& id) = 0;
  /// Up to `limit` submissions of the subject before `before_seq` (0: newest), newest first. Events of another subject with the
  /// same hash are left out.
  virtual storage_result<std::vector<messages::stored_event>> list(std::uint64_t subject_hash, std::string_view study,
                                                                   std::string_view subject, std::uint64_t before_seq,
                                                                   std::uint32_t limit) = 0;
  /// The submission with this receipt, whoever's it is. Looks at the rows of all subjects, some 2 million a second.
  virtual storage_result<std::optional<messages::stored_event>> locate(const domain::receipt& id) = 0;
  /// Up to `limit` submissions that match, newest first, of at most `look_max` events; of one subject where the filter names one.
  /// `before_seq`: 0, or the `next` of an earlier page.
  virtual storage_result<messages::search_page> search(const domain::response_filter& filter, std::uint64_t subject_hash,
                                                       std::uint64_t before_seq, std::uint32_t limit, std::uint32_t look_max) = 0;
  /// Pending notices, at most defaults::notice_rows_a_look rows a call, in the order of their keys.
  virtual storage_result<messages::notice_page> pending(const messages::notice_question& question) = 0;
  /// Dead letters that were not dropped, in the order of their keys.
  virtual storage_result<messages::dead_letters> dead(const messages::notice_question& question) = 0;
  /// Events from `from_seq` on, in order, up to `limit`: for the catalog, exports and audit.
  virtual storage_result<std::vector<messages::stored_event>> scan(std::uint64_t from_seq, std::uint32_t limit) = 0;
};

/// Fails with `not_found` when the file does not exist yet.
storage_result<std::unique_ptr<store_reader>> open_store_reader(disk& d, const std::string& directory, std::uint32_t shard);

/// DIR/shard-NNN.db.incoming: another member's file of this shard, whole and synced, before it takes the place of this node's
/// own.
std::string incoming_path(const std::string& directory, std::uint32_t shard);

/// DIR/shard-NNN.db
std::string shard_path(const std::string& directory, std::uint32_t shard);

} // namespace epione::runtime
