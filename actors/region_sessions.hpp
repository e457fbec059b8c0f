// The living patient sessions of one shard: started when a patient is heard of, ended when they are idle, when there are too
// many, and with the epoch.
#pragma once

#include "actors/region_metrics.hpp"
#include "actors/region_standing.hpp"
#include "actors/region_table.hpp"
#include "actors/start_ramp.hpp"
#include "messages/console.hpp"
#include "runtime/environment.hpp"

#include <cstdint>
#include <list>
#include <string>
#include <unordered_map>

namespace epione::actors {

class region_sessions {
public:
  struct session {
    messages::patient_session_actor actor;
    std::uint64_t serial = 0;
    std::int64_t used_ns = 0;
    std::uint32_t checking = 0; ///< submissions that it has in check
    std::list<std::uint64_t>::iterator place;
  };
  struct options {
    std::uint32_t shard = 0;
    std::uint32_t sessions_max = 0; ///< the least recently used is ended beyond
    std::uint32_t idle_limit_ms = 0;
    std::uint32_t starts_per_s = 1; ///< in the first second of an epoch (start_ramp.hpp)
  };

  /// `table` only for a fault that is planted on purpose.
  region_sessions(region_pointer self, const runtime::environment& env, const region_standing& standing, region_table& table,
                  region_metrics& metrics, const options& o)
      : self_(self), env_(env), standing_(standing), table_(table), metrics_(metrics), options_(o), ramp_(o.starts_per_s) {}
  ~region_sessions();
  region_sessions(const region_sessions&) = delete;
  region_sessions& operator=(const region_sessions&) = delete;

  /// The shard begins to serve: from now on so many starts a second.
  void begin_ramp() { ramp_.begin(env_.clock.now_ns()); }
  bool may_start() const { return ramp_.may_start(env_.clock.now_ns()); }
  /// How many starts a second are allowed just now, for people.
  std::string starts_text() const;

  std::size_t size() const { return sessions_.size(); }
  bool has(std::uint64_t subject_hash) const { return sessions_.count(subject_hash) != 0; }
  /// Null: none.
  session* find(std::uint64_t subject_hash);
  /// Null as well when it is another one than this.
  session* find(std::uint64_t subject_hash, std::uint64_t serial);
  /// Least recently used first.
  const std::list<std::uint64_t>& by_use() const { return by_use_; }
  const session& at(std::uint64_t subject_hash) const { return sessions_.at(subject_hash); }
  /// The most recently used first.
  messages::session_lines_ptr newest(std::uint32_t limit) const;

  /// The patient's session, started when there is none; null: no reader of the store is running.
  session* use(std::uint64_t subject_hash);

  void end(std::uint64_t subject_hash);
  void end_all();
  void end_idle();
  /// It has ended by itself; false: by us.
  bool on_ended(std::uint64_t subject_hash, std::uint64_t serial);

private:
  session& start(std::uint64_t subject_hash, const messages::store_reader_actor& reader);
  void end_least_used();

  region_pointer self_;
  const runtime::environment& env_;
  const region_standing& standing_;
  region_table& table_;
  region_metrics& metrics_;
  options options_;
  start_ramp ramp_;
  std::uint64_t next_serial_ = 1;
  std::unordered_map<std::uint64_t, session> sessions_; ///< by subject_hash
  std::list<std::uint64_t> by_use_;                     ///< of them, least recently used first
};

} // namespace epione::actors
