// Which replica this is, and what it stands on: given at its start, the same for all of its parts, and never changed.
#pragma once

#include "cluster/replica_options.hpp"
#include "messages/interfaces.hpp"
#include "runtime/environment.hpp"

#include <cstdint>
#include <string>
#include <utility>

namespace epione::cluster {

/// For the parts of a replica, which know nothing of its state.
using replica_pointer = messages::replica_actor::pointer;

struct replica_identity {
  replica_identity(replica_pointer s, const runtime::environment& e, replica_options o, epoch_counter counter)
      : self(s), env(e), options(std::move(o)), epochs(std::move(counter)), name("replica " + std::to_string(options.group)) {}
  replica_identity(const replica_identity&) = delete;
  replica_identity& operator=(const replica_identity&) = delete;

  const replica_pointer self;
  const runtime::environment& env;
  const replica_options options;
  const epoch_counter epochs;
  const std::string name;

  std::int64_t now_ms() const { return env.clock.now_ns() / 1'000'000; }
  /// Never used before in this process.
  std::uint64_t next_epoch() const { return epochs->fetch_add(1) + 1; }
  /// An error that names the group.
  caf::error error(ec code, const std::string& sentence) const { return caf::make_error(code, name + sentence); }
};

} // namespace epione::cluster
