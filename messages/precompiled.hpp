// CAF's headers, which nearly every file with an actor in it includes, compiled once. None of ours: the compiler is silent about
// headers that come this way. Nothing more: GCC pays for all that a precompiled header holds in every file that uses it.
#include <caf/all.hpp>
#include <tl/expected.hpp>
