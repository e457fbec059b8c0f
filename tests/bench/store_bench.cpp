// Builds shard stores of many million rows and says what a row costs on the way, for several shard counts, transaction sizes and
// for the layout that was not chosen (a unique index on subject and key). One thread feeds all shards, as they come; only the
// time inside apply and checkpoint is counted, as wall time and as CPU time of the process.
#include "domain/chain.hpp"
#include "domain/command.hpp"
#include "domain/event.hpp"
#include "runtime/storage/shard_store.hpp"
#include "runtime/storage/sqlite.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <sys/resource.h>
#include <vector>

using namespace epione;

namespace {

struct settings {
  std::uint32_t shards = 16;
  std::uint64_t rows = 1'000'000, subjects = 1'000'000, apply_rows = 4'096, batch = 16, checkpoint_mib = 16, report = 1'000'000;
  std::string directory, layout = "chained";
};

[[noreturn]] void stop(const std::string& why) {
  std::fprintf(stderr, "store_bench: %s\n", why.c_str());
  std::exit(1);
}

settings parse(int argc, char** argv) {
  settings s;
  const std::map<std::string, std::uint64_t*> numbers{{"--rows", &s.rows},
                                                      {"--subjects", &s.subjects},
                                                      {"--apply-rows", &s.apply_rows},
                                                      {"--batch", &s.batch},
                                                      {"--checkpoint-mib", &s.checkpoint_mib},
                                                      {"--report", &s.report}};
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string name = argv[i];
    if (const auto at = numbers.find(name); at != numbers.end())
      *at->second = std::strtoull(argv[i + 1], nullptr, 10);
    else if (name == "--shards")
      s.shards = static_cast<std::uint32_t>(std::strtoul(argv[i + 1], nullptr, 10));
    else if (name == "--directory")
      s.directory = argv[i + 1];
    else if (name == "--layout")
      s.layout = argv[i + 1];
    else
      stop("unknown option " + name);
  }
  if (s.directory.empty() || argc % 2 == 0)
    stop("usage: store_bench --directory DIR [--shards 16] [--rows 1000000] [--subjects 1000000] [--apply-rows 4096]"
         " [--batch 16] [--checkpoint-mib 16] [--report 1000000] [--layout chained|index]");
  return s;
}

template <class T>
T must(runtime::storage_result<T>&& r) {
  if (!r)
    stop(r.error().message);
  if constexpr (!std::is_void_v<T>)
    return std::move(*r);
}

/// Either layout, as the bench sees it.
class layout {
public:
  virtual ~layout() = default;
  virtual void apply(const messages::log_entries& entries) = 0;
  virtual bool checkpoint() = 0;
  virtual std::uint64_t wal_bytes() const = 0;
};

class chained final : public layout {
public:
  chained(runtime::disk& d, const std::string& directory, std::uint32_t shard)
      : store_(must(runtime::open_shard_store(d, directory, shard))) {}
  void apply(const messages::log_entries& entries) override {
    if (must(store_->apply(entries)).repeats != 0)
      stop("a repeat where there is none");
  }
  bool checkpoint() override { return must(store_->checkpoint()).has_value(); }
  std::uint64_t wal_bytes() const override { return store_->wal_bytes(); }

private:
  std::unique_ptr<runtime::shard_store> store_;
};

