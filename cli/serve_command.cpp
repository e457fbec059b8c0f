// epione serve: one node, until it is told to stop.
#include "cli/node_file.hpp"
#include "cli/settings_flags.hpp"
#include "cli/stop_signals.hpp"
#include "node/cluster_side.hpp"
#include "node/data_directory.hpp"
#include "node/node.hpp"
#include "runtime/cluster_file.hpp"
#include "runtime/log.hpp"
#include "runtime/process.hpp"
#include "runtime/service_manager.hpp"

#include <CLI/CLI.hpp>
#include <array>
#include <cstdlib>
#include <ctime>
#include <optional>
#include <ostream>
#include <stop_token>
#include <sys/resource.h>
#include <unistd.h>

namespace epione::cli {

namespace {

namespace exit_code = runtime::exit_code;

/// A connection is a file; shells give 1,024 of them, of which the hard limit is usually far away.
void raise_open_file_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
  }
}

std::string now_rfc3339() {
  const std::time_t now = std::time(nullptr);
  std::tm utc{};
  gmtime_r(&now, &utc);
  std::array<char, 32> text{};
  return {text.data(), std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &utc)};
}

void print_welcome(std::ostream& out, const std::string& http, const runtime::config& config, bool demo) {
  out << "Epione " EPIONE_VERSION " serves " << config.data.directory << " at " << http << "\n"
      << "  " << http << "/readyz    may it serve?\n"
      << "  " << http << "/metrics   numbers for Prometheus\n"
      << "  " << http << "/openapi.json\n";
  if (demo)
    out << "A submission:\n"
        << "  curl -sS " << http << "/patient/data -H 'Content-Type: application/json' -d '"
        << R"({"patientId":42,"key":"first","data":{"form":"phq-9","answers":{"q1":1,"q2":2,"q3":0,"q4":1,"q5":0,"q6":0,"q7":1,)"
        << R"("q8":0,"q9":0},"authored":"2026-01-15T08:30:00+01:00"}})" << "'\n"
        << "What is stored:\n"
        << "  curl -sS " << http << "/patient/42\n";
  else
    out << "Import a study:\n"
        << "  epione study import PATH --data-dir " << config.data.directory << "\n";
  out << "Stop with Ctrl-C or SIGTERM; a second one ends at once." << std::endl;
}

/// Standard error belongs to the log, a JSON object a line; a person at a terminal gets a sentence.
void tell(command_context& context, runtime::log& log, runtime::log_level level, std::string_view event, const std::string& why) {
  if (isatty(STDERR_FILENO) != 0)
    context.err << "epione: " << why << std::endl;
  else
    log.write(level, "serve", event, {{"why", why}});
}

int serve(const runtime::config& config, const std::optional<node::cluster_options>& cluster, bool demo,
          command_context& context) {
  const auto log = runtime::make_json_log(runtime::parse_log_level(config.log.level).value_or(runtime::log_level::info));
  const runtime::service_manager manager{context.environment};
  std::stop_source stop;
  stop_signals signals; // outlives the node: as long as anything is left to stop, a second signal ends the process
  signals.listen(
      [&] {
        tell(context, *log, runtime::log_level::info, "asked to stop",
             "stopping; what was accepted is finished first, a second signal ends at once");
        stop.request_stop();
      },
      [] { std::_Exit(exit_code::failed); }); // nothing acknowledged is lost: it is in the journal
  raise_open_file_limit();

  const auto failed = [&](int code, const std::string& why) {
    tell(context, *log, runtime::log_level::error, "did not start", why);
    manager.status("did not start: " + why);
    return code;
  };
  manager.status("recovering " + config.data.directory);
  const auto waiting = [&manager](const std::string& why) { manager.status("not ready yet: " + why); };
  const auto stopping = [&manager] { manager.stopping("finishing what was accepted"); };
  auto started = node::node::start(
      {.config = config, .cluster = cluster, .demo = demo, .http = true, .waiting = waiting, .stopping = stopping},
      stop.get_token());
  if (!started)
    return failed(started.error().exit_code, started.error().message);
  node::node& node = **started;
  const auto& directory = config.data.directory;
  if (!node.asked_to_stop()) { // else it may never have been ready, and node.json promises that
    if (auto written = write_node_file(directory, {getpid(), node.http_address(), EPIONE_VERSION, now_rfc3339()}); !written) {
      node.request_stop();
      node.wait();
      return failed(exit_code::failed, written.error());
    }
    manager.ready("serving " + directory + " at " + node.http_address());
    print_welcome(context.out, node.http_address(), config, demo);
  }
  const int code = node.wait();
  if (code != exit_code::done)
    manager.status("failed; the log says why");
  remove_node_file(directory);
  return code;
}

int serve_in_cluster(const settings_flags& flags, const std::string& cluster_file, const std::string& name, bool demo,
                     command_context& context) {
  auto file = runtime::read_cluster_file(cluster_file);
  if (!file || file->find(name) == nullptr) {
    context.err << "epione: "
                << (file ? cluster_file + ": there is no node '" + name + "' in it; write [nodes." + name + "]" : file.error())
                << '\n';
    return exit_code::usage;
  }
  const node::cluster_options options{name, std::move(*file)};
  auto config = flags.resolve(context);
  if (!config) {
    print_problems(context.err, config.error());
    return exit_code::usage;
  }
  node::take_cluster_settings(*config, options);
  if (const auto count = node::shard_count_of(config->values.data.directory))
    config->values.shards.count = *count;
  return serve(config->values, options, demo, context);
}

} // namespace

void add_serve_command(CLI::App& app, command_context& context) {
  auto* verb = app.add_subcommand("serve", "Start a node on a data directory and serve HTTP until SIGTERM or Ctrl-C");
  auto demo = std::make_shared<bool>(false);
  verb->add_flag("--demo", *demo, "Import the demo study (PHQ-9 and GAD-7) at start");
  auto cluster_file = std::make_shared<std::string>(), name = std::make_shared<std::string>();
  auto* named = verb->add_option("--node", *name, "Serve as this node of the cluster")->type_name("NAME");
  auto* file = verb->add_option("--cluster", *cluster_file, "The cluster's file (docs/cluster.md)")->type_name("FILE");
  named->needs(file);
  file->needs(named);
  auto flags = settings_flags::all(*verb);
  verb->callback([flags, demo, cluster_file, name, &context] {
    context.chosen = [flags, demo, cluster_file, name, &context] {
      if (cluster_file->empty()) {
        const auto config = flags->values(context);
        return config ? serve(*config, std::nullopt, *demo, context) : config.error();
      }
      return serve_in_cluster(*flags, *cluster_file, *name, *demo, context);
    };
  });
}

} // namespace epione::cli
