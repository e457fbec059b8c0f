// Sends one message after the other through a channel of its own, and may block while it does. Its notifier watches it.
#pragma once

#include "messages/interfaces.hpp"
#include "runtime/channel.hpp"
#include "runtime/environment.hpp"

#include <functional>
#include <memory>
#include <string>

namespace epione::actors {

/// Makes a channel for one sender; throws nothing.
using channel_maker = std::function<std::unique_ptr<runtime::channel>(const runtime::channel_ports&)>;

struct sender_state {
  sender_state() = default;
  std::unique_ptr<runtime::channel> channel;
  std::uint64_t sent = 0;
  static inline const char* name = "sender";
};

/// `stop`: asked to stop, a send under way ends within about a second.
messages::sender_actor::behavior_type sender(messages::sender_actor::stateful_pointer<sender_state> self,
                                             const runtime::environment& env, std::string name, channel_maker make,
                                             std::stop_token stop);

} // namespace epione::actors
