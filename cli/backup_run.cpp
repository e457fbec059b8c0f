#include "cli/backup_run.hpp"

#include "cli/backup_fetch.hpp"
#include "domain/hex.hpp"
#include "runtime/admin_socket.hpp"
#include "runtime/clock.hpp"
#include "runtime/process.hpp"
#include "runtime/storage/shard_rows.hpp"
#include "runtime/storage/store_copy.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <sys/resource.h>
#include <unistd.h>

namespace epione::cli {

namespace {

namespace fs = std::filesystem;
namespace exit_code = runtime::exit_code;
namespace defaults = runtime::defaults;
using nlohmann::json;
using std::chrono::milliseconds;
using steady_clock = std::chrono::steady_clock;

/// How far a group's copy must be, and where it is.
struct wanted_group {
  std::uint32_t group = 0;
  std::uint64_t index = 0;
  bool here = true;
  std::vector<std::string> nodes; ///< who has it, the leader first
};

constexpr const char* nothing_kept = "asked to stop; nothing of the backup is kept";
constexpr const char* part_file = "backup.part"; ///< in the directory for as long as the backup is not whole

/// Keeps what is copied to so many bytes a second, and ends the copy when asked to stop.
class pacer {
public:
  pacer(std::uint64_t bytes_per_s, const stop_descriptor& stop) : bytes_per_s_(bytes_per_s), stop_(stop) {}
  runtime::storage_result<void> operator()(std::uint64_t bytes) {
    due_ = std::max(due_, steady_clock::now() - made_up_for) +
           std::chrono::duration_cast<steady_clock::duration>(
               std::chrono::duration<double>(static_cast<double>(bytes) / static_cast<double>(bytes_per_s_)));
    if (stop_.wait_until(due_))
      return {};
    return tl::unexpected(runtime::storage_error{ec::not_serving, nothing_kept});
  }

private:
  /// A sync that took long is made up for, and not all the time that something else was waited for: that would be a burst.
  static constexpr milliseconds made_up_for{100};
  std::uint64_t bytes_per_s_;
  const stop_descriptor& stop_;
  steady_clock::time_point due_ = steady_clock::now();
};

class backup_job {
public:
  backup_job(const runtime::config& config, const backup_options& options, const std::function<void(std::string_view)>& tell)
      : config_(config), options_(options), tell_(tell), pace_(options.bytes_per_s, stop_) {}

  source_result<node::backup_manifest> run() {
    if (auto ready = prepare_directory(); !ready)
      return tl::unexpected(ready.error());
    auto done = find_groups().and_then([this] { return check_space(); }).and_then([this] { return copy_all(); });
    if (source_)
      if (auto closed = source_->close(); done && !closed)
        done = closed;
    if (done)
      done = finish();
    if (!done && !stop_.wait_until(steady_clock::now())) // whatever it ended by
      done = refuse(exit_code::failed, nothing_kept);
    if (!done) {
      leave();
      return tl::unexpected(done.error());
    }
    return std::move(manifest_);
  }

private:
  const std::string& data() const { return config_.data.directory; }
  const std::string& target() const { return options_.directory; }
  runtime::copy_pace pace() {
    return [this](std::uint64_t bytes) { return pace_(bytes); };
  }

  source_result<void> prepare_directory() {
    if (target().empty())
      return refuse(exit_code::usage, "name the directory to write the backup to");
    auto made = node::create_directory(target());
    if (!made)
      return refuse(exit_code::failed, made.error());
    created_ = *made;
    if (auto empty = expect_empty(); !empty)
      return empty;
    // Of two at once one makes it.
    const int fd = ::open(part_path().c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0 && errno == EEXIST)
      return refuse(exit_code::failed, unfinished());
    if (fd < 0)
      return refuse(exit_code::failed, "cannot create " + part_path() + ": " + std::strerror(errno));
    ::close(fd);
    return {};
  }

  std::string part_path() const { return target() + "/" + part_file; }
  std::string unfinished() const {
    return target() + " holds a backup that did not finish, or one that is being taken now; remove it or name another directory";
  }

