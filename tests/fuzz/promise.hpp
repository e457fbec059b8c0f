// What a fuzzer's input must not break. Not an assertion: it must hold in every build.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>

namespace epione::fuzz {

inline void promise(bool kept, const char* what) {
  if (kept)
    return;
  std::fprintf(stderr, "broken promise: %s\n", what);
  std::abort();
}

inline std::string read_file(const std::string& path) {
  std::ifstream in{path, std::ios::binary};
  promise(in.good(), path.c_str());
  return {std::istreambuf_iterator<char>{in}, {}};
}

} // namespace epione::fuzz
