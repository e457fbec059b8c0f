// A simulated disk each of whose calls can fail: also those that change nothing, which the simulated disk itself never refuses.
#pragma once

#include "runtime/storage/disk.hpp"
#include "tests/simulation/simulated_disk.hpp"

#include <cstdint>
#include <memory>
#include <string>

namespace epione::storage_tests {

/// Under SQLite and beside it. Nothing that it or the disk below allocates counts as the program's.
class fault_disk final : public runtime::disk {
public:
  explicit fault_disk(simulation::simulated_disk& below);
  fault_disk(const fault_disk&) = delete;
  fault_disk& operator=(const fault_disk&) = delete;
  ~fault_disk() override;

  const char* sqlite_vfs() const override;
  bool exists(const std::string& path) override;
  std::uint64_t identity(const std::string& path) override;
  runtime::storage_result<std::unique_ptr<runtime::disk_file>> open(const std::string& path) override;
  runtime::storage_result<void> rename(const std::string& from, const std::string& to) override;
  runtime::storage_result<void> discard(const std::string& path) override;
  std::uint64_t free_bytes(const std::string& path) override;
  bool allows_threads() const override { return false; }

  /// Files that SQLite or the program has open.
  std::int64_t open_files() const { return open_files_; }

private:
  friend class fault_file;
  class vfs;
  /// A write, a sync or a truncation comes next: when it is to fail, the disk below carries that out, which knows what such a
  /// failure leaves behind.
  void before_change(bool takes_space);

  simulation::simulated_disk& below_;
  std::int64_t open_files_ = 0;
  std::unique_ptr<vfs> vfs_;
};

} // namespace epione::storage_tests