  source_result<void> expect_empty() const {
    std::error_code error;
    if (fs::exists(target() + "/" + node::manifest_file, error))
      return refuse(exit_code::failed, target() + " holds a backup already; name another directory");
    for (const auto& name : {std::string{part_file}, node::backup_file_name(0), node::backup_file_name(1)})
      if (fs::exists(target() + "/" + name, error))
        return refuse(exit_code::failed, unfinished());
    if (!fs::is_empty(target(), error))
      return refuse(exit_code::failed, target() + " is not empty; name an empty directory or one that does not exist yet");
    return {};
  }

  // ---- what is to be copied ----------------------------------------------------------------------------------------------

  source_result<void> find_groups() {
    const auto member = node::member_of(data());
    return member && !member->node.empty() ? find_groups_of_cluster(member->node) : find_groups_of_one();
  }

  /// The stores of a node that is alone hold what was acknowledged once the source is open.
  source_result<void> find_groups_of_one() {
    auto opened = data_source::open(config_, tell_, "epione backup ...", stop_.get());
    if (!opened)
      return tl::unexpected(opened.error());
    source_ = std::make_unique<data_source>(std::move(*opened));
    manifest_.cluster = source_->cluster();
    for (std::uint32_t g = 0; g <= config_.shards.count; ++g)
      groups_.push_back({g, 0, true, {}});
    return {};
  }

  source_result<void> find_groups_of_cluster(const std::string& name) {
    auto cluster = node::cluster_of(data());
    manifest_.cluster = std::move(*cluster);
    const auto asked = runtime::admin_call(data() + "/" + runtime::admin_socket_name, {"cluster-positions", {}},
                                           milliseconds{2 * defaults::backup_ask_limit_ms}, stop_.get());
    if (!asked && asked.error().unreachable)
      return tl::unexpected(does_not_run(data(), name));
    if (!asked)
      return refuse(exit_code::failed, asked.error().message);
    if (asked->code != exit_code::done)
      return refuse(asked->code, asked->message);
    const auto answer = asked->values.find("json");
    const auto content = answer == asked->values.end() ? json{} : json::parse(answer->second, nullptr, false);
    if (!content.is_object() || !content.contains("groups"))
      return refuse(exit_code::failed, "the node does not say which groups there are; is it of another version?");
    for (const auto& g : content["groups"])
      groups_.push_back({g.at("group").get<std::uint32_t>(), g.at("index").get<std::uint64_t>(), g.at("here").get<bool>(),
                         g.at("nodes").get<std::vector<std::string>>()});
    std::string elsewhere;
    for (const auto& g : groups_)
      if (!g.here)
        elsewhere += (elsewhere.empty() ? "" : ", ") + std::to_string(g.group);
    if (!elsewhere.empty())
      tell_("not on node " + name + ", fetched from others: groups " + elsewhere);
    return {};
  }

  source_result<void> check_space() {
    std::uint64_t bytes = 0;
    std::error_code ignored;
    for (const auto& g : groups_)
      if (g.here)
        for (const char* suffix : {"", "-wal"})
          if (const auto size = fs::file_size(runtime::shard_path(data(), g.group) + suffix, ignored); !ignored)
            bytes += size;
    const auto free = disk_->free_bytes(target());
    if (free < bytes)
      return refuse(exit_code::failed, target() + ": " + std::to_string(free) + " bytes are free, the stores have " +
                                           std::to_string(bytes) + "; make space on that file system, or name another directory");
    return {};
  }

  // ---- copying -----------------------------------------------------------------------------------------------------------

  /// Group 0 last: whatever form a submission in the others is of, its version is then among the studies.
  source_result<void> copy_all() {
    static_cast<void>(::setpriority(PRIO_PROCESS, 0, 10)); // the node comes first
    std::rotate(groups_.begin(), groups_.begin() + 1, groups_.end());
    for (const auto& g : groups_)
      if (auto copied = copy(g); !copied)
        return copied;
    std::sort(manifest_.groups.begin(), manifest_.groups.end(), [](const auto& a, const auto& b) { return a.group < b.group; });
    return {};
  }

