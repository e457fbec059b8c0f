// The disk as one process sees it: after the process's end nothing is opened any more. What is left of its actors while they are
// drained must not touch what the next process will find.
#pragma once

#include "runtime/storage/disk.hpp"

#include <memory>
#include <string>

namespace epione::simulation {

class process_disk final : public runtime::disk {
public:
  explicit process_disk(runtime::disk& below) : below_(below) {}
  void end() { ended_ = true; }
  void begin() { ended_ = false; }

  const char* sqlite_vfs() const override { return ended_ ? "no-such-vfs" : below_.sqlite_vfs(); }
  bool exists(const std::string& path) override { return !ended_ && below_.exists(path); }
  std::uint64_t identity(const std::string& path) override { return ended_ ? 0 : below_.identity(path); }
  runtime::storage_result<std::unique_ptr<runtime::disk_file>> open(const std::string& path) override {
    if (ended_)
      return tl::unexpected(runtime::storage_error{ec::io_failed, path + ": the process has ended"});
    return below_.open(path);
  }
  runtime::storage_result<void> rename(const std::string& from, const std::string& to) override {
    if (ended_)
      return tl::unexpected(runtime::storage_error{ec::io_failed, from + ": the process has ended"});
    return below_.rename(from, to);
  }
  runtime::storage_result<void> discard(const std::string& path) override {
    if (ended_)
      return tl::unexpected(runtime::storage_error{ec::io_failed, path + ": the process has ended"});
    return below_.discard(path);
  }
  std::uint64_t free_bytes(const std::string& path) override { return below_.free_bytes(path); }
  bool allows_threads() const override { return below_.allows_threads(); }

private:
  runtime::disk& below_;
  bool ended_ = false;
};

} // namespace epione::simulation
