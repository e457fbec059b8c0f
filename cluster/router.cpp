#include "cluster/router.hpp"

#include "cluster/claims.hpp"
#include "runtime/defaults.hpp"
#include "runtime/directory.hpp"
#include "runtime/error_text.hpp"
#include "runtime/mutation.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

namespace epione::cluster {

using namespace messages;
using caf::make_error;
using runtime::mutated;
using runtime::mutation;

namespace {

using router_pointer = router_actor::stateful_pointer<router_state>;

constexpr std::chrono::milliseconds router_tick{50};
constexpr std::int64_t claims_period_ns = 300'000'000, claims_valid_ns = 2'000'000'000;
constexpr std::chrono::milliseconds margin{1'000}; // of what is kept above the time limit of who waits for it

struct router_metrics {
  prometheus::Counter &forwarded, &taken, &lost;
  prometheus::Gauge& under_way;
};

router_metrics make_router_metrics(runtime::metrics& m) {
  return {m.counter("epione_requests_forwarded_total", "Requests sent to the node that leads their shard"),
          m.counter("epione_requests_taken_total", "Requests of other nodes for shards that this one leads"),
          m.counter("epione_requests_lost_total", "Requests whose node was lost before it had answered"),
          m.gauge("epione_requests_forwarded", "Requests that wait for another node's answer")};
}

/// Who answers questions of a kind.
const char* name_of(routed_kind kind) {
  switch (kind) {
    case routed_kind::snapshots: return "snapshots";
    case routed_kind::steward: return "steward";
    case routed_kind::console: return "console bridge";
    default: return "";
  }
}

class router_work {
public:
  router_work(router_pointer self, const runtime::environment& env, router_options options, const peer_view& peers,
              runtime::shard_view& shards)
      : self_(self), state_(self->state), env_(env), options_(std::move(options)), peers_(peers), shards_(shards),
        metrics_(make_router_metrics(env.metrics)) {}

  void start() {
    // Not where the router before it began, if there was one: the answers to that one's requests may still come over the same
    // links, and would be taken for answers to this one's. A patient would be told that a form is stored that is not.
    if (!mutated(mutation::router_counts_anew))
      state_.next_number += env_.random.next() >> 2;
    state_.regions.resize(options_.shards + 1);
    // What the router before it heard grows old as well.
    for (const auto& node : shards_.claimants())
      state_.claimed_ns[node] = env_.clock.now_ns();
    env_.directory->subscribe(runtime::directory_subscriber{self_});
    self_->delayed_send(self_, router_tick, caf::tick_atom::value);
  }

  // ---- from this node ----------------------------------------------------------------------------------------------------

  void on_submit(const std::string& node, ticket t, const submission_ptr& s, const reply_receiver& who) {
    router_state::sent x;
    x.kind = routed_kind::submit;
    x.to = t;
    x.replies = who;
    if (!send(node, std::move(x), std::chrono::milliseconds{options_.request_limit_ms}, encode_routed(*s)))
      refuse(who, t);
  }

  void on_change(const std::string& node, ticket t, const change_request_ptr& c, const reply_receiver& who) {
    router_state::sent x;
    x.kind = routed_kind::submit;
    x.to = t;
    x.replies = who;
    if (!send(node, std::move(x), std::chrono::milliseconds{options_.request_limit_ms}, encode_routed(*c)))
      refuse(who, t);
  }

  void on_read(const std::string& node, ticket t, const read_request_ptr& r, const list_client& who) {
    router_state::sent x;
    x.kind = routed_kind::read;
    x.to = t;
    x.lists = who;
    x.read = r;
    if (!send(node, std::move(x), std::chrono::milliseconds{options_.request_limit_ms}, encode_routed(*r)))
      self_->send(who, list_atom::value, t, r, stored_events_ptr{}, make_error(ec::not_serving));
  }

  caf::result<bytes_ptr> on_ask(const std::string& node, routed_kind kind, const bytes_ptr& question, std::uint32_t limit_ms) {
    auto answer = self_->make_response_promise<bytes_ptr>();
    if (node == options_.node) {
      ask_here(node, kind, question, limit_ms,
               [answer](ec error, const std::string& text) mutable { deliver(answer, error, text); });
      return answer;
    }
    router_state::sent x;
    x.kind = kind;
    x.question = answer;
    if (!send(node, std::move(x), std::chrono::milliseconds{limit_ms}, encode_question(kind, *question)))
      answer.deliver(make_error(ec::not_serving, "there is no link with node " + node));
    return answer;
  }

  // ---- from other nodes --------------------------------------------------------------------------------------------------

  void on_receive(const std::string& node, parcel_kind kind, std::uint64_t number, const bytes_ptr& bytes) {
    runtime::fault_point(env_.faults, "router.receive");
    if (kind == parcel_kind::request)
      take_request(node, number, *bytes);
    else if (kind == parcel_kind::reply)
      take_answer(node, number, *bytes);
    else if (kind == parcel_kind::cast)
      take_claims(node, *bytes);
  }

  void on_replies(const replies_ptr& batch) {
    for (const auto& r : *batch) {
      const auto found = state_.in_hand.find(r.to);
      if (found == state_.in_hand.end())
        continue;
      answer(found->second.node, found->second.number, encode_answer(r));
      state_.in_hand.erase(found);
    }
  }

  void on_list(ticket t, const stored_events_ptr& events, const caf::error& why) {
    const auto found = state_.in_hand.find(t);
    if (found == state_.in_hand.end())
      return;
    const auto code = why ? runtime::code_of(why).value_or(ec::not_serving) : ec::none;
    answer(found->second.node, found->second.number, encode_answer(code == ec::none ? events.get() : nullptr, code));
    state_.in_hand.erase(found);
  }

  void on_changed(const std::string& name, const caf::strong_actor_ptr& actor) {
    constexpr std::string_view region = "region ";
    if (name.compare(0, region.size(), region) != 0)
      return;
    const auto n = std::stoul(name.substr(region.size()));
    if (n == 0 || n >= state_.regions.size())
      return;
    // What the last one had in hand will not be answered.
    for (auto at = state_.in_hand.begin(); at != state_.in_hand.end();) {
      const auto& x = at->second;
      if (x.shard != n) {
        ++at;
        continue;
      }
      answer(x.node, x.number,
             x.is_read ? encode_answer(nullptr, ec::not_serving)
                       : encode_answer(reply{0, 503, no_way(outcome::unknown), 1, elsewhere::after_that, {}}));
      at = state_.in_hand.erase(at);
    }
    state_.regions[n] = caf::actor_cast<shard_region_actor>(actor);
  }

  /// A link that ended answers nothing any more, also when there is another one already; nor does a program that was started
  /// again.
  void on_tick() {
    self_->delayed_send(self_, router_tick, caf::tick_atom::value);
    const auto now = env_.clock.now_ns();
    std::map<std::string, std::pair<std::uint64_t, std::int64_t>> there; // nodes: their program, and since when they are linked
    for (const auto& p : peers_.all())
      if (p.linked)
        there[p.node] = {p.incarnation, p.since_us};
    std::vector<std::uint64_t> lost;
    for (const auto& [number, x] : state_.waiting) {
      const auto link = there.find(x.node);
      if (link == there.end() || link->second != std::pair{x.incarnation, x.linked_since_us} || now >= x.until_ns)
        lost.push_back(number);
    }
    std::sort(lost.begin(), lost.end()); // the same order in every run of a simulation
    for (const auto number : lost)
      lose(number);
    std::erase_if(state_.in_hand, [now](const auto& x) { return now >= x.second.until_ns; });
    metrics_.under_way.Set(static_cast<double>(state_.waiting.size()));
    if (now >= state_.claims_due_ns)
      tell_claims(now);
    std::erase_if(state_.claimed_ns, [&](const auto& x) {
      const bool gone = !there.contains(x.first) || now - x.second > claims_valid_ns;
      if (gone)
        shards_.forget(x.first);
      return gone;
    });
  }

  status_report_ptr status() const {
    return std::make_shared<const status_report>(
        status_report{"router",
                      "running",
                      {{"sent", std::to_string(state_.waiting.size())}, {"in hand", std::to_string(state_.in_hand.size())}}});
  }

private:
  static void deliver(caf::typed_response_promise<bytes_ptr>& answer, ec error, const std::string& text) {
    if (error == ec::none)
      answer.deliver(std::make_shared<const std::string>(text));
    else
      answer.deliver(make_error(error, text));
  }

  std::int64_t until(std::chrono::milliseconds limit) const {
    return env_.clock.now_ns() + std::chrono::nanoseconds{limit}.count();
  }

  peer_link_actor link(const std::string& node) const { return env_.directory->get<peer_link_actor>("peer " + node); }

  /// False: there is no link.
  bool send(const std::string& node, router_state::sent x, std::chrono::milliseconds limit, std::string bytes) {
    const auto peer = peers_.get(node);
    const auto to = link(node);
    if (!peer || !peer->linked || to == nullptr)
      return false;
    const auto number = state_.next_number++;
    x.node = node;
    x.incarnation = peer->incarnation;
    x.linked_since_us = peer->since_us;
    x.until_ns = until(limit + margin);
    state_.waiting.emplace(number, std::move(x));
    metrics_.forwarded.Increment();
    const auto request = std::make_shared<const std::string>(std::move(bytes));
    self_->send(to, send_atom::value, parcel_kind::request, number, request);
    if (mutated(mutation::request_sent_twice))
      self_->send(to, send_atom::value, parcel_kind::request, state_.next_number++, request);
    return true;
  }

  void answer(const std::string& node, std::uint64_t number, std::string bytes) {
    if (const auto to = link(node); to != nullptr)
      self_->send(to, send_atom::value, parcel_kind::reply, number, std::make_shared<const std::string>(std::move(bytes)));
  }

  void refuse(const reply_receiver& who, ticket t) {
    reply_to(who, {t, 503, no_way(outcome::not_stored), 1, elsewhere::yes, {}});
  }

  void reply_to(const reply_receiver& who, reply r) {
    auto one = std::make_shared<replies>();
    one->push_back(std::move(r));
    self_->send(who, reply_atom::value, replies_ptr{std::move(one)});
  }

  static std::string no_way(outcome known) {
    return std::string{R"({"error":"the node that leads the shard cannot be reached; try again","outcome":")"} +
           (known == outcome::not_stored ? "not_stored" : "unknown") + "\"}";
  }

  void lose(std::uint64_t number) {
    const auto found = state_.waiting.find(number);
    auto x = std::move(found->second);
    state_.waiting.erase(found);
    metrics_.lost.Increment();
    switch (x.kind) {
      case routed_kind::submit: reply_to(x.replies, {x.to, 503, no_way(outcome::unknown), 1, elsewhere::after_that, {}}); break;
      case routed_kind::read:
        self_->send(x.lists, list_atom::value, x.to, x.read, stored_events_ptr{}, make_error(ec::not_serving));
        break;
      default: x.question.deliver(make_error(ec::time_limit, "node " + x.node + " did not answer in time, or its link ended"));
    }
  }

  void tell_claims(std::int64_t now) {
    state_.claims_due_ns = now + claims_period_ns;
    bytes_ptr bytes;
    for (const auto& p : peers_.all())
      if (const auto to = link(p.node); p.linked && to != nullptr) {
        if (bytes == nullptr)
          bytes = std::make_shared<const std::string>(encode_claims({shards_.led_here(), shards_.draining()}));
        self_->send(to, send_atom::value, parcel_kind::cast, std::uint64_t{0}, bytes);
      }
  }

  void take_claims(const std::string& node, const std::string& bytes) {
    auto said = decode_claims(bytes, node);
    if (!said)
      return; // a later version may say something else
    shards_.claim(node, std::move(said->led), said->draining);
    state_.claimed_ns[node] = env_.clock.now_ns();
  }

  void take_request(const std::string& node, std::uint64_t number, const std::string& bytes) {
    auto request = decode_routed(bytes);
    if (!request) {
      env_.log.warning("router", "a request of another node cannot be read", {{"node", node}, {"why", request.error()}});
      return; // its limit decides
    }
    metrics_.taken.Increment();
    if (request->kind == routed_kind::submit || request->kind == routed_kind::read || request->kind == routed_kind::change)
      return take_for_region(node, number, std::move(*request));
    const auto kind = request->kind;
    ask_here(node, kind, std::make_shared<const std::string>(std::move(request->question)), runtime::defaults::question_limit_ms,
             [this, node, number, kind](ec error, const std::string& text) {
               answer(node, number, encode_answer(kind, error, text));
             });
  }

  void take_for_region(const std::string& node, std::uint64_t number, routed_request request) {
    const bool is_read = request.kind == routed_kind::read;
    const bool is_change = request.kind == routed_kind::change;
    const auto shard = is_read ? request.read.shard : is_change ? request.change.shard : request.what.shard;
    const bool known = shard > 0 && shard < state_.regions.size() && state_.regions[shard] != nullptr;
    if (!known || state_.in_hand.size() >= options_.under_way_max) {
      if (is_read)
        answer(node, number, encode_answer(nullptr, ec::not_serving));
      else
        answer(node, number,
               encode_answer(reply{0, 503, no_way(outcome::not_stored), 1, known ? elsewhere::no : elsewhere::yes, {}}));
      return;
    }
    const auto t = state_.next_number++;
    state_.in_hand.emplace(
        t,
        router_state::taken{node, number, until(std::chrono::milliseconds{options_.request_limit_ms} + margin), shard, is_read});
    if (is_read) {
      self_->send(state_.regions[shard], read_atom::value, t, std::make_shared<const read_request>(std::move(request.read)),
                  list_client{self_});
    } else if (is_change) {
      request.change.received_ns = env_.clock.now_ns();
      for (auto& x : request.change.changes)
        x.what.received_ns = request.change.received_ns;
      self_->send(state_.regions[shard], change_atom::value, t, std::make_shared<const change_request>(std::move(request.change)),
                  reply_receiver{self_});
    } else {
      request.what.received_ns = env_.clock.now_ns();
      self_->send(state_.regions[shard], submit_atom::value, t, std::make_shared<const submission>(std::move(request.what)),
                  reply_receiver{self_});
    }
  }

  void take_answer(const std::string& node, std::uint64_t number, const std::string& bytes) {
    const auto found = state_.waiting.find(number);
    if (found == state_.waiting.end() || found->second.node != node)
      return; // came too late
    auto a = decode_answer(bytes);
    if (!a || a->kind != found->second.kind) {
      env_.log.warning("router", "an answer of another node cannot be read",
                       {{"node", node}, {"why", a ? std::string{"it is one to another kind of request"} : a.error()}});
      lose(number);
      return;
    }
    auto x = std::move(found->second);
    state_.waiting.erase(found);
    if (x.kind == routed_kind::submit) {
      a->answer.to = x.to;
      reply_to(x.replies, std::move(a->answer));
    } else if (x.kind == routed_kind::read) {
      const bool good = a->error == ec::none;
      self_->send(x.lists, list_atom::value, x.to, x.read,
                  good ? std::make_shared<const std::vector<stored_event>>(std::move(a->events)) : stored_events_ptr{},
                  good ? caf::error{} : make_error(a->error));
    } else {
      deliver(x.question, a->error, a->text);
    }
  }

  template <class F>
  void ask_here(const std::string& node, routed_kind kind, const bytes_ptr& question, std::uint32_t limit_ms, F answered) {
    const auto who = env_.directory->get<question_receiver>(name_of(kind));
    if (who == nullptr)
      return answered(ec::not_serving, "node " + options_.node + " is not ready for that");
    self_->request(who, std::chrono::milliseconds{limit_ms}, ask_atom::value, node, question)
        .then([answered](const bytes_ptr& text) mutable { answered(ec::none, *text); },
              [answered](caf::error& why) mutable {
                answered(runtime::code_of(why).value_or(ec::time_limit), runtime::sentence_of(why));
              });
  }

  router_pointer self_;
  router_state& state_;
  const runtime::environment& env_;
  router_options options_;
  const peer_view& peers_;
  runtime::shard_view& shards_;
  router_metrics metrics_;
};

} // namespace

router_actor::behavior_type router(router_pointer self, const runtime::environment& env, router_options options,
                                   const peer_view& peers, runtime::shard_view& shards) {
  runtime::prepare(self, env, "router");
  auto w = std::make_shared<router_work>(self, env, std::move(options), peers, shards);
  w->start();
  return {
      [w](submit_atom, const std::string& node, ticket t, const submission_ptr& s, const reply_receiver& who) {
        w->on_submit(node, t, s, who);
      },
      [w](change_atom, const std::string& node, ticket t, const change_request_ptr& c, const reply_receiver& who) {
        w->on_change(node, t, c, who);
      },
      [w](read_atom, const std::string& node, ticket t, const read_request_ptr& r, const list_client& who) {
        w->on_read(node, t, r, who);
      },
      [w](ask_atom, const std::string& node, routed_kind kind, const bytes_ptr& question, std::uint32_t limit_ms) {
        return w->on_ask(node, kind, question, limit_ms);
      },
      [w](receive_atom, const std::string& node, parcel_kind kind, std::uint64_t number, const bytes_ptr& bytes) {
        w->on_receive(node, kind, number, bytes);
      },
      [w](reply_atom, const replies_ptr& batch) { w->on_replies(batch); },
      [w](list_atom, ticket t, const read_request_ptr&, const stored_events_ptr& events, const caf::error& why) {
        w->on_list(t, events, why);
      },
      [w](changed_atom, const std::string& name, const caf::strong_actor_ptr& actor) { w->on_changed(name, actor); },
      [w](caf::tick_atom) { w->on_tick(); },
      [w](status_atom) { return w->status(); },
  };
}

} // namespace epione::cluster
