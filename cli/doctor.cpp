// The checks of `epione doctor`.
#include "cli/doctor.hpp"

#include "cli/node_file.hpp"
#include "cli/versions.hpp"
#include "node/data_directory.hpp"
#include "runtime/clock.hpp"
#include "runtime/http/http_server.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <fcntl.h>
#include <filesystem>
#include <linux/magic.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/timex.h>
#include <sys/vfs.h>
#include <unistd.h>

namespace epione::cli {

namespace {

namespace fs = std::filesystem;

constexpr int sync_samples = 40;
constexpr std::size_t sync_bytes = 4096;           // a small batch in the journal
constexpr double sync_slow_ms = 10;                // every acknowledgement waits for one
constexpr std::uint64_t free_few_bytes = 1u << 30; // some four million submissions
constexpr long network_magics[] = {NFS_SUPER_MAGIC, SMB_SUPER_MAGIC, 0xFF534D42L /* CIFS */, 0xFE534D42L /* SMB2 */};

std::string error_text() {
  return std::strerror(errno);
}

std::string fixed(double x) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.2f", x);
  return text.data();
}

std::string size_text(std::uint64_t bytes) {
  return fixed(static_cast<double>(bytes) / (1024.0 * 1024.0 * 1024.0)) + " GiB";
}

/// The directory, or the nearest one above it that exists.
std::string existing_above(const std::string& directory) {
  std::error_code error;
  fs::path at = fs::absolute(directory, error);
  while (!at.empty() && !fs::exists(at, error) && at != at.parent_path())
    at = at.parent_path();
  return at.string();
}

/// Milliseconds of each write and sync, sorted; empty with errno when it cannot be done.
std::vector<double> measure_syncs(const std::string& directory) {
  std::string name = directory + "/.epione-doctor-XXXXXX";
  const int file = mkostemp(name.data(), O_CLOEXEC);
  if (file < 0)
    return {};
  unlink(name.c_str());
  runtime::system_clock clock;
  std::array<char, sync_bytes> bytes{};
  std::vector<double> out;
  for (int i = 0; i < sync_samples; ++i) {
    bytes.fill(static_cast<char>(i));
    const auto begin = clock.now_ns();
    if (pwrite(file, bytes.data(), bytes.size(), static_cast<off_t>(i) * static_cast<off_t>(sync_bytes)) !=
            static_cast<ssize_t>(bytes.size()) ||
        fdatasync(file) != 0) {
      const int why = errno;
      close(file);
      errno = why;
      return {};
    }
    out.push_back(static_cast<double>(clock.now_ns() - begin) / 1e6);
  }
  close(file);
  std::sort(out.begin(), out.end());
  return out;
}

finding examine_running(const std::string& directory) {
  const auto node = read_node_file(directory);
  if (!node)
    return {"node", finding_level::note, "none runs on this directory"};
  if (kill(static_cast<pid_t>(node->pid), 0) == 0 || errno == EPERM)
    return {"node", finding_level::note,
            "process " + std::to_string(node->pid) + ", version " + node->version + ", serves at " + node->http + " since " +
                node->started};
  return {"node", finding_level::note,
          "node.json names process " + std::to_string(node->pid) +
              ", which is gone: it did not stop cleanly; nothing to do, the "
              "next start recovers"};
}

finding examine_file_system(const std::string& place) {
  struct statfs what{};
  if (::statfs(place.c_str(), &what) != 0)
    return {"file system", finding_level::problem, place + " cannot be examined: " + error_text()};
  const auto magic = static_cast<long>(what.f_type);
  if (magic == TMPFS_MAGIC)
    return {"file system", finding_level::warning,
            place + " is in memory (tmpfs): everything is lost when the machine stops; use a disk"};
  if (std::find(std::begin(network_magics), std::end(network_magics), magic) != std::end(network_magics))
    return {"file system", finding_level::problem,
            place + " is on a network file system, where SQLite's WAL does not work; use a local disk"};
  return {"file system", finding_level::good, place + " is on a local file system"};
}

} // namespace

std::string_view to_string(finding_level level) {
  switch (level) {
    case finding_level::good: return "ok";
    case finding_level::note: return "note";
    case finding_level::warning: return "warning";
    case finding_level::problem: return "problem";
  }
  return "problem";
}

std::vector<finding> examine_directory(const runtime::config& config) {
  const auto& directory = config.data.directory;
  struct stat s{};
  if (::stat(directory.c_str(), &s) != 0) {
    if (errno != ENOENT)
      return {{"data directory", finding_level::problem, directory + " cannot be examined: " + error_text()}};
    const auto above = existing_above(directory);
    if (::access(above.c_str(), W_OK | X_OK) != 0)
      return {{"data directory", finding_level::problem,
               directory + " does not exist and cannot be created in " + above + ": " + error_text()}};
    return {{"data directory", finding_level::note, directory + " does not exist; `epione serve` creates it"}};
  }
  if (!S_ISDIR(s.st_mode))
    return {{"data directory", finding_level::problem, directory + " is not a directory; name another one"}};

  std::vector<finding> out;
  if (::access(directory.c_str(), R_OK | W_OK | X_OK) != 0)
    out.push_back({"data directory", finding_level::problem,
                   directory + " cannot be read and written by this user (" + std::to_string(geteuid()) + "): " + error_text()});
  else
    out.push_back({"data directory", finding_level::good, directory + " can be read and written"});

  const auto mode = s.st_mode & 07777U;
  std::array<char, 8> octal{};
  std::snprintf(octal.data(), octal.size(), "%04o", static_cast<unsigned>(mode));
  if (s.st_uid != geteuid())
    out.push_back({"permissions", finding_level::problem,
                   directory + " belongs to user " + std::to_string(s.st_uid) + ", not to " + std::to_string(geteuid()) +
                       "; run as its owner, or chown it"});
  else if ((mode & 0077U) != 0)
    out.push_back(
        {"permissions", finding_level::warning,
         directory + " is open to other users (mode " + octal.data() + "), and patients' answers are in it: chmod 700"});
  else
    out.push_back({"permissions", finding_level::good, "open to its owner only (mode " + std::string{octal.data()} + ")"});
  if (const auto wrong = node::identity_problem(config))
    out.push_back({"cluster.json", finding_level::problem, wrong->message});
  out.push_back(examine_running(directory));
  return out;
}

