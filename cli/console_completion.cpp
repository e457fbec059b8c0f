#include "cli/console_completion.hpp"

#include "actors/console_commands.hpp"
#include "cli/console_client.hpp"

#include <algorithm>

namespace epione::cli {

namespace {

using actors::console_argument;

std::vector<std::string> command_names() {
  std::vector<std::string> names;
  for (const auto& c : actors::console_commands())
    names.emplace_back(c.name);
  return names;
}

/// "store 2" before "store 10": what differs in its length at a number is ordered by that.
bool in_order(const std::string& a, const std::string& b) {
  const auto digits = [](const std::string& x) { return x.find_first_of("0123456789"); };
  const auto at = digits(a);
  const bool numbered = at != std::string::npos && at == digits(b) && a.compare(0, at, b, 0, at) == 0;
  return numbered && a.size() != b.size() ? a.size() < b.size() : a < b;
}

completion among(std::vector<std::string> all, std::string_view typed) {
  completion result;
  std::erase_if(all, [&](const std::string& x) { return !x.starts_with(typed); });
  std::sort(all.begin(), all.end(), in_order);
  if (all.empty())
    return result;
  auto common = all.front();
  for (const auto& x : all) {
    const auto end = std::mismatch(common.begin(), common.end(), x.begin(), x.end()).first;
    common.erase(end, common.end());
  }
  result.insert = common.substr(typed.size()) + (all.size() == 1 ? " " : "");
  result.candidates = std::move(all);
  return result;
}

/// Other nodes of the cluster, by this node's links with them.
std::vector<std::string> nodes_among(const std::vector<std::string>& actor_names) {
  constexpr std::string_view link = "peer ";
  std::vector<std::string> nodes;
  for (const auto& name : actor_names)
    if (name.starts_with(link))
      nodes.push_back(name.substr(link.size()));
  return nodes;
}

} // namespace

completion complete(std::string_view line, const std::function<std::vector<std::string>()>& actor_names) {
  line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
  const auto end = line.find(' ');
  if (end == std::string_view::npos)
    return among(command_names(), line);
  const auto* command = actors::find_console_command(line.substr(0, end));
  auto rest = line.substr(end);
  rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
  if (command == nullptr)
    return {};
  switch (command->completes) {
    case console_argument::command: return command->name == "watch" ? complete(rest, actor_names) : among(command_names(), rest);
    case console_argument::actor: return among(actor_names(), rest); // names have blanks: the whole rest is one
    case console_argument::choice:
      return rest.find(' ') == std::string_view::npos ? among(words_of(command->choices), rest) : completion{};
    case console_argument::node:
      return rest.find(' ') == std::string_view::npos ? among(nodes_among(actor_names()), rest) : completion{};
    case console_argument::shard_and_node: {
      const auto blank = rest.find(' ');
      if (blank == std::string_view::npos)
        return {};
      rest.remove_prefix(std::min(rest.find_first_not_of(' ', blank), rest.size()));
      return rest.find(' ') == std::string_view::npos ? among(nodes_among(actor_names()), rest) : completion{};
    }
    case console_argument::none: break;
  }
  return {};
}

} // namespace epione::cli
