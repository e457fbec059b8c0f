#include "actors/gateway.hpp"

#include "actors/reply_text.hpp"
#include "domain/fhir_outcome.hpp"
#include "runtime/directory.hpp"
#include "runtime/mutation.hpp"

#include <chrono>
#include <utility>

namespace epione::actors {

using namespace messages;
using runtime::mutated;
using runtime::mutation;

namespace {

using gateway_pointer = gateway_actor::stateful_pointer<gateway_state>;

constexpr std::chrono::milliseconds tick_period{100};
constexpr std::chrono::milliseconds look_period{20}; // a part of what an election takes

class gateway_work {
public:
  gateway_work(gateway_pointer self, const runtime::environment& env, const gateway_options& options, runtime::reply_sink& sink,
               const runtime::catalog_view& catalog)
      : self_(self), state_(self->state), env_(env), options_(options), sink_(sink), catalog_(catalog),
        under_way_(env.metrics.gauge("epione_requests_under_way", "Requests that wait for an answer")),
        no_credit_(env.metrics.counter("epione_requests_without_credit_total", "Requests refused because a shard had too many")),
        late_(env.metrics.counter("epione_requests_late_total", "Requests not answered within their limit")) {
    env.metrics.gauge("epione_shard_credits_max", "Requests a shard may have in hand").Set(options.in_flight_per_shard_max);
    for (std::uint32_t n = 1; n <= options.shards; ++n)
      credits_used_.push_back(
          &env.metrics.gauge("epione_shard_credits_used", "Requests a shard has in hand", {{"shard", std::to_string(n)}}));
  }

  void start() {
    state_.shards.resize(options_.shards + 1);
    self_->set_down_handler([this](caf::down_msg& down) { on_down(down); });
    env_.directory->subscribe(runtime::directory_subscriber{self_});
    self_->delayed_send(self_, tick_period, caf::tick_atom::value);
  }

  void on_submit(ticket t, const submission_ptr& s) {
    runtime::fault_point(env_.faults, "gateway.submit", s->subject);
    auto* shard = route(t, s->shard);
    if (shard == nullptr)
      return;
    auto& w = enter(t, s->shard, false);
    if (!is_clustered())
      return self_->send(shard->region, submit_atom::value, t, s, reply_receiver{self_});
    w.submission = s;
    send_to_leader(t, w);
  }

  void on_read(ticket t, const read_request_ptr& r) {
    auto* shard = route(t, r->shard);
    if (shard == nullptr)
      return;
    auto& w = enter(t, r->shard, true);
    if (!is_clustered())
      return self_->send(shard->region, read_atom::value, t, r, list_client{self_});
    w.read = r;
    send_to_leader(t, w);
  }

  void on_fhir(ticket t, const fhir_request_ptr& r) {
    const auto* why_not = state_.draining          ? "this node is stopping; try again"
                          : !catalog_.ready()      ? "the studies are being read; try again"
                          : state_.fhir == nullptr ? "the FHIR service is starting; try again"
                                                   : nullptr;
    if (why_not != nullptr)
      return deliver(t, 503, unavailable(0, why_not, outcome::not_stored));
    enter(t, 0, r->method == fhir_request::verb::get || is_posted_search(*r));
    self_->send(state_.fhir, fhir_atom::value, t, r, reply_receiver{self_});
  }

  // What such a request needs of the shards; also while the node drains, because it was accepted before.

  void on_submit_for(ticket t, const submission_ptr& s, const reply_receiver& receiver) {
    if (auto* shard = route_inner(t, s->shard, {receiver, {}, {}}, false); shard != nullptr) {
      if (!is_clustered())
        return self_->send(shard->region, submit_atom::value, t, s, reply_receiver{self_});
      state_.under_way[t].submission = s;
      send_to_leader(t, state_.under_way[t]);
    }
  }

  void on_change_for(ticket t, const change_request_ptr& c, const reply_receiver& receiver) {
    if (auto* shard = route_inner(t, c->shard, {receiver, {}, {}}, false); shard != nullptr) {
      if (!is_clustered())
        return self_->send(shard->region, change_atom::value, t, c, reply_receiver{self_});
      state_.under_way[t].change = c;
      send_to_leader(t, state_.under_way[t]);
    }
  }

