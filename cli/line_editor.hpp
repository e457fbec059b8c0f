// Lines typed at a terminal: editing, history and completion, by libedit.
#pragma once

#include "cli/console_completion.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace epione::cli {

class line_editor {
public:
  using completer = std::function<completion(std::string_view line_up_to_the_cursor)>;

  /// `history_file`: read now, and written after every line, readable for its owner alone; empty: nothing is kept. A file that
  /// cannot be read or written is no error.
  line_editor(std::string prompt, std::string history_file, completer complete);
  ~line_editor();
  line_editor(const line_editor&) = delete;
  line_editor& operator=(const line_editor&) = delete;

  /// The next line without its line feed; nothing after Ctrl-D on an empty line. Ctrl-C clears the line.
  std::optional<std::string> read();

private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

/// $XDG_STATE_HOME/epione/console_history, or the same below ~/.local/state; makes the directory (mode 0700). Empty when there is
/// no home.
std::string console_history_file();

} // namespace epione::cli
