// What most tests include, for the programs without actors, compiled once. None of ours: the compiler is silent about headers
// that come this way.
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>
#include <tl/expected.hpp>
