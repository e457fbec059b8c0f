#include "runtime/storage/sqlite.hpp"

#include "runtime/defaults.hpp"

#include <SQLiteCpp/Exception.h>
#include <cerrno>
#include <cstring>

namespace epione::runtime {

namespace {

ec code_of(int code, int system_errno) {
  switch (code & 0xff) {
    case SQLITE_FULL: return ec::disk_full;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB: return ec::damaged;
    case SQLITE_BUSY: return ec::in_use;
    default: break;
  }
  if (code == SQLITE_IOERR_SHORT_READ)
    return ec::damaged;
  // Only writes are reported as SQLITE_FULL; growing the shared memory or creating a file is not. A failed sync is never taken
  // for a full disk: what is on disk after it is unknown.
  const bool is_sync = code == SQLITE_IOERR_FSYNC || code == SQLITE_IOERR_DIR_FSYNC;
  // Of other errors, memory among them, SQLite leaves the number of an earlier one behind.
  const bool is_of_system = ((code & 0xff) == SQLITE_IOERR && code != SQLITE_IOERR_NOMEM) || (code & 0xff) == SQLITE_CANTOPEN;
  if (is_of_system && !is_sync && (system_errno == ENOSPC || system_errno == EDQUOT))
    return ec::disk_full;
  return ec::io_failed;
}

std::string advice(ec code) {
  switch (code) {
    case ec::disk_full: return "; make space on that file system";
    case ec::damaged: return "; restore it from a backup or from another member of the cluster";
    case ec::in_use: return "; another process holds it";
    default: return "; see the system log for what the disk reported";
  }
}

constexpr const char* all_tables = "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY name";

/// What all_tables gives for a new file; empty when that cannot be said.
std::string tables_of(const file_format& format, const char* schema) {
  sqlite3* raw = nullptr;
  const int opened = sqlite3_open_v2(":memory:", &raw, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, nullptr);
  const std::unique_ptr<sqlite3, int (*)(sqlite3*)> empty{raw, sqlite3_close};
  if (opened != SQLITE_OK)
    return {};
  for (const auto* part : {schema, format.upgrade, format.upgrade_2})
    if (part != nullptr && sqlite3_exec(raw, part, nullptr, nullptr, nullptr) != SQLITE_OK)
      return {};
  sqlite3_stmt* read = nullptr;
  if (sqlite3_prepare_v2(raw, all_tables, -1, &read, nullptr) != SQLITE_OK)
    return {};
  const std::unique_ptr<sqlite3_stmt, int (*)(sqlite3_stmt*)> statement{read, sqlite3_finalize};
  std::string out;
  int code = SQLITE_OK;
  while ((code = sqlite3_step(read)) == SQLITE_ROW) {
    out.append(static_cast<const char*>(sqlite3_column_blob(read, 0)), static_cast<std::size_t>(sqlite3_column_bytes(read, 0)));
    out += ';';
  }
  return code == SQLITE_DONE ? out : std::string{};
}

bool is_memory(int code) {
  return (code & 0xff) == SQLITE_NOMEM || code == SQLITE_IOERR_NOMEM;
}

} // namespace

void fail(ec code, std::string message) {
  throw storage_failure{{code, std::move(message)}};
}

connection::connection(disk& d, std::string path, access_mode mode, const file_format& format, const char* schema,
                       const char* synchronous, std::uint32_t cache_kib)
    : path_(std::move(path)) {
  prepare_file(d, mode, format, schema);
  const int flags = mode == access_mode::read ? SQLite::OPEN_READONLY : SQLite::OPEN_READWRITE;
  try {
    db_ = std::make_unique<SQLite::Database>(path_, flags, int{defaults::sqlite_busy_limit_ms},
                                             d.sqlite_vfs() == nullptr ? "" : d.sqlite_vfs());
  } catch (const SQLite::Exception& x) {
    fail(code_of(x.getExtendedErrorCode(), errno), path_ + ": cannot be opened: " + x.what());
  }
  sqlite3_extended_result_codes(handle(), 1);
  sqlite3_db_config(handle(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  // Debian's SQLite overwrites deleted rows with zeros by default; here that would only write the journal a second time.
  run(("PRAGMA wal_autocheckpoint=0; PRAGMA secure_delete=OFF; PRAGMA temp_store=MEMORY; PRAGMA cache_size=-" +
       std::to_string(cache_kib) + "; PRAGMA synchronous=" + synchronous)
          .c_str());
  auto application = number("PRAGMA application_id");
  if (mode != access_mode::read && sqlite3_db_readonly(handle(), "main") == 1)
    check_header();
  const auto version = number("PRAGMA user_version");
  if (application == 0 && version == 0 && number("SELECT count(*) FROM sqlite_master") == 0) {
    if (mode != access_mode::create)
      fail(ec::not_found, path_ + ": has not been set up yet");
    // EXTRA: the rollback journal that the change to WAL needs must not come back after a power loss, and undo it.
    run("PRAGMA synchronous=EXTRA; PRAGMA page_size=4096; PRAGMA journal_mode=WAL;");
    run((std::string{"PRAGMA synchronous="} + synchronous).c_str());
    run((std::string{"BEGIN IMMEDIATE; PRAGMA application_id="} + std::to_string(format.application_id) +
         "; PRAGMA user_version=" + std::to_string(format.version) + ";" + schema + ";" +
         (format.upgrade != nullptr ? format.upgrade : "") + ";" + (format.upgrade_2 != nullptr ? format.upgrade_2 : "") +
         "; COMMIT")
            .c_str());
    version_ = format.version;
    return;
  }
  if (application != format.application_id)
    fail(ec::damaged, path_ + ": is not a " + format.what + " of Epione (application id " + std::to_string(application) +
                          ", expected " + std::to_string(format.application_id) + ")");
  if (version < 1)
    fail(ec::damaged, path_ + ": names no format");
  if (version != format.version && has_tables_of(format, schema))
    fail(ec::damaged, path_ + ": its header names format " + std::to_string(version) + ", but its tables are those of format " +
                          std::to_string(format.version));
  if (version > format.version)
    fail(ec::invalid, path_ + ": has format " + std::to_string(version) + ", this version knows up to " +
                          std::to_string(format.version) + "; use the version of Epione that wrote it, or a newer one");
  version_ = static_cast<std::int32_t>(version);
  if (mode != access_mode::read && version < format.version) {
    run((std::string{"BEGIN IMMEDIATE; "} + (version < 2 ? format.upgrade : "") + ";" +
         (format.upgrade_2 != nullptr ? format.upgrade_2 : "") + "; PRAGMA user_version=" + std::to_string(format.version) +
         "; COMMIT")
            .c_str());
    version_ = format.version;
  }
}

connection::~connection() = default;

void connection::prepare_file(disk& d, access_mode mode, const file_format& format, const char* schema) {
  static_cast<void>(schema);
  if (d.exists(path_))
    return;
  if (mode != access_mode::create)
    fail(ec::not_found, path_ + ": does not exist");
  if (d.exists(path_ + "-wal"))
    fail(ec::damaged, path_ + ": is missing, but " + path_ + "-wal is there; restore the " + format.what +
                          " with both files from a backup or from another member of the cluster");
  // SQLite does not make a new file's directory entry durable; disk::open does.
  if (auto created = d.open(path_); !created)
    throw storage_failure{created.error()};
}

bool connection::has_tables_of(const file_format& format, const char* schema) {
  std::string here;
  prepared read{*this, all_tables};
  while (read.step()) {
    here += read.blob(0);
    here += ';';
  }
  return !here.empty() && here == tables_of(format, schema);
}

void connection::run(const char* sql) {
  if (const int code = sqlite3_exec(handle(), sql, nullptr, nullptr, nullptr); code != SQLITE_OK)
    failed(code, "a statement");
}

std::int64_t connection::number(const char* sql) {
  prepared p{*this, sql};
  return p.step() ? static_cast<std::int64_t>(p.number(0)) : 0;
}

void connection::rollback() noexcept {
  if (sqlite3_get_autocommit(handle()) == 0)
    sqlite3_exec(handle(), "ROLLBACK", nullptr, nullptr, nullptr);
}

checkpoint_outcome connection::checkpoint() {
  checkpoint_outcome out;
  const int code = sqlite3_wal_checkpoint_v2(handle(), nullptr, SQLITE_CHECKPOINT_PASSIVE, &out.frames, &out.done);
  if (code == SQLITE_BUSY || code == SQLITE_LOCKED)
    return {};
  if (code != SQLITE_OK)
    failed(code, "a checkpoint");
  out.complete = out.frames >= 0 && out.frames == out.done;
  return out;
}

void connection::rewrite_wal(disk& d) {
  const auto path = path_ + "-wal";
  if (!d.exists(path))
    return;
  auto file = d.open(path);
  if (!file)
    throw storage_failure{file.error()};
  const auto bytes = (*file)->read_all();
  if (!bytes)
    throw storage_failure{bytes.error()};
  if (const auto written = (*file)->write_at(0, *bytes).and_then([&] { return (*file)->sync(); }); !written)
    throw storage_failure{written.error()};
}

bool connection::restart_wal() {
  const int code = sqlite3_wal_checkpoint_v2(handle(), nullptr, SQLITE_CHECKPOINT_RESTART, nullptr, nullptr);
  if (code == SQLITE_BUSY || code == SQLITE_LOCKED)
    return false;
  if (code != SQLITE_OK)
    failed(code, "a checkpoint");
  return true;
}

std::optional<std::uint64_t> connection::file_bytes() const noexcept {
  sqlite3_file* file = nullptr;
  sqlite3_int64 bytes = 0;
  if (sqlite3_file_control(handle(), "main", SQLITE_FCNTL_FILE_POINTER, &file) != SQLITE_OK || file == nullptr ||
      file->pMethods == nullptr || file->pMethods->xFileSize(file, &bytes) != SQLITE_OK)
    return std::nullopt;
  return static_cast<std::uint64_t>(bytes);
}

void connection::check_header() {
  constexpr sqlite3_int64 write_version_at = 18; // https://www.sqlite.org/fileformat2.html#file_format_version_numbers
  constexpr unsigned char newest_write_version = 2;
  sqlite3_file* file = nullptr;
  if (const int code = sqlite3_file_control(handle(), "main", SQLITE_FCNTL_FILE_POINTER, &file); code != SQLITE_OK)
    failed(code, "asking for the file");
  unsigned char version = 0;
  if (const int code = file->pMethods->xRead(file, &version, 1, write_version_at); code != SQLITE_OK)
    failed(code, "a read");
  if (version > newest_write_version)
    fail(ec::damaged,
         path_ + ": its header names a way of writing (" + std::to_string(version) + ") that no version of Epione uses");
}

void connection::sync_database_file() {
  sqlite3_file* file = nullptr;
  if (const int code = sqlite3_file_control(handle(), "main", SQLITE_FCNTL_FILE_POINTER, &file); code != SQLITE_OK)
    failed(code, "asking for the file");
  if (const int code = file->pMethods->xSync(file, SQLITE_SYNC_NORMAL); code != SQLITE_OK)
    failed(code, "a sync");
}

void connection::failed(int code, std::string_view doing) const {
  const auto meaning = code_of(code, sqlite3_system_errno(handle()));
  std::string text = path_ + ": ";
  text += doing;
  text += " failed: ";
  text += sqlite3_errstr(code);
  text += " (SQLite code " + std::to_string(code) + ")" + (is_memory(code) ? "" : advice(meaning));
  fail(meaning, std::move(text));
}

prepared::prepared(connection& c, const char* sql) : connection_(c) {
  const int code = sqlite3_prepare_v3(c.handle(), sql, -1, SQLITE_PREPARE_PERSISTENT, &statement_, nullptr);
  if (code != SQLITE_OK)
    c.failed(code, "preparing a statement");
}

bool prepared::step() {
  const int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW)
    return true;
  if (code == SQLITE_DONE)
    return false;
  sqlite3_reset(statement_);
  connection_.failed(code, sqlite3_stmt_readonly(statement_) != 0 ? "a read" : "a write");
}

} // namespace epione::runtime
