// actors, status: the tree of supervisors and one actor of it.
#include "actors/console_commands.hpp"
#include "actors/console_table.hpp"
#include "runtime/defaults.hpp"

#include <algorithm>
#include <charconv>
#include <functional>
#include <set>

namespace epione::actors::console {

namespace {

using nlohmann::ordered_json;
using std::chrono::milliseconds;

struct node_of_tree {
  std::string name;
  const messages::child_report* child = nullptr; ///< null: the root, or whose supervisor is silent
  std::size_t depth = 0;
  std::string branch; ///< what is drawn before the name
};

/// Depth first from `root`, children in their supervisor's order.
void walk(const console_findings& found, const std::string& root, const std::string& before, std::vector<node_of_tree>& out) {
  std::vector<const messages::child_report*> children;
  for (const auto& c : found.children)
    if (c.supervisor == root)
      children.push_back(&c);
  for (const auto* c : children) {
    const bool last = c == children.back();
    out.push_back({c->name, c, 0, before + (last ? "└ " : "├ ")});
    walk(found, c->name, before + (last ? "  " : "│ "), out);
  }
}

/// Everybody once: the tree below `root`, or below those that are nobody's child.
std::vector<node_of_tree> tree_of(const console_findings& found, const std::string& root) {
  std::vector<node_of_tree> out;
  const auto add = [&](const std::string& name) {
    out.push_back({name, found.child(name), 0, ""});
    walk(found, name, "", out);
  };
  if (!root.empty()) {
    add(root);
    return out;
  }
  std::vector<std::string> tops;
  for (const auto& a : found.actors)
    if (found.child(a.name) == nullptr)
      tops.push_back(a.name);
  // The node first; whose supervisor does not answer comes last, for nobody says below whom they belong.
  std::stable_sort(tops.begin(), tops.end(), [&](const auto& a, const auto& b) {
    const auto rank = [&](const std::string& x) { return x == "node" ? 0 : found.find(x)->supervises ? 1 : 2; };
    return rank(a) < rank(b);
  });
  for (const auto& name : tops)
    add(name);
  return out;
}

/// What it says of itself, or what its supervisor says while it is not there to ask.
std::string state_of(const messages::child_report* child, const actor_facts* facts) {
  if (child != nullptr && child->state != "running")
    return child->state;
  return facts != nullptr ? facts->state : "not there";
}

ordered_json json_of(const node_of_tree& node, const actor_facts* facts) {
  const auto* c = node.child;
  ordered_json value{{"name", node.name},
                     {"supervisor", c != nullptr ? ordered_json(c->supervisor) : ordered_json(nullptr)},
                     {"state", state_of(c, facts)},
                     {"answered", facts != nullptr && facts->answered},
                     {"mailbox", nullptr},
                     {"restarts", c != nullptr ? c->restarts : 0},
                     {"age_ms", c != nullptr && c->age_ms >= 0 ? ordered_json(c->age_ms) : ordered_json(nullptr)},
                     {"messages_per_second", nullptr}};
  if (facts != nullptr && facts->mailbox)
    value["mailbox"] = *facts->mailbox;
  if (facts != nullptr && facts->rate)
    value["messages_per_second"] = *facts->rate;
  return value;
}

std::vector<std::string> row_of(const node_of_tree& node, const actor_facts* facts) {
  const auto* c = node.child;
  return {node.branch + node.name,
          state_of(c, facts),
          facts != nullptr && facts->mailbox ? grouped(*facts->mailbox) : "-",
          c != nullptr ? grouped(c->restarts) : "-",
          c != nullptr && c->age_ms >= 0 ? duration_text(c->age_ms) : "-",
          facts != nullptr && facts->rate ? rate_text(*facts->rate) : "-"};
}

void show_tree(const console_call_ptr& call, const console_findings& found) {
  const auto& root = call->name();
  if (!root.empty() && found.find(root) == nullptr && found.child(root) == nullptr)
    return call->failed("there is no actor \"" + root + "\"; actors lists them all");
  const auto nodes = tree_of(found, root);
  std::string message;
  for (const auto& name : found.silent)
    message += (message.empty() ? "" : ", ") + name;
  if (!message.empty())
    message = "who is below these supervisors is not known, they did not answer: " + message;
  if (call->json()) {
    auto all = ordered_json::array();
    for (const auto& node : nodes)
      all.push_back(json_of(node, found.find(node.name)));
    return call->done_json(all, message);
  }
  using kind = console_table::kind;
  console_table table{{{"ACTOR"},
                       {"STATE", kind::cut},
                       {"MAILBOX", kind::number},
                       {"RESTARTS", kind::number},
                       {"AGE", kind::number},
                       {"MSG/S", kind::number}}};
  for (const auto& node : nodes)
    table.add(row_of(node, found.find(node.name)));
  call->done(table.text(call->width()), message);
}

/// A detail as it is told to programs, for people: "wal_bytes" 4194304 is "wal" "4.0 MiB".
std::pair<std::string, std::string> readable(std::string key, const std::string& value) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
  const bool is_number = error == std::errc{} && end == value.data() + value.size();
  const auto strip = [&](std::string_view unit) {
    if (!is_number || !key.ends_with(unit))
      return false;
    key.resize(key.size() - unit.size());
    return true;
  };
  std::string shown = is_number ? grouped(number) : value;
  if (strip("_bytes"))
    shown = bytes_text(number);
  else if (strip("_us"))
    shown = number < 10'000 ? grouped(number) + " µs" : duration_text(static_cast<std::int64_t>(number / 1'000));
  else if (strip("_ms"))
    shown = duration_text(static_cast<std::int64_t>(number));
  std::replace(key.begin(), key.end(), '_', ' ');
  return {key, shown};
}

