// Starts a replica's core on the log that the journal has, drives it, and has the parts carry out what a step asks for.
#pragma once

#include "cluster/replica.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace epione::cluster {

class replica_driver {
public:
  explicit replica_driver(replica_parts& parts) : parts_(parts), replica_(parts.identity), standing_(parts.standing) {}

  /// Loads the log. The replica ends when there is no journal.
  void start();
  /// The journal is gone: nothing goes on.
  void stop();
  void on_persisted(std::uint64_t write_epoch, std::uint64_t index);
  void on_failed(std::uint64_t write_epoch, const caf::error& why);
  void on_tick(std::uint64_t timer);

  /// Every step of the core, whose output this is, ends here.
  void carry_out(raft_output& out);
  void open_epoch();
  /// `known`: of what was proposed and not reported committed.
  void close_epoch(ec why, messages::outcome known);
  void maybe_serve();

  /// The offered store, once there is a core and if they belong together; otherwise the replica ends with `damaged`.
  void take_store();
  /// Goes on from a copy of another member's store, which is here and holds everything up to this point.
  void install(const messages::snapshot_point& point);
  /// Gets back what the core has dropped; a change of members that waits for it begins then.
  void refill();
  void change_members(const messages::server_change& change, const replica_changes::promise& answer);

private:
  using phase = replica_standing::phase;

  void load();
  void load_later();
  void on_loaded(const messages::group_log& log);
  raft_options core_options() const;
  void tell_leader();
  void begin_anew();
  void drop_core();
  void refuse(const std::string& why);

  replica_parts& parts_;
  const replica_identity& replica_;
  replica_standing& standing_;

  std::optional<messages::snapshot_point> cut_; ///< of the log as it was loaded
  bool term_raised_ = false;                    ///< of the log that is being loaded
  std::uint32_t backoff_ms_ = 0;
};

} // namespace epione::cluster
