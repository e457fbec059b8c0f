#include "cluster/steward.hpp"

#include "domain/event.hpp"
#include "runtime/defaults.hpp"
#include "runtime/directory.hpp"
#include "runtime/error_text.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

namespace epione::cluster {

using namespace messages;
using caf::make_error;
using domain::cluster_state;
using domain::node_phase;
namespace defaults = runtime::defaults;

namespace {

using steward_pointer = steward_actor::stateful_pointer<steward_state>;
using steward_promise = caf::typed_response_promise<bytes_ptr>;

constexpr const char* steward_part = "steward";
constexpr std::chrono::milliseconds steward_tick{250};
constexpr std::int64_t ms_ns = 1'000'000;

class steward_work : public std::enable_shared_from_this<steward_work> {
public:
  steward_work(steward_pointer self, const runtime::environment& env, steward_options options,
               const runtime::cluster_view& cluster, runtime::shard_view& shards, const peer_view& peers)
      : self_(self), state_(self->state), env_(env), options_(std::move(options)), cluster_(cluster), shards_(shards),
        peers_(peers),
        steps_(env.metrics.counter("epione_membership_steps_total", "Changes of groups' members asked for by this node")),
        moves_(env.metrics.counter("epione_leadership_moves_total", "Leaderships moved to spread them evenly")),
        replica_moves_(
            env.metrics.counter("epione_replica_moves_total", "Replicas of shards moved to give every node its share")) {
    state_.draining = shards_.draining(); // as it was told before it was started again
  }

  void on_tick() {
    self_->delayed_send(self_, steward_tick, caf::tick_atom::value);
    settle_record();
    if (state_.draining)
      give_away_what_came_back();
    if (!shards_.where(0).here)
      return;
    const auto nodes = cluster_.get();
    if (nodes == nullptr) {
      if (!state_.record)
        record(options_.founding, options_.node, "the cluster begins", [](ec, const std::string&) {});
      return;
    }
    if (state_.record)
      return;
    if (tell_own_address(*nodes) || forget_who_has_left(*nodes))
      return;
    look_at_groups(*nodes);
  }

  caf::result<bytes_ptr> on_ask(const std::string& node, const bytes_ptr& bytes) {
    auto q = decode_steward_question(*bytes);
    if (!q)
      return make_error(ec::invalid, q.error());
    auto answer = self_->make_response_promise<bytes_ptr>();
    switch (q->verb) {
      case steward_verb::import: import(*q, answer); break;
      case steward_verb::add_form: add_form(*q, answer); break;
      case steward_verb::record: record_event(*q, answer); break;
      case steward_verb::join: join(node, *q, answer); break;
      case steward_verb::change: change(*q, answer); break;
      case steward_verb::transfer: transfer(*q, answer); break;
      case steward_verb::nodes: change_nodes(*q, answer); break;
      case steward_verb::position: say_position(*q, answer); break;
    }
    return answer;
  }

  status_report_ptr status() const {
    return std::make_shared<const status_report>(status_report{steward_part,
                                                               shards_.where(0).here ? "looks after the cluster"
                                                               : state_.draining     ? "gives leaderships away"
                                                                                     : "waits",
                                                               {{"groups asked", std::to_string(state_.asked.size())}}});
  }

private:
  // ---- answers -----------------------------------------------------------------------------------------------------------

  static void say(steward_promise& to, ec error, std::string text, bool changed = false, std::uint64_t seq = 0) {
    to.deliver(std::make_shared<const std::string>(encode(steward_answer{error, std::move(text), changed, seq})));
  }

  /// What cannot be read is of a node of another version: once all have the same it can.
  void import(const steward_question& q, steward_promise answer) {
    auto source = domain::decode_study_source(q.bytes);
    if (!source)
      return say(answer, ec::not_serving, source.error());
    have_imported(answer, import_atom::value, std::make_shared<const domain::study_source>(std::move(*source)), q.text);
  }

  void add_form(const steward_question& q, steward_promise answer) {
    auto addition = domain::decode_form_addition(q.bytes);
    if (!addition)
      return say(answer, ec::not_serving, addition.error());
    have_imported(answer, add_form_atom::value, std::make_shared<const domain::form_addition>(std::move(*addition)));
  }

