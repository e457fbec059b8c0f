#include "tests/simulation/seed_process.hpp"

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <optional>
#include <poll.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

namespace epione::simulation {

namespace {

using nlohmann::json;

/// Processor time for one seed; one takes a second for each node, or some. And real time, on a machine that has much else to do.
constexpr std::chrono::seconds processor_limit{180}, seed_limit{3'600};

std::string encode(const seed_result& r) {
  return json{{"seed", r.seed},
              {"nodes", r.nodes},
              {"violations", r.violations},
              {"faults", r.faults},
              {"fault_numbers", r.fault_numbers},
              {"tail", r.trace_tail},
              {"kinds", r.fault_counts},
              {"counts", {r.acknowledged, r.requests, r.readings, r.starts, r.steps, r.digest, r.ordered, r.undecided}},
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
  r.fault_numbers = j["fault_numbers"].get<std::vector<std::size_t>>();
  r.trace_tail = j["tail"].get<std::vector<std::string>>();
  r.fault_counts = j["kinds"].get<std::map<std::string, std::uint64_t>>();
  const auto& n = j["counts"];
  r.acknowledged = n[0], r.requests = n[1], r.readings = n[2], r.starts = n[3], r.steps = n[4], r.digest = n[5];
  r.ordered = n[6], r.undecided = n[7];
  r.simulated_s = j["simulated_s"];
  return r;
}

[[noreturn]] void run_and_tell(int to, std::uint64_t seed, std::size_t nodes, const excerpt& what) {
  const auto seconds = static_cast<rlim_t>(processor_limit.count());
  const rlimit limit{seconds, seconds + 1};
  setrlimit(RLIMIT_CPU, &limit);
  const auto text = encode(run_seed(seed, nodes, nullptr, what));
  for (std::size_t at = 0; at < text.size();) {
    const auto n = write(to, text.data() + at, text.size() - at);
    if (n <= 0)
      _exit(1);
    at += static_cast<std::size_t>(n);
  }
  _exit(0);
}

std::string why_it_ended(int status, bool too_long) {
  if (too_long)
    return "it ran for more than " + std::to_string(seed_limit.count()) + " s of real time";
  if (!WIFSIGNALED(status))
    return "its process ended with exit code " + std::to_string(WEXITSTATUS(status));
  if (WTERMSIG(status) == SIGXCPU)
    return "it took more than " + std::to_string(processor_limit.count()) + " s of processor time";
  return "its process ended with signal " + std::to_string(WTERMSIG(status));
}

} // namespace

seed_process start_seed(std::uint64_t seed, std::size_t nodes, const excerpt& what) {
  int ends[2];
  if (pipe(ends) != 0) {
    std::perror("epione-sim: pipe");
    std::exit(1);
  }
  std::fflush(nullptr); // or the child would say it again
  const auto pid = fork();
  if (pid < 0) {
    std::perror("epione-sim: fork");
    std::exit(1);
  }
  if (pid == 0) {
    close(ends[0]);
    run_and_tell(ends[1], seed, nodes, what);
  }
  close(ends[1]);
  return {pid, ends[0], seed, nodes, {}, seed_process::steady::now()};
}

bool take(seed_process& p) {
  char buffer[65'536];
  const auto n = read(p.from, buffer, sizeof(buffer));
  if (n > 0)
    p.text.append(buffer, static_cast<std::size_t>(n));
  return n <= 0;
}

bool runs_too_long(const seed_process& p) {
  return seed_process::steady::now() - p.started > seed_limit;
}

seed_result finish(seed_process& p) {
  const bool too_long = runs_too_long(p);
  if (too_long)
    kill(p.pid, SIGKILL);
  close(p.from);
  int status = 0;
  waitpid(p.pid, &status, 0);
  if (auto r = decode(p.text))
    return *r;
  seed_result r;
  r.seed = p.seed;
  r.nodes = p.nodes;
  r.violations.push_back(why_it_ended(status, too_long));
  return r;
}

seed_result run_apart(std::uint64_t seed, std::size_t nodes, const excerpt& what) {
  auto p = start_seed(seed, nodes, what);
  for (bool ended = false; !ended && !runs_too_long(p);) {
    pollfd fd{p.from, POLLIN, 0};
    if (poll(&fd, 1, 1'000) > 0)
      ended = take(p);
  }
  return finish(p);
}

} // namespace epione::simulation
