// Listens to what members of groups say to each other, and judges it by Raft's own rules (Raft paper, figures 2 and 3), whatever
// the library and the code around it believe:
//
// - in one term of a group at most one member speaks as its leader;
// - in one term a member votes for at most one candidate, also when it was started again in between;
// - a member that was started again is never in an earlier term than it has spoken of;
// - after a power loss its disk holds the term and the vote that it has spoken of: they were durable before they were said.
#pragma once

#include "messages/raft.hpp"
#include "tests/simulation/ledger.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>

namespace epione::simulation {

class raft_watch {
public:
  struct speaker {
    std::string node;
    std::uint64_t server = 0;      ///< 0: of no group yet
    std::uint64_t incarnation = 0; ///< of its program
  };
  /// Of one group, on a disk.
  struct stored {
    std::uint64_t term = 0, voted_for = 0;
  };

  explicit raft_watch(ledger& book) : book_(book) {}

  /// `m.peer`: to whom.
  void said(const speaker& who, std::uint32_t group, const messages::raft_message& m);
  /// Of the member's node, after a power loss.
  void check_disk(const speaker& who, const std::map<std::uint32_t, stored>& groups) const;

  /// Called once, when some member next gives a vote (or says what it has stored): with its node.
  void at_next_vote(std::function<void(const std::string& node)> f) { at_vote_ = std::move(f); }
  void at_next_result(std::function<void(const std::string& node)> f) { at_result_ = std::move(f); }

private:
  struct member {
    std::uint64_t incarnation = 0, term = 0, term_before = 0; ///< before: of earlier incarnations
    std::map<std::uint64_t, std::uint64_t> votes;             ///< by term
  };
  using place = std::pair<std::uint32_t, std::uint64_t>; ///< group, server or term

  void voted(const speaker& who, std::uint32_t group, std::uint64_t term, std::uint64_t candidate);

  ledger& book_;
  std::map<place, member> members_;
  std::map<place, std::uint64_t> leaders_;
  std::function<void(const std::string&)> at_vote_, at_result_;
};

} // namespace epione::simulation
