// A shard's region and its outbox: the outbox is told whether the shard serves, and its commands are proposed and followed until
// the store has applied them.
#pragma once

#include "actors/region_standing.hpp"

#include <cstdint>
#include <unordered_map>

namespace epione::actors {

class region_outbox {
public:
  region_outbox(region_pointer self, const region_standing& standing) : self_(self), standing_(standing) {}

  /// The outbox has started, or ended (null).
  void on_changed(messages::outbox_actor outbox);
  void on_serving() { tell(); }
  void on_closed();
  /// Nobody waits for it here: what is lost with the epoch the outbox proposes again. `soon`: somebody waits for it there.
  void on_propose(const messages::command_ptr& command, bool soon);
  /// True: one of its commands, and on_applied is to be called once the store has applied this index.
  bool on_committed(std::uint64_t index, const domain::receipt& id);
  /// The store has applied what is known as `id`, which may be no command of the outbox.
  void on_applied(const domain::receipt& id);
  /// The store has applied up to here.
  void on_applied(std::uint64_t index);

private:
  void tell();

  region_pointer self_;
  const region_standing& standing_;
  messages::outbox_actor outbox_;                      ///< null: not running
  std::unordered_map<domain::receipt, bool> commands_; ///< proposed, and whether somebody waits; bounded by the outbox
};

} // namespace epione::actors
