// epione study import PATH
#include "cli/settings_flags.hpp"
#include "cli/study_folder.hpp"
#include "cli/table.hpp"
#include "node/data_directory.hpp"
#include "node/node.hpp"
#include "node/study_import.hpp"
#include "runtime/admin_socket.hpp"
#include "runtime/os_user.hpp"
#include "runtime/process.hpp"

#include <CLI/CLI.hpp>
#include <chrono>
#include <nlohmann/json.hpp>
#include <ostream>
#include <unistd.h>

namespace epione::cli {

namespace {

namespace exit_code = runtime::exit_code;

constexpr std::chrono::milliseconds import_limit{runtime::defaults::import_command_limit_ms};

struct outcome {
  int code = exit_code::failed;
  std::string message, study;
  bool changed = false;
  std::vector<domain::import_problem> problems;
};

std::string value_of(const runtime::admin_reply& reply, const std::string& name) {
  const auto found = reply.values.find(name);
  return found == reply.values.end() ? std::string{} : found->second;
}

outcome import_through_running_node(const runtime::admin_reply& reply) {
  return {reply.code, reply.message, value_of(reply, "study"), value_of(reply, "changed") == "true",
          node::problems_of(value_of(reply, "problems"))};
}

/// Nobody runs on the directory: this process is its node for as long as the import takes.
outcome import_into_stopped_node(runtime::config config, const domain::study_source& source, std::ostream& err) {
  if (auto why = node::why_not_owner(config.data.directory, "epione study import ..."))
    return {exit_code::failed, std::move(*why), {}, false, {}};
  if (!node::shard_count_of(config.data.directory))
    err << "epione: " << config.data.directory << " holds no node yet; a new one is made there\n"; // or it is a mistyped name
  if (config.log.level == runtime::defaults::log_level_name)
    config.log.level = "warning"; // a node's start and stop would bury the answer
  auto started = node::node::start({.config = config, .demo = false, .http = false});
  if (!started)
    return {started.error().exit_code, started.error().message, {}, false, {}};
  auto imported = (*started)->import_study(source, runtime::os_user(::getuid()));
  (*started)->request_stop();
  const int ended = (*started)->wait();
  if (!imported) {
    const bool problems = !imported.error().problems.empty();
    return {problems ? exit_code::problems : exit_code::failed, imported.error().message, {}, false, imported.error().problems};
  }
  return {ended,
          ended == exit_code::done ? "" : "the study was imported, but the directory could not be closed cleanly",
          imported->study,
          imported->changed,
          {}};
}

outcome import(const std::string& path, const runtime::config& config, std::ostream& err) {
  auto source = read_study_folder(path);
  if (!source)
    return {exit_code::problems, {}, {}, false, source.error()};
  // Checked here first: all problems are told without a node, and a node is never asked to take what cannot be taken.
  if (auto compiled = domain::compile_study(*source); !compiled)
    return {exit_code::problems, {}, {}, false, compiled.error()};
  const auto socket = config.data.directory + "/" + runtime::admin_socket_name;
  const auto reply = runtime::admin_call(socket, {"study-import", {{"source", domain::encode(*source)}}}, import_limit);
  if (reply)
    return import_through_running_node(*reply);
  if (reply.error().unreachable)
    return import_into_stopped_node(config, *source, err);
  return {exit_code::failed,
          reply.error().message + "; whether the study was imported is unknown: ask again, importing the same study twice "
                                  "changes nothing",
          {},
          false,
          {}};
}

void print_problems(std::ostream& out, const std::vector<domain::import_problem>& problems) {
  std::vector<std::vector<std::string>> rows{{"FILE", "PLACE", "PROBLEM"}};
  for (const auto& p : problems)
    rows.push_back({p.file, p.place, p.message});
  print_table(out, rows);
}

int report(const outcome& o, bool json, command_context& context) {
  if (json) {
    auto list = nlohmann::ordered_json::array();
    for (const auto& p : o.problems)
      list.push_back({{"file", p.file}, {"place", p.place}, {"message", p.message}});
    const bool done = o.code == exit_code::done;
    const nlohmann::ordered_json all{
        {"study", o.study}, {"imported", done}, {"changed", o.changed}, {"message", o.message}, {"problems", list}};
    context.out << all.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) << '\n';
    return o.code;
  }
  if (!o.problems.empty()) {
    print_problems(context.out, o.problems);
    context.err << "epione: " << o.problems.size() << (o.problems.size() == 1 ? " problem" : " problems")
                << "; nothing was imported\n";
  } else if (!o.message.empty()) {
    context.err << "epione: " << o.message << '\n';
  } else if (o.code == exit_code::done) {
    context.out << "Study " << printable(o.study) << (o.changed ? " is imported.\n" : " was there already, unchanged.\n");
  }
  return o.code;
}

} // namespace

void add_study_command(CLI::App& app, command_context& context) {
  auto* noun = app.add_subcommand("study", "Studies of a node");
  noun->require_subcommand(1);
  auto* verb = noun->add_subcommand("import", "Import a study's folder into a running node, or into a stopped one's directory; "
                                              "lists every problem (exit 4) and then imports nothing");
  auto path = std::make_shared<std::string>();
  auto json = std::make_shared<bool>(false);
  verb->add_option("path", *path, "Folder with study.toml and FHIR R4 Questionnaires (*.json, also in forms/)")->required();
  verb->add_flag("--json", *json, "For programs");
  auto flags = settings_flags::data_dir_only(*verb);
  verb->callback([flags, path, json, &context] {
    context.chosen = [flags, path, json, &context] {
      const auto config = flags->values(context);
      return config ? report(import(*path, *config, context.err), *json, context) : config.error();
    };
  });
}

} // namespace epione::cli
