// The one program.
#include "cli/app.hpp"
#include "runtime/config.hpp"

#include <iostream>

int main(int argc, char** argv) {
  epione::cli::command_context context{std::cout, std::cerr, epione::runtime::process_environment(), {}};
  return epione::cli::run(std::vector<std::string>{argv + 1, argv + argc}, context);
}
