#include "tests/simulation/simulated_vfs.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <new>
#include <utility>

namespace epione::simulation {

/// One open file of one connection. SQLite gives the memory; xOpen constructs and xClose destroys.
struct simulated_vfs::handle {
  sqlite3_file base; ///< first: SQLite sees only this
  simulated_vfs* vfs;
  std::string path;
  std::shared_ptr<simulated_file> file;
  std::shared_ptr<file_locks> locks;
  std::shared_ptr<shared_memory> memory;
  std::uint64_t generation;
  int level = SQLITE_LOCK_NONE;
  unsigned shared_mask = 0, exclusive_mask = 0;
  bool delete_on_close = false;

  bool dead() const { return generation != vfs->disk_.generation_; }
};

struct simulated_vfs::calls {
  static handle& of(sqlite3_file* f) { return *reinterpret_cast<handle*>(f); }
  static simulated_vfs& self(sqlite3_vfs* v) { return *static_cast<simulated_vfs*>(v->pAppData); }

  /// SQLite asks for errno when it reports an error.
  static int result(handle& h, int error, int code) {
    if (error == 0)
      return SQLITE_OK;
    h.vfs->last_error_ = error;
    return error == ENOSPC ? SQLITE_FULL : code;
  }

  // ---- file

  static int close(sqlite3_file* f) {
    auto& h = of(f);
    unlock(f, SQLITE_LOCK_NONE);
    shm_unmap(f, 0);
    if (h.delete_on_close && !h.dead())
      h.vfs->disk_.unlink(h.path, false);
    h.~handle();
    return SQLITE_OK;
  }

  static int read(sqlite3_file* f, void* to, int amount, sqlite3_int64 offset) {
    auto& h = of(f);
    if (h.dead() || h.vfs->disk_.read_fails())
      return result(h, EIO, SQLITE_IOERR_READ);
    const auto& bytes = h.file->bytes();
    const auto want = static_cast<std::size_t>(amount);
    const auto at = std::min(static_cast<std::size_t>(offset), bytes.size());
    const auto have = std::min(want, bytes.size() - at);
    std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(at), have, static_cast<unsigned char*>(to)); // of an empty file: none
    if (have == want)
      return SQLITE_OK;
    std::memset(static_cast<char*>(to) + have, 0, want - have);
    return SQLITE_IOERR_SHORT_READ;
  }

  static int write(sqlite3_file* f, const void* from, int amount, sqlite3_int64 offset) {
    auto& h = of(f);
    const std::span bytes{static_cast<const std::uint8_t*>(from), static_cast<std::size_t>(amount)};
    return result(h, h.dead() ? EIO : h.vfs->disk_.write(*h.file, static_cast<std::uint64_t>(offset), bytes), SQLITE_IOERR_WRITE);
  }

  static int truncate(sqlite3_file* f, sqlite3_int64 size) {
    auto& h = of(f);
    return result(h, h.dead() ? EIO : h.vfs->disk_.truncate(*h.file, static_cast<std::uint64_t>(size)), SQLITE_IOERR_TRUNCATE);
  }

  static int sync(sqlite3_file* f, int) {
    auto& h = of(f);
    return result(h, h.dead() ? EIO : h.vfs->disk_.sync(*h.file), SQLITE_IOERR_FSYNC);
  }

  static int file_size(sqlite3_file* f, sqlite3_int64* size) {
    auto& h = of(f);
    if (h.dead())
      return result(h, EIO, SQLITE_IOERR_FSTAT);
    *size = static_cast<sqlite3_int64>(h.file->bytes().size());
    return SQLITE_OK;
  }

  static int lock(sqlite3_file* f, int level) {
    auto& h = of(f);
    if (h.dead())
      return result(h, EIO, SQLITE_IOERR_LOCK);
    auto& l = *h.locks;
    if (level <= h.level)
      return SQLITE_OK;
    if (level == SQLITE_LOCK_SHARED) {
      if (l.pending != nullptr)
        return SQLITE_BUSY;
      ++l.shared;
      h.level = level;
      return SQLITE_OK;
    }
    if (l.reserved != nullptr && l.reserved != f)
      return SQLITE_BUSY;
    if (level == SQLITE_LOCK_RESERVED) {
      l.reserved = f;
      h.level = level;
      return SQLITE_OK;
    }
    if (l.pending != nullptr && l.pending != f)
      return SQLITE_BUSY;
    l.pending = f;
    h.level = SQLITE_LOCK_PENDING;
    if (l.shared > 1)
      return SQLITE_BUSY;
    h.level = SQLITE_LOCK_EXCLUSIVE;
    return SQLITE_OK;
  }

