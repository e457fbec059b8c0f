// A user as the audit trail names people of this machine.
#pragma once

#include <string>
#include <sys/types.h>

namespace epione::runtime {

/// "os:NAME", or "os:UID" when the system knows no name.
std::string os_user(uid_t user);

} // namespace epione::runtime
