// epione bench submit | verify
#include "cli/bench_submit.hpp"

#include "cli/commands.hpp"
#include "cli/load_report.hpp"
#include "cli/node_file.hpp"
#include "cli/stop_descriptor.hpp"
#include "runtime/process.hpp"
#include "runtime/random.hpp"

#include <CLI/CLI.hpp>
#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>
#include <ostream>
#include <unistd.h>

namespace epione::cli {

namespace {

namespace exit_code = runtime::exit_code;

/// Splits "12.5ms" into the number and what follows.
std::optional<std::pair<double, std::string_view>> number_and_unit(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || !std::isfinite(value) || value < 0)
    return std::nullopt;
  return std::pair{value, text.substr(static_cast<std::size_t>(end - text.data()))};
}

/// Options that both verbs have.
struct common_options {
  std::string http, data_dir, study, ledger;
  std::string sample = "100%";
  bool json = false;
};

struct submit_options {
  common_options common;
  std::uint32_t connections = 256;
  double rate = 0;
  std::string duration, warm_up = "0s", alerts = "2%", forms = "phq-9";
  std::uint64_t count = 0, subjects = 1'000'000, seed = 1;
  bool codes = false, verify = false;
};

void add_common(CLI::App& verb, common_options& o) {
  auto* http = verb.add_option("--http", o.http, "Where the node is: http://HOST:PORT");
  verb.add_option("--data-dir", o.data_dir, "Directory of the node; its node.json says where it is, also after a restart")
      ->excludes(http);
  verb.add_option("--study", o.study, "Study to submit to; may be left out while one is loaded");
  verb.add_option("--sample", o.sample, "Share of the patients to verify")->capture_default_str();
  verb.add_flag("--json", o.json, "For programs");
}

tl::expected<http_endpoint_address, std::string> locate(const common_options& o) {
  if (!o.http.empty())
    return parse_endpoint(o.http);
  if (o.data_dir.empty())
    return tl::make_unexpected(std::string{"say where the node is: --http URL or --data-dir DIR"});
  const auto facts = read_node_file(o.data_dir);
  if (!facts)
    return tl::make_unexpected("no node runs on " + o.data_dir + ": there is no " + node_file_path(o.data_dir));
  return parse_endpoint(facts->http);
}

http_client::finder make_finder(const common_options& o) {
  if (o.data_dir.empty())
    return {};
  return [o]() -> std::optional<http_endpoint_address> {
    auto found = locate(o);
    return found ? std::optional{std::move(*found)} : std::nullopt;
  };
}

int load_code(const load_result& r) {
  if (r.unreachable)
    return exit_code::unreachable;
  for (std::size_t status = 0; status < r.statuses.size(); ++status)
    if (r.statuses[status] > 0 && status != 200 && status != 202 && status != 503)
      return exit_code::failed;
  return r.acknowledged == 0 || r.without_receipt > 0 ? exit_code::failed : exit_code::done;
}

int verify_code(const verify_result& r) {
  if (r.problems() > 0)
    return exit_code::problems;
  if (r.unreachable)
    return exit_code::unreachable;
  return r.unread > 0 || r.interrupted ? exit_code::failed : exit_code::done;
}

tl::expected<verify_result, std::string> verify(const load_ledger& ledger, const common_options& o, std::uint32_t connections,
                                                int stop, command_context& context) {
  auto where = locate(o);
  if (!where)
    return tl::make_unexpected(where.error());
  verify_options options;
  options.study = o.study;
  options.connections = connections;
  options.sample_ppm = parse_share_ppm(o.sample).value_or(1'000'000);
  load_verifier verifier{ledger, options, where->host};
  const bool terminal = isatty(STDERR_FILENO) != 0;
  auto result = verifier.run(*where, make_finder(o), stop, [&](const verify_result& now) {
    if (terminal)
      print_progress(context.err, now);
  });
  if (terminal)
    end_progress(context.err);
  return result;
}

tl::expected<load_options, std::string> load_options_of(const submit_options& o) {
  load_options out;
  runtime::system_random random;
  out.plan.run = random.next();
  out.plan.seed = o.seed;
  out.plan.subjects = o.subjects;
  out.plan.forms = o.forms == "gad-7" ? load_forms::gad_7 : o.forms == "mixed" ? load_forms::mixed : load_forms::phq_9;
  out.plan.alerts_ppm = out.plan.forms == load_forms::gad_7 ? 0 : *parse_share_ppm(o.alerts); // GAD-7 has no alert rule
  out.study = o.common.study;
  out.codes = o.codes;
  out.connections = o.connections;
  out.rate = o.rate;
  out.warm_up_ns = *parse_duration_ns(o.warm_up);
  if (!o.duration.empty())
    out.duration_ns = *parse_duration_ns(o.duration);
  else if (o.count == 0)
    return tl::make_unexpected(std::string{"say how long: --duration 30s or --count 100000"});
  if (o.count > 0)
    out.count = o.count;
  return out;
}

int submit(const submit_options& o, command_context& context) {
  const auto options = load_options_of(o);
  if (!options)
    return fail(context, exit_code::usage, options.error());
  const auto where = locate(o.common);
  if (!where)
    return fail(context, o.common.data_dir.empty() ? exit_code::usage : exit_code::unreachable, where.error());
  std::optional<load_ledger_writer> writer;
  if (o.verify || !o.common.ledger.empty()) {
    auto opened = load_ledger_writer::open(o.common.ledger, options->plan);
    if (!opened)
      return fail(context, exit_code::failed, opened.error());
    writer = std::move(*opened);
  }
  stop_descriptor stop;
  load_generator generator{*options, where->host, writer ? &*writer : nullptr};
  const bool terminal = isatty(STDERR_FILENO) != 0;
  const auto result = generator.run(*where, make_finder(o.common), stop.get(), [&](const load_progress& now) {
    if (terminal)
      print_progress(context.err, now);
  });
  if (terminal)
    end_progress(context.err);
  if (!result)
    return fail(context, exit_code::failed, result.error());
  auto report = nlohmann::ordered_json{{"load", to_json(*options, *result)}};
  if (!o.common.json)
    print_load(context.out, *options, *result);
  int code = load_code(*result);
  if (o.verify && !result->unreachable && !result->interrupted) {
    const auto ledger = load_ledger::read_descriptor(writer->descriptor(), "the ledger");
    if (!ledger)
      return fail(context, exit_code::failed, ledger.error());
    const auto verified = verify(*ledger, o.common, o.connections, stop.get(), context);
    if (!verified)
      return fail(context, exit_code::failed, verified.error());
    report["verification"] = to_json(*verified);
    if (!o.common.json)
      print_verification(context.out << '\n', *verified);
    code = std::max(code, verify_code(*verified));
  }
  if (o.common.json)
    context.out << report.dump(2) << '\n';
  if (result->unreachable)
    context.err << "epione: " << where->host << " could not be reached\n";
  return code;
}

int verify_ledger(const common_options& o, std::uint32_t connections, command_context& context) {
  const auto ledger = load_ledger::read(o.ledger);
  if (!ledger)
    return fail(context, exit_code::failed, ledger.error());
  stop_descriptor stop;
  const auto result = verify(*ledger, o, connections, stop.get(), context);
  if (!result)
    return fail(context, exit_code::unreachable, result.error());
  if (o.json)
    context.out << to_json(*result).dump(2) << '\n';
  else
    print_verification(context.out, *result);
  return verify_code(*result);
}

CLI::Validator duration_check() {
  return {[](std::string& text) {
            return parse_duration_ns(text) ? std::string{} : "\"" + text + "\" is no length of time; write 500ms, 30s, 10m or 1h";
          },
          "TIME"};
}

CLI::Validator share_check() {
  return {
      [](std::string& text) { return parse_share_ppm(text) ? std::string{} : "\"" + text + "\" is no share; write 2% or 0.02"; },
      "SHARE"};
}

void add_submit(CLI::App& noun, command_context& context) {
  auto* verb =
      noun.add_subcommand("submit", "Submit questionnaires of the demo study as fast as the node takes them, or at a rate");
  auto o = std::make_shared<submit_options>();
  add_common(*verb, o->common);
  verb->get_option("--sample")->check(share_check());
  verb->add_option("--connections", o->connections, "Phones at the same time")
      ->check(CLI::Range(1, 60'000))
      ->capture_default_str();
  verb->add_option("--rate", o->rate,
                   "Submissions a second that fall due, answered or not (open loop); left out: each phone "
                   "sends when it has its answer (closed loop)")
      ->check(CLI::Range(0.1, 1e7));
  verb->add_option("--duration", o->duration, "How long to measure")->check(duration_check());
  verb->add_option("--count", o->count, "How many submissions to send")->check(CLI::Range(std::uint64_t{1}, load_count_max));
  verb->add_option("--warmup", o->warm_up, "Load before measuring begins")->check(duration_check())->capture_default_str();
  verb->add_option("--alerts", o->alerts, "Share of submissions that meet an alert rule")
      ->check(share_check())
      ->capture_default_str();
  verb->add_option("--forms", o->forms, "Questionnaires to send")
      ->check(CLI::IsMember({"phq-9", "gad-7", "mixed"}))
      ->capture_default_str();
  verb->add_flag("--codes", o->codes, "Give answers by their code instead of their number");
  verb->add_option("--subjects", o->subjects, "Patients 1 to this take part")
      ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{9'999'999'999}))
      ->capture_default_str();
  verb->add_option("--seed", o->seed, "Subjects and answers follow from it; keys are new in every run")->capture_default_str();
  verb->add_flag("--verify", o->verify, "Read every acknowledged submission back and compare; exit 4 when one is not as it was");
  verb->add_option("--ledger", o->common.ledger, "File to append to what was acknowledged, for epione bench verify");
  verb->callback([o, &context] { context.chosen = [o, &context] { return submit(*o, context); }; });
}

void add_verify(CLI::App& noun, command_context& context) {
  auto* verb = noun.add_subcommand("verify", "Read back what a ledger says was acknowledged; exit 4 when something is not there "
                                             "exactly once and as it was sent");
  auto o = std::make_shared<common_options>();
  auto connections = std::make_shared<std::uint32_t>(64);
  add_common(*verb, *o);
  verb->get_option("--sample")->check(share_check());
  verb->add_option("--ledger", o->ledger, "Written by epione bench submit --ledger")->required();
  verb->add_option("--connections", *connections, "Readers at the same time")
      ->check(CLI::Range(1, 60'000))
      ->capture_default_str();
  verb->callback([o, connections, &context] {
    context.chosen = [o, connections, &context] { return verify_ledger(*o, *connections, context); };
  });
}

} // namespace

std::optional<std::int64_t> parse_duration_ns(std::string_view text) {
  const auto parts = number_and_unit(text);
  if (!parts)
    return std::nullopt;
  const auto [value, unit] = *parts;
  const double scale = unit.empty() || unit == "s"    ? 1e9
                       : unit == "ms"                 ? 1e6
                       : unit == "m" || unit == "min" ? 6e10
                       : unit == "h"                  ? 3.6e12
                                                      : 0;
  if (scale == 0 || value * scale > 1e15) // eleven days
    return std::nullopt;
  return static_cast<std::int64_t>(std::llround(value * scale));
}

std::optional<std::uint32_t> parse_share_ppm(std::string_view text) {
  const auto parts = number_and_unit(text);
  if (!parts || (!parts->second.empty() && parts->second != "%"))
    return std::nullopt;
  const double share = parts->second.empty() ? parts->first : parts->first / 100;
  if (share > 1)
    return std::nullopt;
  return static_cast<std::uint32_t>(std::lround(share * 1e6));
}

void add_bench_command(CLI::App& app, command_context& context) {
  auto* noun = app.add_subcommand("bench", "Put load on a node and prove what it stored");
  noun->require_subcommand(1);
  add_submit(*noun, context);
  add_verify(*noun, context);
}

} // namespace epione::cli
