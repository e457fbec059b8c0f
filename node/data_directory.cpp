#include "node/data_directory.hpp"

#include "runtime/process.hpp"
#include "runtime/random.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>
#include <sys/stat.h>
#include <unistd.h>

namespace epione::node {

namespace {

namespace fs = std::filesystem;

constexpr int format_version = 1;

directory_error failed(std::string message) {
  return {runtime::exit_code::failed, std::move(message)};
}
directory_error damaged(std::string message) {
  return {runtime::exit_code::problems, std::move(message)};
}

std::string os_error(int number) {
  return std::strerror(number);
}

std::string new_cluster_name() {
  runtime::system_random random;
  std::array<std::uint8_t, 16> bytes{};
  random.fill(bytes);
  std::string text;
  for (auto b : bytes) {
    constexpr const char* digits = "0123456789abcdef";
    text += digits[b >> 4];
    text += digits[b & 15];
  }
  return text;
}

/// The file appears whole or not at all, also after a power loss.
std::optional<std::string> write_durably(const std::string& directory, const std::string& name, const std::string& text) {
  const auto path = directory + "/" + name;
  const auto part = path + ".part";
  const int fd = ::open(part.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0)
    return "cannot create " + part + ": " + os_error(errno);
  const bool written = ::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()) && ::fsync(fd) == 0;
  const int why = errno;
  ::close(fd);
  if (!written)
    return "cannot write " + part + ": " + os_error(why);
  if (::rename(part.c_str(), path.c_str()) != 0)
    return "cannot rename " + part + ": " + os_error(errno);
  const int dir = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (dir < 0)
    return "cannot open " + directory + ": " + os_error(errno);
  const bool synced = ::fsync(dir) == 0;
  ::close(dir);
  return synced ? std::nullopt : std::optional<std::string>{"cannot sync " + directory + ": " + os_error(errno)};
}

std::optional<directory_error> create_directory(const std::string& path) {
  std::error_code why;
  if (fs::exists(path, why)) {
    if (!fs::is_directory(path, why))
      return failed(path + " is not a directory; name another data directory");
    return std::nullopt;
  }
  const auto parent = fs::path(path).parent_path();
  if (!parent.empty())
    fs::create_directories(parent, why);
  if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST)
    return failed("cannot create the data directory " + path + ": " + os_error(errno));
  return std::nullopt;
}

tl::expected<std::string, directory_error> create_identity(const runtime::config& config) {
  const auto& path = config.data.directory;
  if (fs::exists(path + "/journal.db"))
    return tl::unexpected(damaged(path +
                                  " holds a journal but no cluster.json, so its shard count is not known; restore that file "
                                  "from a backup of this directory"));
  const auto name = new_cluster_name();
  const nlohmann::json identity{{"format", format_version}, {"cluster", name}, {"shards", config.shards.count}};
  if (auto why = write_durably(path, "cluster.json", identity.dump(2) + "\n"))
    return tl::unexpected(failed(*why));
  return name;
}

tl::expected<std::string, directory_error> check_identity(const runtime::config& config, const std::string& file) {
  std::ifstream in{file};
  const auto identity = nlohmann::json::parse(in, nullptr, false);
  if (!identity.is_object() || !identity.contains("format") || !identity["format"].is_number_integer() ||
      !identity.contains("cluster") || !identity["cluster"].is_string() || !identity.contains("shards") ||
      !identity["shards"].is_number_unsigned())
    return tl::unexpected(damaged(file + " is damaged: it must hold format, cluster and shards; restore it from a backup"));
  if (identity["format"].get<int>() > format_version)
    return tl::unexpected(failed(file + " has format " + std::to_string(identity["format"].get<int>()) +
                                 "; this version knows up to " + std::to_string(format_version) + ": use a newer program"));
  const auto shards = identity["shards"].get<std::uint32_t>();
  if (shards != config.shards.count)
    return tl::unexpected(failed(config.data.directory + " was created with shards.count = " + std::to_string(shards) +
                                 ", which cannot be changed; the configuration says " + std::to_string(config.shards.count)));
  return identity["cluster"].get<std::string>();
}

} // namespace

tl::expected<data_directory, directory_error> open_data_directory(const runtime::config& config) {
  data_directory result;
  result.path = config.data.directory;
  if (auto why = create_directory(result.path))
    return tl::unexpected(*why);
  auto lock = runtime::open_directory_lock(result.path);
  if (!lock)
    return tl::unexpected(failed(lock.error().message));
  result.lock = std::move(*lock);
  const auto file = result.path + "/cluster.json";
  auto cluster = fs::exists(file) ? check_identity(config, file) : create_identity(config);
  if (!cluster)
    return tl::unexpected(cluster.error());
  result.cluster = std::move(*cluster);
  return result;
}

} // namespace epione::node
