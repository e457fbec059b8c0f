#include "node/node.hpp"

#include "node/actor_config.hpp"
#include "node/actor_tree.hpp"
#include "node/admin_answers.hpp"
#include "node/cluster_side.hpp"
#include "node/data_directory.hpp"
#include "node/http_side.hpp"
#include "node/joining.hpp"
#include "node/node_surroundings.hpp"
#include "node/run_state.hpp"
#include "node/study_import.hpp"
#include "runtime/admin_socket.hpp"
#include "runtime/channels/secret_file.hpp"
#include "runtime/error_text.hpp"
#include "runtime/scope_limit.hpp"

#include <algorithm>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

namespace epione::node {

namespace {

using namespace messages;
using std::chrono::milliseconds;
using steady_clock = std::chrono::steady_clock;

constexpr milliseconds ready_report_period{5'000};

/// At least one millisecond, so that what is asked for with it is tried.
milliseconds left_until(steady_clock::time_point end) {
  return std::max(milliseconds{1}, std::chrono::duration_cast<milliseconds>(end - steady_clock::now()));
}

/// `told` hears of this actor's end, on any thread.
template <class Told>
void on_end(const caf::strong_actor_ptr& who, Told told) {
  caf::actor_cast<caf::abstract_actor*>(who)->attach_functor(std::move(told));
}

void ask_to_end(caf::strong_actor_ptr who) {
  caf::anon_send_exit(caf::actor_cast<caf::actor>(std::move(who)), caf::exit_reason::user_shutdown);
}

} // namespace

struct node::impl {
  explicit impl(const node_options& o) : options(o), around(o.config) {}
  ~impl() { end(); }

  // ---- start -----------------------------------------------------------------------------------------------------------

  std::optional<node_error> start(std::stop_token stop) {
    stop_token = stop;
    stop_asked.emplace(std::move(stop), [this] { run.request_stop(); });
    auto failed = start_parts();
    if (failed) {
      code = failed->exit_code;
      failure = failed->message;
    }
    return failed;
  }

  /// In the order in which they stand on each other. Nothing: the node is ready, or was asked to stop.
  std::optional<node_error> start_parts() {
    if (options.cluster)
      if (auto failed = join_cluster(); failed || run.asked_to_stop())
        return failed;
    if (auto failed = open_directory())
      return failed;
    system = std::make_unique<caf::actor_system>(system_config);
    if (options.cluster)
      if (auto failed = open_cluster_side())
        return failed;
    tree = std::make_unique<actor_tree>(*system, ports(), options.config, true);
    if (options.http)
      if (auto failed = start_http())
        return failed;
    if (others)
      start_links();
    start_tree();
    if (options.http) // before the node is ready: what keeps it from that is to be seen and mended
      if (auto failed = start_admin())
        return failed;
    if (auto failed = wait_until_ready())
      return failed;
    if (others && !directory.member.begun && !run.asked_to_stop())
      if (auto failed = note_begun(directory, options.config.shards.count, others->parts().nodes, run))
        return failed;
    return options.demo && !run.asked_to_stop() ? import_demo() : std::nullopt;
  }

  std::optional<node_error> join_cluster() {
    auto granted =
        become_member(options, ports(), stop_token, [this](const std::string& why) { say_not_ready(1, {"cluster", why}); });
    if (!granted)
      return granted.error();
    if (*granted)
      options.config.shards.count = (*granted)->shards;
    return std::nullopt;
  }

  std::optional<node_error> open_directory() {
    auto opened = open_data_directory(options.config);
    if (!opened)
      return node_error{opened.error().exit_code, opened.error().message};
    directory = std::move(*opened);
    return check_membership(options, directory);
  }

  std::optional<node_error> open_cluster_side() {
    auto listening = listen_for_nodes(options, ports());
    if (!listening)
      return listening.error();
    others = std::move(*listening);
    others->become(directory.cluster, directory.member, "");
    return std::nullopt;
  }

  tree_ports ports() {
    tree_ports result{*around.log,     around.metrics, around.clock, around.random, *around.disk, nullptr,
                      *around.process, http.sink(),    {},           options.kinds, options.http};
    result.cluster = cluster();
    result.cluster_id = directory.cluster;
    return result;
  }

  /// Null: this node is alone.
  cluster_parts* cluster() const { return others ? &others->parts() : nullptr; }

