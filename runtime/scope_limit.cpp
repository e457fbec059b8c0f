#include "runtime/scope_limit.hpp"

#include <utility>

namespace epione::runtime {

scope_limit::scope_limit(process& p, std::chrono::milliseconds limit, int exit_code, std::string why)
    : thread_([this, &p, limit, exit_code, why = std::move(why)] {
        std::unique_lock lock{mutex_};
        if (!changed_.wait_for(lock, limit, [this] { return over_; }))
          p.fatal(exit_code, why);
      }) {}

scope_limit::~scope_limit() {
  {
    std::lock_guard guard{mutex_};
    over_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

} // namespace epione::runtime
