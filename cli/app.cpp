// The parser and the mapping of its outcomes: CLI11's own exit codes (100 and up) reach nobody.
#include "cli/app.hpp"

#include "cli/commands.hpp"
#include "cli/table.hpp"

#include "runtime/process.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <exception>

namespace epione::cli {

namespace {

/// The innermost command that was given: whose usage was wrong.
const CLI::App* innermost(const CLI::App* app) {
  while (!app->get_subcommands().empty())
    app = app->get_subcommands().front();
  return app;
}

std::string full_name(const CLI::App* app) {
  std::string name = app->get_name();
  for (const auto* parent = app->get_parent(); parent != nullptr; parent = parent->get_parent())
    name = parent->get_name() + " " + name;
  return name;
}

} // namespace

int fail(command_context& context, int code, const std::string& why) {
  context.err << "epione: " << printable(why) << '\n';
  return code;
}

int run(const std::vector<std::string>& arguments, command_context& context) {
  CLI::App app{"Epione: patients' answers in clinical trials, checked, stored and scored.\n"
               "Exit codes: 0 done, 1 failed, 2 usage, 3 unreachable, 4 the check found problems.",
               "epione"};
  app.set_version_flag("--version", "epione " EPIONE_VERSION);
  app.require_subcommand(1);
  add_serve_command(app, context);
  add_study_command(app, context);
  add_config_command(app, context);
  add_export_command(app, context);
  add_channel_command(app, context);
  add_cluster_command(app, context);
  add_cert_command(app, context);
  add_backup_commands(app, context);
  add_audit_command(app, context);
  add_console_command(app, context);
  add_doctor_command(app, context);
  add_questionnaire_command(app, context);
  add_bench_command(app, context);
  add_documentation_command(app, context);

  try {
    app.parse(std::vector<std::string>{arguments.rbegin(), arguments.rend()}); // CLI11 takes them from the back
  } catch (const CLI::CallForHelp&) {
    context.out << app.help(); // of the innermost command that was given, under its full name
    return runtime::exit_code::done;
  } catch (const CLI::CallForAllHelp&) {
    context.out << app.help("", CLI::AppFormatMode::All);
    return runtime::exit_code::done;
  } catch (const CLI::CallForVersion& e) {
    context.out << e.what() << '\n';
    return runtime::exit_code::done;
  } catch (const CLI::ParseError& e) {
    context.err << "epione: " << e.what() << "\nTry: " << full_name(innermost(&app)) << " --help\n";
    return runtime::exit_code::usage;
  }

  try {
    const int code = context.chosen ? context.chosen() : runtime::exit_code::usage;
    context.out.flush();
    if (!context.out) {
      context.err << "epione: the output could not be written; is the disk full or the reader gone?\n";
      return std::max(code, runtime::exit_code::failed);
    }
    return code;
  } catch (const std::exception& e) {
    context.err << "epione: " << e.what() << '\n';
    return runtime::exit_code::failed;
  }
}

} // namespace epione::cli
