// The command line as a function, so that tests call it without a process.
#pragma once

#include "cli/commands.hpp"

namespace epione::cli {

/// `arguments` without the program's name. Returns the exit code: 0 done, 1 failed, 2 usage, 3 unreachable, 4 problems found.
int run(const std::vector<std::string>& arguments, command_context& context);

} // namespace epione::cli
