// The process itself, as far as its parts may end it.
#include "runtime/process.hpp"

#include "runtime/log.hpp"

#include <cstdio>
#include <unistd.h>

namespace epione::runtime {

namespace {

class system_process final : public process {
public:
  explicit system_process(log& log) : log_(log) {}
  void fatal(int exit_code, std::string_view why) override {
    log_.error("process", "ends at once", {{"exit_code", exit_code}, {"why", why}});
    std::fflush(nullptr);
    _exit(exit_code);
  }

private:
  log& log_;
};

} // namespace

std::unique_ptr<process> make_system_process(log& log) {
  return std::make_unique<system_process>(log);
}

} // namespace epione::runtime