  template <class... Message>
  void have_imported(steward_promise answer, Message... message) {
    const auto catalog = env_.directory->get<catalog_actor>("catalog");
    if (catalog == nullptr || !shards_.where(0).here)
      return say(answer, ec::not_serving, "node " + options_.node + " does not lead group 0; nothing was stored, try again");
    self_->request(catalog, std::chrono::milliseconds{defaults::import_answer_limit_ms}, std::move(message)...)
        .then(
            [answer](const std::string& id, bool changed, std::uint64_t seq) mutable { say(answer, ec::none, id, changed, seq); },
            [answer](caf::error& why) mutable { say_error(answer, why); });
  }

  void record_event(const steward_question& q, steward_promise answer) {
    auto event = domain::decode_event(q.bytes);
    if (!event)
      return say(answer, ec::invalid, event.error());
    with_catalog(std::move(*event), [answer](ec error, const std::string& text) mutable { say(answer, error, text); });
  }

  /// The code goes beside the text, which is a client's or an operator's to read.
  static void say_error(steward_promise& answer, const caf::error& why) {
    say(answer, runtime::code_of(why).value_or(ec::time_limit), runtime::sentence_of(why));
  }

  void change(const steward_question& q, steward_promise answer) {
    const auto replica = env_.directory->get<replica_actor>("replica " + std::to_string(q.group));
    if (replica == nullptr)
      return say(answer, ec::not_serving, "group " + std::to_string(q.group) + " is not running here");
    self_
        ->request(replica, std::chrono::milliseconds{defaults::membership_step_limit_ms}, change_atom::value,
                  std::make_shared<const server_change>(q.change))
        .then([answer](std::uint64_t index) mutable { say(answer, ec::none, std::to_string(index)); },
              [answer](caf::error& why) mutable { say_error(answer, why); });
  }

  void transfer(const steward_question& q, steward_promise answer) {
    const auto replica = env_.directory->get<replica_actor>("replica " + std::to_string(q.group));
    if (replica == nullptr)
      return say(answer, ec::not_serving, "group " + std::to_string(q.group) + " is not running here");
    self_->request(replica, std::chrono::milliseconds{defaults::membership_step_limit_ms}, transfer_atom::value, q.change.id)
        .then(
            [answer](bool begun) mutable {
              say(answer, begun ? ec::none : ec::not_serving, begun ? "" : "it does not lead, or nobody can take it over");
            },
            [answer](caf::error& why) mutable { say_error(answer, why); });
  }

  void say_position(const steward_question& q, steward_promise answer) {
    const auto replica = env_.directory->get<replica_actor>("replica " + std::to_string(q.group));
    if (replica == nullptr)
      return say(answer, ec::not_serving, "group " + std::to_string(q.group) + " is not running here");
    self_->request(replica, std::chrono::milliseconds{defaults::membership_step_limit_ms}, read_index_atom::value)
        .then([answer](std::uint64_t index) mutable { say(answer, ec::none, std::to_string(index)); },
              [answer](caf::error& why) mutable { say_error(answer, why); });
  }

  // ---- the list of nodes -------------------------------------------------------------------------------------------------

  /// A change of the list goes into group 0 one at a time, and counts once the catalog shows it.
  void record(const cluster_state& next, const std::string& entity, const std::string& reason,
              std::function<void(ec, const std::string&)> done, const std::string& who = "system") {
    const auto now = cluster_.get();
    domain::event event;
    event.time_us = env_.clock.wall_us();
    event.who = who;
    event.role = who == "system" ? "system" : "operator";
    event.action = domain::cluster_change_action;
    event.entity = entity;
    if (now != nullptr)
      event.before = domain::encode(*now);
    event.after = domain::encode(next);
    event.reason = reason;
    env_.log.info(steward_part, "changes the list of nodes", {{"node", entity}, {"why", reason}});
    state_.record = steward_state::pending_record{cluster_.changes(),
                                                  env_.clock.now_ns() + std::int64_t{defaults::membership_step_limit_ms} * ms_ns,
                                                  false, std::move(done)};
    with_catalog(std::move(event), [keep = shared_from_this()](ec error, const std::string& text) {
      auto& pending = keep->state_.record;
      if (!pending)
        return;
      pending->durable = error == ec::none;
      if (error != ec::none) {
        auto ended = std::exchange(pending, std::nullopt);
        ended->done(error, text);
      }
      keep->settle_record();
    });
  }