  std::optional<node_error> start_http() {
    if (auto why = http.start(options.config, *tree, cluster()))
      return node_error{runtime::exit_code::failed, std::move(*why)};
    for (const auto& file : runtime::unusable_files(options.config.channels))
      around.log->warning("node", "a channel's file cannot be used",
                          {{"channel", file.channel}, {"key", file.key}, {"why", file.why}});
    return std::nullopt;
  }

  void start_links() {
    others->parts().http = http.address();
    cluster_root = tree->start_cluster();
    on_end(cluster_root, [this](const caf::error& why) { run.cluster_ended(why); });
    others->start(*tree);
  }

  void start_tree() {
    root = tree->start();
    on_end(root, [this](const caf::error& why) { run.tree_ended(why); });
  }

  std::optional<node_error> start_admin() {
    const auto path = options.config.data.directory + "/" + runtime::admin_socket_name;
    admin = std::make_unique<runtime::admin_server>(
        path, [this](const runtime::admin_request& r, const std::string& who) { return answer_admin(r, who, running()); },
        *around.log);
    console = tree->start_console([this] { run.request_stop(); });
    auto started = admin->start();
    return started ? std::nullopt : std::optional{node_error{runtime::exit_code::failed, started.error()}};
  }

  running_parts running() { return {*system, *tree, cluster(), run, options.config.shards.count}; }

  /// Until the node may serve, or is asked to stop. A full disk or a halted shard can take any time.
  std::optional<node_error> wait_until_ready() {
    auto report_at = steady_clock::now() + ready_report_period;
    const auto ready = [&] {
      const auto reasons = tree->readiness().reasons();
      if (!reasons.empty() && steady_clock::now() >= report_at) {
        say_not_ready(reasons.size(), reasons.front());
        report_at += ready_report_period;
      }
      return reasons.empty();
    };
    run.wait_for(ready, given_up_when::asked_to_stop);
    return run.ended() ? std::optional{failed()} : std::nullopt;
  }

  void say_not_ready(std::size_t reasons, const runtime::readiness::item& first) {
    around.log->warning("node", "not ready yet",
                        {{"reasons", std::uint64_t{reasons}}, {"first_part", first.part}, {"first_reason", first.reason}});
    if (options.waiting)
      options.waiting(first.part + ": " + first.reason);
  }

  std::optional<node_error> import_demo() {
    auto imported = import(demo_study(), "system:demo", given_up_when::asked_to_stop);
    if (imported || run.asked_to_stop())
      return std::nullopt;
    return node_error{runtime::exit_code::failed, "the demo study could not be imported: " + sentence_of(imported.error())};
  }

  tl::expected<import_result, import_failure> import(const domain::study_source& source, const std::string& who,
                                                     given_up_when when) {
    return import_into_catalog(*system, *tree, run, source, who, when);
  }

  // ---- stop ------------------------------------------------------------------------------------------------------------

  int wait() {
    if (run.wait_until_over()) {
      const auto why = failed();
      around.log->error("node", "failed", {{"why", why.message}, {"exit_code", why.exit_code}});
      return code = why.exit_code;
    }
    return code = drain_and_stop();
  }

  /// It ended without being asked to.
  node_error failed() const {
    const auto why = run.end_reason();
    return {std::max(exit_code_of(why), runtime::exit_code::failed), runtime::error_text(why)};
  }

  /// Within the configured limit, half of which clients may take: the actors need time as well, however slow a client is.
  int drain_and_stop() {
    const auto limit = milliseconds{options.config.stop.limit_ms};
    const auto end = steady_clock::now() + limit;
    around.log->info("node", "stopping", {{"limit_ms", static_cast<std::int64_t>(limit.count())}});
    if (options.stopping)
      options.stopping();
    if (tree == nullptr) { // it waited to be let in, and has begun nothing
      around.log->info("node", "stopped");
      return runtime::exit_code::done;
    }
    tree->readiness().set("node", "stopping");
    if (others)
      hand_over_shards(*tree, others->parts(), run);
    finish_requests(end - limit / 2);
    return say_stopped(stop_tree(left_until(end)));
  }

  int say_stopped(bool within_limit) {
    const auto why = run.end_reason();
    const auto result = within_limit ? exit_code_of(why) : runtime::exit_code::failed;
    if (result != runtime::exit_code::done)
      around.log->error("node", "stopped, and failed while it did",
                        {{"why", within_limit ? runtime::error_text(why) : "the limit passed"}, {"exit_code", result}});
    else
      around.log->info("node", "stopped");
    return result;
  }

