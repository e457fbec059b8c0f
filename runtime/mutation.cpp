#include "runtime/mutation.hpp"

#ifdef EPIONE_MUTATIONS

#include <algorithm>
#include <atomic>

namespace epione::runtime {

namespace {

/// The one global there is: what is planted lies in places that are handed nothing of it, and no release has it.
std::atomic<mutation> active{mutation::none};

} // namespace

bool mutated(mutation which) {
  return active.load(std::memory_order_relaxed) == which;
}

void switch_on(mutation which) {
  active.store(which, std::memory_order_relaxed);
}

std::optional<mutation> find_mutation(std::string_view name) {
  const auto* found = std::find_if(mutations.begin(), mutations.end(), [&](const mutation_text& x) { return x.name == name; });
  return found == mutations.end() ? std::nullopt : std::optional{found->id};
}

} // namespace epione::runtime

#endif
