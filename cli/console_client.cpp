#include "cli/console_client.hpp"

#include "actors/console_commands.hpp"
#include "runtime/defaults.hpp"
#include "runtime/process.hpp"

#include <chrono>
#include <sstream>

namespace epione::cli {

namespace {

namespace exit_code = runtime::exit_code;
using std::chrono::milliseconds;

/// The node answers within the command's limit; what is added is for the socket.
milliseconds limit_of(const std::vector<std::string>& words) {
  const auto* command = words.empty() ? nullptr : actors::find_console_command(words.front());
  const auto own = command != nullptr ? command->limit_ms : 0;
  return milliseconds{own + 2 * runtime::defaults::console_margin_ms + runtime::defaults::admin_io_limit_ms};
}

} // namespace

std::vector<std::string> words_of(std::string_view line) {
  std::istringstream in{std::string{line}};
  std::vector<std::string> words;
  for (std::string word; in >> word;)
    words.push_back(word);
  return words;
}

console_answer console_client::ask(const std::vector<std::string>& words, bool json, std::size_t columns,
                                   const std::string& after) const {
  std::string lines;
  for (const auto& word : words)
    lines += word + "\n";
  const auto reply = runtime::admin_call(
      directory_ + "/" + runtime::admin_socket_name,
      {"console", {{"words", lines}, {"json", json ? "true" : "false"}, {"columns", std::to_string(columns)}, {"after", after}}},
      limit_of(words));
  if (!reply && reply.error().unreachable)
    return {exit_code::unreachable,
            {},
            "no node runs on " + directory_ + " (" + reply.error().message + "); epione serve --data-dir " + directory_ +
                " starts one",
            {}};
  if (!reply)
    return {exit_code::failed, {}, reply.error().message + "; whether the command was carried out is unknown", {}};
  const auto value = [&](const char* name) {
    const auto found = reply->values.find(name);
    return found == reply->values.end() ? std::string{} : found->second;
  };
  return {reply->code, value("text"), reply->message, value("cursor")};
}

std::vector<std::string> console_client::actor_names() const {
  const auto answer = ask({"names"}, false, 0);
  std::istringstream in{answer.code == exit_code::done ? answer.text : std::string{}};
  std::vector<std::string> names;
  for (std::string name; std::getline(in, name);)
    names.push_back(name);
  return names;
}

} // namespace epione::cli
