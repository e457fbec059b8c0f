#include "runtime/os_user.hpp"

#include <array>
#include <pwd.h>

namespace epione::runtime {

std::string os_user(uid_t user) {
  std::array<char, 4096> memory{};
  passwd entry{};
  passwd* found = nullptr;
  if (::getpwuid_r(user, &entry, memory.data(), memory.size(), &found) != 0 || found == nullptr)
    return "os:" + std::to_string(user);
  return std::string{"os:"} + entry.pw_name;
}

} // namespace epione::runtime
