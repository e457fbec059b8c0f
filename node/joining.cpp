#include "node/joining.hpp"

#include "node/actor_config.hpp"
#include "runtime/directory.hpp"
#include "runtime/log.hpp"
#include "runtime/process.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

namespace epione::node {

using namespace messages;
using std::chrono::milliseconds;

namespace {

node_error node_error_of(const directory_error& why) {
  return {why.exit_code, why.message};
}

run_state::time_point after(std::uint32_t limit_ms) {
  return std::chrono::steady_clock::now() + milliseconds{limit_ms};
}

} // namespace

std::optional<node_error> check_membership(const node_options& options, const data_directory& directory) {
  const auto& name = directory.member.node;
  const auto& path = directory.path;
  const auto refused = [](std::string why) { return node_error{runtime::exit_code::failed, std::move(why)}; };
  if (!options.cluster && !name.empty() && options.http)
    return refused(path + " belongs to node " + name + " of a cluster; start it with: epione serve --node " + name +
                   " --cluster FILE");
  if (options.cluster && name.empty())
    return refused(path +
                   " holds the data of a node that is alone. To begin a cluster with it, say once: epione cluster init "
                   "--cluster FILE --node " +
                   options.cluster->node + " --data-dir " + path);
  if (options.cluster && name != options.cluster->node)
    return refused(path + " is that of node " + name + ", not of " + options.cluster->node + "; name the right directory");
  return std::nullopt;
}

tl::expected<std::unique_ptr<cluster_side>, node_error> listen_for_nodes(const node_options& options, const tree_ports& ports) {
  auto side =
      std::make_unique<cluster_side>(*options.cluster, options.config, ports.log, ports.metrics, ports.clock, ports.random);
  if (auto listening = side->listen(); !listening)
    return tl::unexpected(node_error{runtime::exit_code::failed, listening.error()});
  return side;
}

tl::expected<std::optional<join_grant>, node_error> become_member(const node_options& options, tree_ports ports,
                                                                  const std::stop_token& stop,
                                                                  const std::function<void(const std::string&)>& waiting) {
  const auto& path = options.config.data.directory;
  if (holds_data(path))
    return std::nullopt;
  auto empty = open_empty_directory(path);
  if (!empty)
    return tl::unexpected(node_error_of(empty.error()));
  auto listening = listen_for_nodes(options, ports);
  if (!listening)
    return tl::unexpected(listening.error());
  auto& side = **listening;
  const auto& name = options.cluster->node;
  ports.log.info("node", "asks to be let into the cluster", {{"node", name}});
  ports.cluster = &side.parts();
  actor_config config;
  caf::actor_system system{config};
  actor_tree links{system, ports, options.config, true};
  auto root = links.start_cluster();
  side.start(links);
  const auto& http = options.config.http;
  auto granted = side.join(system, links, path, "http://" + http.address + ":" + std::to_string(http.port), stop, waiting);
  if (granted)
    ports.log.info("node", "belongs to the cluster", {{"node", name}, {"server", granted->server_id}});
  side.stop();
  caf::anon_send_exit(caf::actor_cast<caf::actor>(root), caf::exit_reason::user_shutdown);
  root = nullptr;
  links.forget_actors();
  system.await_all_actors_done();
  if (granted)
    return std::optional{std::move(*granted)};
  if (granted.error().empty()) // asked to stop
    return std::nullopt;
  return tl::unexpected(node_error{runtime::exit_code::failed, granted.error()});
}

std::optional<node_error> note_begun(const data_directory& directory, std::uint32_t shards, const runtime::cluster_view& nodes,
                                     run_state& run) {
  const auto named = [&nodes] { return nodes.get() != nullptr; };
  run.wait_for(named, given_up_when::asked_to_stop, after(runtime::defaults::membership_step_limit_ms));
  if (!named())
    return std::nullopt;
  auto written = write_membership(directory.path, directory.cluster, shards,
                                  {directory.member.node, directory.member.server_id, false, {}, true});
  return written ? std::nullopt : std::optional{node_error_of(written.error())};
}

void hand_over_shards(actor_tree& tree, const cluster_parts& parts, run_state& run) {
  const auto has_others = [](const auto& shard) { return shard.second.members.size() > 1; };
  const auto led = parts.shards.led_here();
  for (const auto& shard : led)
    if (auto replica = tree.directory().get<replica_actor>("replica " + std::to_string(shard.first)); replica != nullptr)
      if (has_others(shard))
        caf::anon_send(replica, transfer_atom::value, std::uint64_t{0});
  const auto handed_over = [&] {
    const auto now = parts.shards.led_here();
    return std::none_of(now.begin(), now.end(), has_others);
  };
  run.wait_for(handed_over, given_up_when::ended, after(runtime::defaults::hand_over_limit_ms));
}

} // namespace epione::node
