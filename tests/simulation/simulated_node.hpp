// One node of the simulated world: the program's own actor tree in this thread. The seed decides which of the ready actors
// handles its next message; time passes only when the world says so.
#pragma once

#include "cluster/peer_link.hpp"
#include "messages/steward.hpp"
#include "messages/submission.hpp"
#include "node/actor_tree.hpp"
#include "node/cluster_parts.hpp"
#include "runtime/config.hpp"
#include "runtime/defaults.hpp"
#include "runtime/fault_points.hpp"
#include "runtime/storage/disk.hpp"
#include "tests/simulation/chance.hpp"
#include "tests/simulation/node_clock.hpp"
#include "tests/simulation/simulated_network.hpp"
#include "tests/simulation/trace.hpp"
#include "tests/support/seeded_random.hpp"
#include "tests/support/stub_notifier.hpp"

#include <caf/scheduler/test_coordinator.hpp>
#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace epione::simulation {

/// What a node's directory says of it, and who the others are. It outlives the node's processes.
struct membership {
  simulated_network* network = nullptr; ///< null: it is alone
  std::string name;
  std::vector<std::string> all;  ///< of the cluster's file; the cluster begins on the first
  std::uint64_t server_id = 0;   ///< of its directory; 0: that is empty
  bool begun = false;            ///< it has been ready once
  std::string attempt;           ///< the name under which an empty directory asks to join
  std::uint32_t replication = 3; ///< of the cluster, when it begins
};

/// What a node stands on, and who hears of it.
struct node_surroundings {
  node_clock& clock;
  const membership& member;
  runtime::disk& disk;
  trace& log;
  chance luck; ///< for the order of actors
  std::function<void(const messages::reply&)> deliver;
  /// What becomes of a notice; nothing: that is said later, by answer_held().
  std::function<std::optional<messages::notice_outcome>(const messages::notice&)> notify;
  /// Instead of the process's end.
  std::function<void(int exit_code, std::string_view why)> fatal;
  /// A rule of the program's own is broken, or an actor has ended for a reason that nobody gave it.
  std::function<void(const std::string& what)> broken;
  std::size_t replica_memory_bytes_max = runtime::defaults::replica_memory_bytes_max;
};

class simulated_node {
public:
  simulated_node(node_surroundings around, runtime::config config);
  ~simulated_node();
  simulated_node(const simulated_node&) = delete;
  simulated_node& operator=(const simulated_node&) = delete;

  // ---- life ----------------------------------------------------------------------------------------------------------------
  void start();
  /// Its actors are there; it need not be able to serve.
  bool running() const { return system_ != nullptr; }
  /// It has nothing but its links, until it is let into the cluster.
  bool joining() const { return running() && root_ == nullptr && !tree_started_; }
  /// What /readyz says.
  bool ready();
  std::string why_not_ready();
  /// Takes no more requests: SIGTERM was sent.
  bool stopping() const { return stopping_; }
  void request_stop();
  /// Why the node supervisor has ended, once it has. After that only `release` makes sense.
  const std::optional<caf::error>& ended() const { return ended_; }
  /// The process is gone: every actor is killed and drained, and nobody is answered. The disk must have been cut before.
  /// Returns how many actors outlived it (none, or a leak).
  std::size_t destroy();
  /// Before that, as far as the others are concerned. `told`: the kernel closes its links.
  void leave_network(bool told);

  // ---- the cluster ---------------------------------------------------------------------------------------------------------
  /// Null: alone, or not running.
  const node::cluster_parts* parts() const { return parts_.get(); }
  /// Asks another node's steward, or this one's; `done` gets its answer, or null.
  void ask_steward(const std::string& node, const messages::steward_question& q,
                   std::function<void(const messages::steward_answer*)> done);

  // ---- time and order ------------------------------------------------------------------------------------------------------
  bool has_ready() const;
  /// Lets one ready actor handle one message. False when none is ready.
  bool step();
  /// Who has just handled one does not go on for so long, while others do: a thread of its own waits for its disk.
  void hold_last(std::int64_t ns);
  void let_go_all() { held_.clear(); }
  /// When the next timer is due, by the world's clock; agenda::never without one.
  std::int64_t next_timer_ns() const;
  /// Fires the timers that are due by now.
  void pass_time();

