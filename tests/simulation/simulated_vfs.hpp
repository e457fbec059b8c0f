// The simulated disk as SQLite sees it.
#pragma once

#include "tests/simulation/simulated_disk.hpp"

#include <array>
#include <memory>
#include <sqlite3.h>
#include <string>
#include <vector>

namespace epione::simulation {

/// The WAL-index of one database: never on the disk, gone with the process.
struct shared_memory {
  static constexpr int slots = SQLITE_SHM_NLOCK;
  std::vector<std::unique_ptr<std::vector<std::uint64_t>>> regions;
  std::array<int, slots> shared{};            ///< how many hold it
  std::array<const void*, slots> exclusive{}; ///< who holds it
  int users = 0;
};

/// Database locks of one file among the connections of the one process.
struct file_locks {
  int shared = 0;
  const void* reserved = nullptr;
  const void* pending = nullptr;
};

class simulated_vfs {
public:
  explicit simulated_vfs(simulated_disk& disk);
  simulated_vfs(const simulated_vfs&) = delete;
  simulated_vfs& operator=(const simulated_vfs&) = delete;
  ~simulated_vfs();

  const char* name() const { return name_.c_str(); }
  void forget_locks() { locks_.clear(); }
  /// Who has it open keeps them.
  void forget_locks_of(const std::string& path) { locks_.erase(path); }

private:
  struct handle;
  struct calls;
  simulated_disk& disk_;
  std::string name_;
  sqlite3_vfs vfs_{};
  std::map<std::string, std::shared_ptr<file_locks>> locks_;
  int last_error_ = 0;
};

} // namespace epione::simulation
