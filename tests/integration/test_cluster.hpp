// Several whole nodes in one thread, each with its own actor system and directory, and a network that the test holds in its
// hands.
#pragma once

#include "tests/integration/test_node.hpp"
#include "tests/support/memory_network.hpp"

#include "cluster/peer_link.hpp"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace epione::tests {

class test_cluster {
public:
  struct member {
    std::string name;
    std::unique_ptr<test_node> node;
    std::unique_ptr<cluster::local_identity> identity;
    std::unique_ptr<memory_network::transport> transport;
    std::unique_ptr<node::cluster_parts> parts;
    std::unique_ptr<cluster::peer_event_sender> events;
    std::string directory;
    std::uint64_t server_id = 0; ///< of its directory; 0: it has none
    bool paused = false;
    bool runs() const { return node != nullptr && !node->ended; }
  };

  /// Nodes n1, n2, ... with directories of their own on the disk. The cluster begins on n1, which invites the others.
  test_cluster(runtime::disk& disk, std::size_t nodes) : disk_(disk) {
    for (std::size_t i = 1; i <= nodes; ++i) {
      auto m = std::make_unique<member>();
      m->name = "n" + std::to_string(i);
      m->directory = "/" + m->name;
      members.push_back(std::move(m));
    }
  }
  ~test_cluster() {
    for (auto& m : members)
      crash(*m);
  }

  member& at(std::size_t number) { return *members.at(number - 1); }

  /// Starts a node on what its directory holds. One that is not a member yet has only its links, until join().
  void start(member& m) {
    m.identity = std::make_unique<cluster::local_identity>(m.name, "test", ++incarnations_);
    m.transport = std::make_unique<memory_network::transport>(network, *m.identity);
    m.parts = std::make_unique<node::cluster_parts>(*m.transport, *m.identity);
    auto& p = *m.parts;
    p.name = m.name;
    p.peer = m.name + ".test:7000";
    p.http = "http://" + m.name;
    for (const auto& other : members)
      p.known.push_back({other->name, other->name + ".test", 7000});
    if (m.server_id == 0 && &m == members.front().get()) {
      m.server_id = 1;
      p.founding.replication_factor = 3;
      p.founding.next_server_id = 2;
      for (const auto& other : members)
        p.founding.add({other->name,
                        other->name + ".test:7000",
                        "http://" + other->name,
                        other == members.front() ? domain::node_phase::member : domain::node_phase::invited,
                        other == members.front() ? 1u : 0u,
                        {},
                        false});
    }
    p.founder = m.server_id == 1;
    become(m);
    m.node = std::make_unique<test_node>(disk_, m.directory);
    m.node->clock.ns = now_ns_;
    m.node->random = seeded_random{m.name.back() * 7919u + incarnations_};
    m.node->cluster = m.parts.get();
    m.node->begin(m.server_id != 0);
    m.events = std::make_unique<cluster::peer_event_sender>(m.node->tree->environment().directory);
    m.transport->start(*m.events);
  }

  /// What a node with an empty directory does: asks the others for its place, and begins. False when it was not given one.
  bool join(member& m, std::int64_t limit_ms = 20'000) {
    const auto attempt = "attempt of " + m.name + " " + std::to_string(++incarnations_);
    why_not.clear();
    for (std::int64_t waited = 0; waited < limit_ms; waited += 500) {
      for (const auto& other : members) {
        if (other.get() == &m || !m.parts->peers.linked(other->name))
          continue;
        const auto answer = ask_to_join(m, other->name, attempt);
        if (!answer || answer->error == ec::not_serving || answer->error == ec::time_limit)
          continue;
        if (answer->error != ec::none) {
          why_not = answer->text;
          return false;
        }
        const auto grant = messages::decode_join_grant(answer->text);
        m.server_id = grant->server_id;
        become(m);
        m.transport->reconnect("");
        m.node->begin_tree();
        return true;
      }
      run(500);
    }
    return false;
  }

