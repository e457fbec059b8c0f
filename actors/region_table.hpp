// What is on its way through one shard: every submission from its arrival until the store has applied it, and who waits for its
// outcome. A value without an actor around it.
//
// It outlives sessions, so that a repeat or a conflict that comes meanwhile meets the first one here and waits for it; afterwards
// the session finds it in the store.
#pragma once

#include "messages/interfaces.hpp"

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace epione::actors {

class region_table {
public:
  enum class phase : std::uint8_t {
    waiting,   ///< for its session to be started (start_queue.hpp)
    checking,  ///< with its session
    held,      ///< accepted; waits for those it is stored together with
    proposed,  ///< with the storage_writer, the log or the journal
    committed, ///< durable; not yet in the store
  };

  struct waiter {
    messages::ticket to = 0;
    messages::reply_receiver receiver;
    messages::submission_ptr what;
  };
  using waiters = std::vector<waiter>;

  struct entry {
    domain::fingerprint fingerprint{};
    std::uint64_t subject_hash = 0, session_serial = 0;
    std::int64_t received_ns = 0;
    phase at = phase::checking;
    std::uint8_t crashes = 0;
    std::uint64_t bytes = 0; ///< of what its waiters have sent
    bool set_aside = false;  ///< proposed as something to look at, not as a submission
    std::uint32_t validator = 0;
    std::string results;           ///< of a check: assessment::results
    messages::command_ptr command; ///< of a whole response, whose answer is its event, and of one that is held
    waiters who;                   ///< the first one is the sender; the others came with the same key

    /// What was stored, where a whole response may ask.
    std::string_view event() const { return command == nullptr ? std::string_view{} : std::string_view{command->event}; }
  };
  using entries = std::unordered_map<domain::receipt, entry>;

  /// `bytes_max`: of what all have sent, repeats that wait included.
  region_table(std::uint32_t entries_max, std::uint64_t bytes_max) : entries_max_(entries_max), bytes_max_(bytes_max) {}

  std::size_t size() const { return entries_.size(); }
  bool has_room_for_waiter() const { return bytes_ < bytes_max_; }
  bool has_room_for_entry() const { return entries_.size() < entries_max_ && has_room_for_waiter(); }

  /// Null: not here. Valid until it is taken.
  entry* find(const domain::receipt& id);
  /// Null as well when it is in another phase.
  entry* find(const domain::receipt& id, phase at);
  entries::iterator begin() { return entries_.begin(); }
  entries::iterator end() { return entries_.end(); }
  /// Of those for which `which` is true; in the same order in every run of a simulation.
  template <class Predicate>
  std::vector<domain::receipt> ids_if(Predicate which) const {
    std::vector<domain::receipt> ids;
    for (const auto& [id, e] : entries_)
      if (which(e))
        ids.push_back(id);
    std::sort(ids.begin(), ids.end());
    return ids;
  }

  void add(const domain::receipt& id, entry e, waiter sender);
  /// One more, with the same key.
  void wait(entry& e, waiter w);
  /// The later requests under a key that came before this time: nobody waits for them. The first one is whom the entry's outcome
  /// is for.
  void drop_waiters_before(std::int64_t oldest_ns);

  /// Takes the entry out, which must be here; who waited for it.
  waiters take(const domain::receipt& id);
  /// Takes out all for which `which` is true.
  template <class Predicate>
  std::vector<std::pair<domain::receipt, waiters>> take_if(Predicate which) {
    std::vector<std::pair<domain::receipt, waiters>> taken;
    for (auto it = entries_.begin(); it != entries_.end();) {
      if (!which(std::as_const(it->second))) {
        ++it;
        continue;
      }
      bytes_ -= it->second.bytes;
      taken.emplace_back(it->first, std::move(it->second.who));
      it = entries_.erase(it);
    }
    return taken;
  }
  void clear();

private:
  std::uint32_t entries_max_;
  std::uint64_t bytes_max_, bytes_ = 0;
  entries entries_;
};

} // namespace epione::actors
