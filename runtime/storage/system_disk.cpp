// The machine's file system.
#include "runtime/storage/disk.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>
#include <utility>

namespace epione::runtime {

namespace {

std::string sentence(const std::string& path, const char* doing, int error) {
  std::string out = path;
  out += ": ";
  out += doing;
  out += " failed: ";
  out += std::strerror(error);
  return out;
}

storage_error system_error(const std::string& path, const char* doing, int error) {
  const bool full = error == ENOSPC || error == EDQUOT;
  return {full ? ec::disk_full : ec::io_failed, sentence(path, doing, error)};
}

/// Whatever the reason: what is on disk after a failed sync is unknown.
storage_error sync_error(const std::string& path, int error) {
  return {ec::io_failed, sentence(path, "a sync", error)};
}

class descriptor {
public:
  explicit descriptor(int fd) : fd_(fd) {}
  descriptor(descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  descriptor(const descriptor&) = delete;
  descriptor& operator=(const descriptor&) = delete;
  ~descriptor() {
    if (fd_ >= 0)
      ::close(fd_);
  }
  int get() const { return fd_; }

private:
  int fd_;
};

class system_file final : public disk_file {
public:
  system_file(std::string path, descriptor fd) : path_(std::move(path)), fd_(std::move(fd)) {}

  storage_result<std::vector<std::uint8_t>> read_all() override {
    struct stat st{};
    if (::fstat(fd_.get(), &st) != 0)
      return tl::unexpected(system_error(path_, "reading its size", errno));
    std::vector<std::uint8_t> out(static_cast<std::size_t>(st.st_size));
    std::size_t done = 0;
    while (done < out.size()) {
      const auto n = ::pread(fd_.get(), out.data() + done, out.size() - done, static_cast<off_t>(done));
      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0)
        return tl::unexpected(system_error(path_, "reading", errno));
      if (n == 0)
        break;
      done += static_cast<std::size_t>(n);
    }
    out.resize(done);
    return out;
  }

  storage_result<void> write_at(std::uint64_t offset, std::span<const std::uint8_t> bytes) override {
    while (!bytes.empty()) {
      const auto n = ::pwrite(fd_.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0)
        return tl::unexpected(system_error(path_, "writing", errno));
      bytes = bytes.subspan(static_cast<std::size_t>(n));
      offset += static_cast<std::uint64_t>(n);
    }
    return {};
  }

  storage_result<void> sync() override {
    if (::fdatasync(fd_.get()) != 0)
      return tl::unexpected(sync_error(path_, errno));
    return {};
  }

private:
  std::string path_;
  descriptor fd_;
};

storage_result<void> sync_directory_of(const std::string& path) {
  const auto parent = std::filesystem::path{path}.parent_path();
  const auto directory = parent.empty() ? std::string{"."} : parent.string();
  const descriptor fd{::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (fd.get() < 0)
    return tl::unexpected(system_error(directory, "opening", errno));
  if (::fsync(fd.get()) != 0)
    return tl::unexpected(sync_error(directory, errno));
  return {};
}

class system_disk final : public disk {
public:
  const char* sqlite_vfs() const override { return nullptr; }

  bool exists(const std::string& path) override { return ::access(path.c_str(), F_OK) == 0; }

  std::uint64_t identity(const std::string& path) override {
    struct stat file{};
    if (::stat(path.c_str(), &file) != 0)
      return 0;
    return (std::uint64_t{file.st_dev} * 0x9E3779B97F4A7C15u) ^ std::uint64_t{file.st_ino};
  }

  storage_result<std::unique_ptr<disk_file>> open(const std::string& path) override {
    descriptor fd{::open(path.c_str(), O_RDWR | O_CLOEXEC)};
    if (fd.get() < 0 && errno == ENOENT) {
      descriptor created{::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)};
      if (created.get() < 0)
        return tl::unexpected(system_error(path, "creating", errno));
      if (auto synced = sync_directory_of(path); !synced)
        return tl::unexpected(synced.error());
      return std::make_unique<system_file>(path, std::move(created));
    }
    if (fd.get() < 0)
      return tl::unexpected(system_error(path, "opening", errno));
    return std::make_unique<system_file>(path, std::move(fd));
  }

  storage_result<void> rename(const std::string& from, const std::string& to) override {
    if (::rename(from.c_str(), to.c_str()) != 0)
      return tl::unexpected(system_error(from, "renaming", errno));
    return sync_directory_of(to);
  }

  storage_result<void> discard(const std::string& path) override {
    if (::unlink(path.c_str()) != 0) {
      if (errno == ENOENT)
        return {};
      return tl::unexpected(system_error(path, "removing", errno));
    }
    return sync_directory_of(path);
  }

  std::uint64_t free_bytes(const std::string& path) override {
    struct statvfs st{};
    if (::statvfs(path.c_str(), &st) != 0)
      return 0;
    return static_cast<std::uint64_t>(st.f_bavail) * st.f_frsize;
  }
};

} // namespace

std::unique_ptr<disk> make_system_disk() {
  return std::make_unique<system_disk>();
}

} // namespace epione::runtime
