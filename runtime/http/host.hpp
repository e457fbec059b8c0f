// Who a request was meant for. A page of any site can have its own name resolve to 127.0.0.1 and then read what this node answers
// (DNS rebinding): the browser takes both for one origin. What it cannot do is to leave that name out of the request.
#pragma once

#include <string_view>

namespace epione::runtime::http {

/// Whether the value of a header Host, or the authority of a target, names this machine by something nobody else can point
/// elsewhere: a literal of 127.0.0.0/8, [::1], or localhost, with any port or none. HTTP listens on such addresses only.
bool names_this_machine(std::string_view authority);

} // namespace epione::runtime::http
