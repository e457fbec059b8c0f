// A seed in a process of its own, so that a crash or a hang is that seed's failure and no seed can depend on the ones before it.
#pragma once

#include "tests/simulation/simulation.hpp"

#include <chrono>
#include <cstdint>
#include <string>
#include <sys/types.h>

namespace epione::simulation {

struct seed_process {
  using steady = std::chrono::steady_clock;
  pid_t pid = 0;
  int from = -1; ///< becomes readable when there is something to take
  std::uint64_t seed = 0;
  std::size_t nodes = 0;
  std::string text;
  steady::time_point started;
};

seed_process start_seed(std::uint64_t seed, std::size_t nodes, const excerpt& what = {});
/// Takes what it has said; true when it says nothing more. Blocks when there is nothing yet.
bool take(seed_process& p);
bool runs_too_long(const seed_process& p);
/// It says nothing more, or has run for too long and is ended.
seed_result finish(seed_process& p);
/// All of that, one after the other.
seed_result run_apart(std::uint64_t seed, std::size_t nodes, const excerpt& what = {});

} // namespace epione::simulation
