#include "cluster/peer_link.hpp"

#include "cluster/peer_clock.hpp"
#include "runtime/directory.hpp"

#include <algorithm>
#include <chrono>
#include <map>
#include <utility>
#include <vector>

namespace epione::cluster {

using namespace messages;
namespace defaults = runtime::defaults;

namespace {

using peer_link_pointer = peer_link_actor::stateful_pointer<peer_link_state>;

constexpr envelope_limits limits{defaults::peer_envelope_bytes_max, defaults::peer_parcels_max, defaults::peer_messages_max,
                                 defaults::peer_entries_max};

struct link_metrics {
  prometheus::Gauge &linked, &round_trip, &offset, &clock_alarm, &in_flight;
  prometheus::Counter &links, &envelopes, &sent, &received, &dropped;
};

link_metrics make_peer_link_metrics(runtime::metrics& m, const std::string& node) {
  const runtime::metric_labels of{{"peer", node}};
  return {m.gauge("epione_peer_linked", "1: there is a link with this node", of),
          m.gauge("epione_peer_round_trip_seconds", "From a ping to its answer, the last one", of),
          m.gauge("epione_clock_offset_seconds", "How far the wall clock of this node is before ours", of),
          m.gauge("epione_clock_alarm", "1: the clocks differ by more than peers.clock_offset_max_ms", of),
          m.gauge("epione_peer_in_flight_bytes", "Sent and not acknowledged", of),
          m.counter("epione_peer_links_total", "Links made with this node", of),
          m.counter("epione_peer_envelopes_total", "Envelopes sent", of),
          m.counter("epione_peer_sent_bytes_total", "Bytes of envelopes sent", of),
          m.counter("epione_peer_received_bytes_total", "Bytes of envelopes received", of),
          m.counter("epione_peer_dropped_total", "Parcels and Raft messages not sent: no link, or its window full", of)};
}

bool is_heartbeat(const raft_message& m) {
  return m.kind == message_kind::append_entries && m.entries.empty();
}

std::size_t size_of(const parcel& p) {
  return parcel_overhead + p.bytes->size();
}

std::string milliseconds_text(std::int64_t us) {
  return std::to_string(us / 1'000) + " ms";
}

/// Cuts an append into consecutive ones of about so many bytes, each as its sender might have sent it (Raft paper, 5.3).
void split(raft_message m, std::size_t bytes_max, std::vector<raft_message>& out) {
  while (encoded_size(m) > bytes_max && m.entries.size() > 1) {
    auto first = m;
    std::size_t bytes = 0, n = 0;
    do
      bytes += m.entries[n++].data->size() + 16;
    while (n < m.entries.size() - 1 && bytes + m.entries[n].data->size() < bytes_max);
    const auto cut = m.entries.begin() + static_cast<std::ptrdiff_t>(n);
    first.entries.assign(m.entries.begin(), cut);
    m.index = first.entries.back().index;
    m.index_term = first.entries.back().term;
    m.entries.erase(m.entries.begin(), cut);
    out.push_back(std::move(first));
  }
  out.push_back(std::move(m));
}

/// The link's work, one function a message. Lives as long as its actor.
class peer_link_work {
public:
  peer_link_work(peer_link_pointer self, const runtime::environment& env, peer_link_options options, peer_transport& transport,
                 const local_identity& identity, peer_view& view)
      : self_(self), env_(env), options_(std::move(options)), transport_(transport), identity_(identity), view_(view),
        name_(peer_link_name(options_.node)), metrics_(make_peer_link_metrics(env.metrics, options_.node)),
        clock_(defaults::peer_ping_samples) {
    shown_.node = options_.node;
    shown_.why = "not linked yet";
    metrics_.linked.Set(0);
    view_.set(shown_);
  }

  void start() {
    // A link that a predecessor had is nothing this one knows of.
    transport_.reconnect(options_.node);
    self_->attach_functor([&view = view_, node = options_.node](const caf::error&) {
      if (auto last = view.get(node)) {
        last->linked = false;
        last->why = "its actor on this node ended";
        view.set(std::move(*last));
      }
    });
  }

  // ---- what is to be sent ----------------------------------------------------------------------------------------------

  void on_raft(std::uint32_t group, const raft_messages_ptr& messages) {
    for (const auto& m : *messages) {
      const auto control = m.entries.empty() ? defaults::peer_control_bytes : 0;
      const auto bytes = encoded_size(m);
      if (!fits(bytes, options_.window_bytes + control)) {
        drop(1);
        continue;
      }
      gathered_bytes_ += bytes;
      split(m, defaults::peer_envelope_bytes, raft_[group]);
      if (is_heartbeat(m))
        flush_after_delay();
      else
        flush_soon();
    }
  }

  void on_send(parcel_kind kind, std::uint64_t to, const bytes_ptr& bytes) {
    if (bytes == nullptr || !is_for_router(kind))
      return drop(1); // a fault of the sender's; nothing of it is to reach the other side
    parcel p{kind, to, bytes};
    // Half of the window stays free of streams, so that a snapshot does not hold up who waits.
    const auto window = kind == parcel_kind::chunk ? options_.window_bytes / 2 : options_.window_bytes;
    if (!fits(size_of(p), window))
      return drop(1);
    gathered_bytes_ += size_of(p);
    parcels_.push_back(std::move(p));
    flush_soon();
  }

  void on_flush() {
    flush_due_ = false;
    flush();
  }

  void on_heartbeats_due(std::uint64_t timer) {
    if (delay_running_ && timer == delay_timer_)
      flush();
  }

  // ---- what the transport tells ----------------------------------------------------------------------------------------

  void on_linked(const link_info_ptr& info) {
    forget_link();
    info_ = info;
    ++link_;
    shown_.linked = true;
    shown_.since_us = env_.clock.wall_us();
    shown_.address = info->address;
    shown_.version = info->version;
    shown_.cluster = info->cluster;
    shown_.server_id = info->server_id;
    shown_.incarnation = info->incarnation;
    shown_.why.clear();
    metrics_.linked.Set(1);
    metrics_.links.Increment();
    env_.log.info(name_, "linked", {{"address", info->address}, {"version", info->version}, {"server", info->server_id}});
    on_tick(link_);
  }

  void on_unlinked(const std::string& why) {
    if (info_ == nullptr)
      return;
    forget_link();
    shown_.linked = false;
    shown_.since_us = env_.clock.wall_us();
    shown_.why = why;
    metrics_.linked.Set(0);
    env_.log.warning(name_, "not linked any more", {{"why", why}});
    show();
  }

  void on_received(const bytes_ptr& envelope) {
    if (info_ == nullptr)
      return;
    received_ += envelope->size();
    shown_.received_bytes += envelope->size();
    metrics_.received.Increment(static_cast<double>(envelope->size()));
    auto parcels = decode_envelope(*envelope, limits);
    if (!parcels)
      return refuse(parcels.error());
    for (auto& p : *parcels)
      if (auto problem = take(p); !problem.empty())
        return refuse(problem);
    if (received_ - acknowledged_ >= options_.window_bytes / 4)
      flush_soon();
  }

  void on_tick(std::uint64_t link) {
    if (info_ == nullptr || link != link_)
      return;
    const ping p{env_.clock.now_ns(), env_.clock.wall_us()};
    control_.push_back({parcel_kind::ping, 0, std::make_shared<const std::string>(encode(p))});
    flush();
    show();
    self_->delayed_send(self_, std::chrono::milliseconds{options_.ping_ms}, caf::tick_atom::value, link_);
  }

  status_report_ptr status() const {
    status_report r{name_, shown_.linked ? "linked" : "not linked", {}};
    r.details.emplace_back("address", shown_.address);
    r.details.emplace_back("version", shown_.version);
    r.details.emplace_back("server", std::to_string(shown_.server_id));
    if (!shown_.linked)
      r.details.emplace_back("why", shown_.why);
    if (const auto round_trip = clock_.round_trip_ns())
      r.details.emplace_back("round_trip", std::to_string(*round_trip / 1'000) + " us");
    if (const auto offset = clock_.offset_us())
      r.details.emplace_back("clock_offset", milliseconds_text(*offset));
    r.details.emplace_back("sent_bytes", std::to_string(shown_.sent_bytes));
    r.details.emplace_back("received_bytes", std::to_string(shown_.received_bytes));
    r.details.emplace_back("in_flight_bytes", std::to_string(in_flight()));
    r.details.emplace_back("dropped", std::to_string(shown_.dropped));
    return std::make_shared<const status_report>(std::move(r));
  }

private:
  // ---- sending ---------------------------------------------------------------------------------------------------------

  std::uint64_t in_flight() const { return sent_ - acked_; }

  /// What is larger than the whole window goes when next to nothing else is on its way.
  bool fits(std::size_t bytes, std::size_t window) const {
    const auto outstanding = in_flight() + gathered_bytes_;
    const bool has_room = outstanding + bytes <= window || (bytes > window && outstanding <= window / 8);
    return info_ != nullptr && has_room && bytes < limits.envelope_bytes_max;
  }

  void drop(std::uint64_t n) {
    shown_.dropped += n;
    metrics_.dropped.Increment(static_cast<double>(n));
  }

  /// At the end of what waits in the mailbox now.
  void flush_soon() {
    if (!std::exchange(flush_due_, true))
      self_->send(self_, flush_atom::value);
  }

  void flush_after_delay() {
    if (!std::exchange(delay_running_, true))
      self_->delayed_send(self_, std::chrono::milliseconds{options_.heartbeat_delay_ms}, flush_atom::value, ++delay_timer_);
  }

  void flush() {
    delay_running_ = false;
    if (info_ == nullptr)
      return;
    std::vector<parcel> load;
    std::size_t bytes = 0, messages = 0;
    const auto add = [&](parcel p, std::size_t inside) {
      if (!load.empty() && (bytes + size_of(p) > defaults::peer_envelope_bytes || load.size() + 2 > limits.parcels_max)) {
        send(std::exchange(load, {}), std::exchange(messages, 0));
        bytes = 0;
      }
      bytes += size_of(p);
      messages += inside;
      load.push_back(std::move(p));
    };
    for (auto& p : std::exchange(control_, {}))
      add(std::move(p), 0);
    for (auto& [group, waiting] : std::exchange(raft_, {}))
      add_raft(group, waiting, add);
    for (auto& p : std::exchange(parcels_, {}))
      add(std::move(p), 1);
    gathered_bytes_ = 0;
    if (!load.empty() || received_ - acknowledged_ >= options_.window_bytes / 4)
      send(std::move(load), messages);
  }

  /// A group's messages in parcels that fit an envelope.
  template <class Add>
  void add_raft(std::uint32_t group, const std::vector<raft_message>& waiting, Add add) {
    for (std::size_t begin = 0; begin < waiting.size();) {
      auto end = begin;
      std::size_t bytes = 0;
      do
        bytes += encoded_size(waiting[end++]);
      while (end < waiting.size() && end - begin < limits.messages_max &&
             bytes + encoded_size(waiting[end]) <= defaults::peer_envelope_bytes);
      const std::span part{waiting.data() + begin, end - begin};
      add({parcel_kind::raft, group, std::make_shared<const std::string>(encode_raft(part))}, part.size());
      begin = end;
    }
  }

  /// With what is to be acknowledged. `messages`: how many are lost when the transport does not take it.
  void send(std::vector<parcel> load, std::size_t messages) {
    static const auto nothing = std::make_shared<const std::string>();
    if (received_ != acknowledged_)
      load.push_back({parcel_kind::ack, received_, nothing});
    auto envelope = std::make_shared<const std::string>(encode_envelope(load));
    const auto bytes = envelope->size();
    if (!transport_.send(options_.node, std::move(envelope)))
      return drop(messages);
    acknowledged_ = received_;
    sent_ += bytes;
    shown_.sent_bytes += bytes;
    metrics_.envelopes.Increment();
    metrics_.sent.Increment(static_cast<double>(bytes));
    metrics_.in_flight.Set(static_cast<double>(in_flight()));
  }

  // ---- receiving -------------------------------------------------------------------------------------------------------

  /// An error sentence, or empty.
  std::string take(parcel& p) {
    switch (p.kind) {
      case parcel_kind::raft: return take_raft(p);
      case parcel_kind::ping: return take_ping(*p.bytes);
      case parcel_kind::pong: return take_pong(*p.bytes);
      case parcel_kind::ack:
        if (p.to < acked_ || p.to > sent_)
          return "it acknowledges " + std::to_string(p.to) + " bytes, of " + std::to_string(sent_) + " sent";
        acked_ = p.to;
        metrics_.in_flight.Set(static_cast<double>(in_flight()));
        return {};
      case parcel_kind::request:
      case parcel_kind::reply:
      case parcel_kind::cast:
      case parcel_kind::chunk:
        if (const auto router = env_.directory->get<parcel_receiver>("router"); router != nullptr)
          self_->send(router, receive_atom::value, options_.node, p.kind, p.to, bytes_ptr{std::move(p.bytes)});
        return {};
    }
    return {};
  }

  /// Messages to a server id this node no longer has are those to a predecessor under its name.
  std::string take_raft(const parcel& p) {
    auto messages = decode_raft(*p.bytes, limits);
    if (!messages)
      return messages.error();
    const auto own = identity_.server_id();
    std::erase_if(*messages, [own](const raft_message& m) { return own != 0 && m.peer != 0 && m.peer != own; });
    for (auto& m : *messages)
      m.peer = info_->server_id;
    const auto replica = env_.directory->get<raft_receiver>("replica " + std::to_string(p.to));
    if (replica != nullptr && !messages->empty())
      self_->send(replica, receive_atom::value, std::make_shared<const std::vector<raft_message>>(std::move(*messages)),
                  options_.node);
    return {};
  }

  std::string take_ping(const std::string& bytes) {
    const auto x = decode_ping(bytes);
    if (!x)
      return x.error();
    const pong answer{x->mono_ns, x->wall_us, env_.clock.wall_us()};
    control_.push_back({parcel_kind::pong, 0, std::make_shared<const std::string>(encode(answer))});
    if (control_.size() == 1)
      flush_soon();
    return control_.size() <= control_max ? "" : "it pings without end";
  }

  std::string take_pong(const std::string& bytes) {
    const auto x = decode_pong(bytes);
    if (!x)
      return x.error();
    if (!clock_.take(*x, env_.clock.now_ns()))
      return {}; // late beyond use
    metrics_.round_trip.Set(static_cast<double>(*clock_.round_trip_ns()) / 1e9);
    metrics_.offset.Set(static_cast<double>(*clock_.offset_us()) / 1e6);
    watch_clock(*clock_.offset_us());
    show();
    return {};
  }

  /// Said once when the limit is crossed, and once when the clocks are well together again.
  void watch_clock(std::int64_t offset_us) {
    const auto limit_us = std::int64_t{options_.clock_offset_max_ms} * 1'000;
    const auto distance = offset_us < 0 ? -offset_us : offset_us;
    if (!clock_alarm_ && distance > limit_us) {
      clock_alarm_ = true;
      env_.log.warning(
          name_, "the clocks of two nodes differ",
          {{"offset", milliseconds_text(offset_us)},
           {"limit", milliseconds_text(limit_us)},
           {"why", "the other node's wall clock is " + milliseconds_text(distance) + (offset_us < 0 ? " behind" : " before") +
                       " this node's; look at the time service (chrony, systemd-timesyncd) of both"}});
    } else if (clock_alarm_ && distance < limit_us / 2) {
      clock_alarm_ = false;
      env_.log.info(name_, "the clocks of two nodes agree again", {{"offset", milliseconds_text(offset_us)}});
    }
    metrics_.clock_alarm.Set(clock_alarm_ ? 1 : 0);
  }

  /// What cannot be read may have been followed by anything: the link begins anew.
  void refuse(const std::string& why) {
    env_.log.warning(name_, "an envelope cannot be read; the link is made anew", {{"why", why}});
    transport_.reconnect(options_.node);
    on_unlinked("it sent an envelope that cannot be read: " + why);
  }

  // ---- everything else -------------------------------------------------------------------------------------------------

  void forget_link() {
    std::size_t lost = parcels_.size();
    for (const auto& [group, waiting] : raft_)
      lost += waiting.size();
    drop(lost);
    raft_.clear();
    parcels_.clear();
    control_.clear();
    gathered_bytes_ = 0;
    delay_running_ = false;
    info_ = nullptr;
    sent_ = acked_ = received_ = acknowledged_ = 0;
    clock_.clear();
    metrics_.in_flight.Set(0);
  }

  void show() {
    shown_.round_trip_ns = clock_.round_trip_ns();
    shown_.clock_offset_us = clock_.offset_us();
    shown_.clock_alarm = clock_alarm_;
    shown_.in_flight_bytes = in_flight();
    view_.set(shown_);
  }

  static constexpr std::size_t control_max = 1'024; ///< pings of one batch of the mailbox that wait for their answers

  peer_link_pointer self_;
  const runtime::environment& env_;
  const peer_link_options options_;
  peer_transport& transport_;
  const local_identity& identity_;
  peer_view& view_;
  const std::string name_;
  link_metrics metrics_;

  link_info_ptr info_;                                                   ///< null: not linked
  std::uint64_t link_ = 0;                                               ///< number of the link
  std::uint64_t sent_ = 0, acked_ = 0, received_ = 0, acknowledged_ = 0; ///< bytes on this link
  peer_clock clock_;
  bool clock_alarm_ = false;
  peer_state shown_;

  std::map<std::uint32_t, std::vector<raft_message>> raft_; ///< gathered, by group
  std::vector<parcel> parcels_, control_;
  std::size_t gathered_bytes_ = 0;
  bool flush_due_ = false, delay_running_ = false;
  std::uint64_t delay_timer_ = 0;
};

} // namespace

peer_link_actor::behavior_type peer_link(peer_link_pointer self, const runtime::environment& env, peer_link_options options,
                                         peer_transport& transport, const local_identity& identity, peer_view& view) {
  runtime::prepare(self, env, peer_link_name(options.node));
  const auto w = std::make_shared<peer_link_work>(self, env, std::move(options), transport, identity, view);
  w->start();
  return {
      [w](raft_atom, std::uint32_t group, const raft_messages_ptr& messages) { w->on_raft(group, messages); },
      [w](send_atom, parcel_kind kind, std::uint64_t to, const bytes_ptr& bytes) { w->on_send(kind, to, bytes); },
      [w](linked_atom, const link_info_ptr& info) { w->on_linked(info); },
      [w](unlinked_atom, const std::string& why) { w->on_unlinked(why); },
      [w](receive_atom, const bytes_ptr& envelope) { w->on_received(envelope); },
      [w](flush_atom) { w->on_flush(); },
      [w](flush_atom, std::uint64_t timer) { w->on_heartbeats_due(timer); },
      [w](caf::tick_atom, std::uint64_t link) { w->on_tick(link); },
      [w](status_atom) { return w->status(); },
  };
}

peer_link_actor peer_event_sender::link(const std::string& node) const {
  return directory_->get<peer_link_actor>(peer_link_name(node));
}

void peer_event_sender::linked(const std::string& node, const link_info& info) {
  if (const auto to = link(node); to != nullptr)
    caf::anon_send(to, linked_atom::value, std::make_shared<const link_info>(info));
}

void peer_event_sender::unlinked(const std::string& node, const std::string& why) {
  if (const auto to = link(node); to != nullptr)
    caf::anon_send(to, unlinked_atom::value, why);
}

void peer_event_sender::received(const std::string& node, std::shared_ptr<const std::string> envelope) {
  if (const auto to = link(node); to != nullptr)
    caf::anon_send(to, receive_atom::value, bytes_ptr{std::move(envelope)});
}

} // namespace epione::cluster
