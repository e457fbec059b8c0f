// Versions, from each library's own macro and function.
#include "cli/versions.hpp"

#include "cluster/raft_core.h"

#include <CLI/Version.hpp>
#include <boost/version.hpp>
#include <caf/config.hpp>
#include <fmt/core.h>
#include <gnu/libc-version.h>
#include <msgpack/version.hpp>
#include <nlohmann/json.hpp>
#include <simdjson.h>
#include <sodium.h>
#include <spdlog/version.h>
#include <sqlite3.h>
#include <sys/utsname.h>
#include <toml++/toml.h>
#include <xxhash.h>

#define EPIONE_TEXT_OF(x) #x
#define EPIONE_TEXT(x) EPIONE_TEXT_OF(x)

namespace epione::cli {

namespace {

/// major * 10000 + minor * 100 + patch
std::string dotted(int number) {
  return std::to_string(number / 10000) + "." + std::to_string(number / 100 % 100) + "." + std::to_string(number % 100);
}

std::string three(int a, int b, int c) {
  return std::to_string(a) + "." + std::to_string(b) + "." + std::to_string(c);
}

std::string kernel() {
  utsname name{};
  return uname(&name) == 0 ? name.release : "";
}

} // namespace

std::vector<library_version> library_versions() {
  return {
      {"SQLite", SQLITE_VERSION, sqlite3_libversion(), sqlite3_libversion_number() >= SQLITE_VERSION_NUMBER},
      {"libraft", dotted(epione_raft_version()), "", true},
      {"CAF", dotted(CAF_VERSION), "", true},
      {"libsodium", SODIUM_VERSION_STRING, sodium_version_string(),
       sodium_library_version_major() >= SODIUM_LIBRARY_VERSION_MAJOR},
      {"xxHash", dotted(XXH_VERSION_NUMBER), dotted(static_cast<int>(XXH_versionNumber())),
       XXH_versionNumber() >= XXH_VERSION_NUMBER},
      {"simdjson", EPIONE_TEXT(SIMDJSON_VERSION), "", true},
      {"nlohmann-json", three(NLOHMANN_JSON_VERSION_MAJOR, NLOHMANN_JSON_VERSION_MINOR, NLOHMANN_JSON_VERSION_PATCH), "", true},
      {"msgpack-cxx", MSGPACK_VERSION, "", true},
      {"Boost", three(BOOST_VERSION / 100000, BOOST_VERSION / 100 % 1000, BOOST_VERSION % 100), "", true},
      {"toml++", three(TOML_LIB_MAJOR, TOML_LIB_MINOR, TOML_LIB_PATCH), "", true},
      {"spdlog", three(SPDLOG_VER_MAJOR, SPDLOG_VER_MINOR, SPDLOG_VER_PATCH), "", true},
      {"fmt", dotted(FMT_VERSION), "", true},
      {"CLI11", CLI11_VERSION, "", true},
      {"GNU libc", std::to_string(__GLIBC__) + "." + std::to_string(__GLIBC_MINOR__), gnu_get_libc_version(), true},
      {"compiler", __VERSION__, "", true},
      {"Linux", "", kernel(), true},
  };
}

} // namespace epione::cli
