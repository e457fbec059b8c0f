// The one program.
#include "cli/app.hpp"
#include "runtime/config.hpp"

#include <iostream>

#ifdef EPIONE_WITH_MIMALLOC
#include "runtime/process.hpp"

#include <cerrno>
#include <mimalloc.h>
#include <string_view>
#include <unistd.h>
#endif

namespace {

/// With a million patient sessions it is the memory's latency that limits a node: 2 MiB pages make most address look-ups hit
/// (docs/benchmarks.md has the difference). Where the kernel has none left, mimalloc goes on with small ones.
void prefer_large_pages() {
#ifdef EPIONE_WITH_MIMALLOC
  mi_option_set_enabled_default(mi_option_large_os_pages, true); // MIMALLOC_LARGE_OS_PAGES=0 switches it off
#endif
}

/// The packaged mimalloc is built as C: it cannot throw std::bad_alloc, knows no new handler, and would abort without a word.
void say_when_memory_ends() {
#ifdef EPIONE_WITH_MIMALLOC
  const auto handler = [](int error, void*) {
    if (error != ENOMEM)
      return;
    constexpr std::string_view why{"epione: the system gives no more memory; the process ends at once. Nothing acknowledged is "
                                   "lost. Give it more, or lower sessions.per_node_max\n"};
    [[maybe_unused]] const auto written = ::write(STDERR_FILENO, why.data(), why.size());
    _exit(epione::runtime::exit_code::failed);
  };
  mi_register_error(handler, nullptr);
#endif
}

} // namespace

int main(int argc, char** argv) {
  prefer_large_pages();
  say_when_memory_ends();
  epione::cli::command_context context{std::cout, std::cerr, epione::runtime::process_environment(), {}};
  return epione::cli::run(std::vector<std::string>{argv + 1, argv + argc}, context);
}
