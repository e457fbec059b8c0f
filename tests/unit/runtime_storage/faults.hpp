// What a process asks of the machine, counted, and one of it refused: memory of the program, memory of SQLite, the disk. Counts
// and what is to fail belong to a thread.
#pragma once

#include <cstdint>

namespace epione::storage_tests {

enum class resource {
  disk,           ///< every call of the disk; it fails with EIO
  disk_space,     ///< every write and every new file; it fails with ENOSPC
  sqlite_memory,  ///< every allocation of SQLite that its own small reserve does not serve
  program_memory, ///< every operator new; it throws std::bad_alloc
};

/// The nth use from now (1: the next) of this one, by what is under test, fails; no other does.
void fail_at(resource what, std::uint64_t nth) noexcept;
/// One whose turn has not come does not fail any more.
void no_more_faults() noexcept;
bool fault_happened() noexcept;
/// Counts a use; true when it is to fail.
bool fails_now(resource what) noexcept;
/// Allocations of SQLite that were not given back.
std::int64_t sqlite_blocks() noexcept;

/// While one lives, uses count or do not; the innermost says which.
class counting {
public:
  explicit counting(bool on) noexcept;
  counting(const counting&) = delete;
  counting& operator=(const counting&) = delete;
  ~counting();

private:
  bool before_;
};

/// What f does is under test, and nothing around it.
template <class F>
auto tested(F&& f) {
  const counting on{true};
  return f();
}

/// The test's own doing, where it is called by what is under test.
template <class F>
auto untested(F&& f) {
  const counting off{false};
  return f();
}

} // namespace epione::storage_tests
