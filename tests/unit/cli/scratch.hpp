// A directory of a test's own, and the command line called in it.
#pragma once

#include "cli/app.hpp"

#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

namespace epione::cli::test {

class scratch {
public:
  scratch() : path_((std::filesystem::temp_directory_path() / "epione-cli-XXXXXX").string()) {
    BOOST_REQUIRE(mkdtemp(path_.data()) != nullptr);
  }
  ~scratch() {
    std::error_code error;
    std::filesystem::remove_all(path_, error);
  }
  scratch(const scratch&) = delete;
  scratch& operator=(const scratch&) = delete;

  const std::string& path() const { return path_; }
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }
  std::string write(const std::string& name, const std::string& text) const {
    const auto file = *this / name;
    std::filesystem::create_directories(std::filesystem::path{file}.parent_path());
    std::ofstream{file, std::ios::binary} << text;
    return file;
  }

private:
  std::string path_;
};

struct answer {
  int code = -1;
  std::string out, err;
};

inline answer call(const std::vector<std::string>& arguments,
                   const std::vector<std::pair<std::string, std::string>>& environment = {}) {
  std::ostringstream out, err;
  command_context context{out, err, environment, {}};
  const int code = run(arguments, context);
  return {code, out.str(), err.str()};
}

} // namespace epione::cli::test