  void settle_record() {
    if (!state_.record)
      return;
    const bool shown = state_.record->durable && cluster_.changes() > state_.record->changes;
    if (!shown && env_.clock.now_ns() < state_.record->until_ns)
      return;
    auto ended = std::exchange(state_.record, std::nullopt);
    ended->done(shown ? ec::none : ec::time_limit, shown ? "" : "whether the list of nodes was changed is unknown; try again");
  }

  template <class F>
  void with_catalog(domain::event event, F done) {
    const auto catalog = env_.directory->get<catalog_actor>("catalog");
    if (catalog == nullptr || !shards_.where(0).here)
      return done(ec::not_serving, "node " + options_.node + " does not lead group 0; try again");
    self_
        ->request(catalog, std::chrono::milliseconds{defaults::membership_step_limit_ms}, record_atom::value,
                  std::make_shared<const domain::event>(std::move(event)))
        .then(
            [done](bool) mutable { done(ec::none, std::string{}); },
            [done](caf::error& why) mutable { done(runtime::code_of(why).value_or(ec::time_limit), runtime::sentence_of(why)); });
  }

  bool may_change(steward_promise& answer) {
    if (!shards_.where(0).here || cluster_.get() == nullptr) {
      say(answer, ec::not_serving, "node " + options_.node + " does not lead group 0; try again");
      return false;
    }
    if (state_.record) {
      say(answer, ec::not_serving, "another change of the nodes is under way; try again");
      return false;
    }
    return true;
  }

  void join(const std::string& node, const steward_question& q, steward_promise answer) {
    if (!may_change(answer))
      return;
    if (node != q.text)
      return say(answer, ec::invalid, "node " + node + " asks for " + q.text + ", whose certificate it does not have");
    auto next = *cluster_.get();
    auto* n = next.find(node);
    if (n == nullptr)
      return say(answer, ec::not_found,
                 "node " + node + " is not in the cluster; say on one that is: epione cluster join " + node + " --peer " +
                     q.text3);
    if (n->phase == node_phase::member && !q.text2.empty() && n->joined_as == q.text2)
      return grant(*n, answer);          // its answer was lost
    if (n->phase == node_phase::leaving) // the one that asks waits and asks again
      return say(answer, ec::not_serving, "node " + node + " is still being taken out of the cluster");
    if (n->phase != node_phase::invited)
      return say(answer, ec::invalid,
                 "node " + node + " belongs to the cluster already, as server " + std::to_string(n->server_id) +
                     ", and its data directory is empty. If its old directory is lost, say: epione cluster replace " + node);
    n->phase = node_phase::member;
    n->server_id = next.next_server_id++;
    n->joined_as = q.text2;
    n->peer = q.text3;
    n->http = q.text4;
    n->replaced = false;
    const auto granted = *n;
    record(next, node, "node joins as server " + std::to_string(granted.server_id),
           [keep = shared_from_this(), answer, granted](ec error, const std::string& text) mutable {
             if (error == ec::none)
               keep->grant(granted, answer);
             else
               say(answer, error, text);
           });
  }

  void grant(const domain::cluster_node& n, steward_promise& answer) {
    say(answer, ec::none, encode(join_grant{options_.cluster, n.server_id, options_.shards, domain::encode(*cluster_.get())}));
  }

