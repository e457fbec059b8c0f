// The commands of the program: noun, then verb. Each file adds its own to the parser and sets what is to be done.
#pragma once

#include <functional>
#include <iosfwd>
#include <string>
#include <utility>
#include <vector>

namespace CLI {
class App;
}

namespace epione::cli {

/// What a command works with. Data goes to `out`, messages to `err`.
struct command_context {
  std::ostream& out;
  std::ostream& err;
  std::vector<std::pair<std::string, std::string>> environment;
  /// Set by the command that was given; returns the exit code (runtime/process.hpp, exit_code).
  std::function<int()> chosen;
};

/// Says why on `err` and returns the code.
int fail(command_context& context, int code, const std::string& why);

void add_serve_command(CLI::App& app, command_context& context);
void add_study_command(CLI::App& app, command_context& context);
void add_config_command(CLI::App& app, command_context& context);
void add_console_command(CLI::App& app, command_context& context);
void add_channel_command(CLI::App& app, command_context& context);
void add_cluster_command(CLI::App& app, command_context& context);
void add_cert_command(CLI::App& app, command_context& context);
void add_doctor_command(CLI::App& app, command_context& context);
void add_export_command(CLI::App& app, command_context& context);
void add_backup_commands(CLI::App& app, command_context& context);
void add_audit_command(CLI::App& app, command_context& context);
void add_questionnaire_command(CLI::App& app, command_context& context);
void add_bench_command(CLI::App& app, command_context& context);

/// Last: it describes the others.
void add_documentation_command(CLI::App& app, command_context& context);

} // namespace epione::cli
