// Of a seed that fails, the fewest faults and the shortest time that still do: first the end is brought forward, then faults are
// left out by halves, quarters and so on (A. Zeller, R. Hildebrandt: Simplifying and isolating failure-inducing input, 2002).
#pragma once

#include "tests/simulation/simulation.hpp"

#include <functional>

namespace epione::simulation {

struct minimal {
  excerpt what;       ///< the smallest that was found to fail
  seed_result result; ///< of it
  unsigned runs = 0;
};

/// `first`: of the whole seed, which failed. `run` says what becomes of an excerpt, and is asked at most `runs_max` times.
minimal minimize(const seed_result& first, const std::function<seed_result(const excerpt&)>& run, unsigned runs_max);

} // namespace epione::simulation
