// epione channel list | test
#include "cli/settings_flags.hpp"
#include "cli/table.hpp"
#include "runtime/channel.hpp"
#include "runtime/clock.hpp"
#include "runtime/log.hpp"
#include "runtime/notice_text.hpp"
#include "runtime/process.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <nlohmann/json.hpp>
#include <ostream>

namespace epione::cli {

namespace {

namespace exit_code = runtime::exit_code;
using messages::send_failure;

/// As the node has them: with the log, which is always there.
std::vector<runtime::channel_settings> channels_of(const runtime::config& c, const runtime::channel_kinds& kinds) {
  auto all = c.channels;
  if (std::none_of(all.begin(), all.end(), [](const auto& x) { return x.name == "log"; }))
    all.push_back(runtime::default_channel(kinds, "log", "log"));
  return all;
}

std::string goal_of(const runtime::channel_settings& c) {
  if (const auto& url = c.text("url"); !url.empty())
    return runtime::shown_url(url);
  const auto& file = c.text("url_file");
  return file.empty() ? std::string{} : "the url in " + file;
}

int list(const runtime::config& c, bool json, command_context& context) {
  std::vector<std::vector<std::string>> rows{{"CHANNEL", "KIND", "SENDS TO", "RATE"}};
  auto items = nlohmann::ordered_json::array();
  for (const auto& channel : channels_of(c, runtime::builtin_channel_kinds())) {
    rows.push_back({channel.name, channel.kind, goal_of(channel), channel.text("rate")});
    items.push_back(
        {{"channel", channel.name}, {"kind", channel.kind}, {"sends_to", goal_of(channel)}, {"rate", channel.text("rate")}});
  }
  if (json)
    context.out << items.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) << '\n';
  else
    print_table(context.out, rows);
  return exit_code::done;
}

int code_of(const messages::send_result& r) {
  if (r.outcome == messages::send_result::what::sent)
    return exit_code::done;
  const bool nobody = r.failure == send_failure::unreachable || r.failure == send_failure::time_limit;
  return nobody ? exit_code::unreachable : exit_code::failed;
}

struct test_options {
  std::string name, to, language = "en";
};

int test(const runtime::config& c, const test_options& options, command_context& context) {
  const auto kinds = runtime::builtin_channel_kinds();
  const auto all = channels_of(c, kinds);
  const auto found = std::find_if(all.begin(), all.end(), [&](const auto& x) { return x.name == options.name; });
  if (found == all.end()) {
    context.err << "epione: there is no channel '" << printable(options.name)
                << "'; `epione channel list` shows those there are\n";
    return exit_code::usage;
  }
  const auto log = runtime::make_json_log(runtime::log_level::info);
  runtime::system_clock clock;
  const auto now = clock.wall_us();
  const auto message = runtime::compose_test("test-" + std::to_string(now), found->name, options.to, options.language, now);
  context.out << "Sending a test through channel " << found->name << " (" << found->kind
              << (goal_of(*found).empty() ? "" : ", " + goal_of(*found)) << ")\n"
              << "  message key " << message.key << std::endl;
  auto channel = kinds.find(found->kind)->make(*found, {*log, clock, {}, [&](std::string_view step) {
                                                          context.out << "  " << printable(step) << std::endl;
                                                        }});
  const auto begun = clock.now_ns();
  const auto result = channel->send(message);
  const auto took_ms = (clock.now_ns() - begun) / 1'000'000;
  if (result.outcome == messages::send_result::what::sent) {
    context.out << "Taken by the other side after " << took_ms << " ms.\n";
  } else {
    const bool later = result.outcome == messages::send_result::what::try_later;
    context.err << "epione: not sent after " << took_ms << " ms (" << to_string(result.failure)
                << "): " << printable(result.reason) << "\n"
                << (later ? "The node would try again." : "The node would try a few more times and then give it up.") << "\n";
  }
  return code_of(result);
}

void add_test(CLI::App& noun, command_context& context) {
  auto* verb =
      noun.add_subcommand("test", "Send one message through a channel and print each step; exit 3 when nobody is reached");
  auto options = std::make_shared<test_options>();
  verb->add_option("NAME", options->name, "The channel, as [channels.NAME] calls it")->required();
  verb->add_option("--to", options->to, "The recipient's address in this channel; some channels need none")->type_name("ADDRESS");
  verb->add_option("--language", options->language, "Of the text: en or zh")->type_name("CODE");
  auto flags = settings_flags::data_dir_only(*verb);
  verb->callback([flags, options, &context] {
    context.chosen = [flags, options, &context] {
      if (!runtime::is_known_language(options->language)) {
        context.err << "epione: there are no texts in '" << printable(options->language) << "'; use en or zh\n";
        return exit_code::usage;
      }
      const auto config = flags->values(context);
      return config ? test(*config, *options, context) : config.error();
    };
  });
}

} // namespace

void add_channel_command(CLI::App& app, command_context& context) {
  auto* noun = app.add_subcommand("channel", "Look at the channels that notices go through, and try one");
  noun->require_subcommand(1);
  auto* verb = noun->add_subcommand("list", "Every channel, its kind and where it sends to");
  auto json = std::make_shared<bool>(false);
  verb->add_flag("--json", *json, "For programs");
  auto flags = settings_flags::data_dir_only(*verb);
  verb->callback([flags, json, &context] {
    context.chosen = [flags, json, &context] {
      const auto config = flags->values(context);
      return config ? list(*config, *json, context) : config.error();
    };
  });
  add_test(*noun, context);
}

} // namespace epione::cli
