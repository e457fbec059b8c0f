// For the test programs with actors in them, compiled once. None of ours: the compiler is silent about headers that come this
// way.
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>
#include <caf/all.hpp>
#include <tl/expected.hpp>
