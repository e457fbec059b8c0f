// What a journal transaction costs, and how it is spread: entries of all groups, one write after the other as fast as they go,
// with checkpoints and cuts as in a node. `--mark` compares ways to make the mark durable: "after" (as the journal does it),
// "beside" (its sync by another thread, the next write waiting for it) and "none" (not synced at all).
#include "runtime/storage/journal.hpp"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <sys/resource.h>
#include <thread>
#include <vector>

using namespace epione;

namespace {

[[noreturn]] void stop(const std::string& why) {
  std::fprintf(stderr, "journal_bench: %s\n", why.c_str());
  std::exit(1);
}

template <class T>
T must(runtime::storage_result<T>&& r) {
  if (!r)
    stop(r.error().message);
  if constexpr (!std::is_void_v<T>)
    return std::move(*r);
}

enum class mark_sync { after, beside, none };

class marked_file final : public runtime::disk_file {
public:
  marked_file(std::unique_ptr<runtime::disk_file> file, mark_sync how) : file_(std::move(file)), how_(how) {
    if (how_ == mark_sync::beside)
      thread_ = std::thread{[this] { run(); }};
  }
  ~marked_file() override {
    if (!thread_.joinable())
      return;
    {
      const std::lock_guard guard{mutex_};
      stop_ = true;
    }
    changed_.notify_all();
    thread_.join();
  }
  runtime::storage_result<std::vector<std::uint8_t>> read_all() override { return file_->read_all(); }
  runtime::storage_result<void> write_at(std::uint64_t offset, std::span<const std::uint8_t> bytes) override {
    std::unique_lock lock{mutex_};
    changed_.wait(lock, [this] { return !wanted_; });
    return file_->write_at(offset, bytes);
  }
  runtime::storage_result<void> sync() override {
    if (how_ == mark_sync::after)
      return file_->sync();
    const std::lock_guard guard{mutex_};
    wanted_ = how_ == mark_sync::beside;
    changed_.notify_all();
    return {};
  }

private:
  void run() {
    std::unique_lock lock{mutex_};
    for (;;) {
      changed_.wait(lock, [this] { return wanted_ || stop_; });
      if (stop_)
        return;
      lock.unlock();
      must(file_->sync());
      lock.lock();
      wanted_ = false;
      changed_.notify_all();
    }
  }
  std::unique_ptr<runtime::disk_file> file_;
  mark_sync how_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool wanted_ = false, stop_ = false;
  std::thread thread_;
};

class bench_disk final : public runtime::disk {
public:
  explicit bench_disk(mark_sync how) : how_(how) {}
  const char* sqlite_vfs() const override { return system_->sqlite_vfs(); }
  bool exists(const std::string& path) override { return system_->exists(path); }
  runtime::storage_result<std::unique_ptr<runtime::disk_file>> open(const std::string& path) override {
    auto file = system_->open(path);
    if (!file || !path.ends_with(".mark"))
      return file;
    return std::make_unique<marked_file>(std::move(*file), how_);
  }
  runtime::storage_result<void> rename(const std::string& from, const std::string& to) override {
    return system_->rename(from, to);
  }
  runtime::storage_result<void> discard(const std::string& path) override { return system_->discard(path); }
  std::uint64_t free_bytes(const std::string& path) override { return system_->free_bytes(path); }

private:
  std::unique_ptr<runtime::disk> system_ = runtime::make_system_disk();
  mark_sync how_;
};

struct settings {
  std::uint64_t groups = 16, entry_bytes = 6'400, seconds = 5, checkpoint_mib = 32, cut_entries = 2'000;
  std::string directory, mark = "after";
};

settings parse(int argc, char** argv) {
  settings s;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string name = argv[i];
    const auto number = std::strtoull(argv[i + 1], nullptr, 10);
    if (name == "--groups")
      s.groups = number;
    else if (name == "--entry-bytes")
      s.entry_bytes = number;
    else if (name == "--seconds")
      s.seconds = number;
    else if (name == "--checkpoint-mib")
      s.checkpoint_mib = number;
    else if (name == "--cut-entries")
      s.cut_entries = number;
    else if (name == "--directory")
      s.directory = argv[i + 1];
    else if (name == "--mark")
      s.mark = argv[i + 1];
    else
      stop("unknown option " + name);
  }
  if (s.directory.empty() || argc % 2 == 0)
    stop("usage: journal_bench --directory DIR [--groups 16] [--entry-bytes 6400] [--seconds 5] [--checkpoint-mib 32]"
         " [--cut-entries 2000] [--mark after|beside|none]");
  return s;
}