  void change_nodes(const steward_question& q, steward_promise answer) {
    if (q.text == "drain" || q.text == "undrain") {
      state_.draining = q.text == "drain";
      shards_.set_draining(state_.draining);
      return say(answer, ec::none, state_.draining ? give_leaderships_away() : "node " + options_.node + " may lead again");
    }
    if (!may_change(answer))
      return;
    auto next = *cluster_.get();
    auto* n = next.find(q.text2);
    const auto& name = q.text2;
    std::string reason;
    if (q.text == "invite") {
      if (n != nullptr && n->phase != node_phase::invited)
        return say(answer, ec::invalid, "node " + name + " belongs to the cluster already");
      if (!domain::is_node_name(name))
        return say(answer, ec::invalid, "\"" + name + "\" is no name of a node: letters, digits, - and _, 32 at most");
      if (next.nodes.size() >= defaults::cluster_nodes_max)
        return say(answer, ec::invalid, "a cluster has at most " + std::to_string(defaults::cluster_nodes_max) + " nodes");
      if (n == nullptr)
        n = &next.add({name, {}, {}, node_phase::invited, 0, {}, false});
      n->peer = q.text3;
      reason = "may join";
    } else if (q.text == "leave" || q.text == "replace") {
      if (n == nullptr)
        return say(answer, ec::not_found, "there is no node " + name + " in the cluster");
      if (q.text == "replace" && n->phase == node_phase::invited)
        return say(answer, ec::none, "node " + name + " may join with an empty directory already");
      const auto members =
          std::count_if(next.nodes.begin(), next.nodes.end(), [](const auto& x) { return x.phase == node_phase::member; });
      if (n->phase == node_phase::member && members < 2)
        return say(answer, ec::invalid, "node " + name + " is the only member; without it the cluster has no data");
      if (n->phase == node_phase::invited) {
        next.remove(name);
      } else {
        n->phase = node_phase::leaving;
        n->replaced = q.text == "replace";
      }
      reason = q.text == "leave" ? "leaves" : "is replaced by an empty directory";
    } else {
      return say(answer, ec::invalid, "unknown change of nodes");
    }
    record(
        next, name, reason,
        [answer, name, reason](ec error, const std::string& text) mutable {
          say(answer, error, error == ec::none ? "node " + name + " " + reason : text);
        },
        q.text4.empty() ? "system" : q.text4);
  }

  std::string give_leaderships_away() {
    std::size_t groups = 0;
    for (const auto& [group, v] : shards_.led_here()) {
      ++groups;
      hand_over(group, 0);
    }
    return "node " + options_.node + " gives " + std::to_string(groups) + " leaderships away";
  }

  /// What a draining node leads all the same: it may have won an election. Only to who does not drain, or two would hand each
  /// other the same ones.
  void give_away_what_came_back() {
    for (const auto& [group, v] : shards_.led_here()) {
      const runtime::member_view* to = nullptr;
      for (const auto& m : v.members)
        if (m.role == "voter" && m.node != options_.node && !shards_.is_draining(m.node) &&
            m.heard_within(defaults::raft_election_ms) && (to == nullptr || m.match > to->match))
          to = &m;
      if (to != nullptr)
        hand_over(group, to->id);
    }
  }

  /// To this server; 0: to whoever can take it. What is in the way of that shows in who leads.
  void hand_over(std::uint32_t group, std::uint64_t to) {
    if (const auto replica = env_.directory->get<replica_actor>("replica " + std::to_string(group)); replica != nullptr)
      self_->request(replica, std::chrono::milliseconds{defaults::membership_step_limit_ms}, transfer_atom::value, to)
          .then([](bool) {}, [](caf::error&) {});
  }

  /// The addresses this node was started with may have changed; only the leader of group 0 can say so for itself here, the others
  /// are told by their links.
  bool tell_own_address(const cluster_state& nodes) {
    const auto* n = nodes.find(options_.node);
    if (n == nullptr || n->phase != node_phase::member || (n->peer == options_.peer && n->http == options_.http))
      return false;
    auto next = nodes;
    next.find(options_.node)->peer = options_.peer;
    next.find(options_.node)->http = options_.http;
    record(next, options_.node, "is reached elsewhere now", [](ec, const std::string&) {});
    return true;
  }

  bool forget_who_has_left(const cluster_state& nodes) {
    for (const auto& n : nodes.nodes) {
      if (n.phase != node_phase::leaving || is_anywhere(n.server_id))
        continue;
      auto next = nodes;
      if (n.replaced) {
        auto* again = next.find(n.name);
        again->phase = node_phase::invited;
        again->server_id = 0;
        again->joined_as.clear();
        again->replaced = false;
      } else {
        next.remove(n.name);
      }
      record(next, n.name, n.replaced ? "may join with an empty directory" : "has left", [](ec, const std::string&) {});
      return true;
    }
    return false;
  }

  /// Whether it is still a member of a group, or of one of which nothing is known.
  bool is_anywhere(std::uint64_t id) const {
    for (std::uint32_t g = 0; g <= options_.shards; ++g) {
      const auto v = shards_.best(g);
      if (!v || v->role != "leader" || v->change_under_way ||
          std::any_of(v->members.begin(), v->members.end(), [id](const auto& m) { return m.id == id; }))
        return true;
    }
    return false;
  }