  static int unlock(sqlite3_file* f, int level) {
    auto& h = of(f);
    if (h.level <= level)
      return SQLITE_OK;
    auto& l = *h.locks;
    if (l.pending == f)
      l.pending = nullptr;
    if (l.reserved == f)
      l.reserved = nullptr;
    if (level == SQLITE_LOCK_NONE)
      --l.shared;
    h.level = level;
    return SQLITE_OK;
  }

  static int check_reserved_lock(sqlite3_file* f, int* out) {
    *out = of(f).locks->reserved != nullptr ? 1 : 0;
    return SQLITE_OK;
  }

  static int file_control(sqlite3_file*, int, void*) { return SQLITE_NOTFOUND; }
  static int sector_size(sqlite3_file*) { return 4096; } // as SQLite says of every disk under Linux
  static int device_characteristics(sqlite3_file*) { return SQLITE_IOCAP_POWERSAFE_OVERWRITE; }

  // ---- shared memory

  static int shm_map(sqlite3_file* f, int region, int size, int extend, void volatile** out) {
    auto& h = of(f);
    *out = nullptr;
    if (h.dead())
      return result(h, EIO, SQLITE_IOERR_SHMMAP);
    if (h.memory == nullptr) {
      auto& shared = h.vfs->disk_.shared_[h.path];
      if (shared == nullptr)
        shared = std::make_shared<shared_memory>();
      h.memory = shared;
      ++h.memory->users;
    }
    auto& regions = h.memory->regions;
    while (regions.size() <= static_cast<std::size_t>(region)) {
      if (extend == 0)
        return SQLITE_OK;
      regions.push_back(std::make_unique<std::vector<std::uint64_t>>(static_cast<std::size_t>(size) / 8));
    }
    *out = regions[static_cast<std::size_t>(region)]->data();
    return SQLITE_OK;
  }

  static int shm_lock(sqlite3_file* f, int offset, int n, int flags) {
    auto& h = of(f);
    const auto mask = ((1u << n) - 1) << offset;
    if ((flags & SQLITE_SHM_UNLOCK) != 0) {
      release(h, mask);
      return SQLITE_OK;
    }
    if (h.dead() || h.memory == nullptr)
      return result(h, EIO, SQLITE_IOERR_SHMLOCK);
    auto& m = *h.memory;
    const bool exclusive = (flags & SQLITE_SHM_EXCLUSIVE) != 0;
    for (int i = offset; i < offset + n; ++i) {
      const auto at = static_cast<std::size_t>(i);
      const bool mine = (h.shared_mask & 1u << i) != 0;
      if ((m.exclusive[at] != nullptr && m.exclusive[at] != f) || (exclusive && m.shared[at] > (mine ? 1 : 0)))
        return SQLITE_BUSY;
    }
    for (int i = offset; i < offset + n; ++i) {
      const auto at = static_cast<std::size_t>(i);
      if (exclusive)
        m.exclusive[at] = f;
      else if ((h.shared_mask & 1u << i) == 0)
        ++m.shared[at];
    }
    (exclusive ? h.exclusive_mask : h.shared_mask) |= mask;
    return SQLITE_OK;
  }

  static void release(handle& h, unsigned mask) {
    if (h.memory == nullptr)
      return;
    for (int i = 0; i < shared_memory::slots; ++i) {
      const auto at = static_cast<std::size_t>(i);
      if ((mask & h.shared_mask & 1u << i) != 0)
        --h.memory->shared[at];
      if ((mask & h.exclusive_mask & 1u << i) != 0)
        h.memory->exclusive[at] = nullptr;
    }
    h.shared_mask &= ~mask;
    h.exclusive_mask &= ~mask;
  }

  static void shm_barrier(sqlite3_file*) {}

  static int shm_unmap(sqlite3_file* f, int) {
    auto& h = of(f);
    if (h.memory == nullptr)
      return SQLITE_OK;
    release(h, ~0u);
    // The kernel frees it with its last user; the next one rebuilds it from the WAL.
    const auto current = h.vfs->disk_.shared_.find(h.path);
    if (--h.memory->users == 0 && current != h.vfs->disk_.shared_.end() && current->second == h.memory)
      h.vfs->disk_.shared_.erase(current);
    h.memory.reset();
    return SQLITE_OK;
  }

