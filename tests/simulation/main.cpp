// epione-sim: runs seeds of the simulated world; those of a range in processes of their own.
#include "runtime/mutation.hpp"
#include "tests/simulation/minimize.hpp"
#include "tests/simulation/seed_process.hpp"
#include "tests/simulation/simulation.hpp"

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <map>
#include <optional>
#include <poll.h>
#include <set>
#include <string>
#include <unistd.h>
#include <utility>
#include <vector>

namespace {

using epione::simulation::excerpt;
using epione::simulation::seed_process;
using epione::simulation::seed_result;
using steady = std::chrono::steady_clock;

constexpr unsigned minimizing_runs_max = 150;

/// As arguments; empty for a whole seed.
std::string text_of(const excerpt& what) {
  std::string text;
  if (what.faults) {
    for (const auto n : *what.faults)
      text += (text.empty() ? "" : ",") + std::to_string(n);
    text = " --faults " + (text.empty() ? "none" : text);
  }
  if (what.live_ms)
    text += " --live " + std::to_string(*what.live_ms);
  return text;
}

void print_failure(const seed_result& r, const excerpt& what = {}) {
  const auto nodes = std::to_string(r.nodes);
  std::string text = "\nseed " + std::to_string(r.seed) + " FAILED, " + nodes + (r.nodes == 1 ? " node" : " nodes") +
                     ", epione " EPIONE_VERSION " " EPIONE_COMMIT "\n";
  for (const auto& v : r.violations)
    text += "  " + v + "\n";
  text += "faults:\n";
  for (const auto& f : r.faults)
    text += "  " + f + "\n";
  text += "the trace's last lines:\n";
  for (const auto& l : r.trace_tail)
    text += "  " + l + "\n";
  text += "repeat with: epione-sim --seed " + std::to_string(r.seed) + " --nodes " + nodes + text_of(what) + " --trace\n\n";
  std::fputs(text.c_str(), stderr);
}

void print_minimal(const seed_result& failed) {
  const auto run = [&failed](const excerpt& x) { return epione::simulation::run_apart(failed.seed, failed.nodes, x); };
  const auto m = epione::simulation::minimize(failed, run, minimizing_runs_max);
  std::fprintf(stderr, "\nwhat is left of seed %llu after %u runs of less and less of it:\n",
               static_cast<unsigned long long>(failed.seed), m.runs);
  print_failure(m.result, m.what);
}

struct totals {
  std::uint64_t passed = 0, failed = 0, acknowledged = 0, requests = 0, readings = 0, starts = 0, steps = 0, ordered = 0,
                undecided = 0;
  double simulated_s = 0;
  std::map<std::string, std::uint64_t> faults;
  std::map<std::size_t, std::uint64_t> by_nodes;

  void add(const seed_result& r) {
    ++(r.passed() ? passed : failed);
    ++by_nodes[r.nodes];
    acknowledged += r.acknowledged;
    requests += r.requests;
    readings += r.readings;
    ordered += r.ordered;
    undecided += r.undecided;
    starts += r.starts;
    steps += r.steps;
    simulated_s += r.simulated_s;
    for (const auto& [kind, n] : r.fault_counts)
      faults[kind] += n;
  }

