// What the console asks its node, one call a command.
#pragma once

#include "runtime/admin_socket.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace epione::cli {

struct console_answer {
  int code = 0;        ///< runtime::exit_code; unreachable: no node runs on the directory
  std::string text;    ///< for standard output
  std::string message; ///< for standard error; empty: nothing to say
  std::string cursor;  ///< for the next look of tail
};

/// The node that runs on a directory; each call connects anew, so that a node that was started again is met again.
class console_client {
public:
  explicit console_client(std::string data_directory) : directory_(std::move(data_directory)) {}

  /// `columns`: of the terminal, 0: none. `after`: the cursor of the last answer. Takes as long as the command's own limit.
  console_answer ask(const std::vector<std::string>& words, bool json, std::size_t columns, const std::string& after = {}) const;
  /// Names of the node's actors; none when it does not answer.
  std::vector<std::string> actor_names() const;

private:
  std::string directory_;
};

/// Split at blanks.
std::vector<std::string> words_of(std::string_view line);

} // namespace epione::cli
