#include "tests/unit/runtime_storage/fault_disk.hpp"

#include "tests/unit/runtime_storage/faults.hpp"

#include <cerrno>
#include <sqlite3.h>
#include <utility>

namespace epione::storage_tests {

namespace {

runtime::storage_error refused(ec code, const std::string& path, const char* what) {
  return {code, path + ": " + what + " failed"};
}

} // namespace

// ---- beside SQLite -----------------------------------------------------------------------------------------------------

class fault_file final : public runtime::disk_file {
public:
  fault_file(fault_disk& d, std::string path, std::unique_ptr<runtime::disk_file> below)
      : disk_(d), path_(std::move(path)), below_(std::move(below)) {
    ++disk_.open_files_;
  }
  ~fault_file() override { --disk_.open_files_; }

  runtime::storage_result<std::vector<std::uint8_t>> read_all() override {
    const bool fails = fails_now(resource::disk);
    return untested([&]() -> runtime::storage_result<std::vector<std::uint8_t>> {
      if (fails)
        return tl::unexpected(refused(ec::io_failed, path_, "reading"));
      return below_->read_all();
    });
  }
  runtime::storage_result<void> write_at(std::uint64_t offset, std::span<const std::uint8_t> bytes) override {
    disk_.before_change(true);
    return untested([&] { return below_->write_at(offset, bytes); });
  }
  runtime::storage_result<void> sync() override {
    disk_.before_change(false);
    return untested([&] { return below_->sync(); });
  }

private:
  fault_disk& disk_;
  std::string path_;
  std::unique_ptr<runtime::disk_file> below_;
};

// ---- under SQLite ------------------------------------------------------------------------------------------------------

/// Stands before the VFS of the disk below. Its files are theirs with a few words in front.
class fault_disk::vfs {
public:
  explicit vfs(fault_disk& d) : disk_(d), below_(sqlite3_vfs_find(d.below_.sqlite_vfs())) {
    name_ = std::string{"fault-"} + below_->zName;
    vfs_.iVersion = 2;
    vfs_.szOsFile = static_cast<int>(sizeof(file)) + below_->szOsFile;
    vfs_.mxPathname = below_->mxPathname;
    vfs_.zName = name_.c_str();
    vfs_.pAppData = this;
    vfs_.xOpen = open;
    vfs_.xDelete = remove;
    vfs_.xAccess = access;
    vfs_.xFullPathname = [](sqlite3_vfs* v, const char* name, int size, char* out) {
      return self(v).below_->xFullPathname(self(v).below_, name, size, out);
    };
    vfs_.xRandomness = [](sqlite3_vfs* v, int size, char* out) { return self(v).below_->xRandomness(self(v).below_, size, out); };
    vfs_.xSleep = [](sqlite3_vfs* v, int us) { return self(v).below_->xSleep(self(v).below_, us); };
    vfs_.xCurrentTime = [](sqlite3_vfs* v, double* out) { return self(v).below_->xCurrentTime(self(v).below_, out); };
    vfs_.xCurrentTimeInt64 = [](sqlite3_vfs* v, sqlite3_int64* out) {
      return self(v).below_->xCurrentTimeInt64(self(v).below_, out);
    };
    vfs_.xGetLastError = last_error;
    sqlite3_vfs_register(&vfs_, 0);
  }
  vfs(const vfs&) = delete;
  vfs& operator=(const vfs&) = delete;
  ~vfs() { sqlite3_vfs_unregister(&vfs_); }

  const char* name() const { return name_.c_str(); }

private:
  struct file {
    sqlite3_file base; ///< first: SQLite sees only this
    vfs* owner;
  };

  static vfs& self(sqlite3_vfs* v) { return *static_cast<vfs*>(v->pAppData); }
  static vfs& self(sqlite3_file* f) { return *reinterpret_cast<file*>(f)->owner; }
  static sqlite3_file* below(sqlite3_file* f) { return reinterpret_cast<sqlite3_file*>(reinterpret_cast<file*>(f) + 1); }

  int fail(int code, int system_error) {
    errno = last_error_ = system_error;
    return code;
  }

  /// A call that changes nothing on the disk.
  template <class F>
  static int passed_on(sqlite3_file* f, int code, F&& call) {
    if (fails_now(resource::disk))
      return self(f).fail(code, EIO);
    return untested([&] { return call(below(f)); });
  }

