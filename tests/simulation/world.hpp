// The simulated world of one seed: a clock, a disk, a node, its patients, and what goes wrong. It moves on by one small thing at
// a time, whatever is due next.
#pragma once

#include "tests/simulation/agenda.hpp"
#include "tests/simulation/chance.hpp"
#include "tests/simulation/ledger.hpp"
#include "tests/simulation/post_office.hpp"
#include "tests/simulation/process_disk.hpp"
#include "tests/simulation/simulated_disk.hpp"
#include "tests/simulation/simulated_node.hpp"
#include "tests/simulation/trace.hpp"
#include "tests/support/manual_clock.hpp"

#include <cstdint>
#include <cstdio>
#include <functional>
#include <map>
#include <memory>
#include <string>

namespace epione::simulation {

constexpr std::int64_t ms_in_ns = 1'000'000;
constexpr std::int64_t s_in_ns = 1'000'000'000;

class world {
public:
  world(std::uint64_t seed, std::FILE* trace_out);
  world(const world&) = delete;
  world& operator=(const world&) = delete;

  // ---- moving on -----------------------------------------------------------------------------------------------------------
  /// Until `done` or that time. False when the time came first, or a violation.
  bool run_until(const std::function<bool()>& done, std::int64_t limit_ns);
  void after(std::int64_t delay_ns, agenda::deed what) { plans.at(clock.ns + delay_ns, std::move(what)); }
  bool broken() const { return !book.violations().empty(); }

  // ---- the node's life -----------------------------------------------------------------------------------------------------
  void start_node();
  /// It can be connected to.
  bool node_accepts() const { return node.running() && !node.stopping() && !node.ended() && !process_ended_; }
  bool node_serves() const { return serving_; }
  enum class loss { none, power };
  /// The process ends at once: killed, or with the whole machine, which loses what was not synced.
  void crash_node(loss what, std::string_view why);
  void stop_node();
  /// What a supervisor of processes does with a node that has ended.
  void restart_later(std::int64_t delay_ns);

  std::uint64_t seed;
  chance luck;
  tests::manual_clock clock;
  trace log;
  agenda plans;
  simulated_disk disk;
  process_disk node_disk;
  ledger book;
  post_office post;
  runtime::config config;
  simulated_node node;

  /// Somebody hears of each answer after the ledger has judged it.
  std::function<void(messages::ticket, fate)> on_answer;
  /// Called when connections break: the node is gone.
  std::function<void()> on_node_gone;
  /// Called once after each start, when the node serves.
  std::function<void()> on_serving;
  /// Whether the node has a reason to end by itself: too many of its actors were killed, its disk failed.
  std::function<bool(const caf::error* ended, int exit_code)> may_end;
  /// A crash that the disk carries out in the middle of an operation: when so many operations are done.
  std::uint64_t crash_at_operation = 0;
  std::int64_t sync_cost_ns = 0;
  std::int64_t last_trouble_ns = 0; ///< end of the newest fault
  std::uint64_t steps = 0, starts = 0;

private:
  bool move_on(std::int64_t limit_ns);
  void look_at_node();
  void check_end(const caf::error& why);
  void check_liveness();
  runtime::config make_config();
  void fatal(int exit_code, std::string_view why);

  std::int64_t step_cost_max_ns_ = 0;
  std::uint64_t syncs_seen_ = 0;
  bool process_ended_ = false, serving_ = false;
  bool stop_disturbed_ = false; ///< something was about to go wrong when it was asked to stop
  int fatal_code_ = 0;
  std::int64_t started_ns_ = 0, stop_asked_ns_ = 0, next_look_ns_ = 0;
};

} // namespace epione::simulation