  void on_read_for(ticket t, const read_request_ptr& r, const list_client& reader) {
    if (auto* shard = route_inner(t, r->shard, {{}, reader, r}, true); shard != nullptr) {
      if (!is_clustered())
        return self_->send(shard->region, read_atom::value, t, r, list_client{self_});
      state_.under_way[t].read = r;
      send_to_leader(t, state_.under_way[t]);
    }
  }

  void on_replies(const replies_ptr& batch) {
    runtime::fault_point(env_.faults, "gateway.reply");
    // An answer that comes after its limit has been answered already; one that is no answer yet is tried elsewhere.
    std::erase_if(*batch, [this](reply& r) { return is_tried_elsewhere(r) || !leave(r.to); });
    give(std::move(*batch));
    check_drained();
  }

  void on_list(ticket t, const read_request_ptr& r, const stored_events_ptr& events, const caf::error& why) {
    if (is_clustered() && runtime::code_of(why) == ec::not_serving && wait_for_leader(t))
      return;
    if (!leave(t))
      return;
    if (const auto inner = state_.inner_requests.find(t); inner != state_.inner_requests.end()) {
      self_->send(inner->second.reader, list_atom::value, t, r, events, why);
      state_.inner_requests.erase(inner);
    } else if (r->after && runtime::code_of(why) == ec::not_found)
      deliver(t, 404,
              error_text("the patient has no submission with the receipt that after names; what was acknowledged has one"));
    else if (why || events == nullptr)
      deliver(t, 503, unavailable_text("the shard cannot be read just now; try again", outcome::unknown));
    else
      deliver_read(t, *r, *events);
    check_drained();
  }

  void on_changed(const std::string& name, const caf::strong_actor_ptr& actor) {
    constexpr std::string_view region = "region ", reader = "reader ";
    if (name == "fhir") {
      fail_those_of(0, "the FHIR service was restarted; try again");
      state_.fhir = caf::actor_cast<fhir_actor>(actor);
      if (actor != nullptr)
        self_->monitor(state_.fhir);
    } else if (name.compare(0, region.size(), region) == 0) {
      const auto n = std::stoul(name.substr(region.size()));
      if (n == 0 || n >= state_.shards.size())
        return;
      fail_those_of(static_cast<std::uint32_t>(n), "the shard was restarted; try again");
      state_.shards[n].region = caf::actor_cast<shard_region_actor>(actor);
      if (actor != nullptr)
        self_->monitor(state_.shards[n].region);
    } else if (name.compare(0, reader.size(), reader) == 0) {
      fail_reads(); // what the last one had in hand will not be answered
    } else if (name == "router") {
      state_.router = caf::actor_cast<router_actor>(actor);
      if (actor == nullptr)
        fail_if([](const auto& w) { return !w.node.empty(); }, "the way to other nodes was restarted; try again");
    }
  }

  void on_tick() {
    self_->delayed_send(self_, tick_period, caf::tick_atom::value);
    const auto now = env_.clock.now_ns();
    while (!state_.deadlines.empty() && state_.deadlines.front().first <= now) {
      const auto t = state_.deadlines.front().second;
      state_.deadlines.pop_front();
      const auto waiting = state_.under_way.find(t);
      if (waiting == state_.under_way.end())
        continue;
      const bool is_read = waiting->second.is_read;
      const auto shard = waiting->second.shard;
      leave(t);
      late_.Increment();
      deliver(t, 503,
              unavailable(shard,
                          is_read ? "no answer within the time limit; try again"
                                  : "no answer within the time limit; send it again under the same key",
                          outcome::unknown));
    }
    under_way_.Set(static_cast<double>(state_.under_way.size()));
    for (std::size_t n = 1; n < state_.shards.size(); ++n)
      credits_used_[n - 1]->Set(state_.shards[n].in_flight);
    check_drained();
  }

