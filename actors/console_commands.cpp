#include "actors/console_commands.hpp"

#include "actors/console_table.hpp"
#include "runtime/defaults.hpp"

#include <algorithm>
#include <array>

namespace epione::actors {

namespace {

namespace d = runtime::defaults;

constexpr std::uint32_t look_ms = d::console_rate_window_ms + d::console_status_limit_ms + 2 * d::console_margin_ms;
constexpr std::uint32_t two_looks_ms = 2 * look_ms;
constexpr std::uint32_t act_ms = look_ms + d::console_record_limit_ms + d::console_order_limit_ms + d::console_margin_ms;
constexpr std::uint32_t letters_ms = d::console_letters_limit_ms + d::console_margin_ms;

constexpr std::array commands{
    console_command{"help", "[COMMAND]", "What there is to say, or what one command does", false, console_argument::command, "",
                    look_ms, console::help},
    console_command{
        "actors", "[NAME] [@NODE]",
        "Every actor below its supervisor: state, messages that wait, restarts, age, messages a second; with a name "
        "only that one and those below it; behind @ another node of the cluster, as for every command that only looks",
        false, console_argument::actor, "", look_ms, console::actors},
    console_command{"status", "NAME", "All that one actor says of itself", false, console_argument::actor, "", look_ms,
                    console::status},
    console_command{
        "shards", "",
        "Every shard: whether it serves and why not, its log, its store, its sessions; in a cluster its leader and how far each "
        "replica is behind",
        false, console_argument::none, "", look_ms, console::shards},
    console_command{"nodes", "",
                    "Every node of the cluster: version, uptime, load, shards it leads, its links, how its clock differs from "
                    "this one's",
                    false, console_argument::none, "", look_ms, console::nodes},
    console_command{"links", "", "This node's links with the others: since when, bytes, round trip, clock, why there is none",
                    false, console_argument::none, "", look_ms, console::links},
    console_command{"sessions", "[top N]", "How many patients' sessions live, and those heard of last (10, or N)", false,
                    console_argument::choice, "top", two_looks_ms, console::sessions},
    console_command{"notices", "", "What waits to be sent, what was given up, and how each channel is", false,
                    console_argument::none, "", look_ms, console::notices},
    console_command{"dead-letters", "[list | (retry KEY | retry all | drop KEY) [because WHY]]",
                    "Notices that were given up: show them, have them sent again, or drop one for good, which needs a reason",
                    true, console_argument::choice, "list retry drop", letters_ms, console::dead_letters},
    console_command{"kill", "NAME [because WHY]", "End an actor as a fault would; its supervisor starts it again", true,
                    console_argument::actor, "", act_ms, console::kill},
    console_command{"restart", "NAME [because WHY]",
                    "Let an actor finish, then start it again with those that stand on it; also one that is halted", true,
                    console_argument::actor, "", act_ms, console::restart},
    console_command{"drain", "[NODE] [because WHY]",
                    "Take no new requests, finish what was accepted, and stop this node, as SIGTERM does; with a name that node "
                    "of the cluster gives its leaderships away and goes on",
                    true, console_argument::node, "", act_ms, console::drain},
    console_command{"undrain", "NODE [because WHY]", "Let a drained node of the cluster lead again", true, console_argument::node,
                    "", act_ms, console::undrain},
    console_command{"transfer", "SHARD NODE [because WHY]",
                    "Hand the leadership of a shard over to a node of the cluster; shard 0 is the catalog", true,
                    console_argument::shard_and_node, "", act_ms, console::transfer},
    console_command{"log-level", "[debug | info | warning | error] [because WHY]",
                    "Show what the node logs, or change it until its next start", true, console_argument::choice,
                    "debug info warning error", act_ms, console::log_level},
    console_command{"tail", "events [last N]",
                    "The newest events of all shards (10, or N) and then each as it comes, until Ctrl-C; no answers in it", false,
                    console_argument::choice, "events", two_looks_ms, console::tail},
    console_command{"watch", "COMMAND", "Show a command's answer again every second, until a key is pressed", false,
                    console_argument::command, "", 0, nullptr},
    console_command{"version", "", "Version and directory of the node", false, console_argument::none, "", look_ms,
                    console::version},
    console_command{"names", "", "The names of all actors, one a line", false, console_argument::none, "", look_ms,
                    console::names},
    console_command{"exit", "", "Leave the console, as Ctrl-D does; the node goes on", false, console_argument::none, "", 0,
                    nullptr},
};

std::string usage_of(const console_command& c) {
  return std::string{c.name} + (c.arguments.empty() ? "" : " ") + std::string{c.arguments};
}

/// In lines of at most `width` columns, the first of which begins behind `indent` columns that are taken already.
std::string wrapped(std::string_view text, std::size_t indent, std::size_t width) {
  std::string out;
  std::size_t column = indent;
  while (!text.empty()) {
    const auto end = std::min(text.find(' '), text.size());
    const auto word = text.substr(0, end);
    if (column > indent && column + 1 + text_width(word) > width) {
      out += "\n" + std::string(indent, ' ');
      column = indent;
    }
    out += (column > indent ? " " : "") + std::string{word};
    column += (column > indent ? 1 : 0) + text_width(word);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

nlohmann::ordered_json json_of(const console_command& c) {
  return {{"name", c.name}, {"arguments", c.arguments}, {"help", c.help}, {"changes", c.changes}};
}

} // namespace

std::span<const console_command> console_commands() {
  return commands;
}

const console_command* find_console_command(std::string_view name) {
  const auto* found = std::find_if(commands.begin(), commands.end(), [&](const auto& c) { return c.name == name; });
  return found == commands.end() ? nullptr : found;
}

std::string console_commands_page() {
  std::string out = "| command | what it does | recorded |\n| --- | --- | --- |\n";
  for (const auto& c : commands) {
    auto usage = usage_of(c);
    for (std::size_t at = 0; (at = usage.find('|', at)) != std::string::npos; at += 2)
      usage.insert(at, "\\");
    out += "| `" + usage + "` | " + std::string{c.help} + " | " + (c.changes ? "yes" : "") + " |\n";
  }
  return out;
}

namespace console {

void help(const console_call_ptr& call) {
  const auto width = call->width() == 0 ? std::size_t{80} : call->width();
  if (!call->arguments().empty()) {
    const auto* c = find_console_command(call->arguments().front());
    if (c == nullptr)
      return call->usage("there is no command \"" + call->arguments().front() + "\"; help lists them");
    if (call->json())
      return call->done_json(json_of(*c));
    return call->done(usage_of(*c) + "\n  " + wrapped(c->help, 2, width) + ".\n" +
                      (c->changes
                           ? "  " +
                                 wrapped("Changes something: it is an event in the audit trail, under your name at the operating "
                                         "system. Words behind \"because\" are its reason.",
                                         2, width) +
                                 "\n"
                           : ""));
  }
  if (call->json()) {
    auto all = nlohmann::ordered_json::array();
    for (const auto& c : commands)
      all.push_back(json_of(c));
    return call->done_json(all);
  }
  constexpr std::size_t indent = 16;
  std::string out;
  for (const auto& c : commands) {
    std::string name{c.name};
    name.resize(std::max(name.size() + 2, indent), ' ');
    out += name + wrapped(c.help, indent, width) + "\n";
  }
  out += "\n" +
         wrapped("help COMMAND shows a command's arguments. Names of actors are written as they are shown, as in: status store 3",
                 0, width) +
         "\n";
  call->done(out);
}

void version(const console_call_ptr& call) {
  const auto& directory = call->env().data_directory;
  if (call->json())
    return call->done_json(about(call));
  call->done("Epione " EPIONE_VERSION ", " + std::to_string(call->ports().shards) + " shards in " + directory + "\n");
}

void names(const console_call_ptr& call) {
  auto all = nlohmann::ordered_json::array();
  std::string lines;
  for (const auto& [name, actor] : call->everybody()) {
    all.push_back(name);
    lines += name + "\n";
  }
  if (call->json())
    call->done_json(all);
  else
    call->done(lines);
}

} // namespace console

} // namespace epione::actors