  // ---- file system

  static int open(sqlite3_vfs* v, const char* name, sqlite3_file* f, int flags, int* out_flags) {
    static const sqlite3_io_methods methods = {2,
                                               close,
                                               read,
                                               write,
                                               truncate,
                                               sync,
                                               file_size,
                                               lock,
                                               unlock,
                                               check_reserved_lock,
                                               file_control,
                                               sector_size,
                                               device_characteristics,
                                               shm_map,
                                               shm_lock,
                                               shm_barrier,
                                               shm_unmap,
                                               nullptr,
                                               nullptr};
    auto& s = self(v);
    f->pMethods = nullptr;
    std::string path = name == nullptr ? "" : name;
    auto file = path.empty() ? std::make_shared<simulated_file>() : s.disk_.find(path);
    if (file == nullptr) {
      if ((flags & SQLITE_OPEN_CREATE) == 0) {
        s.last_error_ = ENOENT;
        return SQLITE_CANTOPEN;
      }
      file = s.disk_.create(path);
    }
    auto& locks = s.locks_[path];
    if (locks == nullptr || path.empty())
      locks = std::make_shared<file_locks>();
    new (f) handle{{&methods}, &s, std::move(path), std::move(file), locks, nullptr, s.disk_.generation_};
    of(f).delete_on_close = (flags & SQLITE_OPEN_DELETEONCLOSE) != 0;
    if (out_flags != nullptr)
      *out_flags = flags;
    return SQLITE_OK;
  }

  static int remove(sqlite3_vfs* v, const char* name, int sync_directory) {
    auto& s = self(v);
    if (s.disk_.find(name) == nullptr)
      return SQLITE_IOERR_DELETE_NOENT;
    s.disk_.unlink(name, sync_directory != 0);
    return SQLITE_OK;
  }

  static int access(sqlite3_vfs* v, const char* name, int, int* out) {
    *out = self(v).disk_.find(name) != nullptr ? 1 : 0;
    return SQLITE_OK;
  }

  static int full_pathname(sqlite3_vfs*, const char* name, int size, char* out) {
    sqlite3_snprintf(size, out, "%s", name);
    return SQLITE_OK;
  }

  static int randomness(sqlite3_vfs* v, int size, char* out) {
    for (int i = 0; i < size; ++i)
      out[i] = static_cast<char>(self(v).disk_.random_());
    return size;
  }

  static int sleep(sqlite3_vfs* v, int microseconds) {
    if (const auto& f = self(v).disk_.on_sleep_)
      f(microseconds);
    return microseconds;
  }

  static int current_time_ms(sqlite3_vfs* v, sqlite3_int64* out) {
    constexpr sqlite3_int64 unix_epoch_in_julian_ms = 210'866'760'000'000;
    *out = unix_epoch_in_julian_ms + self(v).disk_.clock_.wall_us() / 1000;
    return SQLITE_OK;
  }

  static int current_time(sqlite3_vfs* v, double* out) {
    sqlite3_int64 ms = 0;
    current_time_ms(v, &ms);
    *out = static_cast<double>(ms) / 86'400'000.0;
    return SQLITE_OK;
  }

  static int last_error(sqlite3_vfs* v, int, char*) { return self(v).last_error_; }
};

simulated_vfs::simulated_vfs(simulated_disk& disk) : disk_(disk) {
  // The address is unique among living disks, and never shows in anything that is compared.
  name_ = "epione-simulation-" + std::to_string(reinterpret_cast<std::uintptr_t>(this));
  vfs_.iVersion = 2;
  vfs_.szOsFile = sizeof(handle);
  vfs_.mxPathname = 512;
  vfs_.zName = name_.c_str();
  vfs_.pAppData = this;
  vfs_.xOpen = calls::open;
  vfs_.xDelete = calls::remove;
  vfs_.xAccess = calls::access;
  vfs_.xFullPathname = calls::full_pathname;
  vfs_.xRandomness = calls::randomness;
  vfs_.xSleep = calls::sleep;
  vfs_.xCurrentTime = calls::current_time;
  vfs_.xGetLastError = calls::last_error;
  vfs_.xCurrentTimeInt64 = calls::current_time_ms;
  sqlite3_vfs_register(&vfs_, 0);
}

simulated_vfs::~simulated_vfs() {
  sqlite3_vfs_unregister(&vfs_);
}

} // namespace epione::simulation
