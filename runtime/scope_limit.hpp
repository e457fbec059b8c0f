// A time limit for what has none of its own, such as a destructor that waits for a thread inside a disk call.
#pragma once

#include "runtime/process.hpp"

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>

namespace epione::runtime {

/// Ends the process when it is not destroyed within `limit`.
class scope_limit {
public:
  scope_limit(process& p, std::chrono::milliseconds limit, int exit_code, std::string why);
  ~scope_limit();
  scope_limit(const scope_limit&) = delete;
  scope_limit& operator=(const scope_limit&) = delete;

private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool over_ = false;
  std::thread thread_;
};

} // namespace epione::runtime
