#include "runtime/storage/directory_lock.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

namespace epione::runtime {

namespace {

class flock_lock final : public directory_lock {
public:
  explicit flock_lock(int fd) : fd_(fd) {}
  flock_lock(const flock_lock&) = delete;
  flock_lock& operator=(const flock_lock&) = delete;
  ~flock_lock() override { ::close(fd_); }

private:
  int fd_;
};

std::string holder(int fd) {
  char text[32] = {};
  const auto n = ::pread(fd, text, sizeof(text) - 1, 0);
  std::string out{text, n > 0 ? static_cast<std::size_t>(n) : 0};
  out.erase(out.find_last_not_of("\n") + 1);
  return out.empty() ? "another process" : "process " + out;
}

} // namespace

storage_result<std::unique_ptr<directory_lock>> open_directory_lock(const std::string& directory) {
  const auto path = directory + "/lock";
  const auto refuse = [](ec code, std::string message) { return tl::unexpected(storage_error{code, std::move(message)}); };
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0)
    return refuse(errno == ENOSPC ? ec::disk_full : ec::io_failed, path + ": cannot be opened: " + std::strerror(errno));
  auto lock = std::make_unique<flock_lock>(fd);
  if (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK)
      return refuse(ec::io_failed, path + ": cannot be locked: " + std::strerror(errno));
    return refuse(ec::in_use, directory + ": is used by " + holder(fd) + "; stop it, or name another directory");
  }
  // Only for the message above; the lock holds without it, so a full disk does not matter here.
  const auto text = std::to_string(::getpid()) + "\n";
  if (::ftruncate(fd, 0) != 0 || ::pwrite(fd, text.data(), text.size(), 0) < 0)
    return lock;
  return lock;
}

} // namespace epione::runtime
