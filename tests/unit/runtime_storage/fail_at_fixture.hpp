// Fail-at-N: the same calls again and again, each time with the next use of a resource refused, until none is refused any more.
#pragma once

#include "runtime/storage/audit.hpp"
#include "tests/unit/runtime_storage/fault_disk.hpp"
#include "tests/unit/runtime_storage/faults.hpp"
#include "tests/unit/runtime_storage/simulated_fixture.hpp"

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace epione::storage_tests {

constexpr bool is_of_disk(resource what) {
  return what == resource::disk || what == resource::disk_space;
}

/// Where the power goes too, each time another part of what was not synced is lost. Without that all is to repeat exactly.
constexpr std::uint64_t seed_of(resource what, std::uint64_t use) {
  return is_of_disk(what) ? use + 1 : 1;
}

/// All files, by path.
using disk_image = std::map<std::string, std::vector<std::uint8_t>>;

/// A machine: a simulated disk with these files, synced, and what stands before it and fails.
struct faulty : simulated {
  explicit faulty(const disk_image& files = {}, std::uint64_t seed = 1) : simulated(seed), failing(disk) {
    for (const auto& [path, bytes] : files) {
      auto file = must(disk.open(path));
      must(file->write_at(0, bytes));
      must(file->sync());
    }
  }

  disk_image image() const {
    disk_image out;
    for (const auto& f : disk.files())
      out[f] = disk.bytes(f);
    return out;
  }

  /// The process ends. When the disk failed the power goes as well, and with it what a failed sync left behind. Nothing fails in
  /// the next process, which calls the same functions.
  void end(resource failed) {
    no_more_faults();
    BOOST_REQUIRE(failing.open_files() == 0);
    disk.no_faults();
    if (is_of_disk(failed))
      disk.crash();
    else
      disk.kill();
  }

  fault_disk failing;
};

/// What was looked at already: many failures leave the same disk behind, of which the same was promised.
class looked_at {
public:
  bool again(const simulation::simulated_disk& d, std::uint64_t promised) { return !seen_.emplace(d.digest(), promised).second; }

private:
  std::set<std::pair<std::uint64_t, std::uint64_t>> seen_;
};

/// What one that failed may say. Not `damaged`: nothing is, and a store of which that is said is put aside.
inline void expect_failure(const runtime::storage_error& why) {
  BOOST_REQUIRE_MESSAGE((why.code == ec::io_failed || why.code == ec::disk_full), why.message);
  BOOST_REQUIRE(!why.message.empty());
}

/// The store's own part of the audit: its chain, and all that hangs on it. Empty: whole.
inline std::string audit_of_store(runtime::disk& d, const std::string& directory, const std::string& file) {
  for (const auto& p : runtime::audit_directory(d, directory, nullptr).parts)
    if (p.file.find(file) != std::string::npos)
      return p.broken.value_or("");
  return "it was not looked at";
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define EPIONE_UNDER_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define EPIONE_UNDER_SANITIZER 1
#endif
#endif

/// Calls of the disk are tried all, they are what the promises hang on; so is memory of the program. The most by far are
/// allocations of SQLite, mostly of its parser, one much like the next: every third stands for its neighbours, so that all of
/// these tests take some seconds. Where everything is slow it is fewer.
constexpr std::uint64_t step_of(resource what) {
#ifdef EPIONE_UNDER_SANITIZER
  constexpr std::uint64_t step = 11;
#else
  constexpr std::uint64_t step = 3;
#endif
  return what == resource::sqlite_memory ? step : 1;
}

/// Also when a check ended the test before its use came: the next test is not to meet it.
struct no_fault_afterwards {
  no_fault_afterwards() = default;
  no_fault_afterwards(const no_fault_afterwards&) = delete;
  no_fault_afterwards& operator=(const no_fault_afterwards&) = delete;
  ~no_fault_afterwards() { no_more_faults(); }
};

/// `attempt` is told which use fails, makes its own machine, calls what is under test within tested(), checks what is left, and
/// returns whether a call reported a failure. Called first with nothing failing, then with each use of the resource failing in
/// turn (see step_of()), to the last one.
template <class Attempt>
void each_use_fails_once(resource what, Attempt&& attempt) {
  constexpr std::uint64_t uses_max = 100'000;
  const no_fault_afterwards cleared;
  fail_at(what, 0);
  BOOST_REQUIRE(!attempt(std::uint64_t{0}));
  std::uint64_t failures = 0, reported = 0;
  for (std::uint64_t n = 1;; n += step_of(what)) {
    BOOST_TEST_CONTEXT("resource " << static_cast<int>(what) << ", use " << n) {
      BOOST_REQUIRE(n <= uses_max);
      const auto blocks = sqlite_blocks();
      fail_at(what, n);
      const bool told = attempt(n);
      BOOST_REQUIRE_EQUAL(sqlite_blocks(), blocks); // no statement and no connection is left
      if (!fault_happened()) {
        BOOST_REQUIRE(!told);
        break;
      }
      ++failures;
      reported += told;
    }
  }
  // SQLite does without some memory, and a commit without the size of a file; most is missed.
  BOOST_TEST_MESSAGE("resource " << static_cast<int>(what) << ": " << failures << " failures, " << reported << " reported");
  BOOST_TEST(failures > 0);
  BOOST_TEST(2 * reported > failures);
}

} // namespace epione::storage_tests
