// epione documentation man | bash: what the package installs beside the program. Hidden: it is for the build.
#include "cli/command_tree.hpp"
#include "cli/commands.hpp"
#include "runtime/process.hpp"

#include <CLI/CLI.hpp>
#include <ostream>

namespace epione::cli {

void add_documentation_command(CLI::App& app, command_context& context) {
  auto* noun = app.add_subcommand("documentation", "Print what belongs beside the program")->group("");
  noun->require_subcommand(1);
  const auto add = [&](const char* name, const char* text, std::string (*print)(const command_description&)) {
    noun->add_subcommand(name, text)->callback([&app, &context, print] {
      context.chosen = [&app, &context, print] {
        context.out << print(describe(app));
        return runtime::exit_code::done;
      };
    });
  };
  add("man", "The man page", man_page);
  add("bash", "The completion for bash", bash_completion);
}

} // namespace epione::cli
