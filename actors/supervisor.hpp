// Starts its children in order, watches them, starts them again when they end, and stops them in reverse. The rules are OTP's
// (Erlang, module supervisor), with three kinds of death of our own; see supervisor().
#pragma once

#include "messages/interfaces.hpp"
#include "runtime/defaults.hpp"
#include "runtime/environment.hpp"

#include <caf/all.hpp>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace epione::actors {

/// Whom the death of one child concerns: itself, everybody, or itself and those started after it.
enum class supervision_strategy : std::uint8_t { one_for_one, one_for_all, rest_for_one };

/// permanent: always started again. transient: unless it ended normally or by user_shutdown. temporary: never.
enum class child_kind : std::uint8_t { permanent, transient, temporary };

struct child_spec {
  std::string name; ///< unique on the node: the directory knows the child under it
  child_kind kind = child_kind::permanent;
  /// How long it may take to stop before it is killed; 0 kills at once. For a supervisor more than its children's limits
  /// together.
  std::uint32_t stop_limit_ms = runtime::defaults::child_stop_limit_ms;
  /// Spawns the child; called on every start, in the supervisor's context. Children started before are in the directory, but the
  /// children of a supervisor among them need not be there yet. To throw or to return null is a failed start.
  std::function<caf::strong_actor_ptr()> start;
};

struct supervisor_options {
  supervision_strategy strategy = supervision_strategy::one_for_one;
  std::uint32_t restarts_max = runtime::defaults::restarts_max;           ///< of all children together ...
  std::uint32_t restart_period_ms = runtime::defaults::restart_period_ms; ///< ... in this period; one more escalates
};

enum class child_state : std::uint8_t {
  down,    ///< to be started when its turn comes
  delayed, ///< waits out its back-off
  blocked, ///< an earlier actor of its name has not ended yet
  running,
  stopping, ///< was told to stop
  killed,   ///< did not stop in time
  ended,    ///< ended and is not to be started again
  halted,   ///< stays down until an operator acts
  stuck     ///< was killed and still has not ended
};

struct supervisor_state {
  struct child {
    child_spec spec;
    child_state state = child_state::down;
    bool wanted = true;     ///< is to run
    bool must_stop = false; ///< runs and is to be stopped
    bool halted = false;
    bool by_operator = false; ///< its end was an operator's wish: not counted, and waited for as long as it takes
    std::uint64_t timer = 0;  ///< the one that counts; older ones are ignored
    caf::actor_addr previous; ///< blocked: who must end first
    std::int64_t started_ns = 0;
    std::uint64_t restarts = 0;
    std::deque<std::int64_t> recent_ns; ///< its restarts of the period
    prometheus::Counter* restarts_total = nullptr;
    prometheus::Counter* input_crashes_total = nullptr;
    prometheus::Gauge* halted_gauge = nullptr;
  };

  /// An operator's order that waits for its child to run.
  struct order {
    std::size_t child = 0; ///< its index
    caf::typed_response_promise<bool> answer;
  };

  supervisor_state() = default;
  /// However it ends, nobody waits for an answer that will not come.
  ~supervisor_state();
  std::string part;
  supervisor_options options;
  std::vector<child> children;
  /// Who runs, by index. Shared with what runs when the supervisor itself ends, killed for instance: nobody must outlive it.
  std::shared_ptr<std::vector<caf::strong_actor_ptr>> running;
  std::vector<order> orders;
  bool stopping = false;
  caf::error last_reason; ///< stopping: what to end with
  std::uint64_t timers = 0;
  static inline const char* name = "supervisor";
};

/// Reasons of a child's end:
/// - crashed_on_input: started again at once, and not counted; whoever sent the input counts.
/// - damaged, io_failed, in_use: going on would serve wrong data. Stops all children and ends with that error, so that the top
///   sees it as it was.
/// - unknown_command, conflicting_apply: needs an operator. The child and whom its death concerns are stopped and stay down,
/// state
///   "halted"; everybody else goes on.
/// - any other, and a failed start: started again if its kind says so, the first time at once, then with a growing delay. With
/// too
///   many restarts: stops all children and ends with ec::restart_intensity and the child's name (the path of names from above).
/// A child that cannot even be killed when it should be started again ends the supervisor with io_failed: its files may be open.
///
/// An operator's restart stops a child and whom its death concerns, each within its limit, and starts them again; his kill ends
/// the child at once. Neither is counted, and a child that does not end then is waited for, because ending the supervisor over
/// what an operator tries helps nobody. A restart also starts what is halted or has ended.
///
/// Told to stop by an exit message it stops its children in reverse, each within its limit, and ends with that message's reason
/// once all are down; with the error of a child that reports damaged, io_failed or in_use on its way.
messages::supervisor_actor::behavior_type supervisor(messages::supervisor_actor::stateful_pointer<supervisor_state> self,
                                                     const runtime::environment& env, std::string name,
                                                     supervisor_options options, std::vector<child_spec> children);

} // namespace epione::actors
