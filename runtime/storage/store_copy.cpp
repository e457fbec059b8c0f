#include "runtime/storage/store_copy.hpp"

#include "domain/command.hpp"
#include "runtime/defaults.hpp"
#include "runtime/storage/shard_rows.hpp"
#include "runtime/storage/sqlite.hpp"

#include <algorithm>
#include <memory>
#include <utility>

namespace epione::runtime {

namespace {

constexpr std::uint32_t copy_cache_kib = 1'024; // each page is read once
constexpr std::uint64_t page_bytes = 4'096;

copied_store describe(const state_row& state) {
  return {state.applied.index, state.applied.term, state.head, 0};
}

/// The copy while it is made. It is worth nothing before it is whole, so SQLite neither journals nor syncs it.
class target {
public:
  target(disk& d, const std::string& path) : path_(path) {
    if (d.exists(path))
      fail(ec::invalid, path + ": exists already");
    auto created = d.open(path);
    if (!created)
      throw storage_failure{created.error()};
    file_ = std::move(*created);
    const int code = sqlite3_open_v2(path.c_str(), &db_, SQLITE_OPEN_READWRITE, d.sqlite_vfs());
    if (code != SQLITE_OK) {
      sqlite3_close(db_); // it is made even so, and nobody destroys what was not constructed
      failed(code);
    }
    sqlite3_exec(db_, "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA cache_size=-1024", nullptr, nullptr, nullptr);
  }
  target(const target&) = delete;
  target& operator=(const target&) = delete;
  ~target() {
    sqlite3_backup_finish(backup_);
    sqlite3_close(db_);
  }

  void begin(connection& from) {
    backup_ = sqlite3_backup_init(db_, "main", from.handle(), "main");
    if (backup_ == nullptr)
      failed(sqlite3_errcode(db_));
  }

  /// False when nothing is left.
  bool step(int pages) {
    const int code = sqlite3_backup_step(backup_, pages);
    if (code == SQLITE_DONE)
      return false;
    if (code != SQLITE_OK)
      failed(code);
    return true;
  }

  std::uint64_t pages() const { return static_cast<std::uint64_t>(sqlite3_backup_pagecount(backup_)); }

  void sync() {
    if (auto synced = file_->sync(); !synced)
      throw storage_failure{synced.error()};
  }

  void close() {
    const int code = sqlite3_backup_finish(std::exchange(backup_, nullptr));
    if (code != SQLITE_OK)
      failed(code);
    if (const int closed = sqlite3_close(std::exchange(db_, nullptr)); closed != SQLITE_OK)
      failed(closed);
    sync();
  }

private:
  [[noreturn]] void failed(int code) const {
    const bool full = (code & 0xff) == SQLITE_FULL;
    fail(full ? ec::disk_full : ec::io_failed, path_ + ": copying failed: " + sqlite3_errstr(code) + " (SQLite code " +
                                                   std::to_string(code) + ")" + (full ? "; make space on that file system" : ""));
  }

  std::string path_;
  std::unique_ptr<disk_file> file_;
  sqlite3* db_ = nullptr;
  sqlite3_backup* backup_ = nullptr;
};

/// As the next log entry.
void append_event(disk& d, const std::string& directory, std::uint32_t shard, const domain::event& event) {
  auto store = open_shard_store(d, directory, shard);
  if (!store)
    throw storage_failure{std::move(store.error())};
  domain::command command;
  command.type = domain::command_type::record;
  command.subject_hash = domain::subject_hash(event.entity, "");
  command.event = domain::encode(event);
  messages::log_entry entry;
  entry.index = (*store)->applied().index + 1;
  entry.term = (*store)->applied().term;
  entry.data = std::make_shared<const std::string>(domain::encode_batch({std::move(command)}));
  if (auto applied = (*store)->apply({std::move(entry)}); !applied)
    throw storage_failure{std::move(applied.error())};
}

} // namespace

storage_result<copied_store> copy_store(disk& d, const std::string& directory, std::uint32_t shard, const std::string& to,
                                        const copy_pace& pace) {
  return guarded([&] {
    connection from{d, shard_path(directory, shard), access_mode::read, shard_format, shard_schema, "NORMAL", copy_cache_kib};
    from.run("BEGIN");
    const auto state = read_state(from, shard); // from here on it is one moment
    check_head(from, state);
    target copy{d, to};
    copy.begin(from);
    constexpr auto pages = static_cast<int>(defaults::backup_piece_bytes / page_bytes);
    std::uint64_t not_synced = 0;
    while (copy.step(pages)) {
      not_synced += defaults::backup_piece_bytes;
      if (not_synced >= defaults::backup_sync_bytes) {
        copy.sync();
        not_synced = 0;
      }
      if (auto allowed = pace(defaults::backup_piece_bytes); !allowed)
        throw storage_failure{allowed.error()};
    }
    auto out = describe(state);
    out.bytes = copy.pages() * page_bytes;
    from.rollback();
    copy.close();
    return out;
  });
}

storage_result<copied_store> look_at_store(disk& d, const std::string& directory, std::uint32_t shard) {
  return guarded([&] {
    connection c{d, shard_path(directory, shard), access_mode::read, shard_format, shard_schema, "NORMAL", copy_cache_kib};
    const auto state = read_state(c, shard);
    check_head(c, state);
    return describe(state);
  });
}

storage_result<messages::snapshot_point> adopt_store(disk& d, const std::string& directory, std::uint32_t shard,
                                                     const std::string& configuration,
                                                     const std::optional<domain::event>& event) {
  return guarded([&] {
    if (event)
      append_event(d, directory, shard, *event);
    connection c{d, shard_path(directory, shard), access_mode::write, shard_format, shard_schema, "FULL", copy_cache_kib};
    auto state = read_state(c, shard);
    if (state.applied.index == 0)
      fail(ec::damaged, c.path() + ": has applied no entry");
    state.applied.configuration = configuration;
    state.applied.configuration_index = state.applied.index;
    {
      prepared begin{c, "BEGIN IMMEDIATE"}, commit{c, "COMMIT"}, replace{c, replace_state};
      transaction t{c, begin, commit};
      bind(replace, state);
      replace.run();
      t.commit();
    }
    if (!c.checkpoint().complete)
      fail(ec::in_use, c.path() + ": another process reads it");
    const auto& a = state.applied;
    return messages::snapshot_point{a.index, a.term, a.configuration, a.configuration_index};
  });
}

} // namespace epione::runtime