double seconds_now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

double cpu_now() {
  rusage u{};
  getrusage(RUSAGE_SELF, &u);
  return static_cast<double>(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
         static_cast<double>(u.ru_utime.tv_usec + u.ru_stime.tv_usec) * 1e-6;
}

void print_spread(const char* what, std::vector<double>& times) {
  std::sort(times.begin(), times.end());
  const auto at = [&](double share) {
    return times.empty() ? 0.0 : times[static_cast<std::size_t>(share * static_cast<double>(times.size() - 1))] * 1e3;
  };
  std::printf("%-10s p50 %7.3f  p90 %7.3f  p99 %7.3f  p99.9 %7.3f  worst %7.3f ms\n", what, at(0.5), at(0.9), at(0.99), at(0.999),
              at(1));
}

} // namespace

int main(int argc, char** argv) {
  const auto s = parse(argc, argv);
  std::filesystem::create_directories(s.directory);
  bench_disk disk{s.mark == "beside" ? mark_sync::beside : s.mark == "none" ? mark_sync::none : mark_sync::after};
  auto journal = must(runtime::open_journal(disk, s.directory, {s.checkpoint_mib << 20, 64 << 20}));
  std::string data(s.entry_bytes, '\0');
  for (std::size_t i = 0; i < data.size(); ++i)
    data[i] = static_cast<char>(i * 2654435761u >> 13);
  const auto shared = std::make_shared<const std::string>(data);
  std::vector<double> writes, upkeep, cuts;
  std::uint64_t index = 0, largest_wal = 0;
  const auto begin = seconds_now(), cpu = cpu_now();
  while (seconds_now() - begin < static_cast<double>(s.seconds)) {
    ++index;
    std::vector<messages::journal_write_ptr> all;
    for (std::uint32_t g = 1; g <= s.groups; ++g) {
      auto w = std::make_shared<messages::journal_write>();
      w->group = g;
      w->entries.push_back({index, 1, messages::entry_type::command, shared});
      all.push_back(std::move(w));
    }
    auto before = seconds_now();
    must(journal->write(all));
    writes.push_back(seconds_now() - before);
    largest_wal = std::max(largest_wal, journal->counters().wal_bytes);
    before = seconds_now();
    must(journal->maintain());
    upkeep.push_back(seconds_now() - before);
    // One group after the other is cut, each every so many entries.
    const auto due = s.cut_entries / s.groups;
    if (due > 0 && index % due == 0 && index > s.cut_entries) {
      before = seconds_now();
      must(journal->cut(static_cast<std::uint32_t>(index / due % s.groups + 1), {index - 100, 1, "", 0}));
      cuts.push_back(seconds_now() - before);
    }
  }
  const auto wall = seconds_now() - begin, used = cpu_now() - cpu;
  const auto c = journal->counters();
  const auto n = static_cast<double>(index);
  std::printf("mark %s, %llu groups, entries of %llu bytes, checkpoint at %llu MiB\n", s.mark.c_str(),
              static_cast<unsigned long long>(s.groups), static_cast<unsigned long long>(s.entry_bytes),
              static_cast<unsigned long long>(s.checkpoint_mib));
  std::printf("%.0f transactions/s, %.0f entries/s, %.1f MB/s, cpu %.0f us a transaction, %.2f us an entry\n", n / wall,
              n * static_cast<double>(s.groups) / wall, static_cast<double>(c.bytes) / wall / 1e6, used / n * 1e6,
              used / n / static_cast<double>(s.groups) * 1e6);
  print_spread("write", writes);
  print_spread("maintain", upkeep);
  print_spread("cut", cuts);
  std::printf("%llu checkpoints, largest WAL %.1f MiB, journal.db %.1f MiB\n", static_cast<unsigned long long>(c.checkpoints),
              static_cast<double>(largest_wal) / (1 << 20),
              static_cast<double>(std::filesystem::file_size(s.directory + "/journal.db")) / (1 << 20));
}
