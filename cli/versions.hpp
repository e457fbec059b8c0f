// Which libraries the program was built against and which it runs with.
#pragma once

#include <string>
#include <vector>

namespace epione::cli {

struct library_version {
  std::string name, built, running; ///< running: empty when the library does not tell, or has no part at run time
  bool fits = true;                 ///< false: what runs is older than what it was built against
};

std::vector<library_version> library_versions();

} // namespace epione::cli