  /// Whether somebody leads them now. Who has waited as long as he may is told that it is not stored, as far as that is known.
  void on_look() {
    state_.looking = false;
    const auto oldest_ns = env_.clock.now_ns() - std::int64_t{options_.cluster.leader_wait_ms} * 1'000'000;
    for (const auto t : std::exchange(state_.leaderless, {})) {
      const auto found = state_.under_way.find(t);
      if (found == state_.under_way.end() || !found->second.held)
        continue;
      if (found->second.no_leader_ns > oldest_ns) {
        send_to_leader(t, found->second);
        continue;
      }
      const auto known = found->second.unknown || found->second.is_read ? outcome::unknown : outcome::not_stored;
      const auto shard = found->second.shard;
      leave(t);
      deliver(t, 503, unavailable(shard, "no node leads the shard just now; try again", known));
    }
    check_drained();
  }

  caf::result<bool> on_drain() {
    state_.draining = true;
    state_.drained = self_->make_response_promise<bool>();
    auto promise = *state_.drained;
    check_drained();
    return promise;
  }

  status_report_ptr status() const {
    return std::make_shared<const status_report>(status_report{
        "gateway", state_.draining ? "draining" : "running", {{"under way", std::to_string(state_.under_way.size())}}});
  }

private:
  /// The shard to send to; null when the ticket was refused here.
  gateway_state::shard* route(ticket t, std::uint32_t number) {
    if (state_.draining && state_.inner_requests.count(t) == 0) {
      refuse(t, "this node is stopping; try again");
      return nullptr;
    }
    if (!catalog_.ready()) {
      refuse(t, "the studies are being read; try again");
      return nullptr;
    }
    if (number == 0 || number >= state_.shards.size() || (!is_clustered() && state_.shards[number].region == nullptr)) {
      refuse(t, "the shard is starting; try again");
      return nullptr;
    }
    auto& shard = state_.shards[number];
    if (shard.in_flight >= options_.in_flight_per_shard_max) {
      no_credit_.Increment();
      refuse(t, "the shard has as many requests in hand as it may; try again");
      return nullptr;
    }
    return &shard;
  }

  gateway_state::shard* route_inner(ticket t, std::uint32_t number, gateway_state::inner who, bool is_read) {
    state_.inner_requests.emplace(t, std::move(who));
    auto* shard = route(t, number);
    if (shard != nullptr)
      enter(t, number, is_read);
    return shard;
  }

  gateway_state::waiting& enter(ticket t, std::uint32_t shard, bool is_read) {
    auto& entered = state_.under_way[t];
    entered.shard = shard;
    entered.is_read = is_read;
    state_.deadlines.emplace_back(env_.clock.now_ns() + std::int64_t{options_.request_limit_ms} * 1'000'000, t);
    ++state_.shards[shard].in_flight;
    // Answered tickets stay in this queue until their limit; it is kept in proportion to what is under way.
    if (state_.deadlines.size() > 2 * state_.under_way.size() + 4096)
      std::erase_if(state_.deadlines, [this](const auto& d) { return state_.under_way.count(d.second) == 0; });
    return entered;
  }

  // ---- shards that are led by other nodes, or by nobody just now ------------------------------------------------------------

  bool is_clustered() const { return options_.cluster.shards != nullptr; }

  void send_to_leader(ticket t, gateway_state::waiting& w) {
    const auto where = options_.cluster.shards->where(w.shard);
    const auto& region = state_.shards[w.shard].region;
    if ((where.here || (w.is_read && mutated(mutation::read_at_follower))) && region != nullptr) {
      w.node.clear();
      w.held = false;
      if (w.is_read)
        self_->send(region, read_atom::value, t, w.read, list_client{self_});
      else if (w.change != nullptr)
        self_->send(region, change_atom::value, t, w.change, reply_receiver{self_});
      else
        self_->send(region, submit_atom::value, t, w.submission, reply_receiver{self_});
    } else if (!where.here && !where.leader.empty() && state_.router != nullptr) {
      w.node = where.leader;
      w.held = false;
      if (w.is_read)
        self_->send(state_.router, read_atom::value, w.node, t, w.read, list_client{self_});
      else if (w.change != nullptr)
        self_->send(state_.router, change_atom::value, w.node, t, w.change, reply_receiver{self_});
      else
        self_->send(state_.router, submit_atom::value, w.node, t, w.submission, reply_receiver{self_});
    } else {
      hold(t, w);
    }
  }

