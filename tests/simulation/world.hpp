// The simulated world of one seed: a clock, machines with a node each, the network between them, their patients, and what goes
// wrong. It moves on by one small thing at a time, whatever is due next; which of the machines that have something to do goes on
// is drawn.
#pragma once

#include "runtime/storage/audit.hpp"
#include "tests/simulation/agenda.hpp"
#include "tests/simulation/chance.hpp"
#include "tests/simulation/ledger.hpp"
#include "tests/simulation/node_clock.hpp"
#include "tests/simulation/post_office.hpp"
#include "tests/simulation/process_disk.hpp"
#include "tests/simulation/raft_watch.hpp"
#include "tests/simulation/simulated_disk.hpp"
#include "tests/simulation/simulated_network.hpp"
#include "tests/simulation/simulated_node.hpp"
#include "tests/simulation/trace.hpp"
#include "tests/support/manual_clock.hpp"

#include <cstdint>
#include <cstdio>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace epione::simulation {

constexpr std::int64_t ms_in_ns = 1'000'000;
constexpr std::int64_t s_in_ns = 1'000'000'000;

class world;

/// A machine with its clock and disk, and the node on it.
struct machine {
  machine(world& w, std::size_t n, std::size_t machines);
  machine(const machine&) = delete;
  machine& operator=(const machine&) = delete;

  /// It can be connected to.
  bool accepts() const { return node.running() && !node.joining() && !node.stopping() && !node.ended() && !process_ended; }
  bool serves() const { return serving; }
  bool paused(std::int64_t now_ns) const { return paused_until_ns > now_ns; }

  const std::size_t number; ///< from 0
  const std::string name;
  const std::int64_t usual_drift_ppm; ///< crystals go wrong by some ten
  node_clock clock;
  simulated_disk disk;
  process_disk node_disk;
  membership member; ///< what its directory says; written durably whenever it changes
  simulated_node node;

  /// A crash that the disk carries out in the middle of an operation: when so many operations are done.
  std::uint64_t crash_at_operation = 0;
  std::int64_t sync_cost_ns = 0;
  bool threads_wait = false;        ///< for syncs, each actor for its own, while the others go on
  std::int64_t last_trouble_ns = 0; ///< end of the newest fault on this machine
  std::int64_t paused_until_ns = 0;

  // The world's own:
  bool process_ended = false, serving = false, asking = false;
  bool stop_disturbed = false; ///< something was about to go wrong when it was asked to stop
  int fatal_code = 0;
  bool damaged = false; ///< a bit of what was synced has changed, and nobody has looked at the disk yet
  bool spoilt = false;  ///< the same since its disk is a new one: some of what nobody needs may be wrong for ever
  bool refused = false; ///< it has ended because its data are damaged
  bool leaving = false; ///< it was said that it leaves, and it is still listed
  bool away = false;    ///< it has left: nobody starts it before it is invited again
  std::uint64_t syncs_seen = 0, granted = 0, starts = 0;
  std::int64_t started_ns = 0, stop_asked_ns = 0, next_look_ns = 0, next_ask_ns = 0;
  std::int64_t busy_until_ns = 0; ///< with the message it handles
};

class world {
public:
  world(std::uint64_t seed, std::size_t nodes, std::FILE* trace_out);
  world(const world&) = delete;
  world& operator=(const world&) = delete;
  ~world();

  // ---- moving on -----------------------------------------------------------------------------------------------------------
  /// Until `done` or that time. False when the time came first, or a violation.
  bool run_until(const std::function<bool()>& done, std::int64_t limit_ns);
  void after(std::int64_t delay_ns, agenda::deed what) { plans.at(clock.ns + delay_ns, std::move(what)); }
  bool broken() const { return !book.violations().empty(); }

  // ---- the nodes' life -----------------------------------------------------------------------------------------------------
  bool clustered() const { return machines.size() > 1; }
  void start_node(machine& m);
  enum class loss { none, power };
  /// The process ends at once: killed, or with the whole machine, which loses what was not synced.
  void crash_node(machine& m, loss what, std::string_view why);
  void stop_node(machine& m);
  /// What a supervisor of processes does with a node that has ended.
  void restart_later(machine& m, std::int64_t delay_ns);
  /// The process does not run for some time; the clock goes on.
  void pause_node(machine& m, std::int64_t length_ns);
  /// Its directory is gone. An operator has it replaced, and starts it again with an empty one.
  void lose_directory(machine& m);
  /// The same of a node that is down.
  void replace_node(machine& m);
  /// What `audit verify` says of a node that is down; empty: its data are whole.
  std::string audit(machine& m);
  /// It leaves while it serves. Once nobody lists it any more an operator stops it, wipes its disk, and after some time has it
  /// join anew.
  void leave_and_return(machine& m);

  // ---- the cluster ---------------------------------------------------------------------------------------------------------
  bool all_serve() const;
  /// All groups are led, everybody who should is a voter that has nearly everything, so that any one node could be lost, and each
  /// node has its share of the shards' replicas.
  bool is_whole() const;
  /// The same, and all of them have applied the very same entries.
  bool is_level() const;
  /// Which machine leads a group; null: none is known to.
  machine* leader(std::uint32_t group);
  /// What keeps it from being whole, for messages.
  std::string why_not_whole() const;

  std::uint64_t seed;
  chance luck;
  tests::manual_clock clock;
  trace log;
  agenda plans;
  ledger book;
  post_office post;
  raft_watch watch;
  runtime::config config;
  simulated_network network;
  std::vector<std::unique_ptr<machine>> machines;

  /// Somebody hears of each answer after the ledger has judged it.
  std::function<void(messages::ticket, fate)> on_answer;
  /// Called once, when the next submission is acknowledged.
  std::function<void()> at_next_acknowledgement;
  /// Called when connections break: the node is gone.
  std::function<void(machine&)> on_node_gone;
  /// Called once after each start, when the node serves.
  std::function<void(machine&)> on_serving;
  /// Whether the node has a reason to end by itself: too many of its actors were killed, its disk failed.
  std::function<bool(machine&, const caf::error* ended, int exit_code)> may_end;
  std::int64_t last_trouble_ns = 0; ///< end of the newest fault anywhere
  std::uint64_t steps = 0, starts = 0;
  std::uint32_t replication = 3;

private:
  /// No actor waits longer for one turn's syncs, so that nobody takes it for stuck.
  static constexpr std::int64_t thread_wait_max_ns = 3 * s_in_ns;

  friend struct machine;
  bool move_on(std::int64_t limit_ns);
  void look_at(machine& m);
  void look_at_joining(machine& m);
  void say_of(machine& m, const std::string& what, std::function<bool(const domain::cluster_node*)> is_done,
              std::function<void()> then);
  void look_whether_thrown_out(machine& m);
  void empty_directory(machine& m);
  void look_whether_gone(machine& m);
  void retire(machine& m);
  runtime::audit_options what_is_there(const machine& m);
  void check_end(machine& m, const caf::error& why);
  void check_liveness(machine& m);
  runtime::config make_config();
  void fatal(machine& m, int exit_code, std::string_view why);

  std::int64_t step_cost_max_ns_ = 0;
  std::vector<machine*> ready_; ///< of one step; kept for its memory
};

} // namespace epione::simulation