/// The same rows with a unique index on (subject, key) in place of the subject rows.
class indexed final : public layout {
public:
  indexed(runtime::disk& d, const std::string& directory, std::uint32_t shard)
      : connection_(d, runtime::shard_path(directory, shard), runtime::access_mode::create, {0x45504258, 1, "bench store"},
                    "CREATE TABLE event(seq INTEGER PRIMARY KEY, subject INTEGER NOT NULL, key BLOB NOT NULL, hash BLOB NOT NULL,"
                    " body BLOB NOT NULL); CREATE UNIQUE INDEX by_key ON event(subject, key)",
                    "NORMAL", 8 * 1024),
        begin_(connection_, "BEGIN IMMEDIATE"), commit_(connection_, "COMMIT"),
        insert_(connection_, "INSERT INTO event VALUES(?,?,?,?,?)"), hash_(domain::chain_origin(shard)) {
    sqlite3_wal_hook(
        connection_.handle(),
        [](void* self, sqlite3*, const char*, int frames) {
          static_cast<indexed*>(self)->wal_bytes_ = static_cast<std::uint64_t>(frames) * 4120;
          return SQLITE_OK;
        },
        this);
  }
  void apply(const messages::log_entries& entries) override {
    runtime::transaction t{connection_, begin_, commit_};
    for (const auto& e : entries) {
      const auto batch = domain::decode_batch(*e.data);
      for (const auto& c : *batch) {
        hash_ = domain::chain_next(hash_, ++seq_, c.event);
        insert_.bind(1, seq_)
            .bind(2, c.subject_hash)
            .bind(3, {reinterpret_cast<const char*>(c.id.bytes.data()), 16})
            .bind(4, {reinterpret_cast<const char*>(hash_.data()), 32})
            .bind(5, c.event)
            .run();
      }
    }
    t.commit();
  }
  bool checkpoint() override {
    const bool complete = connection_.checkpoint().complete;
    if (complete)
      wal_bytes_ = 0;
    return complete;
  }
  std::uint64_t wal_bytes() const override { return wal_bytes_; }

private:
  runtime::connection connection_;
  runtime::prepared begin_, commit_, insert_;
  domain::chain_hash hash_;
  std::uint64_t seq_ = 0, wal_bytes_ = 0;
};

domain::command make_submission(std::uint64_t subject, std::uint64_t number) {
  static const std::string answers = [] {
    // {"q1": 1, ... "q9": 2, "difficulty": 1}
    std::string out = "\x8a";
    for (char i = '1'; i <= '9'; ++i)
      out += std::string{"\xa2q"} + i + static_cast<char>(i % 4);
    return out + "\xaa" + "difficulty\x01";
  }();
  char key[37];
  std::snprintf(key, sizeof(key), "%08llx-7d2b-4c61-9a30-%012llx",
                static_cast<unsigned long long>(number * 2654435761u & 0xffffffff), static_cast<unsigned long long>(number));
  domain::submission_record r;
  r.study = "demo";
  r.subject = std::to_string(subject);
  r.site = "site-" + std::to_string(subject % 50 + 1);
  r.key = key;
  r.id = domain::make_receipt(r.study, r.subject, r.key);
  r.content_fingerprint = domain::make_fingerprint(r.key);
  r.form = "phq-9";
  r.version = "1.0";
  r.authored = "2026-03-01T08:15:30+01:00";
  r.stored_us = 1'772'000'000'000'000 + static_cast<std::int64_t>(number);
  r.answers = answers;
  r.scores = {{"phq-9-total", static_cast<double>(number % 28), "moderate"}};
  return {domain::command_type::submission, domain::subject_hash(r.study, r.subject), r.id, r.content_fingerprint,
          domain::encode_submission_event(r)};
}

struct cost {
  double wall = 0, cpu = 0;
};

