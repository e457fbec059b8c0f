// epione doctor
#include "cli/doctor.hpp"
#include "cli/settings_flags.hpp"
#include "cli/table.hpp"
#include "runtime/process.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <nlohmann/json.hpp>
#include <ostream>

namespace epione::cli {

namespace {

std::vector<finding> examine(const runtime::config& config) {
  std::vector<finding> all{{"epione", finding_level::good, EPIONE_VERSION}};
  for (auto part : {examine_directory(config), examine_clock(), examine_disk(config), examine_limits(config), examine_versions()})
    all.insert(all.end(), part.begin(), part.end());
  return all;
}

int report(const std::vector<finding>& all, bool json, command_context& context) {
  const bool problems = std::any_of(all.begin(), all.end(), [](const finding& f) { return f.level == finding_level::problem; });
  if (json) {
    auto list = nlohmann::ordered_json::array();
    for (const auto& f : all)
      list.push_back({{"check", f.check}, {"level", to_string(f.level)}, {"text", f.text}});
    const nlohmann::ordered_json content{{"ok", !problems}, {"findings", list}};
    context.out << content.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) << '\n';
  } else {
    std::vector<std::vector<std::string>> rows{{"CHECK", "RESULT", "FOUND"}};
    for (const auto& f : all)
      rows.push_back({f.check, std::string{to_string(f.level)}, f.text});
    print_table(context.out, rows);
  }
  return problems ? runtime::exit_code::problems : runtime::exit_code::done;
}

} // namespace

void add_doctor_command(CLI::App& app, command_context& context) {
  auto* verb = app.add_subcommand("doctor", "Look at directories, permissions, clock, disk, limits and versions; exit 4 when "
                                            "something will not work");
  auto json = std::make_shared<bool>(false);
  verb->add_flag("--json", *json, "For programs");
  auto flags = settings_flags::all(*verb);
  verb->callback([flags, json, &context] {
    context.chosen = [flags, json, &context] {
      const auto config = flags->values(context);
      return config ? report(examine(*config), *json, context) : config.error();
    };
  });
}

} // namespace epione::cli