  // ---- groups ------------------------------------------------------------------------------------------------------------

  void look_at_groups(const cluster_state& nodes) {
    const auto now = env_.clock.now_ns();
    std::erase_if(state_.asked, [now](const auto& x) { return x.second.until_ns <= now; });
    const auto groups = led_groups();
    placement wanted{nodes, groups, draining_servers(nodes)};
    for (const auto& [group, x] : state_.asked)
      if (x.change)
        wanted.expect(group, *x.change);
    bool healthy = true;
    for (std::uint32_t g = 0; g <= options_.shards; ++g) {
      const auto& v = groups[g];
      if (!v) {
        healthy = false;
        continue;
      }
      const auto step = wanted.next_step(g);
      const auto asked = state_.asked.find(g);
      const bool changing = asked != state_.asked.end() && asked->second.change;
      healthy = healthy && !step.change && !step.transfer && !changing && is_whole(g, *v);
      if (asked != state_.asked.end() || state_.asked.size() >= defaults::membership_steps_at_once)
        continue;
      if (step.change) {
        ask_for_change(g, *v, *step.change);
        wanted.expect(g, *step.change);
      } else if (step.transfer) {
        ask(g, v->leader, steward_question::transfer(g, *step.transfer));
      }
    }
    const bool moving = move_replicas(nodes, wanted, groups);
    if (!healthy || moving)
      state_.healthy_since_ns = 0;
    else if (state_.healthy_since_ns == 0)
      state_.healthy_since_ns = now;
    else if (now - state_.healthy_since_ns > std::int64_t{defaults::leadership_rest_ms} * ms_ns)
      spread_leaderships(nodes);
  }

  /// By their leaders' own word.
  std::vector<std::optional<runtime::group_view>> led_groups() const {
    std::vector<std::optional<runtime::group_view>> out(options_.shards + 1);
    for (std::uint32_t g = 0; g <= options_.shards; ++g)
      if (auto v = shards_.best(g); v && v->role == "leader")
        out[g] = std::move(v);
    return out;
  }

  std::set<std::uint64_t> draining_servers(const cluster_state& nodes) const {
    std::set<std::uint64_t> out;
    for (const auto& n : nodes.nodes)
      if (n.name == options_.node ? state_.draining : shards_.is_draining(n.name))
        out.insert(n.server_id);
    return out;
  }

  /// One replica at a time in the whole cluster, and only when nothing else has been going on for longer than a node's word of
  /// its groups may be old: so what is decided on is true. False: no replica has to move, or can.
  bool move_replicas(const cluster_state& nodes, const placement& wanted,
                     const std::vector<std::optional<runtime::group_view>>& groups) {
    const auto now = env_.clock.now_ns();
    if (!state_.asked.empty() || !wanted.is_settled()) {
      state_.settled_since_ns = 0;
      return false;
    }
    if (state_.settled_since_ns == 0)
      state_.settled_since_ns = now;
    const auto move = wanted.next_move();
    if (!move || now - state_.settled_since_ns < std::int64_t{defaults::replica_rest_ms} * ms_ns)
      return move.has_value();
    const auto *from = nodes.find_server(move->from), *to = nodes.find_server(move->to);
    env_.log.info(steward_part, "moves a replica", {{"group", move->group}, {"from", from->name}, {"to", to->name}});
    replica_moves_.Increment();
    ask_for_change(move->group, *groups[move->group], {server_change::kind::add, to->server_id, to->name, {}});
    return true;
  }

  /// Every member is a voter, is heard, and has nearly everything.
  static bool is_whole(std::uint32_t group, const runtime::group_view& v) {
    return std::all_of(v.members.begin(), v.members.end(), [&](const auto& m) {
      return (m.role != "stand-by" || group == 0) && m.heard_ms >= 0 && m.heard_ms < std::int64_t{defaults::raft_election_ms} &&
             m.match + defaults::raft_promotion_lag_max >= v.last;
    });
  }

