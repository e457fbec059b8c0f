#include "cli/line_editor.hpp"

#include "actors/console_table.hpp"
#include "runtime/defaults.hpp"

#include <algorithm>
#include <clocale>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <histedit.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace epione::cli {

struct line_editor::impl {
  std::string prompt, history_file;
  completer complete;
  EditLine* edit = nullptr;
  History* lines = nullptr;

  static impl& of(EditLine* edit) {
    void* mine = nullptr;
    el_get(edit, EL_CLIENTDATA, &mine);
    return *static_cast<impl*>(mine);
  }

  static char* prompt_of(EditLine* edit) { return of(edit).prompt.data(); }

  /// As a shell does: what was typed stays on the screen, and a fresh line begins.
  static unsigned char clear_line(EditLine* edit, int) {
    const auto* line = el_line(edit);
    el_cursor(edit, static_cast<int>(line->lastchar - line->cursor));
    el_deletestr(edit, static_cast<int>(line->lastchar - line->buffer));
    std::fputs("^C\r\n", stdout);
    return CC_REDISPLAY;
  }

  static unsigned char complete_line(EditLine* edit, int) {
    const auto* line = el_line(edit);
    const std::string_view typed{line->buffer, static_cast<std::size_t>(line->cursor - line->buffer)};
    const auto found = of(edit).complete(typed);
    if (!found.insert.empty())
      return el_insertstr(edit, found.insert.c_str()) == 0 ? CC_REFRESH : CC_ERROR;
    if (found.candidates.size() < 2)
      return CC_ERROR;
    show(found.candidates);
    return CC_REDISPLAY;
  }

  /// In columns below the line.
  static void show(const std::vector<std::string>& candidates) {
    winsize size{};
    const bool known = ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
    const std::size_t columns = known ? size.ws_col : 80;
    std::size_t width = 0;
    for (const auto& c : candidates)
      width = std::max(width, actors::text_width(c) + 2);
    const auto in_a_row = std::max<std::size_t>(1, columns / width);
    std::string text = "\r\n";
    for (std::size_t i = 0; i < candidates.size(); ++i) {
      const bool last = i + 1 == candidates.size() || (i + 1) % in_a_row == 0;
      text += candidates[i] + (last ? std::string{"\r\n"} : std::string(width - actors::text_width(candidates[i]), ' '));
    }
    std::fputs(text.c_str(), stdout);
  }

  void remember(const std::string& line) {
    HistEvent event{};
    history(lines, &event, H_ENTER, line.c_str());
    if (history_file.empty())
      return;
    const auto before = ::umask(0077); // nobody else reads what an operator did and why
    history(lines, &event, H_SAVE, history_file.c_str());
    ::umask(before);
  }
};

line_editor::line_editor(std::string prompt, std::string history_file, completer complete) : impl_(std::make_unique<impl>()) {
  std::setlocale(LC_CTYPE, ""); // or libedit takes a letter beyond ASCII for two
  auto& i = *impl_;
  i.prompt = std::move(prompt);
  i.history_file = std::move(history_file);
  i.complete = std::move(complete);
  HistEvent event{};
  i.lines = history_init();
  history(i.lines, &event, H_SETSIZE, static_cast<int>(runtime::defaults::console_history_max));
  history(i.lines, &event, H_SETUNIQUE, 1);
  if (!i.history_file.empty())
    history(i.lines, &event, H_LOAD, i.history_file.c_str());
  i.edit = el_init("epione", stdin, stdout, stderr);
  el_set(i.edit, EL_CLIENTDATA, &i);
  el_set(i.edit, EL_PROMPT, &impl::prompt_of);
  el_set(i.edit, EL_EDITOR, "emacs");
  el_set(i.edit, EL_HIST, history, i.lines);
  el_set(i.edit, EL_ADDFN, "epione-clear", "Begin a new line", &impl::clear_line);
  el_set(i.edit, EL_ADDFN, "epione-complete", "Complete a command or a name", &impl::complete_line);
  el_set(i.edit, EL_BIND, "^C", "epione-clear", nullptr);
  el_set(i.edit, EL_BIND, "^I", "epione-complete", nullptr);
  el_set(i.edit, EL_BIND, "^R", "em-inc-search-prev", nullptr);
  el_set(i.edit, EL_SETTY, "-d", "-isig", nullptr); // Ctrl-C is a key while a line is edited, not a signal
  el_source(i.edit, nullptr);
}

line_editor::~line_editor() {
  el_end(impl_->edit);
  history_end(impl_->lines);
}

std::optional<std::string> line_editor::read() {
  int length = 0;
  const char* typed = el_gets(impl_->edit, &length);
  if (typed == nullptr || length <= 0)
    return std::nullopt;
  std::string line{typed, static_cast<std::size_t>(length)};
  line.erase(line.find_last_not_of("\r\n") + 1);
  if (line.find_first_not_of(' ') != std::string::npos)
    impl_->remember(line);
  return line;
}

std::string console_history_file() {
  namespace fs = std::filesystem;
  const char *state = std::getenv("XDG_STATE_HOME"), *home = std::getenv("HOME");
  fs::path directory;
  if (state != nullptr && *state == '/')
    directory = state;
  else if (home != nullptr && *home == '/')
    directory = fs::path{home} / ".local/state";
  else
    return {};
  directory /= "epione";
  std::error_code ignored;
  fs::create_directories(directory.parent_path(), ignored);
  ::mkdir(directory.c_str(), 0700);
  return (directory / "console_history").string();
}

} // namespace epione::cli