  source_result<void> copy(const wanted_group& g) {
    const auto file = node::backup_file_name(g.group), path = target() + "/" + file;
    tell_("copying " + file);
    auto copied = g.here ? copy_from_here(g, path) : fetch(g, path);
    if (!copied)
      return tl::unexpected(copied.error());
    if (copied->index < g.index) // what was acknowledged would be missing
      return refuse(exit_code::failed, file + ": its copy ends at entry " + std::to_string(copied->index) + ", but entry " +
                                           std::to_string(g.index) + " was committed before; take the backup again");
    std::error_code error;
    copied->bytes = fs::file_size(path, error);
    auto checksum = node::checksum_of_file(path, pace());
    if (!checksum)
      return refuse(exit_code::failed, checksum.error());
    manifest_.groups.push_back({g.group, file, copied->bytes, std::move(*checksum), copied->index, copied->term, copied->head.seq,
                                domain::to_hex(copied->head.hash)});
    return {};
  }

  source_result<runtime::copied_store> copy_from_here(const wanted_group& g, const std::string& path) {
    if (auto applied = wait_until_applied(g); !applied)
      return tl::unexpected(applied.error());
    auto copied = runtime::copy_store(*disk_, data(), g.group, path, pace());
    if (!copied)
      return refuse(copied.error());
    return *copied;
  }

  /// The node's own store may be behind what its group's leader has acknowledged.
  source_result<void> wait_until_applied(const wanted_group& g) {
    if (source_ || g.index == 0) // the source has seen to it
      return {};
    const auto begun = steady_clock::now();
    const auto applied = have_applied(*disk_, data(), g.group, g.index, begun + patience_, stop_.get());
    patience_ = std::max(steady_clock::duration{}, patience_ - (steady_clock::now() - begun));
    if (applied)
      return {};
    return refuse(applied.error().code,
                  applied.error().message + "; see epione cluster status, or take the backup on another node");
  }

  source_result<runtime::copied_store> fetch(const wanted_group& g, const std::string& path) {
    std::string why = "no node is known to have it";
    for (const auto& n : g.nodes) {
      if (!stop_.wait_until(steady_clock::now()))
        return refuse(exit_code::failed, nothing_kept);
      const wanted_store wanted{data(), n, g.group, g.index, options_.bytes_per_s};
      auto fetched = fetch_store(wanted, path, patience_, *disk_, pace(), stop_);
      if (!fetched) {
        why = fetched.error();
        continue;
      }
      // Beside the backup, under its own name, so that what SQLite makes to read it goes with it.
      auto found = runtime::look_at_store(*disk_, target(), g.group);
      for (const char* suffix : {"-wal", "-shm"})
        static_cast<void>(disk_->discard(path + suffix));
      if (!found)
        return refuse(found.error());
      return *found;
    }
    return refuse(exit_code::failed,
                  "group " + std::to_string(g.group) + " is not on this node and could not be fetched: " + why);
  }

  source_result<void> finish() {
    manifest_.version = EPIONE_VERSION;
    manifest_.time_us = runtime::system_clock{}.wall_us();
    manifest_.store_format = runtime::shard_format.version;
    manifest_.shards = static_cast<std::uint32_t>(manifest_.groups.size() - 1);
    if (auto written = node::write_manifest(target(), manifest_); !written)
      return refuse(exit_code::failed, written.error());
    static_cast<void>(disk_->discard(part_path())); // with its manifest it is one, whatever else is there
    return {};
  }

  /// Half a backup is of no use to anybody.
  void leave() {
    std::error_code ignored;
    for (const auto& g : groups_)
      for (const char* suffix : {"", "-wal", "-shm"})
        fs::remove(target() + "/" + node::backup_file_name(g.group) + suffix, ignored);
    fs::remove(target() + "/" + node::manifest_file + ".part", ignored);
    fs::remove(part_path(), ignored);
    if (created_)
      fs::remove(target(), ignored);
  }

  const runtime::config& config_;
  const backup_options& options_;
  const std::function<void(std::string_view)>& tell_;
  stop_descriptor stop_;
  pacer pace_;
  std::unique_ptr<runtime::disk> disk_ = runtime::make_system_disk();
  std::unique_ptr<data_source> source_; ///< null: a node of a cluster
  bool created_ = false;
  steady_clock::duration patience_ = milliseconds{defaults::export_apply_limit_ms}; ///< what is left of it for all groups
  std::vector<wanted_group> groups_;
  node::backup_manifest manifest_;
};

} // namespace

source_result<node::backup_manifest> run_backup(const runtime::config& config, const backup_options& options,
                                                const std::function<void(std::string_view)>& tell) {
  return backup_job{config, options, tell}.run();
}

} // namespace epione::cli
