// CAF's headers, which every file with an actor in it includes, and JSON, compiled once. None of ours: the compiler is silent
// about headers that come this way.
#include <caf/all.hpp>
#include <nlohmann/json.hpp>
#include <tl/expected.hpp>