std::vector<finding> examine_clock() {
  std::vector<finding> out;
  timex state{};
  const int status = adjtimex(&state); // only reads: no modes are set
  if (status < 0)
    out.push_back({"clock", finding_level::note, "whether it is synchronised cannot be read: " + error_text()});
  else if (status == TIME_ERROR || (state.status & STA_UNSYNC) != 0)
    out.push_back(
        {"clock", finding_level::warning,
         "is not synchronised: recorded times may be wrong; install and enable an NTP client (chrony, systemd-timesyncd)"});
  else
    out.push_back({"clock", finding_level::good,
                   "is synchronised, error at most " + fixed(static_cast<double>(state.maxerror) / 1000.0) + " ms"});

  runtime::system_clock clock;
  bool back = false;
  for (auto i = 0, last_back = 0; i < 10'000 && last_back == 0; ++i) {
    const auto first = clock.now_ns();
    back = clock.now_ns() < first;
    last_back = back ? 1 : 0;
  }
  timespec boot{}, resolution{};
  const bool readable = clock_gettime(CLOCK_BOOTTIME, &boot) == 0 && clock_getres(CLOCK_BOOTTIME, &resolution) == 0;
  if (!readable || back)
    out.push_back(
        {"interval clock", finding_level::problem,
         readable ? "goes back: time limits cannot be kept on this machine" : "CLOCK_BOOTTIME cannot be read: " + error_text()});
  else
    out.push_back(
        {"interval clock", finding_level::good,
         "never goes back, resolution " + std::to_string(resolution.tv_sec * 1'000'000'000 + resolution.tv_nsec) + " ns"});
  return out;
}

std::vector<finding> examine_disk(const runtime::config& config) {
  std::vector<finding> out;
  const auto place = existing_above(config.data.directory);
  out.push_back(examine_file_system(place));

  struct statvfs space{};
  if (::statvfs(place.c_str(), &space) != 0) {
    out.push_back({"free space", finding_level::problem, place + " cannot be examined: " + error_text()});
  } else {
    const std::uint64_t free = std::uint64_t{space.f_bavail} * space.f_frsize;
    const auto reserve = config.storage.disk_reserve_bytes;
    const auto text = size_text(free) + " free, " + size_text(reserve) + " of it kept in reserve";
    if (free <= reserve)
      out.push_back({"free space", finding_level::problem, text + ": submissions are refused until there is more"});
    else if (free - reserve < free_few_bytes)
      out.push_back({"free space", finding_level::warning, text + ": make room before it is used up"});
    else
      out.push_back({"free space", finding_level::good, text});
  }

  const auto times = measure_syncs(place);
  if (times.empty()) {
    out.push_back({"disk speed", finding_level::problem, "cannot write and sync in " + place + ": " + error_text()});
    return out;
  }
  const double median = times[times.size() / 2], slowest = times.back();
  const auto text = "writing and syncing 4 KiB takes " + fixed(median) + " ms (median of " + std::to_string(times.size()) +
                    "), at most " + fixed(slowest) + " ms";
  if (median > sync_slow_ms)
    out.push_back(
        {"disk speed", finding_level::warning,
         text + ": every answer waits for one; above " + fixed(sync_slow_ms) + " ms phones feel it, use a faster disk"});
  else
    out.push_back({"disk speed", finding_level::good, text});
  return out;
}

std::vector<finding> examine_limits(const runtime::config& config) {
  rlimit files{};
  if (getrlimit(RLIMIT_NOFILE, &files) != 0)
    return {{"open files", finding_level::problem, "the limit cannot be read: " + error_text()}};
  // `serve` raises the soft limit to the hard one, so the hard one counts.
  const auto wanted = runtime::open_files_wanted(runtime::http_options_of(config));
  const std::uint64_t allowed = files.rlim_max;
  const auto text = "at most " + std::to_string(allowed) + " may be open; " + std::to_string(config.http.connections_max) +
                    " connections and " + std::to_string(config.shards.count) + " shards may need " + std::to_string(wanted);
  if (allowed < wanted)
    return {{"open files", finding_level::warning,
             text + ": raise the hard limit (LimitNOFILE=, ulimit -Hn) or lower "
                    "http.connections_max"}};
  return {{"open files", finding_level::good, text}};
}

std::vector<finding> examine_versions() {
  std::vector<finding> out;
  for (const auto& v : library_versions()) {
    std::string text = v.built.empty() ? "" : "built with " + v.built;
    if (!v.running.empty())
      text += (text.empty() ? "running with " : ", running with ") + v.running;
    if (!v.fits)
      text += ": older than it must be; upgrade the package";
    out.push_back({v.name, v.fits ? finding_level::good : finding_level::problem, text});
  }
  return out;
}

} // namespace epione::cli
