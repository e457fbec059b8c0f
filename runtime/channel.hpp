// A way to the outside world: mail, a web service, the log. Actors know this interface and nothing of what is behind it; a new
// kind of channel is one file in runtime/channels/ and one line in its registry (channel_kinds.hpp).
#pragma once

#include "messages/outgoing.hpp"
#include "runtime/clock.hpp"
#include "runtime/log.hpp"

#include <functional>
#include <stop_token>
#include <string_view>

namespace epione::runtime {

/// Used by one thread at a time.
class channel {
public:
  virtual ~channel() = default;
  /// Blocks until the other side has taken the message, or has not, for the channel's timeout_ms at most. Throws nothing that the
  /// other side could cause.
  virtual messages::send_result send(const messages::outgoing& m) = 0;
};

/// What a channel stands on; log and clock outlive it.
struct channel_ports {
  runtime::log& log;
  runtime::clock& clock;
  std::stop_token stop;                             ///< a send under way then ends within about a second
  std::function<void(std::string_view)> trace = {}; ///< is told each step, for a person who watches; no secret, no content
};

} // namespace epione::runtime