  // ---- requests ------------------------------------------------------------------------------------------------------------
  void submit(messages::ticket t, const std::string& subject, const std::string& key, const nlohmann::json& data);
  void read(messages::ticket t, const std::string& subject, const std::string& receipt, std::uint32_t limit,
            std::uint64_t before);
  /// Imports the demo study; `done` gets an empty text, or why not.
  void import_demo(std::function<void(std::string)> done);
  bool knows_demo() const;

  // ---- notices -------------------------------------------------------------------------------------------------------------
  /// The notifier tries again what it has in hand.
  void try_held_notices();
  std::size_t held_notices() const { return notices_ == nullptr ? 0 : notices_->held.size(); }

  // ---- trouble -------------------------------------------------------------------------------------------------------------
  std::vector<std::string> actor_names() const;
  bool kill(const std::string& name);
  /// One of the living patient sessions, by any number, rather one that is busy; false when there is none.
  bool kill_session(std::uint64_t number);
  /// The n-th fault point reached from now on throws, n > 0.
  void arm_exception(std::uint64_t n) { faults_.countdown = n; }
  bool exception_armed() const { return faults_.countdown != 0; }
  /// Every check of this subject's forms throws from now on; empty: none.
  void poison(std::string subject) { faults_.poisoned = std::move(subject); }

private:
  struct sink final : runtime::reply_sink {
    void deliver(messages::replies batch) override;
    void abandon_all() override;
    simulated_node* owner = nullptr;
    std::set<messages::ticket> waiting, abandoned;
  };
  struct process final : runtime::process {
    void fatal(int exit_code, std::string_view why) override;
    simulated_node* owner = nullptr;
  };
  struct planted_faults final : runtime::fault_points {
    void hit(std::string_view point, std::string_view detail) override;
    simulated_node* owner = nullptr;
    std::uint64_t countdown = 0;
    std::string poisoned;
  };
  class traced_log;
  struct actor_config : caf::actor_system_config {
    actor_config();
  };

  void make_parts();
  void start_cluster();
  void hand_over();
  bool leads_others() const;
  void on_root_ended(const caf::error& why);
  std::int64_t caf_time_ns() const;
  std::size_t pick();
  bool is_held(std::size_t job) const;
  void start_notifier();

  node_surroundings around_;
  runtime::config config_;
  std::unique_ptr<runtime::log> log_;
  std::unique_ptr<runtime::metrics> metrics_;
  tests::seeded_random random_;
  sink sink_;
  process process_;
  planted_faults faults_;
  std::unique_ptr<actor_config> caf_config_;
  std::unique_ptr<caf::actor_system> system_;
  caf::scheduler::test_coordinator* scheduler_ = nullptr;
  std::unique_ptr<cluster::local_identity> identity_;
  std::unique_ptr<simulated_network::transport> transport_;
  std::unique_ptr<node::cluster_parts> parts_;
  std::unique_ptr<cluster::peer_event_sender> events_;
  std::unique_ptr<node::actor_tree> tree_;
  caf::strong_actor_ptr root_, cluster_root_;
  std::shared_ptr<tests::notifier_book> notices_; ///< of "notifier doctor", which starts again by itself
  caf::strong_actor_ptr notifier_;
  bool stopping_ = false, silent_ = false, tree_started_ = false;
  std::optional<caf::error> ended_, root_end_;
  std::int64_t time_offset_ns_ = 0;            ///< its machine's clock minus CAF's
  bool fifo_ = false;                          ///< some seeds keep the order in which messages were sent
  std::string laggard_;                        ///< this kind of actor gets its turn rarely ...
  std::int64_t laggard_until_ns_ = 0;          ///< ... until then
  caf::actor_id last_ = 0;                     ///< who handled a message last
  std::map<caf::actor_id, std::int64_t> held_; ///< until when, by its machine's clock
};

} // namespace epione::simulation
