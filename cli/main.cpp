// The one program.
#include "cli/app.hpp"
#include "runtime/config.hpp"

#include <iostream>

#ifdef EPIONE_WITH_MIMALLOC
#include <mimalloc.h>
#endif

namespace {

/// With a million patient sessions it is the memory's latency that limits a node: 2 MiB pages make most address look-ups hit
/// (docs/benchmarks.md has the difference). Where the kernel has none left, mimalloc goes on with small ones.
void prefer_large_pages() {
#ifdef EPIONE_WITH_MIMALLOC
  mi_option_set_enabled_default(mi_option_large_os_pages, true); // MIMALLOC_LARGE_OS_PAGES=0 switches it off
#endif
}

} // namespace

int main(int argc, char** argv) {
  prefer_large_pages();
  epione::cli::command_context context{std::cout, std::cerr, epione::runtime::process_environment(), {}};
  return epione::cli::run(std::vector<std::string>{argv + 1, argv + argc}, context);
}
