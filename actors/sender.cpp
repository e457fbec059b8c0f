#include "actors/sender.hpp"

namespace epione::actors {

using namespace messages;

sender_actor::behavior_type sender(sender_actor::stateful_pointer<sender_state> self, const runtime::environment& env,
                                   std::string name, channel_maker make, std::stop_token stop) {
  runtime::prepare(self, env, name);
  self->state.channel = make(runtime::channel_ports{env.log, env.clock, std::move(stop)});
  return {
      [self, &env](send_atom, std::uint64_t number, const outgoing_ptr& m, const sender_client& client) {
        runtime::fault_point(env.faults, "sender.send", m->key);
        auto result = self->state.channel->send(*m);
        runtime::fault_point(env.faults, "sender.sent", m->key);
        ++self->state.sent;
        self->send(client, send_atom::value, number, std::make_shared<const send_result>(std::move(result)));
      },
      [self, name](status_atom) -> status_report_ptr {
        return std::make_shared<const status_report>(
            status_report{name, "running", {{"attempts", std::to_string(self->state.sent)}}});
      },
  };
}

} // namespace epione::actors
