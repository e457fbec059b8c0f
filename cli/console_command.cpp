// epione console: commands to a running node, typed by a person or given by a script.
#include "actors/console_commands.hpp"
#include "cli/console_client.hpp"
#include "cli/console_completion.hpp"
#include "cli/console_screen.hpp"
#include "cli/line_editor.hpp"
#include "cli/settings_flags.hpp"
#include "runtime/process.hpp"

#include <CLI/CLI.hpp>
#include <array>
#include <chrono>
#include <ctime>
#include <iostream>
#include <unistd.h>

namespace epione::cli {

namespace {

namespace exit_code = runtime::exit_code;
using std::chrono::milliseconds;

constexpr milliseconds follow_period{runtime::defaults::console_follow_ms};

std::string host_name() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "localhost";
}

std::string clock_text() {
  const std::time_t now = std::time(nullptr);
  std::tm utc{};
  gmtime_r(&now, &utc);
  std::array<char, 16> text{};
  return {text.data(), std::strftime(text.data(), text.size(), "%H:%M:%S", &utc)};
}

class console {
public:
  console(std::string directory, bool json, command_context& context)
      : client_(std::move(directory)), json_(json), context_(context) {}

  /// One command, asked once; what follows something looks once.
  int once(const std::string& line) { return show(client_.ask(words_of(line), json_, size_of_screen().columns)); }

  /// Lines of standard input, until its end or the node is gone; the first code that is not 0.
  int script() {
    int code = exit_code::done;
    for (std::string line; code != exit_code::unreachable && std::getline(std::cin, line);) {
      const auto words = words_of(line);
      if (words.empty() || words.front().starts_with('#'))
        continue;
      if (words.front() == "exit")
        break;
      const int one = once(line);
      code = code == exit_code::done || one == exit_code::unreachable ? one : code;
    }
    return code;
  }

  int at_terminal() {
    const auto hello = client_.ask({"version"}, false, size_of_screen().columns);
    if (const int code = show(hello); code != exit_code::done)
      return code;
    context_.out << "help lists the commands, Tab completes, Ctrl-D leaves.\n" << std::flush;
    line_editor editor{"epione@" + host_name() + "> ", console_history_file(),
                       [this](std::string_view line) { return complete(line, [this] { return client_.actor_names(); }); }};
    while (const auto line = editor.read()) {
      const auto words = words_of(*line);
      if (words.empty())
        continue;
      if (words.front() == "exit" || words.front() == "quit")
        return exit_code::done;
      if (words.front() == "watch")
        watch({words.begin() + 1, words.end()});
      else if (words.front() == "tail")
        follow(words);
      else
        show(client_.ask(words, json_, size_of_screen().columns));
      context_.out << std::flush;
    }
    context_.out << "\n" << std::flush;
    return exit_code::done;
  }

private:
  int show(const console_answer& answer) {
    context_.out << answer.text << std::flush;
    if (!answer.message.empty())
      context_.err << "epione: " << answer.message << std::endl;
    return answer.code;
  }

  /// Drawn again and again, until a key is pressed.
  void watch(const std::vector<std::string>& words) {
    const auto* command = words.empty() ? nullptr : actors::find_console_command(words.front());
    const bool lists = command != nullptr && command->name == "dead-letters" && (words.size() == 1 || words[1] == "list");
    if (command == nullptr || command->run == nullptr || (command->changes && !lists) || words.front() == "tail") {
      context_.err << "epione: watch takes a command that shows something, as in: watch actors" << std::endl;
      return;
    }
    std::string line;
    for (const auto& word : words)
      line += (line.empty() ? "" : " ") + word;
    key_reader keys;
    full_screen screen;
    do {
      const auto answer = client_.ask(words, json_, size_of_screen().columns);
      screen.draw(" " + line + " · " + host_name() + " · " + clock_text() + " UTC · any key ends ",
                  answer.text + (answer.message.empty() ? "" : "\n" + answer.message + "\n"));
    } while (!keys.wait(follow_period));
  }

  /// Line by line, until Ctrl-C.
  void follow(const std::vector<std::string>& words) {
    auto answer = client_.ask(words, json_, size_of_screen().columns);
    if (show(answer) != exit_code::done)
      return;
    key_reader keys;
    for (;;) {
      const auto key = keys.wait(follow_period);
      if (key == ctrl_c || key == ctrl_d || key == 'q')
        return;
      if (key)
        continue;
      answer = client_.ask(words, json_, size_of_screen().columns, answer.cursor);
      if (show(answer) != exit_code::done)
        return;
    }
  }

  console_client client_;
  bool json_;
  command_context& context_;
};

} // namespace

void add_console_command(CLI::App& app, command_context& context) {
  auto* verb =
      app.add_subcommand("console", "Look into a running node and control it: its actors, shards, sessions, notices and events. "
                                    "Without -e it reads commands from the terminal, or lines from standard input");
  auto lines = std::make_shared<std::vector<std::string>>();
  auto json = std::make_shared<bool>(false);
  verb->add_option("-e,--execute", *lines, "A command, as it would be typed; may be given several times")
      ->take_all()
      ->allow_extra_args(false);
  verb->add_flag("--json", *json, "For programs: each answer is one JSON value on a line of its own");
  auto flags = settings_flags::data_dir_only(*verb);
  verb->callback([flags, lines, json, &context] {
    context.chosen = [flags, lines, json, &context] {
      const auto config = flags->values(context);
      if (!config)
        return config.error();
      console here{config->data.directory, *json, context};
      if (lines->empty())
        return ::isatty(STDIN_FILENO) != 0 && ::isatty(STDOUT_FILENO) != 0 ? here.at_terminal() : here.script();
      int code = exit_code::done;
      for (const auto& line : *lines) {
        const int one = here.once(line);
        code = code == exit_code::done || one == exit_code::unreachable ? one : code;
        if (code == exit_code::unreachable)
          break;
      }
      return code;
    };
  });
}

} // namespace epione::cli
