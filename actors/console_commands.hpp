// The commands of the console: one entry of a table each. Help, completion and docs/console.md come from it, so a new command is
// a new entry and its function.
#pragma once

#include "actors/console_call.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace epione::actors {

/// What the first argument is, for completion.
enum class console_argument : std::uint8_t {
  none,
  actor,
  command,
  choice,
  node,
  shard_and_node ///< the node is the second one
};

struct console_command {
  std::string_view name;
  std::string_view arguments; ///< as in "[list | retry KEY]"; empty without any
  std::string_view help;      ///< one line, without a full stop
  bool changes = false;       ///< it changes something, and is therefore an event in the audit trail
  console_argument completes = console_argument::none;
  std::string_view choices;   ///< for console_argument::choice: separated by spaces
  std::uint32_t limit_ms = 0; ///< within which it is answered; 0: the console's own, which never reaches the node
  void (*run)(const console_call_ptr&) = nullptr; ///< null: the console carries it out itself
};

/// In the order of the help.
std::span<const console_command> console_commands();
/// By its name; null when there is none.
const console_command* find_console_command(std::string_view name);
/// The table of docs/console.md, in Markdown.
std::string console_commands_page();

// What the entries run; one file for each group of them.
namespace console {
void help(const console_call_ptr& call);
void version(const console_call_ptr& call);
void names(const console_call_ptr& call);
// console_look.cpp
void actors(const console_call_ptr& call);
void status(const console_call_ptr& call);
// console_shards.cpp
void shards(const console_call_ptr& call);
void sessions(const console_call_ptr& call);
// console_notices.cpp
void notices(const console_call_ptr& call);
void dead_letters(const console_call_ptr& call);
// console_tail.cpp
void tail(const console_call_ptr& call);
// console_act.cpp
void kill(const console_call_ptr& call);
void restart(const console_call_ptr& call);
void drain(const console_call_ptr& call);
void log_level(const console_call_ptr& call);
// console_nodes.cpp
void nodes(const console_call_ptr& call);
void links(const console_call_ptr& call);
/// What a node says of itself: `version` as JSON.
nlohmann::ordered_json about(const console_call_ptr& call);
// console_move.cpp
void transfer(const console_call_ptr& call);
void drain_node(const console_call_ptr& call);
void undrain(const console_call_ptr& call);
} // namespace console

} // namespace epione::actors
