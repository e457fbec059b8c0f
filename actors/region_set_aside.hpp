// Submissions that ended their validators several times. Nothing a patient sent is thrown away, not even what cannot be checked:
// it becomes an event for people to look at.
#pragma once

#include "messages/interfaces.hpp"

#include <cstdint>
#include <deque>
#include <utility>

namespace epione::actors {

/// What is to be stored of it. `crashes`: of its check; `now_us`: UTC.
messages::command_ptr set_aside_command(const messages::submission& s, std::uint32_t crashes, std::int64_t now_us);

/// The newest of them, so that a retry is answered without ending a validator again. That answer says that nothing is stored
/// under the key: it is remembered only until something is, and no longer than the epoch, because another node may store it after
/// that.
class region_set_aside {
public:
  void remember(const domain::receipt& id, const domain::fingerprint& content);
  bool has(const messages::submission& s) const;
  void forget(const domain::receipt& id);
  void clear() { known_.clear(); }

private:
  std::deque<std::pair<domain::receipt, domain::fingerprint>> known_;
};

} // namespace epione::actors
