// A group as its replica shows it to whoever looks from outside (runtime/shard_view.hpp).
#pragma once

#include "cluster/replica_feed.hpp"
#include "cluster/replica_identity.hpp"
#include "cluster/replica_members.hpp"
#include "cluster/replica_standing.hpp"

#include <cstdint>

namespace epione::cluster {

class replica_view {
public:
  replica_view(const replica_identity& replica, const replica_standing& standing, const replica_members& members,
               const replica_feed& feed)
      : replica_(replica), standing_(standing), members_(members), feed_(feed) {}

  void show();
  /// Unless it was shown lately.
  void show_when_due();
  /// The replica knows nothing of the group.
  void hide();

private:
  const replica_identity& replica_;
  const replica_standing& standing_;
  const replica_members& members_;
  const replica_feed& feed_;
  std::int64_t due_ms_ = 0;
};

} // namespace epione::cluster
