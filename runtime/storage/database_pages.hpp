// A shard's database file as bytes, for copying it to another node.
//
// It is read through SQLite's own handle: POSIX locks belong to the process, and closing any other descriptor of the file would
// drop those that SQLite relies on.
#pragma once

#include "runtime/storage/disk.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

namespace epione::runtime {

/// Not thread-safe. What the WAL holds is not seen: it is the store as of its last checkpoint, as long as nobody makes another.
class database_pages {
public:
  virtual ~database_pages() = default;
  /// In bytes.
  virtual storage_result<std::uint64_t> size() = 0;
  /// `size` bytes from `offset` on; less only at the file's end.
  virtual storage_result<std::string> read(std::uint64_t offset, std::size_t size) = 0;
};

/// For how long, in ms, a store's file of so many bytes is left as it is for one copy: twice the time that it takes at
/// snapshot_bytes_per_s, so that not all has to go well and it may grow a little first; snapshot_hold_limit_ms at least.
std::uint32_t copy_hold_ms(std::uint64_t bytes);

/// Fails with `not_found` when the file does not exist.
storage_result<std::unique_ptr<database_pages>> open_database_pages(disk& d, const std::string& directory, std::uint32_t shard);

} // namespace epione::runtime