  static int open(sqlite3_vfs* v, const char* name, sqlite3_file* f, int flags, int* out_flags) {
    auto& s = self(v);
    f->pMethods = nullptr;
    if (fails_now(resource::disk))
      return s.fail(SQLITE_CANTOPEN, EIO);
    if ((flags & SQLITE_OPEN_CREATE) != 0 && fails_now(resource::disk_space))
      return s.fail(SQLITE_CANTOPEN, ENOSPC);
    return untested([&] {
      const int code = s.below_->xOpen(s.below_, name, below(f), flags, out_flags);
      if (code == SQLITE_OK) {
        f->pMethods = &methods;
        reinterpret_cast<file*>(f)->owner = &s;
        ++s.disk_.open_files_;
      }
      return code;
    });
  }

  /// It may fail before it is done, or when it is done but not known to last.
  static int remove(sqlite3_vfs* v, const char* name, int sync_directory) {
    auto& s = self(v);
    if (fails_now(resource::disk))
      return s.fail(SQLITE_IOERR_DELETE, EIO);
    const int code = untested([&] { return s.below_->xDelete(s.below_, name, sync_directory); });
    return code == SQLITE_OK && sync_directory != 0 && fails_now(resource::disk) ? s.fail(SQLITE_IOERR_DIR_FSYNC, EIO) : code;
  }

  static int access(sqlite3_vfs* v, const char* name, int flags, int* out) {
    auto& s = self(v);
    if (fails_now(resource::disk))
      return s.fail(SQLITE_IOERR_ACCESS, EIO);
    return untested([&] { return s.below_->xAccess(s.below_, name, flags, out); });
  }

  static int last_error(sqlite3_vfs* v, int size, char* text) {
    auto& s = self(v);
    const int ours = std::exchange(s.last_error_, 0);
    return ours != 0 ? ours : s.below_->xGetLastError(s.below_, size, text);
  }

  static int close(sqlite3_file* f) {
    --self(f).disk_.open_files_;
    return untested([&] { return below(f)->pMethods->xClose(below(f)); });
  }
  static int read(sqlite3_file* f, void* to, int amount, sqlite3_int64 offset) {
    return passed_on(f, SQLITE_IOERR_READ, [&](auto* b) { return b->pMethods->xRead(b, to, amount, offset); });
  }
  static int write(sqlite3_file* f, const void* from, int amount, sqlite3_int64 offset) {
    self(f).disk_.before_change(true);
    return untested([&] { return below(f)->pMethods->xWrite(below(f), from, amount, offset); });
  }
  static int truncate(sqlite3_file* f, sqlite3_int64 size) {
    self(f).disk_.before_change(false);
    return untested([&] { return below(f)->pMethods->xTruncate(below(f), size); });
  }
  static int sync(sqlite3_file* f, int flags) {
    self(f).disk_.before_change(false);
    return untested([&] { return below(f)->pMethods->xSync(below(f), flags); });
  }
  static int file_size(sqlite3_file* f, sqlite3_int64* size) {
    return passed_on(f, SQLITE_IOERR_FSTAT, [&](auto* b) { return b->pMethods->xFileSize(b, size); });
  }
  static int lock(sqlite3_file* f, int level) {
    return passed_on(f, SQLITE_IOERR_LOCK, [&](auto* b) { return b->pMethods->xLock(b, level); });
  }
  static int unlock(sqlite3_file* f, int level) {
    return untested([&] { return below(f)->pMethods->xUnlock(below(f), level); });
  }
  static int check_reserved_lock(sqlite3_file* f, int* out) {
    return passed_on(f, SQLITE_IOERR_CHECKRESERVEDLOCK, [&](auto* b) { return b->pMethods->xCheckReservedLock(b, out); });
  }
  static int file_control(sqlite3_file* f, int what, void* value) {
    return untested([&] { return below(f)->pMethods->xFileControl(below(f), what, value); });
  }
  static int sector_size(sqlite3_file* f) { return below(f)->pMethods->xSectorSize(below(f)); }
  static int characteristics(sqlite3_file* f) { return below(f)->pMethods->xDeviceCharacteristics(below(f)); }
  static int shm_map(sqlite3_file* f, int region, int size, int extend, void volatile** out) {
    *out = nullptr;
    return passed_on(f, SQLITE_IOERR_SHMMAP, [&](auto* b) { return b->pMethods->xShmMap(b, region, size, extend, out); });
  }
  static int shm_lock(sqlite3_file* f, int offset, int n, int flags) {
    const auto call = [&](sqlite3_file* b) { return b->pMethods->xShmLock(b, offset, n, flags); };
    if ((flags & SQLITE_SHM_UNLOCK) != 0)
      return untested([&] { return call(below(f)); });
    return passed_on(f, SQLITE_IOERR_SHMLOCK, call);
  }
  static void shm_barrier(sqlite3_file* f) { below(f)->pMethods->xShmBarrier(below(f)); }
  static int shm_unmap(sqlite3_file* f, int remove) {
    return untested([&] { return below(f)->pMethods->xShmUnmap(below(f), remove); });
  }