void show_one(const console_call_ptr& call, const console_findings& found) {
  const auto& facts = found.actors.front();
  const auto* child = found.child(facts.name);
  if (child == nullptr && facts.state == "not there")
    return call->failed("there is no actor \"" + facts.name + "\"; actors lists them all");
  if (call->json()) {
    auto value = json_of({facts.name, child, 0, {}}, &facts);
    value["details"] = ordered_json::object();
    for (const auto& [key, text] : facts.details)
      value["details"][key] = text;
    return call->done_json(value);
  }
  console_table table{{{""}, {"", console_table::kind::cut}}};
  table.add({"supervisor", child != nullptr ? child->supervisor : "-"});
  table.add({"state", state_of(child, &facts)});
  table.add({"mailbox", facts.mailbox ? grouped(*facts.mailbox) : "-"});
  table.add({"messages/s", facts.rate ? rate_text(*facts.rate) : "-"});
  table.add({"restarts", child != nullptr ? grouped(child->restarts) : "-"});
  table.add({"age", child != nullptr && child->age_ms >= 0 ? duration_text(child->age_ms) : "-"});
  for (const auto& [key, value] : facts.details) {
    auto [name, shown] = readable(key, value);
    table.add({std::move(name), std::move(shown)});
  }
  call->done(facts.name + "\n" + table.text(call->width(), false));
}

survey_options with_tree() {
  survey_options options;
  options.tree = true;
  options.window = milliseconds{runtime::defaults::console_rate_window_ms};
  return options;
}

} // namespace

void actors(const console_call_ptr& call) {
  auto options = with_tree();
  options.targets = call->everybody();
  call->survey(std::move(options), [call](const console_findings& found) { show_tree(call, found); });
}

void status(const console_call_ptr& call) {
  if (call->name().empty())
    return call->usage("status needs the name of an actor, as in: status store 1");
  auto options = with_tree();
  options.targets = call->targets({call->name()});
  call->survey(std::move(options), [call](const console_findings& found) { show_one(call, found); });
}

} // namespace epione::actors::console
