// What goes wrong, and when: drawn from the seed before anything happens, so that the list can be shown with a failure.
#pragma once

#include "tests/simulation/phones.hpp"
#include "tests/simulation/world.hpp"

#include <array>
#include <cstdint>
#include <deque>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace epione::simulation {

enum class trouble_kind : std::uint8_t {
  power_loss,     ///< the machine stops: what was not synced is lost or torn
  torn_operation, ///< the same in the middle of a write or sync
  process_kill,   ///< kill -9: what was written stays
  clean_stop,     ///< SIGTERM
  actor_kill,     ///< one actor of the tree
  session_kill,   ///< one patient's session, which nobody supervises
  exception,      ///< one handler throws
  poison,         ///< one patient's forms make every validator throw
  disk_full,      ///< for some time
  no_space_once,  ///< one write
  slow_disk,      ///< syncs take long for some time
  io_error,       ///< one write or sync fails
  read_error,     ///< one read fails, of a node that runs or at its next start
  damage,         ///< a bit of what was synced changes: of one node at a time; of a node that is alone, what it can make good
  clock_jump,     ///< somebody sets the wall clock
  pause,          ///< the process does not run for some time
  clock_drift,    ///< the machine's clocks go much too fast or too slowly for some time
  // Only where there are several nodes:
  all_lose_power,     ///< all machines at once
  lost_directory,     ///< a node's disk is gone: it is replaced, with an empty directory
  departure,          ///< a node leaves while it serves, and later joins anew
  isolation,          ///< a node is cut off from all others
  cut,                ///< between two nodes
  one_way_cut,        ///< from one node to another, or to all
  link_reset,         ///< a link ends with envelopes on their way
  slow_network,       ///< to or from a node, for some time
  unreliable,         ///< above the links: parcels are lost, doubled and late for some time
  power_loss_at_word, ///< when a member gives a vote, when it says what it has stored, or when a phone is told that it is
  late_answers,       ///< a leader's followers are heard later and later; then it is cut off, and asked all the same
  deposed_leader,     ///< a leader with a slow disk is cut off with entries that another one replaces
};
inline constexpr std::size_t trouble_kinds = 29;
inline constexpr std::size_t lone_trouble_kinds = 17; ///< of a node that is alone: the first ones
std::string_view to_string(trouble_kind x);

class trouble {
public:
  /// `only`: the numbers of what may happen; nothing: all.
  trouble(world& w, phones& p, std::optional<std::set<std::size_t>> only);
  trouble(const trouble&) = delete;
  trouble& operator=(const trouble&) = delete;

  /// Draws what happens between these times, and enters it into the agenda.
  void plan(std::int64_t from_ns, std::int64_t until_ns);
  /// Everything is as it should be from now on.
  void end();

  std::uint64_t total() const;
  std::size_t kinds() const;
  const std::array<std::uint64_t, trouble_kinds>& counts() const { return counts_; }
  const std::vector<std::string>& list() const { return list_; }
  /// In the same order.
  const std::vector<std::size_t>& numbers() const { return numbers_; }

private:
  /// What may_end() knows of a machine.
  struct victim {
    bool calm = false; ///< while its node stops
    std::int64_t gone_ns = 0;
    std::deque<std::int64_t> actor_deaths_ns;
  };

  void cause(std::size_t number, trouble_kind kind);
  /// False when there is nothing to do it to just now.
  bool try_cause(trouble_kind kind, machine& m, std::string& detail);
  bool try_cause_in_network(trouble_kind kind, machine& m, std::string& detail);
  bool damage(machine& m, std::string& detail);
  bool damage_store(machine& m, std::string& detail);
  void look_at_disk(machine& m);
  machine& other_than(const machine& m);
  /// Of any group; null: none is known.
  machine* some_leader();
  std::string make_answers_late(machine& m);
  std::string depose(machine& m);
  /// From this one to all others.
  std::vector<simulated_network::direction> ways_out_of(const machine& m) const;
  void slow_syncs(machine& m, std::int64_t cost_ns, bool in_threads, std::int64_t length_ns);
  std::string cut_power_at_next_word();
  /// At this moment, but not within the step that is under way.
  void cut_power(const machine& m);
  void cut_power(const std::string& node);
  /// A fault of this machine, or (null) of the network.
  void lasts(std::int64_t ns, machine* m);
  void cut(std::vector<simulated_network::direction> ways, std::int64_t length_ns);
  void poison(const std::string& subject);
  bool may_end(const machine& m, const caf::error* ended, int exit_code) const;

  world& world_;
  phones& phones_;
  chance luck_;     ///< of the fault that happens: each has a branch of its own, so that others may be left out
  chance restarts_; ///< how long a process is gone
  std::optional<std::set<std::size_t>> only_;
  bool over_ = false;
  std::int64_t normal_sync_ns_ = 0;
  std::vector<victim> victims_; ///< by machine
  std::size_t unreliable_ = 0;  ///< how many periods of it are under way
  std::array<std::uint64_t, trouble_kinds> counts_{};
  std::vector<std::string> list_;
  std::vector<std::size_t> numbers_;
};

} // namespace epione::simulation