  void hold(ticket t, gateway_state::waiting& w) {
    w.node.clear();
    w.held = true;
    if (w.no_leader_ns == 0)
      w.no_leader_ns = env_.clock.now_ns();
    state_.leaderless.push_back(t);
    if (!std::exchange(state_.looking, true))
      self_->delayed_send(self_, look_period, changed_atom::value);
  }

  bool wait_for_leader(ticket t) {
    const auto found = state_.under_way.find(t);
    if (found == state_.under_way.end())
      return false;
    hold(t, found->second);
    return true;
  }

  /// True: it is no answer yet. A request that may have been stored is sent once more under the same key, which settles it.
  bool is_tried_elsewhere(reply& r) {
    if (!is_clustered() || r.status != 503)
      return false;
    const auto found = state_.under_way.find(r.to);
    if (found == state_.under_way.end() || found->second.is_read)
      return false;
    auto& w = found->second;
    if (r.hint == elsewhere::yes || (r.hint == elsewhere::after_that && !std::exchange(w.again, true))) {
      w.unknown = w.unknown || r.hint == elsewhere::after_that;
      hold(r.to, w);
      return true;
    }
    if (w.unknown) // that this attempt stored nothing says nothing of the first one
      r.body = unavailable_text("its shard changed its leader; send it again under the same key", outcome::unknown);
    return false;
  }

  /// False when the ticket is not under way (any more).
  bool leave(ticket t) {
    auto found = state_.under_way.find(t);
    if (found == state_.under_way.end())
      return false;
    --state_.shards[found->second.shard].in_flight;
    state_.under_way.erase(found);
    return true;
  }

  void deliver(ticket t, int status, std::string body) {
    replies one;
    one.push_back({t, status, std::move(body), status == 503 ? options_.retry_after_s : 0});
    give(std::move(one));
  }

  /// To whoever asked: HTTP, or for its own sake the FHIR service.
  void give(replies batch) {
    if (!state_.inner_requests.empty())
      std::erase_if(batch, [this](reply& r) { return given_to_inner(r); });
    if (!batch.empty())
      sink_.deliver(std::move(batch));
  }

  bool given_to_inner(reply& r) {
    const auto found = state_.inner_requests.find(r.to);
    if (found == state_.inner_requests.end())
      return false;
    auto who = std::move(found->second);
    state_.inner_requests.erase(found);
    if (who.receiver != nullptr)
      self_->send(who.receiver, reply_atom::value, std::make_shared<replies>(replies{std::move(r)}));
    else
      self_->send(who.reader, list_atom::value, r.to, who.what, stored_events_ptr{}, caf::make_error(ec::not_serving));
    return true;
  }

  /// With the FHIR service it is an OperationOutcome.
  static std::string unavailable(std::uint32_t shard, std::string_view sentence, outcome known) {
    if (shard != 0)
      return unavailable_text(sentence, known);
    return domain::outcome_text("transient", sentence, known == outcome::not_stored ? "not_stored" : "unknown");
  }

  void refuse(ticket t, std::string_view sentence) { deliver(t, 503, unavailable_text(sentence, outcome::not_stored)); }

  void deliver_read(ticket t, const read_request& r, const std::vector<stored_event>& events) {
    const auto snapshot = catalog_.get();
    const auto study = snapshot->studies.find(r.study);
    const auto site = study == snapshot->studies.end() ? std::nullopt : study->second->site_of(r.subject);
    if (events.empty() && (r.id || !site)) {
      deliver(t, 404, error_text(r.id ? "the subject has no submission with this receipt" : "unknown study or subject"));
      return;
    }
    auto text = r.id ? submission_text(r, events.front(), sink_.body_buffer())
                     : history_text(r, site.value_or(std::string{}), events, sink_.body_buffer());
    if (text.empty()) {
      env_.log.error("gateway", "a stored event could not be decoded", {{"shard", r.shard}});
      deliver(t, 500, error_text("a stored submission could not be decoded; the operator has been told"));
    } else {
      deliver(t, 200, std::move(text));
    }
  }

