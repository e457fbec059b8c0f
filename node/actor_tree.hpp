// The actors of one node and who starts whom. Everything they stand on is handed in, so that the program, the integration tests
// and the simulator start the very same tree.
#pragma once

#include "actors/checkpoint_turn.hpp"
#include "actors/console_cluster.hpp"
#include "actors/notifier.hpp"
#include "actors/supervisor.hpp"
#include "messages/interfaces.hpp"
#include "node/cluster_parts.hpp"
#include "runtime/catalog_view.hpp"
#include "runtime/channels/builtin.hpp"
#include "runtime/config.hpp"
#include "runtime/defaults.hpp"
#include "runtime/environment.hpp"
#include "runtime/front.hpp"
#include "runtime/readiness.hpp"

#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <string>

namespace epione::node {

/// What a tree stands on; all of it outlives the tree.
struct tree_ports {
  runtime::log& log;
  runtime::metrics& metrics;
  runtime::clock& clock;
  runtime::random_source& random;
  runtime::disk& disk;
  runtime::fault_points* faults = nullptr;
  runtime::process& process;
  runtime::reply_sink& sink;
  /// Channels beside the configured ones, whose "notifier NAME" somebody else enters into the directory.
  std::set<std::string> other_channels{};
  /// What the channels of the configuration may be; the program's own kinds when nothing else is said.
  runtime::channel_kinds kinds = runtime::builtin_channel_kinds();
  /// False: nobody is told anything, and every notice stays as it is; for who only reads, or imports, without the service's
  /// channels.
  bool notices = true;
  cluster_parts* cluster = nullptr;                                                   ///< null: this node is alone
  std::string cluster_id{};                                                           ///< of the data directory
  std::size_t replica_memory_bytes_max = runtime::defaults::replica_memory_bytes_max; ///< less where simulated logs are short
};

/// What the end of the node supervisor means for the process: 0 after an orderly stop, 4 when data is damaged, else 1.
int exit_code_of(const caf::error& end);

/// The cluster as an operator's commands look at it. `parts` outlive it.
actors::console_cluster console_cluster_of(const cluster_parts& parts);

/// Node supervisor (rest_for_one): journal, validators, readers, notifiers, shards, gateway. See docs/actors.md.
class actor_tree final : public runtime::front {
public:
  /// Not ready from the very beginning: readiness() has a reason for every part that is to be started.
  /// `detached`: actors that block get threads of their own; false under the deterministic scheduler.
  actor_tree(caf::actor_system& system, const tree_ports& ports, const runtime::config& config, bool detached);
  ~actor_tree() override;
  actor_tree(const actor_tree&) = delete;
  actor_tree& operator=(const actor_tree&) = delete;

  /// Starts the links with other nodes and what speaks over them, beside the tree: before start(), and before this node is a
  /// member. Only with ports.cluster. When it ends of itself, its exit reason is the node's.
  caf::strong_actor_ptr start_cluster();

  /// Starts the node supervisor. When it ends, its exit reason is the node's: none after a stop, else why.
  caf::strong_actor_ptr start();

  /// Starts the operator's console beside the tree, under a supervisor of its own: it answers while the tree is down, and no
  /// death in the tree ends it. After start(). `request_stop` is called for `drain`; null: there is nothing to stop.
  caf::strong_actor_ptr start_console(std::function<void()> request_stop);

  void submit(messages::ticket t, messages::submission_ptr s) override;
  void read(messages::ticket t, messages::read_request_ptr r) override;
  void fhir(messages::ticket t, messages::fhir_request_ptr r) override;

  messages::catalog_actor catalog() const;
  messages::admin_console_actor console() const;
  messages::gateway_actor gateway() const;
  /// Lets go of all handles, so that the actor system can end before the tree does.
  void forget_actors();
  const runtime::catalog_view& catalog_view() const { return catalog_view_; }
  runtime::readiness& readiness() { return readiness_; }
  runtime::environment& environment() { return environment_; }
  runtime::directory& directory() { return *environment_.directory; }

private:
  std::vector<actors::child_spec> node_children();
  std::vector<actors::child_spec> group_children(std::uint32_t group);
  std::vector<actors::child_spec> notifier_children();
  tl::expected<domain::recipient, actors::recipient_absence> find_recipient(const std::string& study,
                                                                            const std::string& id) const;
  caf::strong_actor_ptr start_supervisor(std::string name, actors::supervision_strategy strategy,
                                         std::vector<actors::child_spec> children);

  caf::actor_system& system_;
  caf::weak_actor_ptr top_; ///< the node supervisor
  runtime::reply_sink& sink_;
  std::set<std::string> other_channels_;
  runtime::config config_;
  runtime::channel_kinds kinds_;
  bool notices_;
  std::string cluster_id_;
  std::size_t replica_memory_bytes_max_;
  cluster_parts* cluster_;
  runtime::catalog_view catalog_view_;
  runtime::readiness readiness_;
  runtime::environment environment_;
  std::shared_ptr<std::atomic<std::uint64_t>> epochs_ = std::make_shared<std::atomic<std::uint64_t>>(0);
  std::shared_ptr<actors::checkpoint_turn> checkpoint_turn_ = std::make_shared<actors::checkpoint_turn>();
  /// Shared with what watches the gateway's end, which may come after this.
  struct newest_gateway {
    std::mutex mutex;
    messages::gateway_actor actor; ///< null: not running
  };
  std::shared_ptr<newest_gateway> gateway_ = std::make_shared<newest_gateway>();
};

} // namespace epione::node
