#include "messages/outgoing.hpp"

namespace epione::messages {

std::string_view to_string(send_failure x) {
  switch (x) {
    case send_failure::none: return "none";
    case send_failure::unreachable: return "unreachable";
    case send_failure::time_limit: return "time_limit";
    case send_failure::tls: return "tls";
    case send_failure::credentials: return "credentials";
    case send_failure::busy: return "busy";
    case send_failure::rejected: return "rejected";
    case send_failure::no_address: return "no_address";
    case send_failure::configuration: return "configuration";
    case send_failure::internal: return "internal";
  }
  return "none";
}

} // namespace epione::messages