  void on_down(const caf::down_msg& down) {
    if (state_.fhir != nullptr && state_.fhir.address() == down.source) {
      state_.fhir = nullptr;
      fail_those_of(0, "the FHIR service was restarted; try again");
    }
    for (std::uint32_t n = 1; n < state_.shards.size(); ++n) {
      if (state_.shards[n].region != nullptr && state_.shards[n].region.address() == down.source) {
        state_.shards[n].region = nullptr;
        fail_those_of(n, "the shard was restarted; try again");
      }
    }
  }

  void fail_those_of(std::uint32_t shard, std::string_view sentence) {
    fail_if([shard](const auto& w) { return w.shard == shard && w.node.empty() && !w.held; }, sentence);
  }

  void fail_reads() {
    fail_if([](const auto& w) { return w.is_read && w.node.empty() && !w.held; },
            "a reader of the store was restarted; try again");
  }

  template <class Predicate>
  void fail_if(Predicate&& concerned, std::string_view sentence) {
    replies all;
    for (const auto& [t, w] : state_.under_way)
      if (concerned(w))
        all.push_back(
            {t, 503,
             unavailable(w.shard, sentence, mutated(mutation::waited_as_not_stored) ? outcome::not_stored : outcome::unknown),
             options_.retry_after_s});
    for (const auto& r : all)
      leave(r.to);
    give(std::move(all));
    check_drained();
  }

  void check_drained() {
    if (state_.drained && state_.under_way.empty()) {
      state_.drained->deliver(true);
      state_.drained.reset();
    }
  }

  gateway_pointer self_;
  gateway_state& state_;
  const runtime::environment& env_;
  gateway_options options_;
  runtime::reply_sink& sink_;
  const runtime::catalog_view& catalog_;
  prometheus::Gauge& under_way_;
  prometheus::Counter &no_credit_, &late_;
  std::vector<prometheus::Gauge*> credits_used_; ///< by shard, from the first one
};

} // namespace

gateway_actor::behavior_type gateway(gateway_pointer self, const runtime::environment& env, gateway_options options,
                                     runtime::reply_sink& sink, const runtime::catalog_view& catalog) {
  runtime::prepare(self, env, "gateway");
  auto w = std::make_shared<gateway_work>(self, env, options, sink, catalog);
  w->start();
  return {
      [w](submit_atom, ticket t, const submission_ptr& s) { w->on_submit(t, s); },
      [w](read_atom, ticket t, const read_request_ptr& r) { w->on_read(t, r); },
      [w](fhir_atom, ticket t, const fhir_request_ptr& r) { w->on_fhir(t, r); },
      [w](submit_atom, ticket t, const submission_ptr& s, const reply_receiver& receiver) { w->on_submit_for(t, s, receiver); },
      [w](read_atom, ticket t, const read_request_ptr& r, const list_client& reader) { w->on_read_for(t, r, reader); },
      [w](change_atom, ticket t, const change_request_ptr& c, const reply_receiver& receiver) {
        w->on_change_for(t, c, receiver);
      },
      [w](reply_atom, const replies_ptr& batch) { w->on_replies(batch); },
      [w](list_atom, ticket t, const read_request_ptr& r, const stored_events_ptr& events, const caf::error& why) {
        w->on_list(t, r, events, why);
      },
      [w](changed_atom, const std::string& name, const caf::strong_actor_ptr& actor) { w->on_changed(name, actor); },
      [w](changed_atom) { w->on_look(); },
      [w](caf::tick_atom) { w->on_tick(); },
      [w](drain_atom) { return w->on_drain(); },
      [w](status_atom) -> status_report_ptr { return w->status(); },
  };
}

} // namespace epione::actors
