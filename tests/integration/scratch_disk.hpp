// A simulated disk of a test's own: what was not synced is lost in a power loss, and space can run out.
#pragma once

#include "tests/simulation/simulated_disk.hpp"

#include <memory>
#include <string>

namespace epione::tests {

class scratch_disk {
public:
  runtime::disk& disk() { return disk_; }
  simulation::simulated_disk& simulated() { return disk_; }
  std::string directory() const { return "/node"; }
  void power_loss() { disk_.crash(); }

private:
  simulation::simulated_disk disk_{1};
};

} // namespace epione::tests
