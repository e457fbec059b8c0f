// Named places where a test or the simulator may make an actor throw. Production passes none.
#pragma once

#include <string_view>

namespace epione::runtime {

class fault_points {
public:
  virtual ~fault_points() = default;
  /// May throw. `detail` is the subject or empty; never an answer.
  virtual void hit(std::string_view point, std::string_view detail) = 0;
};

inline void fault_point(fault_points* points, std::string_view point, std::string_view detail = {}) {
  if (points != nullptr)
    points->hit(point, detail);
}

} // namespace epione::runtime
