// How the console of one node looks at another: "console bridge" in the directory takes a command of another node's console, has
// this node's carry it out, and brings the answer back. It takes commands that only look.
#pragma once

#include "messages/interfaces.hpp"
#include "runtime/environment.hpp"

#include <cstdint>
#include <string>
#include <tl/expected.hpp>
#include <vector>

namespace epione::actors {

struct console_bridge_state {
  console_bridge_state() = default;
  std::uint64_t questions = 0;
  static inline const char* name = "console_bridge";
};

messages::question_receiver_actor::behavior_type
console_bridge(messages::question_receiver_actor::stateful_pointer<console_bridge_state> self, const runtime::environment& env);

/// Payload of routed_kind::console, a JSON object as its answer is. Members that a later version adds are ignored.
std::string bridge_question(const std::vector<std::string>& words, bool json, std::uint32_t columns = 0,
                            const std::string& after = {});
/// Fails with a sentence.
tl::expected<messages::console_reply, std::string> decode_bridge_answer(const std::string& bytes);

} // namespace epione::actors
