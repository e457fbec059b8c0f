#include "node/data_directory.hpp"

#include "domain/cluster_state.hpp"
#include "domain/hex.hpp"
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
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

namespace epione::node {

namespace {

namespace fs = std::filesystem;

constexpr int format_version = 1;
constexpr const char* identity_file = "cluster.json";
constexpr const char* nameless_directory = " holds a journal but no cluster.json, so its shard count is not known; restore that "
                                           "file from a backup of this directory";

directory_error failed(std::string message) {
  return {runtime::exit_code::failed, std::move(message)};
}
directory_error damaged(std::string message) {
  return {runtime::exit_code::problems, std::move(message)};
}

std::string os_error(int number) {
  return std::strerror(number);
}

tl::expected<std::string, directory_error> create_identity(const runtime::config& config) {
  const auto& path = config.data.directory;
  if (fs::exists(path + "/journal.db"))
    return tl::unexpected(damaged(path + nameless_directory));
  const auto name = new_cluster_name();
  const nlohmann::json content{{"format", format_version}, {"cluster", name}, {"shards", config.shards.count}};
  if (auto why = write_durably(path, identity_file, content.dump(2) + "\n"))
    return tl::unexpected(failed(*why));
  return name;
}

struct identity {
  std::string cluster;
  std::uint32_t shards = 0;
  membership member;
};

tl::expected<identity, directory_error> read_identity(const std::string& file) {
  std::ifstream in{file};
  const auto content = nlohmann::json::parse(in, nullptr, false);
  if (!content.is_object() || !content.contains("format") || !content["format"].is_number_integer() ||
      !content.contains("cluster") || !content["cluster"].is_string() || !content.contains("shards") ||
      !content["shards"].is_number_unsigned())
    return tl::unexpected(damaged(file + " is damaged: it must hold format, cluster and shards; restore it from a backup"));
  if (content["format"].get<std::int64_t>() > format_version)
    return tl::unexpected(failed(file + " has format " + std::to_string(content["format"].get<std::int64_t>()) +
                                 "; this version knows up to " + std::to_string(format_version) + ": use a newer program"));
  const auto* limits = runtime::find_setting("shards.count");
  const auto shards = content["shards"].get<std::uint64_t>();
  if (shards < limits->minimum || shards > limits->maximum)
    return tl::unexpected(damaged(file + " is damaged: it says " + std::to_string(shards) +
                                  " shards, which no directory is created with; restore it from a backup"));
  identity found{content["cluster"].get<std::string>(), static_cast<std::uint32_t>(shards), {}};
  if (content.contains("node")) {
    if (!content["node"].is_string() || !domain::is_node_name(content["node"].get<std::string>()) ||
        !content.contains("server") || !content["server"].is_number_unsigned() || content["server"].get<std::uint64_t>() == 0)
      return tl::unexpected(damaged(file + " is damaged: node and server must name a member; restore it from a backup"));
    found.member.node = content["node"].get<std::string>();
    found.member.server_id = content["server"].get<std::uint64_t>();
    found.member.founder = content.value("founder", false);
    found.member.begun = content.value("begun", false);
    found.member.founding = content.value("founding", std::string{});
  }
  return found;
}

std::optional<std::string> write_identity(const std::string& directory, const identity& who) {
  nlohmann::json content{{"format", format_version}, {"cluster", who.cluster}, {"shards", who.shards}};
  if (!who.member.node.empty()) {
    content["node"] = who.member.node;
    content["server"] = who.member.server_id;
    content["founder"] = who.member.founder;
    content["begun"] = who.member.begun;
    if (!who.member.founding.empty())
      content["founding"] = who.member.founding;
  }
  return write_durably(directory, identity_file, content.dump(2) + "\n");
}

tl::expected<std::string, directory_error> check_identity(const runtime::config& config, const std::string& file) {
  const auto found = read_identity(file);
  if (!found)
    return tl::unexpected(found.error());
  if (found->shards != config.shards.count)
    return tl::unexpected(failed(config.data.directory + " was created with shards.count = " + std::to_string(found->shards) +
                                 ", which cannot be changed; the configuration says " + std::to_string(config.shards.count) +
                                 ": leave the setting out, or name another directory"));
  return found->cluster;
}

} // namespace

tl::expected<bool, std::string> create_directory(std::string path) {
  while (path.size() > 1 && path.back() == '/') // else its parent is itself
    path.pop_back();
  std::error_code why;
  if (const auto parent = fs::path{path}.parent_path(); !parent.empty())
    fs::create_directories(parent, why);
  if (::mkdir(path.c_str(), 0700) == 0)
    return true;
  const int error = errno;
  if (error == EEXIST && fs::is_directory(path, why))
    return false;
  if (error == EEXIST)
    return tl::unexpected(path + " is not a directory; name another one");
  return tl::unexpected("cannot create the directory " + path + ": " + os_error(error));
}

std::string new_cluster_name() {
  runtime::system_random random;
  std::array<std::uint8_t, 16> bytes{};
  random.fill(bytes);
  return domain::to_hex(bytes);
}

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

std::optional<std::string> why_not_owner(const std::string& directory, const std::string& command) {
  struct stat found{};
  if (::stat(directory.c_str(), &found) != 0 || found.st_uid == ::geteuid())
    return std::nullopt;
  const auto* entry = ::getpwuid(found.st_uid);
  const auto owner = entry != nullptr ? std::string{entry->pw_name} : std::to_string(found.st_uid);
  return directory + " belongs to the user " + owner + ", and no node runs on it; run this as that user: runuser -u " + owner +
         " -- " + command;
}

std::string identity_path(const std::string& directory) {
  return directory + "/" + identity_file;
}

std::optional<std::uint32_t> shard_count_of(const std::string& directory) {
  const auto found = read_identity(identity_path(directory));
  return found ? std::optional{found->shards} : std::nullopt;
}

std::optional<directory_error> unfinished_restore(const std::string& directory) {
  std::error_code unknown;
  if (!fs::exists(directory + "/" + restoring_file, unknown))
    return std::nullopt;
  return damaged(directory + " holds a restore that did not finish; remove all that is in it and say epione restore again");
}

std::optional<membership> member_of(const std::string& directory) {
  auto found = read_identity(identity_path(directory));
  return found ? std::optional{std::move(found->member)} : std::nullopt;
}

std::optional<directory_error> identity_problem(const runtime::config& config) {
  const auto& path = config.data.directory;
  if (auto half = unfinished_restore(path))
    return half;
  const auto file = identity_path(path);
  std::error_code unknown;
  if (fs::exists(file, unknown)) {
    if (auto checked = check_identity(config, file); !checked)
      return checked.error();
  } else if (fs::exists(path + "/journal.db", unknown)) {
    return damaged(path + nameless_directory);
  }
  return std::nullopt;
}

std::optional<std::string> cluster_of(const std::string& directory) {
  auto found = read_identity(identity_path(directory));
  return found ? std::optional{std::move(found->cluster)} : std::nullopt;
}

tl::expected<data_directory, directory_error> open_data_directory(const runtime::config& config) {
  data_directory result;
  result.path = config.data.directory;
  if (auto created = create_directory(result.path); !created)
    return tl::unexpected(failed(created.error()));
  auto lock = runtime::open_directory_lock(result.path);
  if (!lock)
    return tl::unexpected(failed(lock.error().message));
  result.lock = std::move(*lock);
  if (auto half = unfinished_restore(result.path))
    return tl::unexpected(*half);
  const auto file = identity_path(result.path);
  auto cluster = fs::exists(file) ? check_identity(config, file) : create_identity(config);
  if (!cluster)
    return tl::unexpected(cluster.error());
  result.cluster = std::move(*cluster);
  if (auto found = read_identity(file))
    result.member = std::move(found->member);
  if (result.member.begun && !fs::exists(result.path + "/journal.db"))
    return tl::unexpected(damaged(result.path +
                                  "/journal.db is missing. The other nodes count on what it held, so this directory " +
                                  "cannot go on as node " + result.member.node +
                                  ": move it away and say on another node: epione " + "cluster replace " + result.member.node));
  return result;
}

bool holds_data(const std::string& directory) {
  std::error_code unknown;
  return fs::exists(identity_path(directory), unknown) || fs::exists(directory + "/journal.db", unknown);
}

tl::expected<data_directory, directory_error> open_empty_directory(const std::string& directory) {
  data_directory result;
  result.path = directory;
  if (auto created = create_directory(result.path); !created)
    return tl::unexpected(failed(created.error()));
  auto lock = runtime::open_directory_lock(result.path);
  if (!lock)
    return tl::unexpected(failed(lock.error().message));
  result.lock = std::move(*lock);
  if (holds_data(directory))
    return tl::unexpected(failed(directory + " holds data already"));
  if (auto half = unfinished_restore(directory))
    return tl::unexpected(*half);
  return result;
}

tl::expected<void, directory_error> found_cluster(const runtime::config& config, const membership& member) {
  const auto opened = open_data_directory(config);
  if (!opened)
    return tl::unexpected(opened.error());
  if (!opened->member.node.empty())
    return tl::unexpected(failed(config.data.directory + " belongs to a cluster already, as node " + opened->member.node +
                                 "; start it with: epione serve --node " + opened->member.node + " --cluster FILE"));
  if (auto why = write_identity(config.data.directory, {opened->cluster, config.shards.count, member}))
    return tl::unexpected(failed(*why));
  return {};
}

tl::expected<void, directory_error> write_membership(const std::string& directory, const std::string& cluster,
                                                     std::uint32_t shards, const membership& member) {
  if (auto why = write_identity(directory, {cluster, shards, member}))
    return tl::unexpected(failed(*why));
  return {};
}

tl::expected<std::string, directory_error> joining_name(const std::string& directory) {
  constexpr const char* joining_file = "joining.json";
  std::ifstream in{directory + "/" + joining_file};
  const auto content = nlohmann::json::parse(in, nullptr, false);
  if (content.is_object() && content.contains("attempt") && content["attempt"].is_string())
    return content["attempt"].get<std::string>();
  auto name = new_cluster_name();
  if (auto why = write_durably(directory, joining_file, nlohmann::json{{"attempt", name}}.dump() + "\n"))
    return tl::unexpected(failed(*why));
  return name;
}

} // namespace epione::node
