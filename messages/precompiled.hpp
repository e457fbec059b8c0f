// CAF's headers, which every file with an actor in it includes, compiled once. None of ours: the compiler is silent about headers
// that come this way.
#include <caf/all.hpp>
