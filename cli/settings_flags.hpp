// The settings as flags of a command, and the configuration they give together with file and environment.
#pragma once

#include "cli/commands.hpp"
#include "runtime/channels/builtin.hpp"
#include "runtime/config.hpp"

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <tl/expected.hpp>
#include <vector>

namespace epione::cli {

/// The heading under which --help lists the settings.
inline constexpr const char* settings_group = "Settings (also as EPIONE_SECTION_KEY, or in the file; see docs/limits.md)";

/// Kept alive by the command's function until it has run.
class settings_flags {
public:
  /// Adds --config and a flag for every setting, besides --http HOST:PORT.
  static std::shared_ptr<settings_flags> all(CLI::App& command);
  /// Adds --config and --data-dir only.
  static std::shared_ptr<settings_flags> data_dir_only(CLI::App& command);

  /// All problems at once.
  tl::expected<runtime::resolved_config, std::vector<runtime::config_problem>> resolve(const command_context& context) const;

  /// As resolve(); prints the problems to the context's err and returns the exit code instead.
  tl::expected<runtime::config, int> values(const command_context& context) const;

private:
  struct given {
    const runtime::setting* what = nullptr;
    std::optional<std::string> value;
  };
  void add(CLI::App& command, const runtime::setting& what);

  runtime::channel_kinds kinds_ = runtime::builtin_channel_kinds();
  std::optional<std::string> config_path_, http_;
  std::deque<given> given_; // a deque: the parser keeps pointers into it
};

struct host_and_port {
  std::string host, port;
};
/// "127.0.0.1:8080", "[::1]:8080", "localhost:0"; nothing for anything else. The parts are not checked.
std::optional<host_and_port> split_host_and_port(std::string_view text);

void print_problems(std::ostream& out, const std::vector<runtime::config_problem>& problems);

} // namespace epione::cli
