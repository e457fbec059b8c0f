// How a part ends the process when going on would serve wrong data; passed in, so that tests and the simulator see it instead.
#pragma once

#include <memory>
#include <string_view>

namespace epione::runtime {

class log;

/// Exit codes of the program, the same for every command.
namespace exit_code {
inline constexpr int done = 0;
inline constexpr int failed = 1;
inline constexpr int usage = 2;
inline constexpr int unreachable = 3;
inline constexpr int problems = 4; ///< the check found problems, or the data is damaged
} // namespace exit_code

class process {
public:
  virtual ~process() = default;
  /// Ends the process at once, without running destructors: what is not durable by now must not become so by chance. `why`
  /// names the thing, what is wrong and what to do. Production does not return; others may, and the caller then does nothing
  /// more.
  virtual void fatal(int exit_code, std::string_view why) = 0;
};

/// Logs `why` as an error and calls _exit.
std::unique_ptr<process> make_system_process(log& log);

} // namespace epione::runtime