  void print(double wall_s) const {
    std::uint64_t all = 0;
    std::string kinds;
    for (const auto& [kind, n] : faults) {
      all += n;
      kinds += (kinds.empty() ? "" : ", ") + kind + " " + std::to_string(n);
    }
    std::string sizes;
    for (const auto& [nodes, n] : by_nodes)
      sizes +=
          (sizes.empty() ? "" : ", ") + std::to_string(n) + " of " + std::to_string(nodes) + (nodes == 1 ? " node" : " nodes");
    std::printf("%llu passed, %llu failed (%s); simulated %.0f s; %llu submissions sent, %llu acknowledged, %llu reads; "
                "%llu operations in linear order, %llu undecided; %llu starts; %llu faults (%s)\n",
                static_cast<unsigned long long>(passed), static_cast<unsigned long long>(failed), sizes.c_str(), simulated_s,
                static_cast<unsigned long long>(requests), static_cast<unsigned long long>(acknowledged),
                static_cast<unsigned long long>(readings), static_cast<unsigned long long>(ordered),
                static_cast<unsigned long long>(undecided), static_cast<unsigned long long>(starts),
                static_cast<unsigned long long>(all), kinds.c_str());
    std::fflush(stdout);
    std::fprintf(stderr, "took %.1f s\n", wall_s); // not on standard output: a seed's is the same every time
  }
};

/// `nodes`: 0: as many as each seed says.
std::size_t nodes_for(std::uint64_t seed, unsigned nodes) {
  return nodes != 0 ? nodes : epione::simulation::nodes_of(seed);
}

/// Those that failed, for whoever wants to know more of them.
std::vector<seed_result> run_range(std::uint64_t first, std::uint64_t last, unsigned nodes, unsigned jobs, totals& sum) {
  std::vector<seed_result> failed;
  std::vector<seed_process> workers;
  auto next = first;
  const bool progress = isatty(STDERR_FILENO) == 1;
  while (next <= last || !workers.empty()) {
    for (; workers.size() < jobs && next <= last; ++next)
      workers.push_back(epione::simulation::start_seed(next, nodes_for(next, nodes)));
    std::vector<pollfd> fds;
    for (const auto& w : workers)
      fds.push_back({w.from, POLLIN, 0});
    poll(fds.data(), fds.size(), 1'000);
    for (std::size_t i = workers.size(); i-- > 0;) {
      auto& w = workers[i];
      const bool ended = (fds[i].revents & (POLLIN | POLLHUP)) != 0 && take(w);
      if (!ended && !runs_too_long(w))
        continue;
      const auto r = finish(w);
      workers.erase(workers.begin() + static_cast<std::ptrdiff_t>(i));
      sum.add(r);
      if (!r.passed()) {
        print_failure(r);
        failed.push_back(r);
      }
      if (progress)
        std::fprintf(stderr, "\r%llu of %llu seeds, %llu failed ", static_cast<unsigned long long>(sum.passed + sum.failed),
                     static_cast<unsigned long long>(last - first + 1), static_cast<unsigned long long>(sum.failed));
    }
  }
  if (progress)
    std::fputc('\n', stderr);
  return failed;
}

/// "3,17" or "none"
std::optional<std::set<std::size_t>> parse_numbers(const std::string& text) {
  std::set<std::size_t> out;
  std::size_t number = 0;
  bool digits = false;
  if (text == "none")
    return out;
  for (const auto c : text + ",") {
    if (c >= '0' && c <= '9' && number < epione::simulation::faults_planned_max) {
      number = number * 10 + static_cast<std::size_t>(c - '0');
      digits = true;
    } else if (c == ',' && digits) {
      out.insert(std::exchange(number, 0));
      digits = false;
    } else {
      return std::nullopt;
    }
  }
  return out;
}

#ifdef EPIONE_MUTATIONS
int list_mutations() {
  for (const auto& m : epione::runtime::mutations)
    std::printf("%-28.*s %.*s\n", static_cast<int>(m.name.size()), m.name.data(), static_cast<int>(m.breaks.size()),
                m.breaks.data());
  return 0;
}

bool plant(const std::string& name) {
  const auto found = epione::runtime::find_mutation(name);
  if (found)
    epione::runtime::switch_on(*found);
  else
    std::fprintf(stderr, "epione-sim: there is no mutation '%s'; --mutations lists them\n", name.c_str());
  return found.has_value();
}
#else
int list_mutations() {
  std::fputs("epione-sim: this build has no mutations in it; cmake --preset mutations && cmake --build --preset mutations "
             "makes one that has\n",
             stderr);
  return 2;
}

bool plant(const std::string&) {
  list_mutations();
  return false;
}
#endif

/// "A..B"
std::optional<std::pair<std::uint64_t, std::uint64_t>> parse_range(const std::string& text) {
  unsigned long long a = 0, b = 0;
  int used = 0;
  if (std::sscanf(text.c_str(), "%llu..%llu%n", &a, &b, &used) != 2 || static_cast<std::size_t>(used) != text.size() || b < a)
    return std::nullopt;
  return std::pair{a, b};
}

} // namespace

int main(int argc, char** argv) {
  CLI::App app{"Runs Epione in a simulated world, repeatably, from a seed: one node or a cluster of them, its network, its disks "
               "and its patients, with everything going wrong that can. Exit code 0: all seeds passed, 1: one failed, 2: usage."};
  std::optional<std::uint64_t> seed;
  std::string range, mutation, faults;
  excerpt what;
  unsigned jobs = 1, nodes = 0;
  bool show_trace = false, show_mutations = false, minimize = false;
  app.add_option("--seed", seed, "run this seed");
  app.add_option("--seeds", range, "run the seeds A..B");
  app.add_option("--nodes", nodes, "so many nodes: 1, 3 or 5; each seed has its own number otherwise")
      ->check(CLI::IsMember({1u, 3u, 5u}));
  app.add_option("--jobs", jobs, "so many seeds at a time")->check(CLI::Range(1u, 64u));
  app.add_flag("--trace", show_trace, "print what happens, line by line, with what the nodes log (with --seed)");
  app.add_flag("--minimize", minimize, "of seeds that fail, look for the fewest faults and the shortest time that still do");
  app.add_option("--faults", faults, "only these faults, by their numbers in the list of a failure: 3,17 or none (with --seed)");
  app.add_option("--live", what.live_ms, "end patients and faults so many ms after the beginning (with --seed)");
  app.add_flag("--mutations", show_mutations, "list the faults that are planted in this build, and end");
  app.add_option("--mutation", mutation, "switch this one on");
  app.set_version_flag("--version", "epione-sim " EPIONE_VERSION " " EPIONE_COMMIT);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? 0 : 2;
  }
  if (show_mutations)
    return list_mutations();
  if (!mutation.empty() && !plant(mutation))
    return 2;
  const auto parsed = range.empty() ? std::nullopt : parse_range(range);
  if (seed.has_value() == !range.empty() || (!range.empty() && !parsed)) {
    std::fputs("epione-sim: give either --seed N or --seeds A..B\n", stderr);
    return 2;
  }
  if (!faults.empty()) {
    what.faults = parse_numbers(faults);
    if (!what.faults) {
      std::fputs("epione-sim: --faults takes numbers, as 3,17, or none\n", stderr);
      return 2;
    }
  }
  if (!what.is_whole() && !seed) {
    std::fputs("epione-sim: --faults and --live belong to one --seed\n", stderr);
    return 2;
  }
  const auto start = steady::now();
  totals sum;
  if (seed) {
    const auto r = minimize ? epione::simulation::run_apart(*seed, nodes_for(*seed, nodes), what)
                            : epione::simulation::run_seed(*seed, nodes_for(*seed, nodes), show_trace ? stdout : nullptr, what);
    sum.add(r);
    if (!r.passed())
      print_failure(r, what);
    if (!r.passed() && minimize)
      print_minimal(r);
    std::printf("seed %llu: digest %016llx, %llu messages handled\n", static_cast<unsigned long long>(r.seed),
                static_cast<unsigned long long>(r.digest), static_cast<unsigned long long>(r.steps));
  } else {
    const auto failed = run_range(parsed->first, parsed->second, nodes, jobs, sum);
    if (minimize)
      for (const auto& r : failed)
        print_minimal(r);
  }
  sum.print(std::chrono::duration<double>(steady::now() - start).count());
  return sum.failed == 0 ? 0 : 1;
}
