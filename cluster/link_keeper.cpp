#include "cluster/link_keeper.hpp"

#include "runtime/directory.hpp"

#include <charconv>
#include <chrono>
#include <utility>

namespace epione::cluster {

using namespace messages;

namespace {

using link_keeper_pointer = link_keeper_actor::stateful_pointer<link_keeper_state>;

constexpr std::chrono::milliseconds tick_period{200};

class link_keeper_work {
public:
  link_keeper_work(link_keeper_pointer self, const runtime::environment& env, link_keeper_options options,
                   peer_transport& transport, const local_identity& identity, peer_view& peers,
                   const runtime::cluster_view& cluster)
      : self_(self), state_(self->state), env_(env), options_(std::move(options)), transport_(transport), identity_(identity),
        peers_(peers), cluster_(cluster) {}

  void start() {
    self_->set_down_handler([this](caf::down_msg& down) { on_down(down); });
    // A keeper that is started again finds transports that keep links nobody has heard of.
    on_tick();
    transport_.reconnect("");
  }

  void on_tick() {
    self_->delayed_send(self_, tick_period, caf::tick_atom::value);
    const auto wanted = wanted_links();
    for (auto at = state_.links.begin(); at != state_.links.end();) {
      if (wanted.contains(at->first)) {
        ++at;
        continue;
      }
      transport_.forget(at->first);
      env_.directory->remove(peer_link_name(at->first));
      self_->send_exit(at->second.actor, caf::exit_reason::user_shutdown);
      peers_.remove(at->first);
      at = state_.links.erase(at);
    }
    for (const auto& [node, address] : wanted) {
      auto& link = state_.links[node];
      const bool is_new = link.actor == nullptr;
      if (is_new)
        begin(node, link);
      if (is_new || link.address != address)
        transport_.keep(address);
      link.address = address;
    }
  }

  status_report_ptr status() const {
    return std::make_shared<const status_report>(
        status_report{"links", "running", {{"links", std::to_string(state_.links.size())}}});
  }

private:
  std::map<std::string, peer_address> wanted_links() const {
    std::map<std::string, peer_address> wanted;
    if (const auto cluster = cluster_.get()) {
      for (const auto& n : cluster->nodes)
        if (auto address = parse_peer_address(n.name, n.peer); address && n.name != options_.node) {
          address->server_id = n.server_id;
          address->ids_given = cluster->next_server_id;
          wanted.insert_or_assign(n.name, std::move(*address));
        }
      return wanted;
    }
    for (const auto& a : options_.known)
      if (a.node != options_.node)
        wanted.insert_or_assign(a.node, a);
    return wanted;
  }

  void begin(const std::string& node, link_keeper_state::link& link) {
    auto options = options_.link;
    options.node = node;
    link.actor =
        runtime::spawn_actor(*self_, env_, peer_link, options, std::ref(transport_), std::cref(identity_), std::ref(peers_));
    self_->monitor(link.actor);
    env_.directory->put(peer_link_name(node), caf::actor_cast<caf::strong_actor_ptr>(link.actor));
  }

  void on_down(const caf::down_msg& down) {
    for (auto& [node, link] : state_.links)
      if (link.actor != nullptr && link.actor.address() == down.source) {
        env_.log.error("links", "a link ended and is begun anew", {{"node", node}});
        begin(node, link);
        transport_.reconnect(node);
        return;
      }
  }

  link_keeper_pointer self_;
  link_keeper_state& state_;
  const runtime::environment& env_;
  link_keeper_options options_;
  peer_transport& transport_;
  const local_identity& identity_;
  peer_view& peers_;
  const runtime::cluster_view& cluster_;
};

} // namespace

link_keeper_state::~link_keeper_state() {
  for (auto& [node, link] : links)
    if (link.actor != nullptr)
      caf::anon_send_exit(link.actor, caf::exit_reason::user_shutdown);
}

std::optional<peer_address> parse_peer_address(const std::string& node, std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos || colon == 0)
    return std::nullopt;
  auto host = text.substr(0, colon);
  const auto digits = text.substr(colon + 1);
  if (host.front() == '[') {
    if (host.back() != ']' || host.size() < 3)
      return std::nullopt;
    host = host.substr(1, host.size() - 2);
  } else if (host.find(':') != std::string_view::npos) {
    return std::nullopt;
  }
  std::uint16_t port = 0;
  const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (read.ec != std::errc{} || read.ptr != digits.data() + digits.size() || port == 0)
    return std::nullopt;
  peer_address address;
  address.node = node;
  address.host = std::string{host};
  address.port = port;
  return address;
}

link_keeper_actor::behavior_type link_keeper(link_keeper_pointer self, const runtime::environment& env,
                                             link_keeper_options options, peer_transport& transport,
                                             const local_identity& identity, peer_view& peers,
                                             const runtime::cluster_view& cluster) {
  runtime::prepare(self, env, "links");
  auto w = std::make_shared<link_keeper_work>(self, env, std::move(options), transport, identity, peers, cluster);
  w->start();
  return {
      [w](caf::tick_atom) { w->on_tick(); },
      [w](status_atom) { return w->status(); },
  };
}

} // namespace epione::cluster
