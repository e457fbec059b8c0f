// epione cert init-authority | issue | show
#include "cli/commands.hpp"
#include "cli/table.hpp"
#include "cluster/certificates.hpp"
#include "runtime/clock.hpp"
#include "runtime/process.hpp"
#include "runtime/random.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <ostream>

namespace epione::cli {

namespace {

namespace exit_code = runtime::exit_code;
namespace defaults = runtime::defaults;

std::int64_t now_s() {
  return runtime::system_clock{}.wall_us() / 1'000'000;
}

/// What was written, or why not.
int written(const tl::expected<void, std::string>& done, const std::string& text, command_context& context) {
  if (!done) {
    context.err << "epione: " << printable(done.error()) << '\n';
    return exit_code::failed;
  }
  context.out << text;
  return exit_code::done;
}

int init_authority(cluster::authority_request request, command_context& context) {
  runtime::system_random random;
  request.now_s = now_s();
  return written(
      cluster::make_authority(request, random),
      "Made the authority \"" + printable(request.name) + "\", good for " + std::to_string(request.days) + " days:\n  " +
          request.directory + "/" + cluster::authority_certificate + "\n  " + request.directory + "/" + cluster::authority_key +
          "\nWhoever has the key can make members of the cluster: keep it off the nodes, and a copy in a safe place.\n",
      context);
}

int issue(cluster::node_request request, command_context& context) {
  runtime::system_random random;
  request.now_s = now_s();
  const auto directory = std::filesystem::absolute(request.directory).string(); // as the configuration wants it
  const auto stem = directory + "/" + request.node;
  const auto authorities = directory + "/" + cluster::authorities_file;
  return written(cluster::issue_certificate(request, random),
                 "Issued a certificate for node " + request.node + ", good for " + std::to_string(request.days) + " days:\n  " +
                     stem + ".crt\n  " + stem + ".key\n  " + authorities +
                     "\nFor the node, with the paths they have there:\n  [peers]\n  certificate = \"" + stem +
                     ".crt\"\n  key = \"" + stem + ".key\"\n  authorities = \"" + authorities + "\"\n",
                 context);
}

std::string joined(const std::vector<std::string>& all) {
  std::string out;
  for (const auto& x : all)
    out += (out.empty() ? "" : ", ") + x;
  return out;
}

std::string left_text(const cluster::certificate_info& x, std::int64_t now) {
  if (x.not_before_s > now)
    return "not valid yet";
  const auto left = cluster::days_left(x, now);
  return left < 0 ? "ended" : std::to_string(left) + " days left";
}

nlohmann::ordered_json json_of(const cluster::certificate_info& x, std::int64_t now) {
  return {{"name", x.name},
          {"names", x.names},
          {"authority", x.authority},
          {"issuer", x.issuer},
          {"valid_from", cluster::time_text(x.not_before_s)},
          {"valid_to", cluster::time_text(x.not_after_s)},
          {"days_left", cluster::days_left(x, now)},
          {"serial", x.serial},
          {"sha256", x.fingerprint}};
}

/// Exit 4 when one of them is not valid now.
int show(const std::string& file, bool json, command_context& context) {
  const auto text = cluster::read_certificate_file(file);
  const auto all = text ? cluster::read_certificates(*text, file) : tl::unexpected{text.error()};
  if (!all) {
    context.err << "epione: " << printable(all.error()) << '\n';
    return exit_code::failed;
  }
  const auto now = now_s();
  auto items = nlohmann::ordered_json::array();
  std::vector<std::vector<std::string>> rows;
  bool good = true;
  for (const auto& x : *all) {
    good = good && x.not_before_s <= now && now < x.not_after_s;
    items.push_back(json_of(x, now));
    if (!rows.empty())
      rows.push_back({"", ""});
    for (const auto& row :
         std::vector<std::vector<std::string>>{{"name", printable(x.name) + (x.authority ? " (authority)" : "")},
                                               {"for", printable(joined(x.names))},
                                               {"issuer", printable(x.issuer)},
                                               {"valid", cluster::time_text(x.not_before_s) + " to " +
                                                             cluster::time_text(x.not_after_s) + ", " + left_text(x, now)},
                                               {"serial", x.serial},
                                               {"sha256", x.fingerprint}})
      rows.push_back(row);
  }
  if (json)
    context.out << items.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) << '\n';
  else
    print_table(context.out, rows);
  return good ? exit_code::done : exit_code::problems;
}

void add_init_authority(CLI::App& noun, command_context& context) {
  auto* verb = noun.add_subcommand("init-authority", "Make the authority that issues the nodes' certificates; once a cluster");
  auto request = std::make_shared<cluster::authority_request>();
  verb->add_option("--out", request->directory, "Where its key and certificate go; nothing there is overwritten")
      ->type_name("DIR")
      ->required();
  verb->add_option("--name", request->name, "What it is called")->type_name("NAME")->capture_default_str();
  verb->add_option("--days", request->days, "How long it is good")->type_name("N")->capture_default_str();
  verb->callback([request, &context] { context.chosen = [request, &context] { return init_authority(*request, context); }; });
}

void add_issue(CLI::App& noun, command_context& context) {
  auto* verb = noun.add_subcommand("issue", "Issue a node's key and certificate");
  auto request = std::make_shared<cluster::node_request>();
  verb->add_option("--node", request->node, "The node, as the cluster file calls it")->type_name("NAME")->required();
  verb->add_option("--authority", request->authority_directory, "Where init-authority has put the authority")
      ->type_name("DIR")
      ->required();
  verb->add_option("--out", request->directory, "Where NAME.key, NAME.crt and authorities.crt go")->type_name("DIR")->required();
  verb->add_option("--days", request->days, "How long it is good")->type_name("N")->capture_default_str();
  verb->add_option("--host", request->hosts, "A further DNS name or IP address in it; may be repeated")->type_name("HOST");
  verb->add_flag("--force", request->force, "Replace a key and certificate that are there, as a rotation does");
  verb->callback([request, &context] { context.chosen = [request, &context] { return issue(*request, context); }; });
}

void add_show(CLI::App& noun, command_context& context) {
  auto* verb = noun.add_subcommand("show", "What is in a file of certificates; exit 4 when one is not valid now");
  auto file = std::make_shared<std::string>();
  auto json = std::make_shared<bool>(false);
  verb->add_option("FILE", *file, "A file in PEM")->required();
  verb->add_flag("--json", *json, "For programs");
  verb->callback([file, json, &context] { context.chosen = [file, json, &context] { return show(*file, *json, context); }; });
}

} // namespace

void add_cert_command(CLI::App& app, command_context& context) {
  auto* noun = app.add_subcommand("cert", "Certificates by which the nodes of a cluster know each other");
  noun->require_subcommand(1);
  add_init_authority(*noun, context);
  add_issue(*noun, context);
  add_show(*noun, context);
}

} // namespace epione::cli
