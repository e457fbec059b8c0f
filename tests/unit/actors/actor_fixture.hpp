// An actor system in one thread with a clock of its own, and surroundings that remember what they were told.
#pragma once

#include "runtime/directory.hpp"
#include "runtime/environment.hpp"

#include <algorithm>
#include <caf/all.hpp>
#include <caf/scheduler/test_coordinator.hpp>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace epione::actors::test {

using namespace std::chrono_literals;

class manual_clock final : public runtime::clock {
public:
  std::int64_t now_ns() override { return now; }
  std::int64_t wall_us() override { return 1'700'000'000'000'000 + now / 1'000; }
  std::int64_t now = 1'000'000'000;
};

class counting_random final : public runtime::random_source {
public:
  void fill(std::span<std::uint8_t> out) override {
    std::generate(out.begin(), out.end(), [this] { return next_++; });
  }

private:
  std::uint8_t next_ = 0;
};

class recording_log final : public runtime::log {
public:
  void write(runtime::log_level level, std::string_view part, std::string_view event,
             std::initializer_list<runtime::log_field> fields) override {
    std::string line = std::string{part} + ": " + std::string{event};
    for (const auto& field : fields) {
      line += ", " + std::string{field.name} + "=";
      if (const auto* s = std::get_if<std::string>(&field.value))
        line += *s;
      else if (const auto* n = std::get_if<std::uint64_t>(&field.value))
        line += std::to_string(*n);
      else if (const auto* i = std::get_if<std::int64_t>(&field.value))
        line += std::to_string(*i);
    }
    lines.emplace_back(level, std::move(line));
  }
  /// How many lines hold `text`.
  std::size_t count(std::string_view text) const {
    return static_cast<std::size_t>(
        std::count_if(lines.begin(), lines.end(), [&](const auto& line) { return line.second.find(text) != std::string::npos; }));
  }
  std::vector<std::pair<runtime::log_level, std::string>> lines;
};

class no_disk final : public runtime::disk {
public:
  const char* sqlite_vfs() const override { return nullptr; }
  bool exists(const std::string&) override { return false; }
  runtime::storage_result<std::unique_ptr<runtime::disk_file>> open(const std::string& path) override {
    return tl::unexpected(runtime::storage_error{ec::io_failed, path + ": there is no disk in this test"});
  }
  runtime::storage_result<void> rename(const std::string& from, const std::string&) override {
    return tl::unexpected(runtime::storage_error{ec::io_failed, from + ": there is no disk in this test"});
  }
  runtime::storage_result<void> discard(const std::string& path) override {
    return tl::unexpected(runtime::storage_error{ec::io_failed, path + ": there is no disk in this test"});
  }
  std::uint64_t free_bytes(const std::string&) override { return 0; }
};

class recording_process final : public runtime::process {
public:
  void fatal(int exit_code, std::string_view why) override { ends.emplace_back(exit_code, std::string{why}); }
  std::vector<std::pair<int, std::string>> ends;
};

struct actor_fixture {
  struct config : caf::actor_system_config {
    config() { set("scheduler.policy", caf::atom("testing")); }
  };

  actor_fixture()
      : env(log, metrics, clock, random, disk, nullptr, std::make_shared<runtime::directory>(), false, "", process),
        system(settings), scheduler(dynamic_cast<caf::scheduler::test_coordinator&>(system.scheduler())), self(system, true) {
    system.await_actors_before_shutdown(false);
    scheduler.clock().current_time += 1h;
  }
  ~actor_fixture() { env.directory->clear(); }

  /// Until nobody has a message left; timers do not fire.
  void run() { scheduler.run(); }
  void advance(std::chrono::milliseconds time) {
    clock.now += std::chrono::nanoseconds{time}.count();
    scheduler.advance_time(time);
    run();
  }

  recording_log log;
  runtime::metrics metrics;
  manual_clock clock;
  counting_random random;
  no_disk disk;
  recording_process process;
  runtime::environment env;
  config settings;
  caf::actor_system system;
  caf::scheduler::test_coordinator& scheduler;
  caf::scoped_actor self;
};

} // namespace epione::actors::test
