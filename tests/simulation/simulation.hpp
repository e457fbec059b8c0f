// One seed from beginning to end: two minutes and more of patients and trouble, then peace, and the reckoning.
#pragma once

#include <cstdint>
#include <cstdio>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace epione::simulation {

/// What a seed must at least contain to count.
inline constexpr double simulated_s_min = 120;
inline constexpr std::uint64_t acknowledged_min = 500;
inline constexpr std::uint64_t faults_min = 10, fault_kinds_min = 3;

/// More faults than any seed plans.
inline constexpr std::size_t faults_planned_max = 128;

/// Less than all of a seed, to see what its failure needs. Such a run does not count.
struct excerpt {
  std::optional<std::set<std::size_t>> faults; ///< only these, by number; nothing: all
  std::optional<std::int64_t> live_ms;         ///< patients and faults end so long after the beginning
  bool is_whole() const { return !faults && !live_ms; }
};

struct seed_result {
  std::uint64_t seed = 0;
  std::size_t nodes = 0;
  std::vector<std::string> violations;    ///< what cannot be; a seed that does not count says so here
  std::vector<std::string> faults;        ///< what was done to it, with times
  std::vector<std::size_t> fault_numbers; ///< of them, for an excerpt
  std::vector<std::string> trace_tail;
  std::map<std::string, std::uint64_t> fault_counts;
  std::uint64_t acknowledged = 0, requests = 0, readings = 0, starts = 0, steps = 0;
  std::uint64_t ordered = 0, undecided = 0; ///< operations that were put in one order, and those whose search was given up
  std::uint64_t digest = 0;                 ///< of the whole trace and of the disk at the end
  double simulated_s = 0;
  bool passed() const { return violations.empty(); }
};

/// How many nodes a seed has when nobody says so: one for a third of them, three for half, five for the rest.
std::size_t nodes_of(std::uint64_t seed);

/// `trace_out` may be null. The same seed and number of nodes give the same trace and result in every process.
seed_result run_seed(std::uint64_t seed, std::size_t nodes, std::FILE* trace_out, const excerpt& what = {});

} // namespace epione::simulation
