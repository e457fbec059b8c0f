// epione config check | show
#include "cli/settings_flags.hpp"
#include "cli/table.hpp"
#include "node/data_directory.hpp"
#include "runtime/process.hpp"

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>
#include <ostream>

namespace epione::cli {

namespace {

using resolved = tl::expected<runtime::resolved_config, std::vector<runtime::config_problem>>;

std::string to_json_text(const nlohmann::ordered_json& x) {
  return x.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

nlohmann::ordered_json problems_json(const resolved& r) {
  auto list = nlohmann::ordered_json::array();
  if (!r)
    for (const auto& p : r.error())
      list.push_back({{"place", p.place}, {"key", p.key}, {"message", p.message}});
  return list;
}

nlohmann::ordered_json value_json(const runtime::setting& s, const runtime::config& c) {
  if (s.unit.empty())
    return s.value(c);
  return std::stoull(s.value(c));
}

/// What the values say by themselves, and whether the data directory they name agrees.
resolved resolve_for_directory(const settings_flags& flags, const command_context& context) {
  auto r = flags.resolve(context);
  if (r)
    if (const auto wrong = node::identity_problem(r->values))
      return tl::unexpected{
          std::vector<runtime::config_problem>{{node::identity_path(r->values.data.directory), "shards.count", wrong->message}}};
  return r;
}

int check(const resolved& r, bool json, command_context& context) {
  if (json)
    context.out << to_json_text({{"ok", r.has_value()}, {"problems", problems_json(r)}}) << '\n';
  else if (r)
    context.out << "The configuration is good: " << runtime::settings().size() << " settings, each within its limits.\n";
  else
    print_problems(context.out, r.error());
  return r ? runtime::exit_code::done : runtime::exit_code::problems;
}

int show(const resolved& r, bool json, command_context& context) {
  if (!r)
    return check(r, json, context);
  auto list = nlohmann::ordered_json::array();
  std::vector<std::vector<std::string>> rows{{"SETTING", "VALUE", "UNIT", "ORIGIN", "FROM"}};
  for (std::size_t i = 0; i < runtime::settings().size(); ++i) {
    const auto& s = runtime::settings()[i];
    const auto& from = r->sources[i];
    const std::string origin{to_string(from.origin)};
    const std::string unit{s.unit == "count" ? "" : s.unit};
    rows.push_back({std::string{s.name}, s.value(r->values), unit, origin, from.place});
    nlohmann::ordered_json item{{"setting", s.name}, {"value", value_json(s, r->values)}, {"unit", unit}, {"origin", origin}};
    item["place"] = from.place;
    if (!s.unit.empty()) {
      item["minimum"] = s.minimum;
      item["maximum"] = s.maximum;
    }
    item["meaning"] = s.meaning;
    list.push_back(std::move(item));
  }
  if (json)
    context.out << to_json_text(list) << '\n';
  else
    print_table(context.out, rows);
  return runtime::exit_code::done;
}

void add_verb(CLI::App& noun, command_context& context, const char* name, const char* about,
              int (*action)(const resolved&, bool, command_context&)) {
  auto* verb = noun.add_subcommand(name, about);
  auto flags = settings_flags::all(*verb);
  auto json = std::make_shared<bool>(false);
  verb->add_flag("--json", *json, "For programs");
  verb->callback([flags, json, action, &context] {
    context.chosen = [flags, json, action, &context] { return action(resolve_for_directory(*flags, context), *json, context); };
  });
}

} // namespace

void add_config_command(CLI::App& app, command_context& context) {
  auto* noun = app.add_subcommand("config", "Look at the configuration");
  noun->require_subcommand(1);
  add_verb(*noun, context, "check", "Say every problem of file, environment and flags; exit 4 when there is one", check);
  add_verb(*noun, context, "show", "Every setting with its value, unit, limits and where it comes from", show);
}

} // namespace epione::cli
