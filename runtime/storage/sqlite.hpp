// SQLite as the storage files use it: every connection opened the same way (WAL, no automatic checkpoint, none on closing), and
// prepared statements thin enough for the hot path. Failures are thrown as storage_failure inside this folder and leave it as
// storage_result, as does memory that runs out: see guarded().
#pragma once

#include "runtime/storage/disk.hpp"

#include <SQLiteCpp/Database.h>
#include <cstdint>
#include <memory>
#include <new>
#include <optional>
#include <sqlite3.h>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace epione::runtime {

/// Thrown and caught within runtime/storage only.
struct storage_failure {
  storage_error error;
};

[[noreturn]] void fail(ec code, std::string message);

/// Short enough to need no memory itself.
inline storage_error out_of_memory() noexcept {
  return {ec::io_failed, "out of memory"};
}

/// Runs f, turning a storage_failure into its error. Memory that runs out is one as well: what f had begun is half done, and its
/// caller must not take that for another part's exception and go on.
template <class F>
auto guarded(F&& f) -> storage_result<std::invoke_result_t<F>> {
  try {
    if constexpr (std::is_void_v<std::invoke_result_t<F>>) {
      f();
      return {};
    } else {
      return f();
    }
  } catch (storage_failure& x) {
    return tl::unexpected(std::move(x.error));
  } catch (const std::bad_alloc&) {
    return tl::unexpected(out_of_memory());
  }
}

enum class access_mode { create, write, read };

/// What kind of file it must be; anything else is refused.
///
/// Each version has other tables than the one before it, so that a number that does not fit them is damage (the header has no
/// checksum), and no reason to send an operator to a newer program.
struct file_format {
  std::int32_t application_id;
  std::int32_t version;
  const char* what; ///< "journal", "shard store"
  /// Brings a file of version 1, which the schema describes, to version 2; run for new files too, and by who may write.
  const char* upgrade = nullptr;
  const char* upgrade_2 = nullptr; ///< the same from version 2 to version 3
};

struct checkpoint_outcome {
  bool complete = false; ///< all frames are in the database file, which is synced
  int frames = 0, done = 0;
};

class connection {
public:
  /// Throws `damaged` for a file of another kind or whose format's number does not fit its tables, `invalid` for one of a newer
  /// format, `not_found` when it must exist and does not. `schema` is run when the file is new. `synchronous` is "FULL" or
  /// "NORMAL".
  connection(disk& d, std::string path, access_mode mode, const file_format& format, const char* schema, const char* synchronous,
             std::uint32_t cache_kib);
  connection(const connection&) = delete;
  connection& operator=(const connection&) = delete;
  ~connection();

  sqlite3* handle() const { return db_->getHandle(); }
  const std::string& path() const { return path_; }
  /// Of the file's format: below the newest one only when it was opened to read.
  std::int32_t version() const { return version_; }
  /// Several statements; results are dropped.
  void run(const char* sql);
  /// One number.
  std::int64_t number(const char* sql);
  /// Undoes the open transaction, if any. Never fails: what is left undone is undone by recovery.
  void rollback() noexcept;
  checkpoint_outcome checkpoint();
  /// Writes the bytes of the WAL once more and syncs them. A sync that failed in the process before this one may have left frames
  /// in the page cache that will never reach the disk, and a later sync says nothing about them (the kernel reports a lost page
  /// once). Before this process's first checkpoint: with half of it done a power loss would leave neither file whole.
  void rewrite_wal(disk& d);
  /// Writes all of the WAL to the database file, syncs it, and has the next write begin the WAL anew. False when somebody reads.
  bool restart_wal();
  /// Size of the database file, without its WAL; nothing when the system does not say.
  std::optional<std::uint64_t> file_bytes() const noexcept;
  /// Throws `damaged` when SQLite would only read the file and refuse every write, because of what its header says; who opens it
  /// to write has looked. The file must not be empty.
  void check_header();
  /// Syncs the database file (not the WAL).
  void sync_database_file();
  [[noreturn]] void failed(int code, std::string_view doing) const;

private:
  void prepare_file(disk& d, access_mode mode, const file_format& format, const char* schema);
  /// Whether its tables are those of this program's newest format.
  bool has_tables_of(const file_format& format, const char* schema);
  std::string path_;
  std::int32_t version_ = 0;
  std::unique_ptr<SQLite::Database> db_;
};

/// A prepared statement. Blobs are bound without a copy: they must live until reset().
class prepared {
public:
  prepared(connection& c, const char* sql);
  prepared(const prepared&) = delete;
  prepared& operator=(const prepared&) = delete;
  ~prepared() { sqlite3_finalize(statement_); }

  prepared& bind(int at, std::uint64_t value) {
    sqlite3_bind_int64(statement_, at, static_cast<sqlite3_int64>(value));
    return *this;
  }
  prepared& bind(int at, std::string_view blob) {
    sqlite3_bind_blob64(statement_, at, blob.data() == nullptr ? "" : blob.data(), blob.size(), SQLITE_STATIC);
    return *this;
  }
  /// True: a row is there.
  bool step();
  /// For statements without rows.
  void run() {
    step();
    reset();
  }
  void reset() noexcept { sqlite3_reset(statement_); }
  std::uint64_t number(int column) const { return static_cast<std::uint64_t>(sqlite3_column_int64(statement_, column)); }
  /// Valid until the next step or reset.
  std::string_view blob(int column) const {
    const auto* data = static_cast<const char*>(sqlite3_column_blob(statement_, column));
    return {data == nullptr ? "" : data, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
  }

private:
  connection& connection_;
  sqlite3_stmt* statement_ = nullptr;
};

/// Resets a statement when the scope ends, however it ends.
class resetting {
public:
  explicit resetting(prepared& p) : p_(p) {}
  resetting(const resetting&) = delete;
  resetting& operator=(const resetting&) = delete;
  ~resetting() { p_.reset(); }

private:
  prepared& p_;
};

/// BEGIN now; COMMIT when asked; ROLLBACK when left without.
class transaction {
public:
  /// `how` is "BEGIN" or "BEGIN IMMEDIATE".
  transaction(connection& c, prepared& begin, prepared& commit) : connection_(c), commit_(commit) {
    begin.run();
    open_ = true;
  }
  transaction(const transaction&) = delete;
  transaction& operator=(const transaction&) = delete;
  ~transaction() {
    if (open_)
      connection_.rollback();
  }
  void commit() {
    commit_.run();
    open_ = false;
  }

private:
  connection& connection_;
  prepared& commit_;
  bool open_ = false;
};

} // namespace epione::runtime
