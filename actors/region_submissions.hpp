// A submission's way through its shard's region: admitted, given to its patient's session and a validator, proposed, committed,
// applied; and what its senders are told on the way. It holds nothing itself but refusals that are to be told: what is on its way
// is in the table.
#pragma once

#include "actors/change_desk.hpp"
#include "actors/shard_region.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace epione::actors {

/// Answers gather in `parts.answers`; the region sends them.
class region_submissions {
public:
  /// `desk`: told what becomes of submissions that are stored together. Not used before the first call.
  region_submissions(region_pointer self, const runtime::environment& env, const shard_region_options& options,
                     region_parts& parts, change_desk& desk);

  void admit(region_table::waiter w);
  /// The first one of those who wait for their sessions may have its turn.
  void on_look();
  void on_verdict(const messages::assessment_ptr& a);
  /// Its session has found its key in the store. (the submission, what is stored, an error when that could not be read)
  void on_found(const messages::submission_ptr& s, const messages::stored_event_ptr& event, const caf::error& why);

  // ---- the log's answers -----------------------------------------------------------------------------------------------
  void on_committed(std::uint64_t epoch, std::uint64_t index, const std::vector<domain::receipt>& ids);
  void on_refused(std::uint64_t epoch, const std::vector<domain::receipt>& ids);
  void on_applied(std::uint64_t index);
  /// Whether this node still leads (0: it does not), for whoever is to be refused. False: somebody else has asked.
  bool on_index(std::uint64_t epoch, messages::ticket t, std::uint64_t index);

  // ---- stored together (change_desk.hpp) ---------------------------------------------------------------------------------
  void propose_together(const messages::commands_ptr& commands);
  /// A held one is not to be stored after all: those who came with the same key meanwhile start anew.
  void release(const domain::receipt& id);

  // ---- who checks it ends ----------------------------------------------------------------------------------------------
  /// A session has ended by itself.
  void on_session_ended(std::uint64_t serial);
  /// Whatever a session asked a reader of the store that was restarted is lost: nothing of it was proposed.
  void on_reader_restarted();
  /// `culprit`: what the validator was checking as it crashed.
  void on_validator_down(std::uint32_t place, const std::optional<domain::receipt>& culprit);

  /// The gateway has answered what is older than its limit: later requests under the same key that still wait for the first one,
  /// and checks that nobody will finish.
  void drop_late();
  /// The epoch is over. `known`: of what was proposed.
  void refuse_all(ec why, messages::outcome known);
  /// Nothing is on its way any more.
  void clear();

private:
  using phase = region_table::phase;
  using entry = region_table::entry;
  struct refusal {
    region_table::waiters who;
    int status;
    std::string body;
  };

  void join(entry& e, region_table::waiter w);
  bool start_next(const domain::receipt& id);
  void hold(const domain::receipt& id, entry& e);
  void propose(entry& e, const messages::command_ptr& command);
  void committed(std::uint64_t index, const domain::receipt& id, entry& e);
  void settle(const domain::receipt& id, int status, const std::string& body);
  void refuse(region_table::waiters who, int status, std::string body);
  void forget(const domain::receipt& id);
  bool put_aside(const domain::receipt& id, entry& e);
  void drop_stuck(const std::set<std::pair<std::uint64_t, std::uint64_t>>& stuck);
  region_table::waiters take(const domain::receipt& id);
  template <class Predicate>
  void refuse_if(Predicate which, std::string_view sentence);

  region_pointer self_;
  const runtime::environment& env_;
  shard_region_options options_;
  std::string name_;
  const region_standing& standing_;
  region_parts& parts_;
  region_table& table_;
  region_checks& checks_;
  region_answers& answers_;
  region_metrics& metrics_;
  change_desk& desk_;
  std::map<messages::ticket, refusal> refusals_; ///< by what the replica was asked
  std::uint64_t refusals_made_ = 0;
};

} // namespace epione::actors
