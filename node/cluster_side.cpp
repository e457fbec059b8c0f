#include "node/cluster_side.hpp"

#include "domain/hex.hpp"
#include "messages/steward.hpp"
#include "runtime/directory.hpp"
#include "runtime/error_text.hpp"
#include "runtime/random.hpp"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <vector>

namespace epione::node {

using namespace messages;
using std::chrono::milliseconds;

namespace {

constexpr milliseconds ask_period{200}, report_period{5'000};

/// Empty when these are no digits: nothing can be made of it.
std::string bytes_of_hex(std::string_view text) {
  std::vector<std::uint8_t> out(text.size() / 2);
  return domain::from_hex(text, out) ? std::string{out.begin(), out.end()} : std::string{};
}

bool is_standard(const runtime::resolved_config& config, std::string_view name) {
  const auto at = runtime::find_setting(name) - runtime::settings().data();
  return config.sources[static_cast<std::size_t>(at)].origin == runtime::config_origin::standard;
}

} // namespace

void take_cluster_settings(runtime::resolved_config& config, const cluster_options& options) {
  auto& c = config.values;
  const auto& file = options.file;
  const auto* n = file.find(options.node);
  const auto take = [&](std::string_view name, std::string& to, const std::string& text) {
    if (!text.empty() && is_standard(config, name))
      to = file.path_for(options.node, text);
  };
  take("peers.certificate", c.peers.certificate, file.certificate);
  take("peers.key", c.peers.key, file.key);
  take("peers.authorities", c.peers.authorities, file.authorities);
  if (file.shards != 0 && is_standard(config, "shards.count"))
    c.shards.count = file.shards;
  if (n == nullptr)
    return;
  take("data.directory", c.data.directory, n->data_dir);
  if (!n->http.empty() && is_standard(config, "http.address") && is_standard(config, "http.port")) {
    const auto http = cluster::parse_peer_address(n->name, n->http);
    c.http.address = http->host;
    c.http.port = http->port;
  }
}

membership founding_member(const cluster_options& options) {
  domain::cluster_state state;
  state.replication_factor = options.file.replication_factor;
  state.next_server_id = 2;
  for (const auto& n : options.file.nodes) {
    const bool founder = n.name == options.node;
    state.add({n.name,
               n.peer,
               n.http.empty() ? std::string{} : "http://" + n.http,
               founder ? domain::node_phase::member : domain::node_phase::invited,
               founder ? 1u : 0u,
               {},
               false});
  }
  const auto bytes = domain::encode(state);
  return {options.node, 1, true, domain::to_hex({reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()}), false};
}

cluster_side::cluster_side(const cluster_options& options, const runtime::config& config, runtime::log& log,
                           runtime::metrics& metrics, runtime::clock& clock, runtime::random_source& random)
    : options_(options), identity_(options.node, EPIONE_VERSION, random.next()) {
  socket_.files = {config.peers.certificate, config.peers.key, config.peers.authorities};
  socket_.handshake_limit_ms = config.peers.handshake_limit_ms;
  socket_.idle_limit_ms = config.peers.idle_limit_ms;
  socket_.certificate_look_ms = config.peers.certificate_look_ms;
  const auto* n = options.file.find(options.node);
  if (const auto where = cluster::parse_peer_address(options.node, n != nullptr ? n->peer : std::string{})) {
    socket_.address = where->host == "localhost" ? "127.0.0.1" : where->host;
    socket_.port = where->port;
  }
  if (!config.peers.address.empty()) // behind another address, or all of this machine's
    socket_.address = config.peers.address;
  transport_ = std::make_unique<cluster::websocket_transport>(socket_, identity_, log, metrics, clock, random);
  parts_ = std::make_unique<cluster_parts>(*transport_, identity_);
  parts_->name = options.node;
  parts_->peer = n != nullptr ? n->peer : std::string{};
  for (const auto& other : options.file.nodes)
    if (auto address = cluster::parse_peer_address(other.name, other.peer))
      parts_->known.push_back(std::move(*address));
}

cluster_side::~cluster_side() {
  stop();
}

tl::expected<void, std::string> cluster_side::listen() {
  auto port = transport_->listen();
  if (!port)
    return tl::unexpected(port.error());
  return {};
}

void cluster_side::become(const std::string& cluster, const membership& member, const std::string& http) {
  identity_.set_membership(cluster, member.server_id);
  parts_->cluster = cluster;
  parts_->server_id = member.server_id;
  parts_->founder = member.founder;
  parts_->http = http;
  if (!member.founding.empty())
    if (auto state = domain::decode_cluster_state(bytes_of_hex(member.founding)))
      parts_->founding = std::move(*state);
}

void cluster_side::start(actor_tree& tree) {
  events_ = std::make_unique<cluster::peer_event_sender>(tree.environment().directory);
  transport_->start(*events_);
}

void cluster_side::stop() {
  transport_->stop();
}

tl::expected<join_grant, std::string> cluster_side::join(caf::actor_system& system, actor_tree& tree,
                                                         const std::string& directory, const std::string& http,
                                                         const std::stop_token& stop,
                                                         const std::function<void(const std::string&)>& waiting) {
  const auto attempt = joining_name(directory);
  if (!attempt)
    return tl::unexpected(attempt.error().message);
  steward_question q;
  q.verb = steward_verb::join;
  q.text = options_.node;
  q.text2 = *attempt;
  q.text3 = parts_->peer;
  q.text4 = http;
  const auto question = std::make_shared<const std::string>(encode(q));
  caf::scoped_actor self{system, true};
  auto report_at = std::chrono::steady_clock::now() + report_period;
  std::mutex mutex;
  std::condition_variable_any pause;
  std::string last;
  for (;;) {
    bool linked = false;
    for (const auto& p : parts_->peers.all()) {
      const auto router = tree.directory().get<router_actor>("router");
      if (!p.linked || p.server_id == 0 || router == nullptr || stop.stop_requested())
        continue;
      linked = true;
      std::optional<steward_answer> answer;
      self->request(router, milliseconds{runtime::defaults::membership_step_limit_ms + 2 * runtime::defaults::console_margin_ms},
                    ask_atom::value, p.node, routed_kind::steward, question, runtime::defaults::membership_step_limit_ms)
          .receive(
              [&](const bytes_ptr& bytes) {
                if (auto a = decode_steward_answer(*bytes))
                  answer = std::move(*a);
              },
              [&](caf::error& why) { last = runtime::error_text(why); });
      if (!answer)
        continue;
      if (answer->error == ec::not_serving || answer->error == ec::time_limit) {
        last = answer->text;
        continue;
      }
      if (answer->error != ec::none)
        return tl::unexpected(answer->text);
      auto grant = decode_join_grant(answer->text);
      if (!grant)
        return tl::unexpected(grant.error());
      if (auto written =
              write_membership(directory, grant->cluster, grant->shards, {options_.node, grant->server_id, false, {}, false});
          !written)
        return tl::unexpected(written.error().message);
      return *grant;
    }
    if (stop.stop_requested())
      return tl::unexpected(std::string{});
    if (std::chrono::steady_clock::now() >= report_at) {
      report_at += report_period;
      if (!linked) // the others neither dial nor take a node that nobody has invited
        last = "no member of the cluster has a link with it; if it was not invited yet, say on a node that runs: epione cluster "
               "join " +
               options_.node + " --peer " + parts_->peer;
      waiting("it asks to be let into the cluster: " + last);
    }
    std::unique_lock lock{mutex};
    pause.wait_for(lock, stop, ask_period, [] { return false; }); // ends at once when asked to stop
  }
}

} // namespace epione::node
