// The settings as flags of a command.
#include "cli/settings_flags.hpp"

#include "cli/table.hpp"
#include "node/data_directory.hpp"
#include "runtime/process.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <ostream>

namespace epione::cli {

namespace {

/// What was fixed when the directory was created need not be said at every start. What contradicts it is for the node to refuse.
void take_shard_count_of_directory(runtime::resolved_config& c) {
  auto& source = c.sources[static_cast<std::size_t>(runtime::find_setting("shards.count") - runtime::settings().data())];
  if (source.origin != runtime::config_origin::standard)
    return;
  if (const auto count = node::shard_count_of(c.values.data.directory)) {
    c.values.shards.count = *count;
    source = {runtime::config_origin::directory, node::identity_path(c.values.data.directory)};
  }
}

} // namespace

std::shared_ptr<settings_flags> settings_flags::all(CLI::App& command) {
  auto flags = data_dir_only(command);
  command.add_option("--http", flags->http_, "Where to listen, as HOST:PORT; port 0 takes a free one")->type_name("HOST:PORT");
  for (const auto& s : runtime::settings())
    if (s.name != "data.directory")
      flags->add(command, s);
  return flags;
}

std::shared_ptr<settings_flags> settings_flags::data_dir_only(CLI::App& command) {
  auto flags = std::make_shared<settings_flags>();
  command.add_option("--config", flags->config_path_, "Configuration file (TOML); without it, what EPIONE_CONFIG names")
      ->type_name("FILE");
  flags->add(command, *runtime::find_setting("data.directory"));
  return flags;
}

void settings_flags::add(CLI::App& command, const runtime::setting& what) {
  auto& mine = given_.emplace_back(given{&what, std::nullopt});
  const auto standard = what.value(runtime::config{});
  const auto range = what.range();
  auto* option =
      command.add_option(what.flag(), mine.value,
                         std::string{what.meaning} + " [" + (range.empty() ? "" : range + ", ") + "default " + standard + "]");
  option->type_name(what.name == "data.directory" ? "DIR" : what.unit.empty() ? "TEXT" : "NUMBER");
  if (what.name != "data.directory")
    option->group(settings_group);
}

tl::expected<runtime::resolved_config, std::vector<runtime::config_problem>>
settings_flags::resolve(const command_context& context) const {
  runtime::config_input input;
  input.environment = context.environment;
  input.kinds = &kinds_;
  auto path = config_path_;
  const auto variable = std::find_if(input.environment.begin(), input.environment.end(),
                                     [](const auto& v) { return v.first == runtime::config_file_variable; });
  if (!path && variable != input.environment.end() && !variable->second.empty())
    path = variable->second;
  if (path) {
    auto file = runtime::read_config_file(*path);
    if (!file)
      return tl::unexpected{std::vector{file.error()}};
    input.file = std::move(*file);
  }
  if (http_) {
    const auto parts = split_host_and_port(*http_);
    if (!parts)
      return tl::unexpected{std::vector<runtime::config_problem>{
          {"--http", "--http", "'" + *http_ + "' is not HOST:PORT; write 127.0.0.1:8080 or [::1]:8080"}}};
    input.flags.push_back({"http.address", parts->host, "--http"});
    input.flags.push_back({"http.port", parts->port, "--http"});
  }
  for (const auto& g : given_)
    if (g.value)
      input.flags.push_back({std::string{g.what->name}, *g.value, g.what->flag()});
  auto resolved = runtime::resolve_config(input);
  if (resolved)
    take_shard_count_of_directory(*resolved);
  return resolved;
}

tl::expected<runtime::config, int> settings_flags::values(const command_context& context) const {
  auto resolved = resolve(context);
  if (resolved)
    return std::move(resolved->values);
  print_problems(context.err, resolved.error());
  return tl::unexpected{runtime::exit_code::usage};
}

std::optional<host_and_port> split_host_and_port(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos || colon == 0 || colon + 1 == text.size())
    return std::nullopt;
  std::string_view host = text.substr(0, colon);
  const std::string_view port = text.substr(colon + 1);
  if (!std::all_of(port.begin(), port.end(), [](char c) { return c >= '0' && c <= '9'; }))
    return std::nullopt;
  if (host.front() == '[') {
    if (host.back() != ']' || host.size() < 3)
      return std::nullopt;
    host = host.substr(1, host.size() - 2);
  } else if (host.find(':') != std::string_view::npos) {
    return std::nullopt; // an IPv6 address without brackets: where does the port begin?
  }
  return host_and_port{std::string{host}, std::string{port}};
}

void print_problems(std::ostream& out, const std::vector<runtime::config_problem>& problems) {
  out << "epione: the configuration has " << problems.size() << (problems.size() == 1 ? " problem" : " problems") << '\n';
  std::vector<std::vector<std::string>> rows{{"PLACE", "KEY", "PROBLEM"}};
  for (const auto& p : problems)
    rows.push_back({p.place, p.key, p.message});
  print_table(out, rows);
}

} // namespace epione::cli
