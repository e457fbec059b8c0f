#include "cli/load_report.hpp"

#include "cli/table.hpp"

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <ostream>

namespace epione::cli {

namespace {

using nlohmann::ordered_json;

constexpr double quantiles[]{0.5, 0.9, 0.99, 0.999};
constexpr const char* quantile_names[]{"p50", "p90", "p99", "p99.9"};

std::string fixed(double value, int digits) {
  char text[64];
  std::snprintf(text, sizeof(text), "%.*f", digits, value);
  return text;
}

double in_ms(std::int64_t ns) {
  return static_cast<double>(ns) / 1e6;
}

std::string shown_ms(std::int64_t ns) {
  return fixed(in_ms(ns), ns < 10'000'000 ? 2 : 1) + " ms";
}

std::string grouped(std::uint64_t value) {
  const auto digits = std::to_string(value);
  std::string out;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    if (i > 0 && (digits.size() - i) % 3 == 0)
      out += ',';
    out += digits[i];
  }
  return out;
}

double per_second(const load_result& r) {
  return static_cast<double>(r.acknowledged_measured) / (static_cast<double>(r.measured_ns) / 1e9);
}

double cpu_us_per_answer(const load_result& r) {
  return r.answers == 0 ? 0 : r.cpu_seconds * 1e6 / static_cast<double>(r.answers);
}

/// Whole seconds only: the last one is cut short by the end.
std::pair<std::uint32_t, std::uint32_t> slowest_and_fastest(const load_result& r) {
  auto whole = r.per_second;
  whole.resize(std::min(whole.size(), static_cast<std::size_t>(r.measured_ns / 1'000'000'000)));
  if (whole.empty())
    return {0, 0};
  const auto [low, high] = std::minmax_element(whole.begin(), whole.end());
  return {*low, *high};
}

std::string status_list(const load_result& r) {
  std::string out;
  for (std::size_t status = 0; status < r.statuses.size(); ++status)
    if (r.statuses[status] > 0)
      out += (out.empty() ? "" : ", ") + std::to_string(status) + ": " + grouped(r.statuses[status]);
  return out.empty() ? "none" : out;
}

} // namespace

ordered_json to_json(const load_options& options, const load_result& r) {
  ordered_json latency{{"count", r.latency.count()}, {"mean_ms", r.latency.mean_ns() / 1e6}};
  for (std::size_t i = 0; i < std::size(quantiles); ++i)
    latency[std::string{quantile_names[i]} + "_ms"] = in_ms(r.latency.quantile_ns(quantiles[i]));
  latency["max_ms"] = in_ms(r.latency.max_ns());
  auto statuses = ordered_json::object();
  for (std::size_t status = 0; status < r.statuses.size(); ++status)
    if (r.statuses[status] > 0)
      statuses[std::to_string(status)] = r.statuses[status];
  auto refusals = ordered_json::object();
  for (const auto& [status, text] : r.refusals)
    refusals[std::to_string(status)] = text;
  return {{"loop", options.rate > 0 ? "open" : "closed"},
          {"connections", options.connections},
          {"rate", options.rate},
          {"seed", options.plan.seed},
          {"run", options.plan.run},
          {"seconds", static_cast<double>(r.measured_ns) / 1e9},
          {"acknowledged_per_second", per_second(r)},
          {"slowest_second", slowest_and_fastest(r).first},
          {"fastest_second", slowest_and_fastest(r).second},
          {"sent", r.sent},
          {"acknowledged", r.acknowledged},
          {"refused", r.refused},
          {"unknown", r.unknown},
          {"due_and_not_sent", r.not_due_sent},
          {"retries", r.retries},
          {"not_stored_503", r.not_stored_503},
          {"unknown_503", r.unknown_503},
          {"without_receipt", r.without_receipt},
          {"statuses", statuses},
          {"refusals", refusals},
          {"latency", latency},
          {"connected", r.connections.connected},
          {"connect_failures", r.connections.refused},
          {"lost", r.connections.lost},
          {"timed_out", r.connections.timed_out},
          {"malformed", r.connections.malformed},
          {"generator_cpu_us_per_answer", cpu_us_per_answer(r)},
          {"interrupted", r.interrupted},
          {"unreachable", r.unreachable},
          {"per_second", r.per_second}};
}

ordered_json to_json(const verify_result& r) {
  return {{"patients", r.patients},
          {"acknowledged", r.acknowledged},
          {"found", r.found},
          {"compared", r.compared},
          {"missing", r.missing},
          {"different", r.different},
          {"duplicated", r.duplicated},
          {"refused_present", r.refused_present},
          {"unknown_present", r.unknown_present},
          {"unread", r.unread},
          {"seconds", r.seconds},
          {"interrupted", r.interrupted},
          {"unreachable", r.unreachable},
          {"examples", r.examples}};
}

void print_load(std::ostream& out, const load_options& options, const load_result& r) {
  const auto [slowest, fastest] = slowest_and_fastest(r);
  std::vector<std::vector<std::string>> rows{
      {"LOAD", options.rate > 0 ? "open loop, " + fixed(options.rate, 0) + "/s" : "closed loop"},
      {"connections", grouped(options.connections) + " (" + grouped(r.connections.connected) + " made)"},
      {"measured for", fixed(static_cast<double>(r.measured_ns) / 1e9, 2) + " s"},
      {"acknowledged per second", fixed(per_second(r), 0)},
      {"slowest, fastest second", grouped(slowest) + ", " + grouped(fastest)}};
  for (std::size_t i = 0; i < std::size(quantiles); ++i)
    rows.push_back({std::string{"latency "} + quantile_names[i], shown_ms(r.latency.quantile_ns(quantiles[i]))});
  rows.push_back({"latency max", shown_ms(r.latency.max_ns())});
  rows.push_back({"sent", grouped(r.sent)});
  rows.push_back({"acknowledged", grouped(r.acknowledged)});
  if (options.rate > 0)
    rows.push_back({"due and not sent", grouped(r.not_due_sent)});
  rows.push_back({"refused, unknown", grouped(r.refused) + ", " + grouped(r.unknown)});
  rows.push_back({"answers by status", status_list(r)});
  for (const auto& [status, text] : r.refusals)
    if (!text.empty())
      rows.push_back({"the first " + std::to_string(status) + " said", text});
  rows.push_back({"503 not_stored, unknown", grouped(r.not_stored_503) + ", " + grouped(r.unknown_503)});
  rows.push_back({"retries", grouped(r.retries)});
  rows.push_back({"connections lost", grouped(r.connections.lost) + " (time limit " + grouped(r.connections.timed_out) +
                                          ", no HTTP " + grouped(r.connections.malformed) + ")"});
  rows.push_back({"generator's CPU per answer", fixed(cpu_us_per_answer(r), 1) + " us"});
  print_table(out, rows);
}

void print_verification(std::ostream& out, const verify_result& r) {
  print_table(out, {{"VERIFICATION", r.problems() > 0 ? "PROBLEMS"
                                     : r.unread > 0   ? "INCOMPLETE"
                                                      : "no problems"},
                    {"patients read", grouped(r.patients) + " in " + fixed(r.seconds, 1) + " s"},
                    {"acknowledged", grouped(r.acknowledged)},
                    {"found exactly once", grouped(r.found)},
                    {"answers compared", grouped(r.compared)},
                    {"missing", grouped(r.missing)},
                    {"different", grouped(r.different)},
                    {"duplicated", grouped(r.duplicated)},
                    {"refused, but there", grouped(r.refused_present)},
                    {"there without an answer", grouped(r.unknown_present)},
                    {"patients not readable", grouped(r.unread)}});
  for (const auto& example : r.examples)
    out << example << '\n';
}

void print_progress(std::ostream& err, const load_progress& p) {
  err << "\r\x1b[K" << fixed(p.seconds, 0) << " s"
      << (p.warming_up ? " (warming up)"
          : p.draining ? " (finishing)"
                       : "")
      << "  " << grouped(p.acknowledged) << " acknowledged  " << grouped(p.per_second) << "/s  p50 "
      << shown_ms(p.latency->quantile_ns(0.5)) << "  p99 " << shown_ms(p.latency->quantile_ns(0.99))
      << "  503: " << grouped(p.refused_503) << "  lost: " << grouped(p.lost) << "  connections: " << grouped(p.standing)
      << std::flush;
}

void print_progress(std::ostream& err, const verify_result& r) {
  err << "\r\x1b[K" << fixed(r.seconds, 0) << " s  " << grouped(r.patients) << " patients read, " << grouped(r.compared)
      << " submissions compared, " << grouped(r.problems()) << " problems" << std::flush;
}

void end_progress(std::ostream& err) {
  err << "\r\x1b[K" << std::flush;
}

} // namespace epione::cli