  static constexpr sqlite3_io_methods methods = {2,
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
                                                 characteristics,
                                                 shm_map,
                                                 shm_lock,
                                                 shm_barrier,
                                                 shm_unmap,
                                                 nullptr,
                                                 nullptr};

  fault_disk& disk_;
  sqlite3_vfs* below_;
  std::string name_;
  sqlite3_vfs vfs_{};
  int last_error_ = 0;
};

// ---- fault_disk --------------------------------------------------------------------------------------------------------

fault_disk::fault_disk(simulation::simulated_disk& below) : below_(below), vfs_(std::make_unique<vfs>(*this)) {}

fault_disk::~fault_disk() = default;

const char* fault_disk::sqlite_vfs() const {
  return vfs_->name();
}

void fault_disk::before_change(bool takes_space) {
  if (fails_now(resource::disk))
    below_.fail_at(1, simulation::fault::io_error);
  else if (takes_space && fails_now(resource::disk_space))
    below_.fail_at(1, simulation::fault::no_space);
}

bool fault_disk::exists(const std::string& path) {
  return untested([&] { return below_.exists(path); });
}

std::uint64_t fault_disk::identity(const std::string& path) {
  return untested([&] { return below_.identity(path); });
}

runtime::storage_result<std::unique_ptr<runtime::disk_file>> fault_disk::open(const std::string& path) {
  const bool is_new = !exists(path);
  const bool fails = fails_now(resource::disk), full = !fails && is_new && fails_now(resource::disk_space);
  // A new file may be there although its directory could not be synced.
  const bool fails_late = !fails && !full && is_new && fails_now(resource::disk);
  return untested([&]() -> runtime::storage_result<std::unique_ptr<runtime::disk_file>> {
    if (fails || full)
      return tl::unexpected(refused(full ? ec::disk_full : ec::io_failed, path, "opening"));
    auto opened = below_.open(path);
    if (!opened)
      return tl::unexpected(opened.error());
    if (fails_late)
      return tl::unexpected(refused(ec::io_failed, path, "a sync of its directory"));
    return std::make_unique<fault_file>(*this, path, std::move(*opened));
  });
}

runtime::storage_result<void> fault_disk::rename(const std::string& from, const std::string& to) {
  const bool fails = fails_now(resource::disk), fails_late = !fails && fails_now(resource::disk);
  return untested([&]() -> runtime::storage_result<void> {
    if (fails)
      return tl::unexpected(refused(ec::io_failed, from, "renaming"));
    auto done = below_.rename(from, to);
    if (done && fails_late)
      return tl::unexpected(refused(ec::io_failed, to, "a sync of its directory"));
    return done;
  });
}

runtime::storage_result<void> fault_disk::discard(const std::string& path) {
  const bool fails = fails_now(resource::disk), fails_late = !fails && exists(path) && fails_now(resource::disk);
  return untested([&]() -> runtime::storage_result<void> {
    if (fails)
      return tl::unexpected(refused(ec::io_failed, path, "removing"));
    auto done = below_.discard(path);
    if (done && fails_late)
      return tl::unexpected(refused(ec::io_failed, path, "a sync of its directory"));
    return done;
  });
}

std::uint64_t fault_disk::free_bytes(const std::string& path) {
  return fails_now(resource::disk) ? 0 : below_.free_bytes(path);
}

} // namespace epione::storage_tests