  /// One at a time, and only while nothing is missing: after a restart leaderships move back without a storm.
  void spread_leaderships(const cluster_state& nodes) {
    const auto now = env_.clock.now_ns();
    if (now - state_.balanced_ns < std::int64_t{defaults::leadership_move_ms} * ms_ns)
      return;
    std::map<std::string, std::vector<std::uint32_t>> led;
    for (const auto& n : nodes.nodes)
      if (n.phase == node_phase::member &&
          (n.name == options_.node ? !state_.draining : peers_.linked(n.name) && !shards_.is_draining(n.name)))
        led[n.name];
    for (std::uint32_t g = 0; g <= options_.shards; ++g)
      if (const auto v = shards_.best(g))
        if (const auto at = led.find(v->leader); at != led.end())
          at->second.push_back(g);
    std::vector<std::pair<std::string, std::vector<std::uint32_t>>> by_load{led.begin(), led.end()};
    std::stable_sort(by_load.begin(), by_load.end(),
                     [](const auto& a, const auto& b) { return a.second.size() < b.second.size(); });
    // Who leads least may have no part in what who leads most leads: then others even out.
    for (auto most = by_load.rbegin(); most != by_load.rend(); ++most)
      for (const auto& least : by_load) {
        if (most->second.size() < least.second.size() + 2)
          break;
        if (hand_one_over(most->second, least.first))
          return;
      }
  }

  bool hand_one_over(const std::vector<std::uint32_t>& led, const std::string& to) {
    for (auto g = led.rbegin(); g != led.rend(); ++g) {
      const auto v = shards_.best(*g);
      if (!v || state_.asked.contains(*g))
        continue;
      for (const auto& m : v->members)
        if (m.node == to && m.role == "voter") {
          state_.balanced_ns = env_.clock.now_ns();
          moves_.Increment();
          ask(*g, v->leader, steward_question::transfer(*g, m.id));
          return true;
        }
    }
    return false;
  }

  void ask_for_change(std::uint32_t group, const runtime::group_view& seen, server_change change) {
    change.seen = roster_of(seen);
    ask(group, seen.leader, steward_question::change_members(group, std::move(change)));
  }

  void ask(std::uint32_t group, const std::string& leader, const steward_question& q) {
    const auto router = env_.directory->get<router_actor>("router");
    if (router == nullptr)
      return;
    steps_.Increment();
    const auto limit_ms = defaults::membership_step_limit_ms;
    auto& asked = state_.asked[group];
    asked.until_ns = env_.clock.now_ns() + std::int64_t{limit_ms} * ms_ns;
    if (q.verb == steward_verb::change)
      asked.change = q.change;
    self_
        ->request(router, std::chrono::milliseconds{limit_ms + defaults::console_margin_ms}, ask_atom::value, leader,
                  routed_kind::steward, std::make_shared<const std::string>(encode(q)), limit_ms)
        .then(
            [keep = shared_from_this(), group](const bytes_ptr& bytes) {
              const auto a = decode_steward_answer(*bytes);
              if (a && a->error != ec::none && a->error != ec::not_serving)
                keep->env_.log.warning(steward_part, "a group's members could not be changed",
                                       {{"group", group}, {"why", a->text}});
              // What was begun shows in a moment; until then nothing else is asked of this group.
              auto& asked = keep->state_.asked[group];
              asked.until_ns = keep->env_.clock.now_ns() + std::int64_t{defaults::membership_pause_ms} * ms_ns;
              if (!a || a->error != ec::none)
                asked.change.reset();
            },
            [keep = shared_from_this(), group](caf::error&) { keep->state_.asked.erase(group); });
  }

  steward_pointer self_;
  steward_state& state_;
  const runtime::environment& env_;
  steward_options options_;
  const runtime::cluster_view& cluster_;
  runtime::shard_view& shards_;
  const peer_view& peers_;
  prometheus::Counter &steps_, &moves_, &replica_moves_;
};

} // namespace

steward_actor::behavior_type steward(steward_actor::stateful_pointer<steward_state> self, const runtime::environment& env,
                                     steward_options options, const runtime::cluster_view& cluster, runtime::shard_view& shards,
                                     const peer_view& peers) {
  runtime::prepare(self, env, steward_part);
  auto w = std::make_shared<steward_work>(self, env, std::move(options), cluster, shards, peers);
  self->delayed_send(self, steward_tick, caf::tick_atom::value);
  return {
      [w](ask_atom, const std::string& node, const bytes_ptr& question) { return w->on_ask(node, question); },
      [w](caf::tick_atom) { w->on_tick(); },
      [w](status_atom) { return w->status(); },
  };
}

} // namespace epione::cluster
