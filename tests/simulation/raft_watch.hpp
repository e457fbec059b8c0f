// Listens to what members of groups say to each other, and judges it by Raft's own rules (Raft paper, figures 2 and 3), whatever
// the library and the code around it believe:
//
// - in one term of a group at most one member speaks as its leader;
// - in one term a member votes for at most one candidate, also when it was started again in between;
// - a member that was started again is never in an earlier term than it has spoken of;
// - what a leader has said is committed stands in the log of every later leader;
// - after a power loss its disk holds the term and the vote that it has spoken of, and the entries that it told its leader it has
//   stored, as that leader sent them: they were durable before they were said.
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
    std::uint64_t cut = 0;        ///< the log begins behind it
    std::uint64_t entry_term = 0; ///< of the entry last_stored() names; 0: it is not there
  };

  explicit raft_watch(ledger& book) : book_(book) {}

  /// `m.peer`: to whom.
  void said(const speaker& who, std::uint32_t group, const messages::raft_message& m);
  /// Of each group of which this member has said so: up to which entry it has stored the newest leader's log.
  std::map<std::uint32_t, std::uint64_t> last_stored(std::uint64_t server) const;
  /// Of the member's node, after a power loss.
  void check_disk(const speaker& who, const std::map<std::uint32_t, stored>& groups) const;

  /// Called once, when some member next gives a vote (or says what it has stored): with its node.
  void at_next_vote(std::function<void(const std::string& node)> f) { at_vote_ = std::move(f); }
  void at_next_result(std::function<void(const std::string& node)> f) { at_result_ = std::move(f); }
  /// The same, of a member that led the group before: the end of its log may just have been replaced.
  void at_next_result_of_deposed(std::function<void(const std::string& node)> f) { at_result_of_deposed_ = std::move(f); }

private:
  struct member {
    std::uint64_t incarnation = 0, term = 0, term_before = 0; ///< before: of earlier incarnations
    std::uint64_t led = 0;                                    ///< newest term in which it spoke as leader
    std::map<std::uint64_t, std::uint64_t> votes;             ///< by term
    /// The furthest of what it has told the newest leader that it has stored: an entry, and of which term that leader sent it
    /// (0: nobody has heard that).
    std::uint64_t told_in = 0, told_index = 0, told_entry_term = 0;
  };
  using place = std::pair<std::uint32_t, std::uint64_t>; ///< group, server or term
  struct range {
    std::uint64_t first = 0, last = 0;
    std::uint64_t committed_in = 0; ///< newest term in which a leader has said so
  };
  /// Part of a log, by its entries' terms: those of one term follow each other.
  using known_log = std::map<std::uint64_t, range>;

  void voted(const speaker& who, std::uint32_t group, std::uint64_t term, std::uint64_t candidate);
  void leader_said(const speaker& who, std::uint32_t group, const messages::raft_message& m);
  void has_entries(const speaker& who, std::uint32_t group, std::uint64_t leads_in, range which, std::uint64_t term);
  void has_stored(member& x, std::uint32_t group, const messages::raft_message& m) const;
  static std::uint64_t term_of(const known_log& log, std::uint64_t index);

  ledger& book_;
  std::map<place, member> members_;
  std::map<place, std::uint64_t> leaders_;
  std::map<place, known_log> logs_;              ///< of each term's leader, as far as it has sent it
  std::map<std::uint32_t, known_log> committed_; ///< as far as a leader has said so
  std::function<void(const std::string&)> at_vote_, at_result_, at_result_of_deposed_;
};

} // namespace epione::simulation
