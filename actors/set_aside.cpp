#include "actors/set_aside.hpp"

namespace epione::actors {

tl::expected<std::string, std::string> set_aside(runtime::disk& disk, const std::string& path) {
  std::string target;
  for (unsigned n = 1; target.empty(); ++n) {
    auto candidate = path + ".damaged-" + std::to_string(n);
    if (!disk.exists(candidate))
      target = std::move(candidate);
  }
  // The log files go first: a new database beside an old -wal would take its rows over.
  for (const char* suffix : {"-wal", "-shm", ""}) {
    if (!disk.exists(path + suffix))
      continue;
    if (auto moved = disk.rename(path + suffix, target + suffix); !moved)
      return tl::unexpected(moved.error().message);
  }
  return target;
}

} // namespace epione::actors
