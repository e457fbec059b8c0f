// The disk, passed in: production gives the file system, the simulator one of its own under SQLite and beside it.
#pragma once

#include "runtime/storage/storage_error.hpp"

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace epione::runtime {

/// A file beside the databases: a small one that is overwritten in place, or a copy of a database on its way.
class disk_file {
public:
  virtual ~disk_file() = default;
  virtual storage_result<std::vector<std::uint8_t>> read_all() = 0;
  virtual storage_result<void> write_at(std::uint64_t offset, std::span<const std::uint8_t> bytes) = 0;
  /// Returns only when everything written is durable (fdatasync).
  virtual storage_result<void> sync() = 0;
};

class disk {
public:
  virtual ~disk() = default;
  /// Name of the SQLite VFS that all databases are opened with; null for SQLite's default.
  virtual const char* sqlite_vfs() const = 0;
  virtual bool exists(const std::string& path) = 0;
  /// Tells files apart that had the same name one after the other; 0: there is no such file, or nobody can tell.
  virtual std::uint64_t identity(const std::string& path) {
    static_cast<void>(path);
    return 0;
  }
  /// Opens or creates; a created file's directory entry is durable before this returns.
  virtual storage_result<std::unique_ptr<disk_file>> open(const std::string& path) = 0;
  /// Gives a file another name, durably. Replaces nothing: the caller has made sure that `to` is free.
  virtual storage_result<void> rename(const std::string& from, const std::string& to) = 0;
  /// Removes a file, durably. One that is not there is no error.
  virtual storage_result<void> discard(const std::string& path) = 0;
  /// Bytes an ordinary process can still write to the file system that holds `path`.
  virtual std::uint64_t free_bytes(const std::string& path) = 0;
  /// False under the simulator, where everything happens in one thread.
  virtual bool allows_threads() const { return true; }
};

std::unique_ptr<disk> make_system_disk();

} // namespace epione::runtime
