// A message as mail: RFC 5322 with RFC 2045 to 2047 for what is not ASCII. Nothing that comes in can begin a header of its own.
#pragma once

#include "messages/outgoing.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace epione::runtime {

/// A sentence when `x` cannot be used as a mail address: printable ASCII, one '@' with something on both sides, no blanks, quotes
/// or brackets, 254 bytes at most (RFC 5321, 4.5.3.1).
std::optional<std::string> check_mail_address(std::string_view x);

struct mail_sender {
  std::string name, address; ///< the address has been checked
};

/// Headers and body with CR LF line ends. `to` of `m` has been checked; `wall_us`: microseconds since 1970.
std::string mail_message(const mail_sender& from, const messages::outgoing& m, std::int64_t wall_us);

/// As a header's text (RFC 2047): plain when it is short printable ASCII, else UTF-8 in encoded words.
std::string header_text(std::string_view text);

} // namespace epione::runtime
