// Who checks what: the validators of this node, and which session and validator has which submission of the table in hand.
#pragma once

#include "actors/region_sessions.hpp"
#include "actors/region_standing.hpp"
#include "actors/region_table.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

namespace epione::actors {

class region_checks {
public:
  region_checks(region_pointer self, region_table& table, region_sessions& sessions, std::uint32_t validators)
      : self_(self), table_(table), sessions_(sessions), validators_(validators) {}

  /// Gives it to its patient's session, which is started when there is none. A sentence when that cannot be done.
  const char* begin(region_table::entry& e, const messages::submission_ptr& what);
  /// Its session has done with it.
  void end(const region_table::entry& e);
  /// A session that was told to end may still be at work on what was refused meanwhile: its word does not count any more.
  bool is_with_sender(const region_table::entry& e);

  /// The next validator that runs; nothing: none does.
  std::optional<std::uint32_t> pick();
  /// Has it checked by this one, answered to the region; apart from the table and sessions.
  void send_to(std::uint32_t validator, const messages::submission_ptr& what);

  /// A validator is running.
  void on_started(std::uint32_t place, messages::validator_actor actor);
  /// Somebody is down: the place, when it was a validator. To be followed by recheck() and replace().
  std::optional<std::uint32_t> on_down(const caf::actor_addr& who);
  /// What it had in hand goes to another one; what ended it (`culprit`) to `crashed` first, which answers whether it is set aside
  /// instead.
  void recheck(std::uint32_t place, const std::optional<domain::receipt>& culprit,
               const std::function<bool(const domain::receipt&, region_table::entry&)>& crashed);
  /// Its successor takes over, if it is there already.
  void replace(std::uint32_t place);

private:
  static constexpr std::uint32_t parked = ~std::uint32_t{0}; ///< no validator was running

  /// What a dead validator had in hand is known by its DOWN, which may come after the news of its successor.
  struct slot {
    messages::validator_actor now;  ///< null: not running
    messages::validator_actor next; ///< takes over when the end of `now` is known
  };

  std::vector<domain::receipt> in_hand_of(std::uint32_t validator) const;
  void recheck(region_table::entry& e);
  void check_parked();

  region_pointer self_;
  region_table& table_;
  region_sessions& sessions_;
  std::vector<slot> validators_;
  std::uint32_t next_ = 0;
};

} // namespace epione::actors
