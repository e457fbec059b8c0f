// How many messages wait for an actor. Only the actor itself may count them, so it is asked; whoever called prepare() answers,
// whatever its interface is.
#pragma once

#include <atomic>
#include <caf/all.hpp>
#include <cstdint>
#include <memory>

namespace epione::runtime {

struct mailbox_sample {
  static constexpr std::int64_t not_answered = -1;
  std::atomic<std::int64_t> messages{not_answered};
};
using mailbox_sample_ptr = std::shared_ptr<mailbox_sample>;

} // namespace epione::runtime

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(epione::runtime::mailbox_sample_ptr)

namespace epione::runtime {

/// Goes ahead of what waits, so that the answer says how much that is and a long mailbox does not delay it. From any thread.
void ask_for_mailbox(const caf::strong_actor_ptr& who, const mailbox_sample_ptr& answer);

/// Handles messages no behaviour knows: answers the question above and drops everything else without a word.
caf::result<caf::message> answer_or_drop(caf::scheduled_actor* self, caf::message_view& x);

} // namespace epione::runtime
