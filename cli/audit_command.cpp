// epione audit verify | anchors
#include "cli/anchor_file.hpp"
#include "cli/data_source.hpp"
#include "cli/settings_flags.hpp"
#include "cli/table.hpp"
#include "domain/date_text.hpp"
#include "node/data_directory.hpp"
#include "runtime/admin_socket.hpp"
#include "runtime/defaults.hpp"
#include "runtime/process.hpp"
#include "runtime/storage/anchors.hpp"
#include "runtime/storage/audit.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <ostream>
#include <set>
#include <unistd.h>

namespace epione::cli {

namespace {

namespace exit_code = runtime::exit_code;

constexpr std::size_t hash_digits_shown = 16; // enough to compare by eye; --json has all

std::string time_text(std::int64_t us) {
  std::string out;
  domain::append_rfc3339_us(out, us);
  return out;
}

using nlohmann::ordered_json;
using part = runtime::audit_report::part;

ordered_json content_of(const runtime::audit_report& r) {
  auto list = ordered_json::array();
  for (const auto& p : r.parts)
    list.push_back(
        {{"file", p.file},
         {"entries", p.entries},
         {"last", p.last},
         {"head", p.head_hex},
         {"broken", p.broken ? ordered_json(*p.broken) : ordered_json(nullptr)},
         {"behind", p.behind ? ordered_json{{"event", p.behind->event}, {"anchor", p.behind->anchor}} : ordered_json(nullptr)}});
  return {{"ok", r.ok()},
          {"behind", r.behind()},
          {"anchors",
           {{"compared", r.anchors},
            {"newest", r.newest_anchor_us ? ordered_json(time_text(*r.newest_anchor_us)) : ordered_json(nullptr)}}},
          {"parts", list}};
}

std::string result_of(const part& p) {
  if (p.broken)
    return "BROKEN: " + *p.broken;
  if (!p.behind)
    return "whole";
  return "behind: event " + std::to_string(p.last) + " of " + std::to_string(p.behind->event) + " of " + p.behind->anchor +
         "; the rest may be on its way";
}

int report(const runtime::audit_report& r, bool json, command_context& context) {
  if (json) {
    context.out << content_of(r).dump(2, ' ', false, ordered_json::error_handler_t::replace) << '\n';
    return r.ok() ? exit_code::done : exit_code::problems;
  }
  std::vector<std::vector<std::string>> rows{{"FILE", "ENTRIES", "LAST", "HEAD", "RESULT"}};
  for (const auto& p : r.parts)
    rows.push_back(
        {p.file, std::to_string(p.entries), std::to_string(p.last), p.head_hex.substr(0, hash_digits_shown), result_of(p)});
  print_table(context.out, rows);
  if (r.newest_anchor_us)
    context.out << "Compared with " << r.anchors << " anchors, the newest of " << time_text(*r.newest_anchor_us) << '\n';
  else
    context.out << "No anchor says how far the chains had come: an end that was cut off would not show\n";
  if (const auto behind = r.behind(); behind != 0)
    context.out << behind << (behind == 1 ? " chain ends" : " chains end")
                << " behind an anchor: on a member of a cluster that may only be late, but on a majority of its members a chain "
                   "must be whole; look at epione cluster status, verify again later, and verify on the shard's leader\n";
  if (!r.ok())
    context.err << "epione: the data is not what was written; keep a copy of the directory before anything else, and restore "
                   "from a backup\n";
  return r.ok() ? exit_code::done : exit_code::problems;
}

bool is_directory(const std::string& directory, command_context& context) {
  std::error_code error;
  if (std::filesystem::is_directory(directory, error))
    return true;
  context.err << "epione: " << directory << " is not a directory; name the node's data directory with --data-dir\n";
  return false;
}

/// The cluster of the first anchor that says nothing of this directory, which neither belongs to that cluster nor was restored
/// from it.
std::optional<std::string> foreign_cluster(const std::vector<domain::anchor>& anchors, const std::string& directory) {
  const auto own = node::cluster_of(directory);
  if (!own) // the audit says what is wrong with it
    return std::nullopt;
  std::set<std::string> known{*own};
  const auto is_known = [&](const auto& a) { return known.contains(a.cluster); };
  if (std::all_of(anchors.begin(), anchors.end(), is_known))
    return std::nullopt;
  const auto disk = runtime::make_system_disk();
  const auto before = runtime::clusters_before(*disk, directory);
  if (!before)
    return std::nullopt;
  known.insert(before->begin(), before->end());
  const auto foreign = std::find_if_not(anchors.begin(), anchors.end(), is_known);
  return foreign == anchors.end() ? std::nullopt : std::optional{foreign->cluster};
}

int verify(const std::string& directory, const std::string& anchors, bool json, command_context& context) {
  if (!is_directory(directory, context))
    return exit_code::failed;
  runtime::audit_options options;
  if (!anchors.empty()) {
    auto given = read_anchor_file(anchors);
    if (!given) {
      context.err << "epione: " << printable(given.error()) << '\n';
      return exit_code::failed;
    }
    if (const auto foreign = foreign_cluster(*given, directory)) {
      context.err << "epione: " << printable(anchors) << " holds an anchor of cluster " << printable(*foreign) << ", but "
                  << printable(directory) << " is of cluster " << node::cluster_of(directory).value_or("")
                  << " and was not restored from that one; name the file of anchors that belongs to it\n";
      return exit_code::failed;
    }
    options.anchors = std::move(*given);
  }
  const auto member = node::member_of(directory);
  options.alone = member && member->node.empty();
  options.member = member && !member->node.empty();
  if (options.member)
    options.not_here = groups_elsewhere(directory, member->node);
  const auto disk = runtime::make_system_disk();
  const bool show = !json && isatty(STDERR_FILENO) != 0;
  const auto result = runtime::audit_directory(
      *disk, directory,
      [&](std::string_view part, std::uint64_t done) {
        if (show)
          context.err << "\r\x1b[K" << printable(part) << ": " << done << std::flush;
      },
      options);
  if (show)
    context.err << "\r\x1b[K" << std::flush;
  return report(result, json, context);
}

/// A running node makes one first, of the chains it leads.
int write_anchors(const std::string& directory, const std::string& output, command_context& context) {
  if (!is_directory(directory, context))
    return exit_code::failed;
  const auto made = runtime::admin_call(
      directory + "/" + runtime::admin_socket_name, {"anchor", {}},
      std::chrono::milliseconds{2 * runtime::defaults::anchor_answer_limit_ms + 2 * runtime::defaults::backup_ask_limit_ms});
  if (made ? made->code != exit_code::done : !made.error().unreachable) {
    context.err << "epione: " << printable(made ? made->message : made.error().message) << '\n';
    return made ? made->code : exit_code::failed;
  }
  if (!made)
    context.err << "epione: no node runs on " << directory << "; these are the anchors that were made while one did\n";
  const auto disk = runtime::make_system_disk();
  const auto anchors = runtime::newest_anchors(*disk, directory);
  if (!anchors) {
    context.err << "epione: " << printable(anchors.error().message) << '\n';
    return anchors.error().code == ec::damaged ? exit_code::problems : exit_code::failed;
  }
  if (anchors->empty()) {
    context.err << "epione: group 0 holds no anchor yet; nothing was written\n";
    return exit_code::failed;
  }
  if (output.empty()) {
    context.out << anchors_to_json(*anchors);
  } else if (auto written = write_anchor_file(output, *anchors); !written) {
    context.err << "epione: " << printable(written.error()) << '\n';
    return exit_code::failed;
  }
  return exit_code::done;
}

} // namespace

void add_audit_command(CLI::App& app, command_context& context) {
  auto* noun = app.add_subcommand("audit", "The trail of what was stored");
  noun->require_subcommand(1);
  {
    auto* verb = noun->add_subcommand(
        "verify",
        "Walk the journal and every shard's hash chain, of a running node or a stopped one's directory, and compare them "
        "with the anchors; exit 4 and the first broken entry when something was changed or cut off");
    auto json = std::make_shared<bool>(false);
    auto anchors = std::make_shared<std::string>();
    verb->add_flag("--json", *json, "For programs");
    verb->add_option("--anchors", *anchors, "Compare with this file's anchors as well, which epione audit anchors wrote")
        ->type_name("FILE");
    auto flags = settings_flags::data_dir_only(*verb);
    verb->callback([flags, json, anchors, &context] {
      context.chosen = [flags, json, anchors, &context] {
        const auto config = flags->values(context);
        return config ? verify(config->data.directory, *anchors, *json, context) : config.error();
      };
    });
  }
  auto* verb =
      noun->add_subcommand("anchors", "Write out how far every chain has come, signed, to be kept elsewhere; a running node "
                                      "says first how far it is now");
  auto output = std::make_shared<std::string>();
  verb->add_option("--out", *output, "File to write instead of standard output")->type_name("FILE");
  auto flags = settings_flags::data_dir_only(*verb);
  verb->callback([flags, output, &context] {
    context.chosen = [flags, output, &context] {
      const auto config = flags->values(context);
      return config ? write_anchors(config->data.directory, *output, context) : config.error();
    };
  });
}

} // namespace epione::cli