  /// Takes nothing new, and gives what was accepted until `end`.
  void finish_requests(steady_clock::time_point end) {
    http.stop_accepting();
    if (admin)
      admin->stop_accepting();
    if (auto gateway = tree->gateway(); gateway != nullptr) {
      caf::scoped_actor self{*system, true};
      self->request(gateway, left_until(end), drain_atom::value)
          .receive([](bool) {},
                   [&](caf::error& why) {
                     around.log->warning("node", "not everything was answered", {{"why", runtime::error_text(why)}});
                   });
    }
    http.wait_until_idle(left_until(end));
    if (admin && !admin->wait_until_idle(left_until(end)))
      around.log->warning("node", "not every command was finished");
    http.abandon_all(); // an answer that says "unknown" is better than none
    http.stop();
  }

  /// False: it did not stop within the limit.
  bool stop_tree(milliseconds limit) {
    if (root == nullptr)
      return true;
    ask_to_end(root);
    const bool stopped = run.wait_until_ended(limit);
    if (!stopped) // its actors cannot be waited for, and nothing they hold is lost
      around.process->fatal(runtime::exit_code::failed,
                            "the actors did not stop within the limit; what is acknowledged is in the journal");
    root = nullptr;
    stop_links();
    return stopped;
  }

  /// What sends over the links goes before they do.
  void stop_links() {
    if (cluster_root == nullptr)
      return;
    ask_to_end(std::exchange(cluster_root, nullptr));
    run.wait_until_cluster_ended(milliseconds{runtime::defaults::child_stop_limit_ms});
    others->stop();
  }

  /// Whatever has been started and not been stopped yet, also after a start that failed.
  void end() {
    if (admin)
      admin->stop_accepting();
    http.stop();
    stop_tree(milliseconds{options.config.stop.limit_ms});
    stop_links();
    if (console != nullptr)
      ask_to_end(std::exchange(console, nullptr));
    // An actor inside a call to the disk that does not return has been left behind, and its thread would be waited for.
    const runtime::scope_limit limit{*around.process, milliseconds{runtime::defaults::child_stop_limit_ms},
                                     std::max(code, runtime::exit_code::failed),
                                     (failure.empty() ? "" : failure + "; ") +
                                         "a thread did not end, it is probably inside a call to the disk that does not return"};
    if (admin)
      admin->stop();
    http.forget_server();
    if (tree)
      tree->forget_actors();
    system.reset(); // an actor that comes back from the disk only now still looks into the tree
    tree.reset();
  }

  node_options options;
  node_surroundings around;
  run_state run;
  http_side http{around};
  data_directory directory;
  actor_config system_config;
  std::unique_ptr<caf::actor_system> system;
  std::unique_ptr<cluster_side> others; ///< null: this node is alone
  std::unique_ptr<actor_tree> tree;
  std::unique_ptr<runtime::admin_server> admin;
  caf::strong_actor_ptr root, console, cluster_root;

  int code = runtime::exit_code::done; ///< what the process is to end with
  std::string failure;                 ///< why it did not start

  std::stop_token stop_token;
  std::optional<std::stop_callback<std::function<void()>>> stop_asked; ///< last: it calls what is above
};

node::node(std::unique_ptr<impl> i) : impl_(std::move(i)) {}
node::~node() = default;

tl::expected<std::unique_ptr<node>, node_error> node::start(const node_options& options, std::stop_token stop) {
  auto i = std::make_unique<impl>(options);
  if (auto failed = i->start(std::move(stop)))
    return tl::unexpected(*failed);
  return std::unique_ptr<node>(new node(std::move(i)));
}

std::string node::http_address() const {
  return impl_->http.address();
}

int node::wait() {
  return impl_->wait();
}

void node::request_stop() {
  impl_->run.request_stop();
}

std::optional<std::string> node::apply_committed(std::uint32_t group, std::uint64_t index, milliseconds limit) {
  return have_applied(group, index, limit, impl_->running());
}

bool node::asked_to_stop() const {
  return impl_->run.asked_to_stop();
}

tl::expected<import_result, import_failure> node::import_study(const domain::study_source& source, const std::string& who) {
  return impl_->import(source, who, given_up_when::ended);
}

} // namespace epione::node