  void crash(member& m) {
    if (m.transport != nullptr)
      m.transport->stop();
    m.node.reset();
    m.events.reset();
    m.parts.reset();
    m.transport.reset();
    m.identity.reset();
  }

  /// As SIGTERM does. False when it did not end.
  bool stop(member& m) {
    m.node->request_stop();
    const bool ended = run_until([&] { return m.node->ended; }, 60'000);
    crash(m);
    return ended;
  }

  /// "invite", "leave" or "replace" a node. `how`: as steward_question::text3, of an invited one its address. Empty: done; else
  /// why not.
  std::string change_nodes(member& m, const std::string& verb, const std::string& name, const std::string& how = {}) {
    messages::steward_question q;
    q.verb = messages::steward_verb::nodes;
    q.text = verb;
    q.text2 = name;
    q.text3 = verb == "invite" ? name + ".test:7000" : how;
    const auto where = m.parts->shards.where(0);
    const auto a = ask(m, where.here ? m.name : where.leader, q);
    return !a ? "no answer" : a->error == ec::none ? "" : a->text;
  }

  /// Asks the leader of a group, as the steward does. Empty: done; else why not.
  std::string change_members(std::uint32_t group, messages::server_change change) {
    auto* l = leader(group);
    if (l == nullptr)
      return "nobody leads it";
    const auto a = ask(*l, l->name, messages::steward_question::change_members(group, std::move(change)));
    return !a ? "no answer" : a->error == ec::none ? "" : a->text;
  }

  /// n1 begins, the others join, everything is on all of them, and the demo study is there.
  bool form() {
    start(at(1));
    if (!run_until([&] { return at(1).node->ready() && at(1).parts->nodes.get() != nullptr; }, 30'000))
      return false;
    for (std::size_t i = 2; i <= members.size(); ++i) {
      start(at(i));
      if (!join(at(i)))
        return false;
    }
    if (!run_until([&] { return whole(); }, 120'000))
      return false;
    if (import(at(1)) != "")
      return false;
    return run_until([&] { return all_ready(); }, 30'000);
  }

  bool all_ready() {
    for (auto& m : members)
      if (!m->runs() || !m->node->ready())
        return false;
    return true;
  }

  /// Every group has a serving leader, and as voters that have nearly everything all running members, a shard at most three.
  bool whole() {
    std::size_t running = 0;
    for (auto& m : members)
      running += m->runs() ? 1 : 0;
    for (std::uint32_t g = 0; g <= test_node::small_config().shards.count; ++g) {
      const auto* l = leader(g);
      if (l == nullptr)
        return false;
      const auto v = l->parts->shards.get(g);
      const auto wanted = g == 0 ? running : std::min<std::size_t>(running, 3);
      std::size_t good = 0;
      for (const auto& x : v->members)
        good += x.role != "stand-by" && x.match + 64 >= v->last ? 1 : 0;
      if (v->members.size() != wanted || good != wanted)
        return false;
    }
    return true;
  }

  /// Replicas of shards, as those say who lead them.
  std::size_t replicas_of(const member& m) {
    std::size_t n = 0;
    for (std::uint32_t g = 1; g <= test_node::small_config().shards.count; ++g)
      if (const auto* l = leader(g)) {
        const auto view = l->parts->shards.get(g);
        for (const auto& x : view->members)
          n += x.node == m.name ? 1 : 0;
      }
    return n;
  }

  /// Null: nobody serves it.
  member* leader(std::uint32_t group) {
    for (auto& m : members)
      if (m->runs() && m->parts->shards.where(group).here)
        return m.get();
    return nullptr;
  }

  std::string import(member& m) {
    std::string result = "no answer";
    caf::scoped_actor self{m.node->system(), true};
    auto pending = self->request(m.node->tree->catalog(), std::chrono::seconds{3600}, messages::import_atom::value,
                                 std::make_shared<const domain::study_source>(node::demo_study()), std::string{"os:test"});
    if (!run_until([&] { return self->has_next_message(); }, 70'000))
      return result;
    pending.receive([&](std::string&, bool, std::uint64_t) { result.clear(); },
                    [&](caf::error& e) { result = runtime::error_text(e); });
    return result;
  }

  /// The answer's status to a submission through this node; 0: silence.
  int send(member& m, const std::string& subject, const json& data, const std::string& key) {
    const auto t = m.node->post(subject, data, key);
    run_until([&] { return m.node->sink.answers.count(t) != 0; }, 12'000);
    const auto found = m.node->sink.answers.find(t);
    return found == m.node->sink.answers.end() ? 0 : found->second.status;
  }

  /// As a phone does it: again under the same key when it is told 503. 202, or 200 when an earlier try had been stored.
  int send_until_stored(member& m, const std::string& subject, const json& data, const std::string& key) {
    int status = send(m, subject, data, key);
    for (int again = 0; again < 20 && status == 503; ++again) {
      run(500);
      status = send(m, subject, data, key);
    }
    return status;
  }

  /// Receipts as a read through this node tells them, newest first; "status N" when it does not.
  std::vector<std::string> receipts(member& m, const std::string& subject) {
    for (int attempt = 0; attempt < 20; ++attempt) {
      const auto t = m.node->get(subject);
      run_until([&] { return m.node->sink.answers.count(t) != 0; }, 12'000);
      const auto found = m.node->sink.answers.find(t);
      if (found == m.node->sink.answers.end())
        return {"silence"};
      if (found->second.status == 503) {
        run(500);
        continue;
      }
      std::vector<std::string> result;
      if (found->second.status != 200)
        return {"status " + std::to_string(found->second.status) + " " + found->second.body};
      const auto history = json::parse(found->second.body);
      for (const auto& s : history["submissions"])
        result.push_back(s["receipt"]);
      return result;
    }
    return {"status 503"};
  }

  void run(std::int64_t ms) {
    for (std::int64_t i = 0; i < ms; i += 10)
      step();
  }

  template <class Predicate>
  bool run_until(Predicate&& done, std::int64_t limit_ms) {
    for (std::int64_t i = 0; i < limit_ms && !done(); i += 10)
      step();
    return done();
  }

  void step() {
    now_ns_ += 10'000'000;
    network.deliver();
    for (auto& m : members)
      if (m->runs() && !m->paused)
        m->node->advance_to(now_ns_);
  }

  memory_network network;
  std::vector<std::unique_ptr<member>> members;
  std::string why_not; ///< of the last join that was refused

private:
  void become(member& m) {
    m.parts->server_id = m.server_id;
    m.parts->cluster = "test-cluster";
    m.identity->set_membership(m.server_id == 0 ? "" : "test-cluster", m.server_id);
  }

  std::optional<messages::steward_answer> ask_to_join(member& m, const std::string& other, const std::string& attempt) {
    messages::steward_question q;
    q.verb = messages::steward_verb::join;
    q.text = m.name;
    q.text2 = attempt;
    q.text3 = m.parts->peer;
    q.text4 = m.parts->http;
    return ask(m, other, q);
  }

  std::optional<messages::steward_answer> ask(member& m, const std::string& other, const messages::steward_question& q) {
    caf::scoped_actor self{m.node->system(), true};
    auto pending = self->request(m.node->tree->directory().get<messages::router_actor>("router"), std::chrono::seconds{3600},
                                 messages::ask_atom::value, other, messages::routed_kind::steward,
                                 std::make_shared<const std::string>(encode(q)), std::uint32_t{15'000});
    std::optional<messages::steward_answer> result;
    if (!run_until([&] { return self->has_next_message(); }, 30'000))
      return result;
    pending.receive(
        [&](messages::bytes_ptr& bytes) {
          if (auto a = messages::decode_steward_answer(*bytes))
            result = *a;
        },
        [&](caf::error&) {});
    return result;
  }

  runtime::disk& disk_;
  std::int64_t now_ns_ = 3'600'000'000'000;
  std::uint64_t incarnations_ = 0;
};

} // namespace epione::tests
