// What must hold, checked in every build: libraft comes without assertions, and a rule broken silently is a lost submission.
#pragma once

#include <stdexcept>
#include <string>

namespace epione::cluster {

/// Ends the actor in whose handler it is thrown; the replica starts again from what is stored. The text names the rule and
/// numbers, never what an entry holds.
class invariant_violation : public std::logic_error {
public:
  using std::logic_error::logic_error;
};

inline void invariant(bool holds, const char* what) {
  if (!holds) [[unlikely]]
    throw invariant_violation{what};
}

} // namespace epione::cluster
