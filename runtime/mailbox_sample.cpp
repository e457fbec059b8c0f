#include "runtime/mailbox_sample.hpp"

namespace epione::runtime {

void ask_for_mailbox(const caf::strong_actor_ptr& who, const mailbox_sample_ptr& answer) {
  caf::anon_send<caf::message_priority::high>(caf::actor_cast<caf::actor>(who), answer);
}

caf::result<caf::message> answer_or_drop(caf::scheduled_actor* self, caf::message_view& x) {
  if (!x.content().match_elements<mailbox_sample_ptr>())
    return caf::drop(self, x);
  x.content().get_as<mailbox_sample_ptr>(0)->messages = static_cast<std::int64_t>(self->mailbox().size());
  return caf::message{};
}

} // namespace epione::runtime
