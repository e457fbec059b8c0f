#include "tests/simulation/simulated_network.hpp"

#include "runtime/defaults.hpp"

#include <algorithm>
#include <caf/all.hpp>
#include <vector>

namespace epione::simulation {

using namespace messages;
namespace defaults = runtime::defaults;

namespace {

constexpr std::int64_t us_ns = 1'000, ms_ns = 1'000'000;
constexpr std::int64_t look_period_ns = 100 * ms_ns;
constexpr std::int64_t idle_limit_ns = std::int64_t{defaults::peer_idle_limit_ms} * ms_ns;
/// Nobody reads a parcel of a kind that is not known; so its bytes are still counted by both ends' windows.
constexpr parcel_kind nobodys = static_cast<parcel_kind>(99);

constexpr envelope_limits limits{defaults::peer_envelope_bytes_max, defaults::peer_parcels_max, defaults::peer_messages_max,
                                 defaults::peer_entries_max};

link_info info_of(const cluster::local_identity& identity) {
  const auto h = identity.hello();
  return {h.node, "simulated:" + h.node, h.cluster, h.version, h.protocol_max, h.server_id, h.incarnation};
}

} // namespace

simulated_network::simulated_network(agenda& plans, const tests::manual_clock& clock, trace& log, chance luck)
    : plans_(plans), clock_(clock), log_(log), luck_(luck) {
  usual_ns_ = luck_.one_of<std::int64_t>(50 * us_ns, 500 * us_ns, 4 * ms_ns);
  plans_.at(clock_.ns, [this] { look(); });
}

// ---- one node's end --------------------------------------------------------------------------------------------------------

void simulated_network::transport::start(cluster::peer_events& events) {
  events_ = &events;
  network_.running_[identity_.node()] = this;
}

void simulated_network::transport::stop() {
  gone(true);
}

void simulated_network::transport::gone(bool told) {
  if (events_ == nullptr)
    return;
  events_ = nullptr;
  const auto node = identity_.node();
  network_.running_.erase(node);
  network_.frozen_.erase(node);
  std::vector<std::uint64_t> all;
  for (auto& [number, s] : network_.sessions_)
    if (s.has(node) && s.of(node).open)
      all.push_back(number);
  for (const auto number : all)
    network_.close(number, node, "the other node is gone", told);
}

void simulated_network::transport::keep(const cluster::peer_address& address) {
  kept_.insert(address.node);
}

void simulated_network::transport::forget(const std::string& node) {
  kept_.erase(node);
  if (const auto at = network_.open_at(identity_.node(), node); at != network_.sessions_.end())
    network_.close(at->first, identity_.node(), "forgotten", true);
}

void simulated_network::transport::reconnect(const std::string& node) {
  if (events_ == nullptr)
    return;
  if (node.empty())
    network_.close_all_of(identity_.node(), "made anew");
  else if (const auto at = network_.open_at(identity_.node(), node); at != network_.sessions_.end())
    network_.close(at->first, identity_.node(), "made anew", true);
}

bool simulated_network::transport::send(const std::string& node, std::shared_ptr<const std::string> envelope) {
  if (events_ == nullptr)
    return false;
  const auto at = network_.open_at(identity_.node(), node);
  if (at == network_.sessions_.end())
    return false;
  auto& way = at->second.towards(node);
  if (way.bytes + envelope->size() > defaults::peer_queue_bytes_max)
    return false;
  ++network_.envelopes_;
  network_.overhear(identity_, *envelope);
  network_.push(at->first, at->second, node, std::move(envelope), {});
  return true;
}

// ---- links come and go -----------------------------------------------------------------------------------------------------

simulated_network::transport* simulated_network::running(const std::string& node) {
  const auto found = running_.find(node);
  return found == running_.end() ? nullptr : found->second;
}

simulated_network::sessions::iterator simulated_network::open_at(const std::string& node, const std::string& other) {
  for (auto at = sessions_.begin(); at != sessions_.end(); ++at)
    if (at->second.has(node) && at->second.has(other) && at->second.of(node).open)
      return at;
  return sessions_.end();
}

/// What each process does from time to time: ask whether the other side is there, end what has been silent for too long, dial.
void simulated_network::look() {
  plans_.at(clock_.ns + look_period_ns, [this] { look(); });
  std::vector<std::pair<std::uint64_t, std::string>> silent;
  for (auto& [number, s] : sessions_) {
    const auto runs = [&](const std::string& node) {
      return s.of(node).open && running(node) != nullptr && !frozen_.contains(node);
    };
    const bool answered = runs(s.a) && runs(s.b) && !is_cut(s.a, s.b) && !is_cut(s.b, s.a);
    for (const auto& node : {s.a, s.b})
      if (answered)
        s.of(node).heard_ns = clock_.ns;
      else if (runs(node) && clock_.ns - s.of(node).heard_ns > idle_limit_ns)
        silent.emplace_back(number, node);
  }
  for (const auto& [number, node] : silent)
    close(number, node, "nothing was heard", true);
  for (const auto& [a, one] : running_)
    for (const auto& [b, other] : running_)
      if (a < b && !frozen_.contains(a) && one->kept_.contains(b) && open_at(a, b) == sessions_.end() &&
          clock_.ns >= dial_ns_[{a, b}])
        dial(a, b);
}

void simulated_network::dial(const std::string& a, const std::string& b) {
  dial_ns_[{a, b}] = clock_.ns + luck_.between(100, 1'500) * ms_ns;
  plans_.at(clock_.ns + 2 * (latency_ns(a, b) + latency_ns(b, a)), [this, a, b] { connect(a, b); });
}

void simulated_network::connect(const std::string& a, const std::string& b) {
  auto *one = running(a), *other = running(b);
  if (one == nullptr || other == nullptr || frozen_.contains(a) || frozen_.contains(b) || is_cut(a, b) || is_cut(b, a) ||
      !one->kept_.contains(b) || !other->kept_.contains(a) || open_at(a, b) != sessions_.end())
    return;
  if (const auto old = open_at(b, a); old != sessions_.end())
    close(old->first, b, "there is a newer link", false);
  const auto number = ++sessions_made_;
  auto& s = sessions_[number];
  s.a = a;
  s.b = b;
  s.at_a.heard_ns = s.at_b.heard_ns = clock_.ns;
  const auto info_a = info_of(one->identity_), info_b = info_of(other->identity_);
  s.at_a.server_id = info_a.server_id, s.at_a.incarnation = info_a.incarnation;
  s.at_b.server_id = info_b.server_id, s.at_b.incarnation = info_b.incarnation;
  log_.line("link " + a + " " + b);
  one->events_->linked(b, info_b);
  other->events_->linked(a, info_a);
}

void simulated_network::close(std::uint64_t number, const std::string& node, const std::string& why, bool tell) {
  const auto found = sessions_.find(number);
  if (found == sessions_.end() || !found->second.of(node).open)
    return;
  auto& s = found->second;
  s.of(node).open = false;
  s.towards(node).queue.clear();
  s.towards(node).bytes = 0;
  const auto other = s.other(node);
  log_.line("unlink " + node + " " + other + ": " + why);
  if (tell && s.of(other).open)
    push(number, s, other, nullptr, why);
  if (auto* t = running(node); t != nullptr)
    t->events_->unlinked(other, why);
  forget_closed(number);
}

void simulated_network::close_all_of(const std::string& node, const std::string& why) {
  std::vector<std::uint64_t> all;
  for (auto& [number, s] : sessions_)
    if (s.has(node) && s.of(node).open)
      all.push_back(number);
  for (const auto number : all)
    close(number, node, why, true);
}

void simulated_network::forget_closed(std::uint64_t number) {
  const auto found = sessions_.find(number);
  if (found != sessions_.end() && !found->second.at_a.open && !found->second.at_b.open)
    sessions_.erase(found);
}

// ---- streams ---------------------------------------------------------------------------------------------------------------

std::int64_t simulated_network::latency_ns(const std::string& from, const std::string& to) {
  const auto [base, is_new] = base_ns_.try_emplace({from, to}, 0);
  if (is_new)
    base->second = usual_ns_ / 2 + luck_.between(0, usual_ns_);
  auto out = base->second + luck_.between(0, usual_ns_);
  if (luck_.share(0.005)) // a packet is lost and sent again
    out += luck_.between(1, 200) * ms_ns;
  if (const auto slow = slow_ns_.find({from, to}); slow != slow_ns_.end())
    out += slow->second / 2 + luck_.between(0, slow->second);
  if (const auto late = late_ns_.find({from, to}); late != late_ns_.end())
    out += late->second;
  return out;
}

void simulated_network::push(std::uint64_t number, session& s, const std::string& to, std::shared_ptr<const std::string> envelope,
                             std::string why) {
  auto& way = s.towards(to);
  way.last_ns = std::max(way.last_ns, clock_.ns + latency_ns(s.other(to), to));
  way.bytes += envelope == nullptr ? 0 : envelope->size();
  way.queue.push_back({way.last_ns, std::move(envelope), std::move(why)});
  schedule(number, way, 0, to);
}

void simulated_network::schedule(std::uint64_t number, stream& way, std::int64_t not_before_ns, const std::string& to) {
  if (way.queue.empty() || std::exchange(way.scheduled, true))
    return;
  plans_.at(std::max({way.queue.front().arrives_ns, not_before_ns, clock_.ns}), [this, number, to] { arrive(number, to); });
}

void simulated_network::arrive(std::uint64_t number, const std::string& to) {
  const auto found = sessions_.find(number);
  if (found == sessions_.end())
    return;
  auto& s = found->second;
  auto& way = s.towards(to);
  way.scheduled = false;
  if (!s.of(to).open) {
    way.queue.clear();
    // Its machine knows nothing of this connection, and says so unless it is off.
    if (running(to) != nullptr && s.of(s.other(to)).open && !is_cut(to, s.other(to)))
      push(number, s, s.other(to), nullptr, "connection reset");
    return;
  }
  if (way.queue.empty() || is_cut(s.other(to), to))
    return; // heal() goes on with it
  if (way.queue.front().arrives_ns > clock_.ns)
    return schedule(number, way, 0, to);
  auto next = std::move(way.queue.front());
  way.queue.pop_front();
  if (next.envelope == nullptr)
    return close(number, to, next.why, false);
  way.bytes -= next.envelope->size();
  s.of(to).heard_ns = clock_.ns;
  const auto from = s.other(to);
  auto* t = running(to);
  if (unreliable_.any())
    next.envelope = spoil(number, s, to, std::move(next.envelope));
  schedule(number, way, 0, to);
  if (t != nullptr)
    t->events_->received(from, std::move(next.envelope));
}

// ---- what goes wrong with them ---------------------------------------------------------------------------------------------

/// What was held up is sent again, when TCP's timer says so.
void simulated_network::heal(const std::string& from, const std::string& to) {
  if (cut_.erase({from, to}) == 0)
    return;
  for (auto& [number, s] : sessions_)
    if (s.has(from) && s.has(to))
      schedule(number, s.towards(to), clock_.ns + luck_.between(1, 400) * ms_ns, to);
}

void simulated_network::reset(const std::string& a, const std::string& b) {
  for (const auto& node : {a, b}) {
    const auto at = open_at(node, node == a ? b : a);
    if (at == sessions_.end())
      continue;
    auto& way = at->second.towards(node);
    for (auto lost = luck_.below(way.queue.size() + 1); lost > 0; --lost) { // what is behind some place
      if (way.queue.back().envelope != nullptr)
        way.bytes -= way.queue.back().envelope->size();
      way.queue.pop_back();
    }
    push(at->first, at->second, node, nullptr, "connection reset");
  }
}

void simulated_network::set_frozen(const std::string& node, bool frozen) {
  if (frozen)
    frozen_.insert(node);
  else
    frozen_.erase(node);
}

void simulated_network::mend() {
  for (const auto& [from, to] : std::set<direction>{cut_})
    heal(from, to);
  slow_ns_.clear();
  late_ns_.clear();
  unreliable_ = {};
}

// ---- above them ------------------------------------------------------------------------------------------------------------

void simulated_network::overhear(const cluster::local_identity& from, const std::string& envelope) const {
  if (on_said == nullptr)
    return;
  const auto parcels = decode_envelope(envelope, limits);
  if (!parcels)
    return;
  for (const auto& p : *parcels)
    if (p.kind == parcel_kind::raft)
      if (const auto all = decode_raft(*p.bytes, limits))
        for (const auto& m : *all)
          on_said(from, static_cast<std::uint32_t>(p.to), m);
}

/// Parcels that are taken out leave as many bytes behind.
std::shared_ptr<const std::string> simulated_network::spoil(std::uint64_t number, session& s, const std::string& to,
                                                            std::shared_ptr<const std::string> envelope) {
  auto parcels = decode_envelope(*envelope, limits);
  if (!parcels)
    return envelope;
  const auto& from = s.other(to);
  bool changed = false;
  for (auto& p : *parcels) {
    if (p.kind == parcel_kind::ping || p.kind == parcel_kind::pong || p.kind == parcel_kind::ack)
      continue;
    const bool lost = luck_.share(unreliable_.lost);
    const bool twice = !lost && p.kind != parcel_kind::request && luck_.share(unreliable_.twice);
    const bool late = !lost && !twice && luck_.share(unreliable_.late);
    if (twice || late)
      plans_.at(clock_.ns + luck_.between(0, unreliable_.late_max_ns),
                [this, number, from, server = s.of(from).server_id, to, incarnation = s.of(to).incarnation, copy = p] {
                  deliver_late(number, from, server, to, incarnation, copy);
                });
    if (lost || late) {
      p.kind = nobodys;
      changed = true;
    }
  }
  return changed ? std::make_shared<const std::string>(encode_envelope(*parcels)) : envelope;
}

/// As the link's actor does it. A router's parcels belong to their link: its numbers mean nothing to a later program.
void simulated_network::deliver_late(std::uint64_t session_number, const std::string& from, std::uint64_t from_server,
                                     const std::string& to, std::uint64_t to_incarnation, parcel p) {
  auto* t = running(to);
  if (t == nullptr || t->directory_ == nullptr || t->identity_.hello().incarnation != to_incarnation)
    return;
  if (p.kind == parcel_kind::raft) {
    auto all = decode_raft(*p.bytes, limits);
    const auto own = t->identity_.server_id();
    const auto replica = t->directory_->get<raft_receiver>("replica " + std::to_string(p.to));
    if (!all || replica == nullptr)
      return;
    std::erase_if(*all, [own](const raft_message& m) { return own != 0 && m.peer != 0 && m.peer != own; });
    for (auto& m : *all)
      m.peer = from_server;
    if (!all->empty())
      caf::anon_send(replica, receive_atom::value, std::make_shared<const std::vector<raft_message>>(std::move(*all)), from);
    return;
  }
  const auto found = sessions_.find(session_number);
  const auto router = t->directory_->get<parcel_receiver>("router");
  if (router != nullptr && found != sessions_.end() && found->second.of(to).open)
    caf::anon_send(router, receive_atom::value, from, p.kind, p.to, p.bytes);
}

} // namespace epione::simulation