double cpu_seconds() {
  rusage u{};
  getrusage(RUSAGE_SELF, &u);
  return static_cast<double>(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
         static_cast<double>(u.ru_utime.tv_usec + u.ru_stime.tv_usec) * 1e-6;
}

template <class F>
double timed(cost& c, F&& f) {
  const auto cpu = cpu_seconds();
  const auto begin = std::chrono::steady_clock::now();
  f();
  const double wall = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  c.wall += wall;
  c.cpu += cpu_seconds() - cpu;
  return wall;
}

struct shard {
  std::unique_ptr<layout> store;
  messages::log_entries entries;
  std::vector<domain::command> commands;
  std::uint64_t index = 0, rows = 0;
};

class bench {
public:
  explicit bench(const settings& s) : settings_(s), shards_(s.shards) {
    std::filesystem::create_directories(s.directory);
    for (std::uint32_t i = 0; i < s.shards; ++i) {
      if (s.layout == "index")
        shards_[i].store = std::make_unique<indexed>(*disk_, s.directory, i + 1);
      else
        shards_[i].store = std::make_unique<chained>(*disk_, s.directory, i + 1);
    }
  }

  void run() {
    std::printf("layout %s, %u shards, %llu subjects, %llu rows a transaction, %llu commands a batch, checkpoint at %llu MiB\n",
                settings_.layout.c_str(), settings_.shards, u(settings_.subjects), u(settings_.apply_rows), u(settings_.batch),
                u(settings_.checkpoint_mib));
    std::printf("%10s %10s %8s %8s %8s %9s %9s %9s %9s\n", "rows", "rows/s", "us/row", "cpu us", "ckpt us", "worst tx",
                "worst ck", "wal MiB", "files MiB");
    std::mt19937_64 random{42};
    for (std::uint64_t n = 1; n <= settings_.rows; ++n) {
      auto c = make_submission(random() % settings_.subjects + 1, n);
      auto& to = shards_[domain::shard_of(c.subject_hash, settings_.shards) - 1];
      add(to, std::move(c));
      if (n % settings_.report == 0)
        report(n);
    }
  }

private:
  static unsigned long long u(std::uint64_t x) { return x; }

  void add(shard& to, domain::command&& c) {
    to.commands.push_back(std::move(c));
    ++to.rows;
    if (to.commands.size() >= settings_.batch || to.rows >= settings_.apply_rows) {
      to.entries.push_back(
          {++to.index, 1, messages::entry_type::command, std::make_shared<const std::string>(domain::encode_batch(to.commands))});
      to.commands.clear();
    }
    if (to.rows >= settings_.apply_rows) {
      worst_apply_ = std::max(worst_apply_, timed(apply_, [&] { to.store->apply(to.entries); }));
      applied_ += to.rows;
      to.entries.clear();
      to.rows = 0;
      largest_wal_ = std::max(largest_wal_, to.store->wal_bytes());
      if (to.store->wal_bytes() >= settings_.checkpoint_mib << 20)
        worst_checkpoint_ = std::max(worst_checkpoint_, timed(checkpoint_, [&] { to.store->checkpoint(); }));
    }
  }

  void report(std::uint64_t n) {
    std::uintmax_t files = 0;
    for (const auto& f : std::filesystem::directory_iterator{settings_.directory})
      if (f.path().extension() == ".db")
        files += f.file_size();
    const auto rows = static_cast<double>(applied_);
    const double wall = apply_.wall + checkpoint_.wall;
    std::printf("%10llu %10.0f %8.2f %8.2f %8.2f %7.0fms %7.0fms %9.1f %9.0f\n", u(n), rows / wall, wall / rows * 1e6,
                (apply_.cpu + checkpoint_.cpu) / rows * 1e6, checkpoint_.wall / rows * 1e6, worst_apply_ * 1e3,
                worst_checkpoint_ * 1e3, static_cast<double>(largest_wal_) / (1 << 20), static_cast<double>(files) / (1 << 20));
    std::fflush(stdout);
    apply_ = checkpoint_ = {};
    applied_ = 0;
    worst_apply_ = worst_checkpoint_ = 0;
    largest_wal_ = 0;
  }

  settings settings_;
  std::unique_ptr<runtime::disk> disk_ = runtime::make_system_disk();
  std::vector<shard> shards_;
  cost apply_, checkpoint_;
  std::uint64_t applied_ = 0, largest_wal_ = 0;
  double worst_apply_ = 0, worst_checkpoint_ = 0;
};

} // namespace

int main(int argc, char** argv) {
  bench b{parse(argc, argv)};
  b.run();
}
