// SIGTERM, SIGINT and SIGHUP for commands that wait in one thread.
#pragma once

#include "cli/stop_signals.hpp"

#include <chrono>

namespace epione::cli {

/// Turns the first signal into a descriptor that is readable from then on; a second one ends the process with exit code 1.
/// Construct before any thread is started.
class stop_descriptor {
public:
  stop_descriptor();
  ~stop_descriptor();
  stop_descriptor(const stop_descriptor&) = delete;
  stop_descriptor& operator=(const stop_descriptor&) = delete;

  int get() const { return event_; }
  /// Returns at that time, or at once when asked to stop: then false.
  bool wait_until(std::chrono::steady_clock::time_point time) const;

private:
  int event_;
  stop_signals signals_;
};

} // namespace epione::cli
