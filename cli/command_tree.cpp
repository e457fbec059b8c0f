#include "cli/command_tree.hpp"

#include "cli/settings_flags.hpp"

#include <CLI/CLI.hpp>

namespace epione::cli {

namespace {

/// "TEXT:{csv,ndjson}" as CLI11 shows an option that takes one of some words.
std::vector<std::string> choices_of(const std::string& type) {
  std::vector<std::string> out;
  const auto begin = type.find('{'), end = type.rfind('}');
  if (begin == std::string::npos || end == std::string::npos || end < begin)
    return out;
  std::string word;
  for (const char c : type.substr(begin + 1, end - begin - 1) + ",")
    if (c == ',')
      out.push_back(std::exchange(word, {}));
    else
      word += c;
  return out;
}

/// What a value is called: "UINT:INT in [1 - 60000]" is a number, "TEXT:TIME" a time, "TEXT:{a,b}" a text, "HOST:PORT" itself.
std::string value_name(const std::string& type) {
  const auto colon = type.find(':');
  const auto kind = type.substr(0, colon);
  const auto check = colon == std::string::npos ? std::string{} : type.substr(colon + 1, type.find(' ', colon) - colon - 1);
  if (kind == "UINT" || kind == "INT" || kind == "FLOAT")
    return "NUMBER";
  if (kind == "TEXT" && !check.empty())
    return check.front() == '{' ? kind : check;
  return type.empty() ? "VALUE" : type.substr(0, type.find(' '));
}

option_description describe_option(const CLI::Option& o) {
  option_description out;
  for (const auto& n : o.get_snames())
    out.names.push_back("-" + n);
  for (const auto& n : o.get_lnames())
    out.names.push_back("--" + n);
  out.positional = out.names.empty();
  if (out.positional)
    out.names.push_back(value_name(o.get_name(true)));
  if (o.get_items_expected_max() > 0) {
    out.value = value_name(o.get_type_name());
    out.choices = choices_of(o.get_type_name());
  }
  out.text = o.get_description();
  out.standard = o.get_default_str();
  out.required = o.get_required();
  out.setting = o.get_group() == settings_group;
  return out;
}

} // namespace

command_description describe(const CLI::App& app) {
  command_description out;
  for (const auto* at = &app; at->get_parent() != nullptr; at = at->get_parent())
    out.path.insert(out.path.begin(), at->get_name());
  out.text = app.get_description();
  for (const auto* o : app.get_options())
    if (!o->get_group().empty())
      out.options.push_back(describe_option(*o));
  for (const auto* c : app.get_subcommands([](const CLI::App* command) { return !command->get_group().empty(); }))
    out.commands.push_back(describe(*c));
  return out;
}

} // namespace epione::cli
