// A disk in memory that loses what was not synced. It stands under SQLite (as a VFS of its own) and beside it, everything in one
// thread and from one seed, so that a crash at any moment can be tried and repeats exactly.
//
// What it promises is what a decent disk does: a write changes nothing outside its range; after a sync the file's content, its
// size and its name survive. What it does not: between syncs, 512-byte sectors reach the disk or not, in any order.
#pragma once

#include "runtime/clock.hpp"
#include "runtime/storage/disk.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <span>
#include <string>
#include <vector>

struct sqlite3_vfs;

namespace epione::simulation {

/// A file's content as programs see it and as the disk holds it.
class simulated_file {
public:
  static constexpr std::size_t sector_bytes = 512;

  const std::vector<std::uint8_t>& bytes() const { return now_; }
  void write(std::uint64_t offset, std::span<const std::uint8_t> bytes);
  void truncate(std::uint64_t size);
  void sync();
  /// What was written since the last sync may never reach the disk, although it can still be read and a later sync succeeds.
  void fail_sync(std::mt19937_64& random);
  void crash(std::mt19937_64& random);
  /// What is read there is what the disk holds.
  bool is_synced(std::uint64_t offset) const;
  /// Damage behind everybody's back: in what is read and in what is on the disk.
  void flip(std::uint64_t offset, unsigned bit);
  void cut_off(std::uint64_t size);

  bool name_durable = false;
  std::uint64_t number = 0; ///< of all files there were

private:
  struct change {
    bool truncation;
    std::uint64_t at; ///< offset, or the new size
    std::vector<std::uint8_t> bytes;
  };
  static void apply(std::vector<std::uint8_t>& to, const change& c);
  std::vector<std::uint8_t> now_, durable_;
  std::vector<change> unsynced_;
};

enum class fault {
  io_error,   ///< EIO: of a write a part may be written, of a sync nothing is known
  no_space,   ///< ENOSPC (a sync fails with io_error instead)
  power_loss, ///< the operation does not happen, and nothing after it: as cut()
};

struct shared_memory;
class simulated_vfs;

class simulated_disk final : public runtime::disk {
public:
  /// Also seeds SQLite's own generator, which is one for the whole process: several disks are to be made, and to end, together.
  simulated_disk(std::uint64_t seed, runtime::clock& clock);
  simulated_disk(const simulated_disk&) = delete;
  simulated_disk& operator=(const simulated_disk&) = delete;
  ~simulated_disk() override;

  // ---- runtime::disk
  const char* sqlite_vfs() const override;
  bool exists(const std::string& path) override;
  std::uint64_t identity(const std::string& path) override;
  runtime::storage_result<std::unique_ptr<runtime::disk_file>> open(const std::string& path) override;
  runtime::storage_result<void> rename(const std::string& from, const std::string& to) override;
  runtime::storage_result<void> discard(const std::string& path) override;
  std::uint64_t free_bytes(const std::string& path) override;
  bool allows_threads() const override { return false; }

  // ---- what may happen to it
  /// Everything open fails from now on, and nothing more gets to the disk: the process is gone. Open files again afterwards.
  void cut();
  /// Power loss: cut(), and of what was not synced any part is lost.
  void crash();
  /// The process is killed, the machine goes on: cut(), and nothing is lost.
  void kill() { cut(); }
  /// Bytes that all files together may have; nothing: no limit.
  void set_capacity(std::optional<std::uint64_t> bytes) { capacity_ = bytes; }
  /// The `nth` write, sync or truncation from now (1: the next) fails so, once.
  void fail_at(std::uint64_t nth, fault how);
  /// The `nth` read from now (1: the next; 0: none) fails with EIO, once.
  void fail_read_at(std::uint64_t nth) { fail_read_in_ = nth; }
  std::uint64_t read_fails_in() const { return fail_read_in_; }
  void no_faults() { fail_in_ = fail_read_in_ = 0; }
  bool fault_due() const { return fail_in_ != 0 || fail_read_in_ != 0; }
  /// When a fault was last carried out, by the disk's clock; -1: never.
  std::int64_t failed_ns() const { return failed_ns_; }
  /// Writes, syncs and truncations so far.
  std::uint64_t operations() const { return operations_; }
  std::uint64_t syncs() const { return syncs_; }
  void on_sleep(std::function<void(std::int64_t microseconds)> f) { on_sleep_ = std::move(f); }

  // ---- looking and damaging
  std::vector<std::string> files() const;
  std::uint64_t size(const std::string& path) const;
  const std::vector<std::uint8_t>& bytes(const std::string& path) const;
  /// Whether this byte is there, and was not written since its last sync.
  bool is_synced(const std::string& path, std::uint64_t offset) const;
  void flip_bit(const std::string& path, std::uint64_t offset, unsigned bit = 0);
  void truncate(const std::string& path, std::uint64_t size);
  void remove(const std::string& path);
  /// Another disk is put in its place, an empty one.
  void wipe();
  /// Of all names and contents: two runs of one seed must agree.
  std::uint64_t digest() const;

private:
  friend class simulated_vfs;
  friend class simulated_disk_file;
  using file_ptr = std::shared_ptr<simulated_file>;

  file_ptr find(const std::string& path) const;
  file_ptr create(const std::string& path);
  void unlink(const std::string& path, bool durable);
  void let_go(const std::string& path);
  std::uint64_t used() const;
  /// 0 or an errno. Counts the operation and carries out a fault that is due.
  int write(simulated_file& f, std::uint64_t offset, std::span<const std::uint8_t> bytes);
  int truncate(simulated_file& f, std::uint64_t size);
  int sync(simulated_file& f);
  std::optional<fault> due();
  bool read_fails();

  std::mt19937_64 random_;
  runtime::clock& clock_;
  std::map<std::string, file_ptr> files_;
  std::uint64_t files_made_ = 0;
  std::vector<std::pair<std::string, file_ptr>> unlinked_; ///< names that a crash may bring back
  std::map<std::string, std::shared_ptr<shared_memory>> shared_;
  std::uint64_t generation_ = 1; ///< a handle of an older one is dead
  std::optional<std::uint64_t> capacity_;
  std::uint64_t fail_in_ = 0, fail_read_in_ = 0, operations_ = 0, syncs_ = 0;
  std::int64_t failed_ns_ = -1;
  fault how_ = fault::io_error;
  std::function<void(std::int64_t)> on_sleep_;
  std::unique_ptr<simulated_vfs> vfs_;
};

} // namespace epione::simulation
