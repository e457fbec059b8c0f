// epione backup, epione restore
#include "cli/backup_run.hpp"
#include "cli/settings_flags.hpp"
#include "cli/table.hpp"
#include "node/restore.hpp"
#include "runtime/os_user.hpp"
#include "runtime/process.hpp"

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>
#include <ostream>
#include <unistd.h>

namespace epione::cli {

namespace {

namespace exit_code = runtime::exit_code;

std::function<void(std::string_view)> telling(command_context& context, bool json) {
  return [&context, json](std::string_view what) {
    if (!json)
      context.err << "epione: " << printable(what) << std::endl;
  };
}

int backup(const runtime::config& config, const backup_options& options, bool json, command_context& context) {
  const auto done = run_backup(config, options, telling(context, json));
  if (!done)
    return fail(context, done.error().code, done.error().message);
  if (json)
    context.out << node::to_json(*done);
  else
    context.out << "Backup of cluster " << done->cluster << " in " << printable(options.directory) << ": " << done->groups.size()
                << " groups, " << done->events() << " events, " << done->bytes() << " bytes\n";
  return exit_code::done;
}

int restore(const std::string& from, const std::string& directory, bool json, command_context& context) {
  const auto tell = telling(context, json);
  const auto done = node::restore_backup(from, directory, runtime::os_user(::geteuid()), tell);
  if (!done)
    return fail(context, done.error().exit_code, done.error().message);
  if (json)
    context.out << nlohmann::ordered_json{{"directory", directory},
                                          {"cluster", done->cluster},
                                          {"from", done->manifest.cluster},
                                          {"groups", done->manifest.groups.size()},
                                          {"events", done->manifest.events()}}
                       .dump(2)
                << '\n';
  else
    context.out << "Restored " << done->manifest.events() << " events in " << done->manifest.groups.size() << " groups to "
                << printable(directory) << ", as cluster " << done->cluster << ".\nStart it with: epione serve --data-dir "
                << printable(directory) << '\n';
  return exit_code::done;
}

void add_backup(CLI::App& app, command_context& context) {
  auto* verb = app.add_subcommand("backup", "Copy everything a cluster holds into a directory, of a running node or a stopped "
                                            "one's directory; what was acknowledged before is in it");
  auto options = std::make_shared<backup_options>();
  auto json = std::make_shared<bool>(false);
  verb->add_option("BACKUP", options->directory, "Directory to write to: empty, or not there yet")->required()->type_name("DIR");
  verb->add_option("--bytes-per-second", options->bytes_per_s, "Copy no faster, for the sake of who is served meanwhile")
      ->check(CLI::Range(std::uint64_t{100'000}, std::uint64_t{100'000'000'000}))
      ->type_name("NUMBER")
      ->capture_default_str();
  verb->add_flag("--json", *json, "The manifest on standard output, for programs");
  auto flags = settings_flags::data_dir_only(*verb);
  verb->callback([flags, options, json, &context] {
    context.chosen = [flags, options, json, &context] {
      const auto config = flags->values(context);
      return config ? backup(*config, *options, *json, context) : config.error();
    };
  });
}

void add_restore(CLI::App& app, command_context& context) {
  auto* verb = app.add_subcommand("restore", "Make an empty data directory that of a new cluster which begins with what a backup "
                                             "holds; exit 4 and what is wrong when the backup is not whole");
  auto from = std::make_shared<std::string>();
  auto json = std::make_shared<bool>(false);
  verb->add_option("BACKUP", *from, "Directory that epione backup wrote")->required()->type_name("DIR");
  verb->add_flag("--json", *json, "For programs");
  auto flags = settings_flags::data_dir_only(*verb);
  verb->callback([flags, from, json, &context] {
    context.chosen = [flags, from, json, &context] {
      const auto config = flags->values(context);
      return config ? restore(*from, config->data.directory, *json, context) : config.error();
    };
  });
}

} // namespace

void add_backup_commands(CLI::App& app, command_context& context) {
  add_backup(app, context);
  add_restore(app, context);
}

} // namespace epione::cli
