#include "actors/set_aside.hpp"

#include <fcntl.h>
#include <filesystem>
#include <system_error>
#include <unistd.h>

namespace epione::actors {

namespace fs = std::filesystem;

tl::expected<std::string, std::string> set_aside(const std::string& path) {
  std::error_code failed;
  std::string target;
  for (unsigned n = 1; target.empty(); ++n) {
    auto candidate = path + ".damaged-" + std::to_string(n);
    if (!fs::exists(candidate, failed))
      target = std::move(candidate);
  }
  // The log files go first: a new database beside an old -wal would take its rows over.
  for (const char* suffix : {"-wal", "-shm", ""}) {
    if (!fs::exists(path + suffix, failed))
      continue;
    fs::rename(path + suffix, target + suffix, failed);
    if (failed)
      return tl::unexpected("cannot rename " + path + suffix + ": " + failed.message());
  }
  const auto directory = fs::path{path}.parent_path().string();
  const int handle = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const bool synced = handle >= 0 && ::fsync(handle) == 0;
  if (handle >= 0)
    ::close(handle);
  if (!synced)
    return tl::unexpected("cannot sync " + directory);
  return target;
}

} // namespace epione::actors
