// epione config check | show
#include "cli/settings_flags.hpp"
#include "cli/table.hpp"
#include "node/data_directory.hpp"
#include "runtime/channels/builtin.hpp"
#include "runtime/channels/secret_file.hpp"
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

nlohmann::ordered_json list_json(const std::vector<runtime::config_problem>& problems) {
  auto list = nlohmann::ordered_json::array();
  for (const auto& p : problems)
    list.push_back({{"place", p.place}, {"key", p.key}, {"message", p.message}});
  return list;
}

nlohmann::ordered_json problems_json(const resolved& r) {
  return r ? nlohmann::ordered_json::array() : list_json(r.error());
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

std::string good_text(const runtime::config& c) {
  const auto n = c.channels.size();
  return "The configuration is good: " + std::to_string(runtime::settings().size()) + " settings, each within its limits" +
         (n == 0 ? "" : ", and " + std::to_string(n) + (n == 1 ? " channel" : " channels")) + ".\n";
}

/// What the sections [channels.NAME] come to; nothing that may be a secret.
void add_channels(const runtime::config& c, std::vector<std::vector<std::string>>& rows, nlohmann::ordered_json& list) {
  const auto kinds = runtime::builtin_channel_kinds();
  for (const auto& channel : c.channels)
    for (const auto& key : runtime::keys_of(*kinds.find(channel.kind))) {
      const auto name = "channels." + channel.name + "." + key.name;
      const auto value = runtime::shown_value(channel, key);
      const std::string origin{
          to_string(channel.given(key.name) ? runtime::config_origin::file : runtime::config_origin::standard)};
      const auto& place = channel.values.at(key.name).place;
      const auto unit = key.unit == "count" ? std::string{} : key.unit;
      rows.push_back({name, value, unit, origin, place});
      nlohmann::ordered_json item{{"setting", name}};
      if (key.unit.empty())
        item["value"] = value;
      else
        item["value"] = channel.number(key.name);
      item.update({{"unit", unit}, {"origin", origin}, {"place", place}});
      if (!key.unit.empty())
        item.update({{"minimum", key.minimum}, {"maximum", key.maximum}});
      item["meaning"] = key.meaning;
      list.push_back(std::move(item));
    }
}

/// What may be otherwise for the user and at the time that the node runs.
std::vector<runtime::config_problem> warnings_of(const resolved& r) {
  std::vector<runtime::config_problem> out;
  if (r)
    for (auto& file : runtime::unusable_files(r->values.channels))
      out.push_back({std::move(file.place), "channels." + file.channel + "." + file.key,
                     std::move(file.why) + "; nothing can be sent until the node's user can read it"});
  return out;
}

int check(const resolved& r, bool json, command_context& context) {
  const auto warnings = warnings_of(r);
  if (json)
    context.out << to_json_text({{"ok", r.has_value()}, {"problems", problems_json(r)}, {"warnings", list_json(warnings)}})
                << '\n';
  else if (r)
    context.out << good_text(r->values);
  else
    print_problems(context.out, r.error());
  if (!json && !warnings.empty()) {
    context.out << "\nNot as this user, and not now:\n";
    print_problems(context.out, warnings);
  }
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
  add_channels(r->values, rows, list);
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
