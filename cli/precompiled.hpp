// What most commands include, compiled once. None of ours: the compiler is silent about headers that come this way.
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <caf/all.hpp>
#include <nlohmann/json.hpp>
#include <tl/expected.hpp>
