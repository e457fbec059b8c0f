// epione-sim: runs seeds of the simulated world. Each seed of a range runs in a process of its own, so that a crash or a hang is
// that seed's failure and no seed can depend on the ones before it.
#include "runtime/mutation.hpp"
#include "tests/simulation/simulation.hpp"

#include <CLI/CLI.hpp>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <poll.h>
#include <string>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

namespace {

using epione::simulation::seed_result;
using nlohmann::json;
using steady = std::chrono::steady_clock;

/// Processor time for one seed; one takes a second for each node, or some. And real time, on a machine that has much else to do.
constexpr std::chrono::seconds processor_limit{180}, seed_limit{3'600};

void print_failure(const seed_result& r) {
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
  text += "repeat with: epione-sim --seed " + std::to_string(r.seed) + " --nodes " + nodes + " --trace\n\n";
  std::fputs(text.c_str(), stderr);
}

struct totals {
  std::uint64_t passed = 0, failed = 0, acknowledged = 0, requests = 0, readings = 0, starts = 0, steps = 0;
  double simulated_s = 0;
  std::map<std::string, std::uint64_t> faults;
  std::map<std::size_t, std::uint64_t> by_nodes;

  void add(const seed_result& r) {
    ++(r.passed() ? passed : failed);
    ++by_nodes[r.nodes];
    acknowledged += r.acknowledged;
    requests += r.requests;
    readings += r.readings;
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
    std::printf(
        "%llu passed, %llu failed (%s); simulated %.0f s; %llu submissions sent, %llu acknowledged, %llu reads; %llu starts; "
        "%llu faults (%s)\n",
        static_cast<unsigned long long>(passed), static_cast<unsigned long long>(failed), sizes.c_str(), simulated_s,
        static_cast<unsigned long long>(requests), static_cast<unsigned long long>(acknowledged),
        static_cast<unsigned long long>(readings), static_cast<unsigned long long>(starts), static_cast<unsigned long long>(all),
        kinds.c_str());
    std::fflush(stdout);
    std::fprintf(stderr, "took %.1f s\n", wall_s); // not on standard output: a seed's is the same every time
  }
};

std::string encode(const seed_result& r) {
  return json{{"seed", r.seed},
              {"nodes", r.nodes},
              {"violations", r.violations},
              {"faults", r.faults},
              {"tail", r.trace_tail},
              {"kinds", r.fault_counts},
              {"counts", {r.acknowledged, r.requests, r.readings, r.starts, r.steps, r.digest}},
              {"simulated_s", r.simulated_s}}
      .dump(-1, ' ', false, json::error_handler_t::replace);
}

std::optional<seed_result> decode(const std::string& text) {
  const auto j = json::parse(text, nullptr, false);
  if (!j.is_object())
    return std::nullopt;
  seed_result r;
  r.seed = j["seed"];
  r.nodes = j["nodes"];
  r.violations = j["violations"].get<std::vector<std::string>>();
  r.faults = j["faults"].get<std::vector<std::string>>();
  r.trace_tail = j["tail"].get<std::vector<std::string>>();
  r.fault_counts = j["kinds"].get<std::map<std::string, std::uint64_t>>();
  const auto& n = j["counts"];
  r.acknowledged = n[0], r.requests = n[1], r.readings = n[2], r.starts = n[3], r.steps = n[4], r.digest = n[5];
  r.simulated_s = j["simulated_s"];
  return r;
}

struct worker {
  pid_t pid = 0;
  int from = -1;
  std::uint64_t seed = 0;
  std::size_t nodes = 0;
  std::string text;
  steady::time_point started;
};

worker start_worker(std::uint64_t seed, std::size_t nodes) {
  int ends[2];
  if (pipe(ends) != 0) {
    std::perror("epione-sim: pipe");
    std::exit(1);
  }
  const auto pid = fork();
  if (pid < 0) {
    std::perror("epione-sim: fork");
    std::exit(1);
  }
  if (pid == 0) {
    close(ends[0]);
    const auto seconds = static_cast<rlim_t>(processor_limit.count());
    const rlimit limit{seconds, seconds + 1};
    setrlimit(RLIMIT_CPU, &limit);
    const auto text = encode(epione::simulation::run_seed(seed, nodes, nullptr));
    for (std::size_t at = 0; at < text.size();) {
      const auto n = write(ends[1], text.data() + at, text.size() - at);
      if (n <= 0)
        _exit(1);
      at += static_cast<std::size_t>(n);
    }
    _exit(0);
  }
  close(ends[1]);
  return {pid, ends[0], seed, nodes, {}, steady::now()};
}

/// The worker's process has closed its pipe or has run for too long.
seed_result finish_worker(worker& w, bool too_long) {
  if (too_long)
    kill(w.pid, SIGKILL);
  close(w.from);
  int status = 0;
  waitpid(w.pid, &status, 0);
  if (auto r = decode(w.text); r && !too_long)
    return *r;
  seed_result r;
  r.seed = w.seed;
  r.nodes = w.nodes;
  r.violations.push_back(too_long ? "it ran for more than " + std::to_string(seed_limit.count()) + " s of real time"
                         : WIFSIGNALED(status) && WTERMSIG(status) == SIGXCPU
                             ? "it took more than " + std::to_string(processor_limit.count()) + " s of processor time"
                         : WIFSIGNALED(status) ? "its process ended with signal " + std::to_string(WTERMSIG(status))
                                               : "its process ended with exit code " + std::to_string(WEXITSTATUS(status)));
  return r;
}

/// `nodes`: 0: as many as each seed says.
std::size_t nodes_for(std::uint64_t seed, unsigned nodes) {
  return nodes != 0 ? nodes : epione::simulation::nodes_of(seed);
}

void run_range(std::uint64_t first, std::uint64_t last, unsigned nodes, unsigned jobs, totals& sum) {
  std::vector<worker> workers;
  auto next = first;
  const bool progress = isatty(STDERR_FILENO) == 1;
  while (next <= last || !workers.empty()) {
    for (; workers.size() < jobs && next <= last; ++next)
      workers.push_back(start_worker(next, nodes_for(next, nodes)));
    std::vector<pollfd> fds;
    for (const auto& w : workers)
      fds.push_back({w.from, POLLIN, 0});
    poll(fds.data(), fds.size(), 1'000);
    for (std::size_t i = workers.size(); i-- > 0;) {
      auto& w = workers[i];
      bool ended = false;
      if ((fds[i].revents & (POLLIN | POLLHUP)) != 0) {
        char buffer[65'536];
        const auto n = read(w.from, buffer, sizeof(buffer));
        ended = n <= 0;
        if (!ended)
          w.text.append(buffer, static_cast<std::size_t>(n));
      }
      const bool too_long = steady::now() - w.started > seed_limit;
      if (!ended && !too_long)
        continue;
      const auto r = finish_worker(w, too_long && !ended);
      workers.erase(workers.begin() + static_cast<std::ptrdiff_t>(i));
      sum.add(r);
      if (!r.passed())
        print_failure(r);
      if (progress)
        std::fprintf(stderr, "\r%llu of %llu seeds, %llu failed ", static_cast<unsigned long long>(sum.passed + sum.failed),
                     static_cast<unsigned long long>(last - first + 1), static_cast<unsigned long long>(sum.failed));
    }
  }
  if (progress)
    std::fputc('\n', stderr);
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
  std::string range, mutation;
  unsigned jobs = 1, nodes = 0;
  bool show_trace = false, show_mutations = false;
  app.add_option("--seed", seed, "run this seed");
  app.add_option("--seeds", range, "run the seeds A..B");
  app.add_option("--nodes", nodes, "so many nodes: 1, 3 or 5; each seed has its own number otherwise")
      ->check(CLI::IsMember({1u, 3u, 5u}));
  app.add_option("--jobs", jobs, "so many seeds at a time")->check(CLI::Range(1u, 64u));
  app.add_flag("--trace", show_trace, "print what happens, line by line (with --seed)");
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
  const auto start = steady::now();
  totals sum;
  if (seed) {
    const auto r = epione::simulation::run_seed(*seed, nodes_for(*seed, nodes), show_trace ? stdout : nullptr);
    sum.add(r);
    if (!r.passed())
      print_failure(r);
    std::printf("seed %llu: digest %016llx, %llu messages handled\n", static_cast<unsigned long long>(r.seed),
                static_cast<unsigned long long>(r.digest), static_cast<unsigned long long>(r.steps));
  } else {
    run_range(parsed->first, parsed->second, nodes, jobs, sum);
  }
  sum.print(std::chrono::duration<double>(steady::now() - start).count());
  return sum.failed == 0 ? 0 : 1;
}
