// SIGTERM, SIGINT and SIGHUP as calls on an ordinary thread, where anything may be done.
#pragma once

#include <functional>
#include <memory>

namespace epione::cli {

/// Construct before any thread is started: they inherit that the signals are blocked.
class stop_signals {
public:
  stop_signals();
  ~stop_signals(); ///< end(); the signals stay blocked
  stop_signals(const stop_signals&) = delete;
  stop_signals& operator=(const stop_signals&) = delete;

  /// Calls `first` at the first signal and `second` at every later one, from a thread of its own. A signal that came before is
  /// not lost. Once.
  void listen(std::function<void()> first, std::function<void()> second);
  /// Ends the thread; waits for a call that is under way.
  void end();

private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

} // namespace epione::cli
