// epione cluster init | status | locate | join | leave | replace | drain | undrain | transfer
#include "cli/settings_flags.hpp"
#include "cli/table.hpp"
#include "node/cluster_side.hpp"
#include "node/data_directory.hpp"
#include "runtime/admin_socket.hpp"
#include "runtime/cluster_file.hpp"
#include "runtime/process.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <ostream>

namespace epione::cli {

namespace {

namespace exit_code = runtime::exit_code;
using nlohmann::json;

constexpr std::chrono::milliseconds call_limit{3 * runtime::defaults::membership_step_limit_ms};
constexpr const char* why_text = "The reason, for the audit trail";
constexpr std::chrono::milliseconds look_limit{2'000}; ///< a node that runs looks this up in its memory

/// Which running node is asked: the one of a data directory, or any of the cluster's file that runs on this machine.
struct target {
  std::shared_ptr<settings_flags> flags;
  std::string cluster_file, node;
};

std::shared_ptr<target> add_target(CLI::App& command) {
  auto out = std::make_shared<target>();
  out->flags = settings_flags::data_dir_only(command);
  command
      .add_option("--cluster", out->cluster_file, "The cluster's file, instead of --data-dir: asks a node of it that runs here")
      ->type_name("FILE");
  command.add_option("--node", out->node, "With --cluster: ask this node")->type_name("NAME");
  return out;
}

/// Data directories to try, in order.
tl::expected<std::vector<std::string>, int> directories_of(const target& t, command_context& context) {
  std::vector<std::string> out;
  if (t.cluster_file.empty()) {
    const auto config = t.flags->values(context);
    if (!config)
      return tl::unexpected(config.error());
    out.push_back(config->data.directory);
    return out;
  }
  const auto file = runtime::read_cluster_file(t.cluster_file);
  if (!file)
    return tl::unexpected(fail(context, exit_code::usage, file.error()));
  for (const auto& n : file->nodes)
    if (!n.data_dir.empty() && (t.node.empty() || n.name == t.node))
      if (auto directory = file->path_for(n.name, n.data_dir); std::find(out.begin(), out.end(), directory) == out.end())
        out.push_back(std::move(directory)); // on machines of their own all may have the same
  if (out.empty())
    return tl::unexpected(fail(context, exit_code::usage,
                               t.cluster_file + " names no data_dir" + (t.node.empty() ? "" : " of node " + t.node) +
                                   "; say --data-dir of a node that runs here"));
  return out;
}

/// Whether what is asked for may be asked of another node when one has not answered.
enum class question : std::uint8_t { looks, changes };

/// A node that is frozen takes the question and says nothing: who only looks goes on to the next one.
tl::expected<runtime::admin_reply, int> ask(const target& t, question kind, const runtime::admin_request& request,
                                            command_context& context) {
  const auto directories = directories_of(t, context);
  if (!directories)
    return tl::unexpected(directories.error());
  std::optional<runtime::admin_failure> failure;
  for (const auto& directory : *directories) {
    const bool goes_on = kind == question::looks && &directory != &directories->back();
    auto reply = runtime::admin_call(directory + "/" + runtime::admin_socket_name, request, goes_on ? look_limit : call_limit);
    if (reply)
      return *reply;
    const bool silent = !reply.error().unreachable;
    if (silent && goes_on)
      context.err << "epione: " << printable(reply.error().message) << "; another node is asked\n";
    if (!failure || silent)
      failure = std::move(reply.error());
    if (silent && !goes_on)
      break;
  }
  if (failure->unreachable)
    return tl::unexpected(
        fail(context, exit_code::unreachable,
             failure->message + (directories->size() > 1 ? "; no other node of " + t.cluster_file + " runs here" : "")));
  if (kind == question::changes)
    failure->message += "; whether it was done is unknown: look with epione cluster status, and name another node with --node";
  return tl::unexpected(fail(context, exit_code::failed, failure->message));
}

std::string value_of(const runtime::admin_reply& reply, const char* name) {
  const auto found = reply.values.find(name);
  return found == reply.values.end() ? std::string{} : found->second;
}

std::string text_of(const json& x) {
  if (x.is_null())
    return "-";
  if (x.is_string())
    return x.get<std::string>().empty() ? "-" : x.get<std::string>();
  if (x.is_number_float()) {
    char buffer[32];
    std::snprintf(buffer, sizeof buffer, "%.1f", x.get<double>());
    return buffer;
  }
  return x.dump();
}

/// "0 to 3, 7": ascending numbers.
std::string ranges_text(const std::vector<std::uint64_t>& numbers) {
  std::string text;
  for (std::size_t i = 0; i < numbers.size();) {
    auto last = i;
    while (last + 1 < numbers.size() && numbers[last + 1] == numbers[last] + 1)
      ++last;
    text += (text.empty() ? "" : ", ") + std::to_string(numbers[i]);
    if (last != i)
      text += (last == i + 1 ? ", " : " to ") + std::to_string(numbers[last]);
    i = last + 1;
  }
  return text;
}

void print_status(std::ostream& out, const json& status) {
  out << "Cluster " << status["cluster"].get<std::string>() << "\n\n";
  std::vector<std::vector<std::string>> rows{
      {"NODE", "STATE", "SERVER", "LINK", "VERSION", "LEADS", "ROUND TRIP MS", "CLOCK MS", "HTTP"}};
  for (const auto& n : status["nodes"])
    rows.push_back({text_of(n["name"]), text_of(n["state"]) + (n.value("draining", false) ? ", draining" : ""),
                    text_of(n["server"]),
                    n["here"].get<bool>()     ? "this node"
                    : n["linked"].get<bool>() ? "up"
                    : n["state"] == "invited" ? "-"
                                              : "DOWN",
                    text_of(n["version"]), text_of(n["leads"]), text_of(n.value("round_trip_ms", json(nullptr))),
                    text_of(n.value("clock_offset_ms", json(nullptr))), text_of(n["http"])});
  print_table(out, rows);
  out << '\n';
  rows = {{"SHARD", "LEADER", "TERM", "COMMIT", "REPLICAS (entries behind)"}};
  for (const auto& s : status["shards"]) {
    std::string replicas;
    for (const auto& r : s["replicas"])
      replicas += (replicas.empty() ? "" : ", ") + r["node"].get<std::string>() + (r["role"] == "stand-by" ? " stand-by" : "") +
                  (r["lag"].is_null() ? "" : " " + r["lag"].dump()) + (r["reachable"].get<bool>() ? "" : " NOT HEARD");
    rows.push_back({s["id"] == 0 ? "0 catalog" : text_of(s["id"]), text_of(s["leader"]), text_of(s["term"]), text_of(s["commit"]),
                    replicas});
  }
  print_table(out, rows);
  if (status["missing"].empty()) {
    out << "\nNothing is missing.\n";
    return;
  }
  out << "\nUnder-replicated:\n";
  // Most often many shards miss the same: a line for each would push the nodes out of sight.
  std::vector<std::pair<std::string, std::vector<std::uint64_t>>> reasons;
  for (const auto& m : status["missing"]) {
    const auto why = m["why"].get<std::string>();
    auto at = std::find_if(reasons.begin(), reasons.end(), [&](const auto& x) { return x.first == why; });
    if (at == reasons.end())
      at = reasons.insert(at, {why, {}});
    at->second.push_back(m["shard"].get<std::uint64_t>());
  }
  for (const auto& [why, shards] : reasons)
    out << (shards.size() == 1 ? "  shard " : "  shards ") << ranges_text(shards) << ": " << why << '\n';
}

int status(const target& t, bool as_json, command_context& context) {
  const auto reply = ask(t, question::looks, {"cluster-status", {}}, context);
  if (!reply)
    return reply.error();
  const auto text = value_of(*reply, "json");
  if (text.empty())
    return fail(context, reply->code, reply->message);
  if (as_json)
    context.out << text << '\n';
  else
    print_status(context.out, json::parse(text));
  return reply->code;
}

int locate(const target& t, const std::string& patient, const std::string& study, bool as_json, command_context& context) {
  const auto reply = ask(t, question::looks, {"cluster-locate", {{"patient", patient}, {"study", study}}}, context);
  if (!reply)
    return reply.error();
  const auto text = value_of(*reply, "json");
  if (text.empty())
    return fail(context, reply->code, reply->message);
  const auto found = json::parse(text);
  if (as_json)
    context.out << text << '\n';
  else
    context.out << "shard " << found["shard"].dump() << ", led by " << text_of(found["leader"]) << " at "
                << text_of(found["http"]) << '\n';
  if (!reply->message.empty())
    context.err << "epione: " << reply->message << '\n';
  return reply->code;
}

int carry_out(const target& t, runtime::admin_request request, command_context& context) {
  const auto reply = ask(t, question::changes, request, context);
  if (!reply)
    return reply.error();
  if (reply->code != exit_code::done)
    return fail(context, reply->code, reply->message);
  context.out << printable(value_of(*reply, "text")) << '\n';
  if (!reply->message.empty())
    context.err << "epione: " << printable(reply->message) << '\n';
  return exit_code::done;
}

int init(const target& t, command_context& context) {
  if (t.cluster_file.empty())
    return fail(context, exit_code::usage, "say which nodes there are: --cluster FILE");
  auto file = runtime::read_cluster_file(t.cluster_file);
  if (!file)
    return fail(context, exit_code::usage, file.error());
  node::cluster_options options{t.node.empty() ? file->nodes.front().name : t.node, *file};
  if (file->find(options.node) == nullptr)
    return fail(context, exit_code::usage, t.cluster_file + " has no node " + options.node);
  auto config = t.flags->resolve(context);
  if (!config) {
    print_problems(context.err, config.error());
    return exit_code::usage;
  }
  node::take_cluster_settings(*config, options);
  const auto& directory = config->values.data.directory;
  if (auto done = node::found_cluster(config->values, node::founding_member(options)); !done)
    return fail(context, done.error().exit_code, done.error().message);
  context.out << "The cluster begins on node " << options.node << ", in " << directory
              << ".\nStart it, and then each other node with "
              << "an empty data directory:\n";
  for (const auto& n : file->nodes) {
    context.out << "  epione serve --node " << n.name << " --cluster " << t.cluster_file;
    if (n.name == options.node && directory != file->path_for(n.name, n.data_dir)) // said by other means than the file
      context.out << " --data-dir " << directory;
    context.out << '\n';
  }
  return exit_code::done;
}

} // namespace

void add_cluster_command(CLI::App& app, command_context& context) {
  auto* noun = app.add_subcommand("cluster", "Nodes that are one system: begin, look, change");
  noun->require_subcommand(1);

  auto* verb = noun->add_subcommand("init", "Begin a cluster, once: on a new directory of its first node, or on that of a node "
                                            "that was alone and is stopped");
  auto where = add_target(*verb);
  verb->callback([where, &context] { context.chosen = [where, &context] { return init(*where, context); }; });

  verb = noun->add_subcommand("status", "Nodes, shards and their replicas; exit code 4 when something is under-replicated");
  where = add_target(*verb);
  auto as_json = std::make_shared<bool>(false);
  verb->add_flag("--json", *as_json, "For programs");
  verb->callback(
      [where, as_json, &context] { context.chosen = [where, as_json, &context] { return status(*where, *as_json, context); }; });

  verb = noun->add_subcommand("locate", "Which node leads the shard of a patient");
  where = add_target(*verb);
  as_json = std::make_shared<bool>(false);
  auto patient = std::make_shared<std::string>(), study = std::make_shared<std::string>();
  verb->add_option("--patient", *patient, "The patient's id")->required()->type_name("ID");
  verb->add_option("--study", *study, "The study; may be left out while one is loaded")->type_name("ID");
  verb->add_flag("--json", *as_json, "For programs");
  verb->callback([where, patient, study, as_json, &context] {
    context.chosen = [where, patient, study, as_json, &context] { return locate(*where, *patient, *study, *as_json, context); };
  });

  const std::pair<const char*, const char*> changes[]{
      {"join", "Let a node with an empty data directory join; then start it"},
      {"leave", "Take a node out: its replicas go to the others, then it is forgotten"},
      {"replace", "The data directory of a node is lost: let the node join anew with an empty one. Refused while the node runs"},
      {"drain", "Have a node give its leaderships away, before it is stopped for longer"},
      {"undrain", "Let a drained node lead again"}};
  for (const auto& [name, text] : changes) {
    verb = noun->add_subcommand(name, text);
    where = add_target(*verb);
    auto node = std::make_shared<std::string>(), peer = std::make_shared<std::string>(),
         because = std::make_shared<std::string>();
    verb->add_option("NODE", *node, "The node's name")->required();
    const std::string word = name == std::string{"join"} ? "invite" : name;
    auto force = std::make_shared<bool>(false);
    if (word == "replace")
      verb->add_flag("--force", *force, "Also while the node runs; what its directory holds is then of no use any more");
    if (word == "invite")
      verb->add_option("--peer", *peer, "Where the other nodes reach it")->required()->type_name("HOST:PORT");
    if (word == "drain" || word == "undrain")
      verb->add_option("--because", *because, why_text)->type_name("WHY");
    verb->callback([where, node, peer, because, force, word, &context] {
      context.chosen = [where, node, peer, because, force, word, &context] {
        runtime::admin_request request{"cluster-nodes",
                                       {{"verb", word}, {"node", *node}, {"peer", *peer}, {"because", *because}}};
        if (*force)
          request.arguments["force"] = "true";
        return carry_out(*where, request, context);
      };
    });
  }

  verb = noun->add_subcommand("transfer", "Hand the leadership of a shard over to a node");
  where = add_target(*verb);
  auto shard = std::make_shared<std::string>(), to = std::make_shared<std::string>(), because = std::make_shared<std::string>();
  verb->add_option("SHARD", *shard, "Its number; 0 is the catalog")->required();
  verb->add_option("NODE", *to, "The node that is to lead it")->required();
  verb->add_option("--because", *because, why_text)->type_name("WHY");
  verb->callback([where, shard, to, because, &context] {
    context.chosen = [where, shard, to, because, &context] {
      return carry_out(*where, {"cluster-transfer", {{"shard", *shard}, {"node", *to}, {"because", *because}}}, context);
    };
  });
}

} // namespace epione::cli
