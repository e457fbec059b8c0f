// The command line as data, read off the parser's own definition: what the man page and the shell completion are made of.
#pragma once

#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace epione::cli {

struct option_description {
  std::vector<std::string> names; ///< "--study"; of a positional argument its name alone, "PATH"
  std::string value;              ///< "DIR", "NUMBER"; empty for a flag
  std::vector<std::string> choices;
  std::string text, standard; ///< what it does; its default, empty without one
  bool positional = false, required = false;
  bool setting = false; ///< one of the settings that serve, doctor and config have in common
};

struct command_description {
  std::vector<std::string> path; ///< {"study", "import"}; empty for the program
  std::string text;
  std::vector<option_description> options;
  std::vector<command_description> commands;
};

/// All but what is hidden from --help.
command_description describe(const CLI::App& app);

/// roff for man(1): one page with all commands.
std::string man_page(const command_description& program);
/// A completion for bash, to be sourced.
std::string bash_completion(const command_description& program);

} // namespace epione::cli
