// epione audit verify
#include "cli/settings_flags.hpp"
#include "cli/table.hpp"
#include "runtime/process.hpp"
#include "runtime/storage/audit.hpp"

#include <CLI/CLI.hpp>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <ostream>
#include <unistd.h>

namespace epione::cli {

namespace {

namespace exit_code = runtime::exit_code;

constexpr std::size_t hash_digits_shown = 16; // enough to compare by eye; --json has all

int report(const runtime::audit_report& r, bool json, command_context& context) {
  if (json) {
    auto list = nlohmann::ordered_json::array();
    for (const auto& p : r.parts)
      list.push_back({{"file", p.file},
                      {"entries", p.entries},
                      {"last", p.last},
                      {"head", p.head_hex},
                      {"broken", p.broken ? nlohmann::ordered_json(*p.broken) : nlohmann::ordered_json(nullptr)}});
    const nlohmann::ordered_json content{{"ok", r.ok()}, {"parts", list}};
    context.out << content.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) << '\n';
    return r.ok() ? exit_code::done : exit_code::problems;
  }
  std::vector<std::vector<std::string>> rows{{"FILE", "ENTRIES", "LAST", "HEAD", "RESULT"}};
  for (const auto& p : r.parts)
    rows.push_back({p.file, std::to_string(p.entries), std::to_string(p.last), p.head_hex.substr(0, hash_digits_shown),
                    p.broken ? "BROKEN: " + *p.broken : "whole"});
  print_table(context.out, rows);
  if (!r.ok())
    context.err << "epione: the data is not what was written; keep a copy of the directory before anything else, and restore "
                   "from a backup\n";
  return r.ok() ? exit_code::done : exit_code::problems;
}

int verify(const std::string& directory, bool json, command_context& context) {
  std::error_code error;
  if (!std::filesystem::is_directory(directory, error)) {
    context.err << "epione: " << directory << " is not a directory; name the node's data directory with --data-dir\n";
    return exit_code::failed;
  }
  const auto disk = runtime::make_system_disk();
  const bool show = !json && isatty(STDERR_FILENO) != 0;
  const auto result = runtime::audit_directory(*disk, directory, [&](std::string_view part, std::uint64_t done) {
    if (show)
      context.err << "\r\x1b[K" << printable(part) << ": " << done << std::flush;
  });
  if (show)
    context.err << "\r\x1b[K" << std::flush;
  return report(result, json, context);
}

} // namespace

void add_audit_command(CLI::App& app, command_context& context) {
  auto* noun = app.add_subcommand("audit", "The trail of what was stored");
  noun->require_subcommand(1);
  auto* verb =
      noun->add_subcommand("verify", "Walk the journal and every shard's hash chain, of a running node or a stopped one's "
                                     "directory; exit 4 and the first broken entry when something was changed");
  auto json = std::make_shared<bool>(false);
  verb->add_flag("--json", *json, "For programs");
  auto flags = settings_flags::data_dir_only(*verb);
  verb->callback([flags, json, &context] {
    context.chosen = [flags, json, &context] {
      const auto config = flags->values(context);
      return config ? verify(config->data.directory, *json, context) : config.error();
    };
  });
}

} // namespace epione::cli
