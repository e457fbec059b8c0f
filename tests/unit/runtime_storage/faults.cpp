// operator new of the whole test program, and SQLite's memory, so that they can fail.
#include "tests/unit/runtime_storage/faults.hpp"

#include <array>
#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <new>
#include <sqlite3.h>
#include <stdexcept>
#include <utility>

namespace epione::storage_tests {

namespace {

struct thread_counts {
  std::array<std::uint64_t, 4> fails_in{}; ///< by resource; 0: does not fail
  std::int64_t sqlite_blocks = 0;
  bool counting = false, happened = false;
};

// Without a constructor: operator new asks for it before anything else exists.
constinit thread_local thread_counts here{};

sqlite3_mem_methods default_memory{};

void* allocate(int bytes) {
  auto* out = fails_now(resource::sqlite_memory) ? nullptr : default_memory.xMalloc(bytes);
  here.sqlite_blocks += out != nullptr;
  return out;
}

void* reallocate(void* before, int bytes) {
  return fails_now(resource::sqlite_memory) ? nullptr : default_memory.xRealloc(before, bytes);
}

void release(void* block) {
  here.sqlite_blocks -= block != nullptr;
  default_memory.xFree(block);
}

/// Before the first test: SQLite takes other memory only while it has none.
struct sqlite_memory_that_fails {
  sqlite_memory_that_fails() {
    auto counted = sqlite3_mem_methods{};
    bool done = sqlite3_shutdown() == SQLITE_OK && sqlite3_config(SQLITE_CONFIG_GETMALLOC, &default_memory) == SQLITE_OK;
    counted = default_memory;
    counted.xMalloc = allocate;
    counted.xRealloc = reallocate;
    counted.xFree = release;
    done = done && sqlite3_config(SQLITE_CONFIG_MALLOC, &counted) == SQLITE_OK && sqlite3_initialize() == SQLITE_OK;
    if (!done)
      throw std::runtime_error("SQLite does not take its memory from the test");
  }
};

} // namespace

void fail_at(resource what, std::uint64_t nth) noexcept {
  here.fails_in = {};
  here.fails_in[static_cast<std::size_t>(what)] = nth;
  here.happened = false;
}

void no_more_faults() noexcept {
  here.fails_in = {};
}

bool fault_happened() noexcept {
  return here.happened;
}

bool fails_now(resource what) noexcept {
  auto& left = here.fails_in[static_cast<std::size_t>(what)];
  if (!here.counting || left == 0 || --left != 0)
    return false;
  here.happened = true;
  return true;
}

std::int64_t sqlite_blocks() noexcept {
  return here.sqlite_blocks;
}

counting::counting(bool on) noexcept : before_(std::exchange(here.counting, on)) {}

counting::~counting() {
  here.counting = before_;
}

BOOST_TEST_GLOBAL_FIXTURE(sqlite_memory_that_fails);

} // namespace epione::storage_tests

namespace {

void* program_memory(std::size_t bytes) noexcept {
  return epione::storage_tests::fails_now(epione::storage_tests::resource::program_memory) ? nullptr
                                                                                           : std::malloc(bytes == 0 ? 1 : bytes);
}

void* program_memory_or_throw(std::size_t bytes) {
  if (void* out = program_memory(bytes))
    return out;
  throw std::bad_alloc{};
}

} // namespace

// All forms but the aligned ones: under AddressSanitizer what one of them gives must not go back to another's.
void* operator new(std::size_t bytes) {
  return program_memory_or_throw(bytes);
}
void* operator new[](std::size_t bytes) {
  return program_memory_or_throw(bytes);
}
void* operator new(std::size_t bytes, const std::nothrow_t&) noexcept {
  return program_memory(bytes);
}
void* operator new[](std::size_t bytes, const std::nothrow_t&) noexcept {
  return program_memory(bytes);
}
void operator delete(void* block) noexcept {
  std::free(block);
}
void operator delete[](void* block) noexcept {
  std::free(block);
}
void operator delete(void* block, std::size_t) noexcept {
  std::free(block);
}
void operator delete[](void* block, std::size_t) noexcept {
  std::free(block);
}
void operator delete(void* block, const std::nothrow_t&) noexcept {
  std::free(block);
}
void operator delete[](void* block, const std::nothrow_t&) noexcept {
  std::free(block);
}
