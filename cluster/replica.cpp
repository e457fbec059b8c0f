#include "cluster/replica.hpp"

#include "cluster/invariant.hpp"
#include "cluster/replica_driver.hpp"
#include "runtime/defaults.hpp"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <typeinfo>

namespace epione::cluster {

using namespace messages;
using caf::make_error;
namespace defaults = runtime::defaults;

namespace {

using stateful_replica_pointer = replica_actor::stateful_pointer<replica_state>;

std::string number(std::uint64_t n) {
  return std::to_string(n);
}

/// The replica's work, one function a message: gives each to the parts it concerns. Lives as long as its actor.
class replica_work {
public:
  replica_work(stateful_replica_pointer self, replica_parts& parts)
      : self_(self), parts_(parts), replica_(parts.identity), standing_(parts.standing), driver_(parts) {}

  void start() {
    self_->set_down_handler([this](caf::down_msg& down) { on_down(down); });
    driver_.start();
  }

  // ---- the journal -----------------------------------------------------------------------------------------------------

  void on_persisted(std::uint64_t write_epoch, std::uint64_t index) { driver_.on_persisted(write_epoch, index); }
  void on_failed(std::uint64_t write_epoch, const caf::error& why) { driver_.on_failed(write_epoch, why); }

  // ---- the store -------------------------------------------------------------------------------------------------------

  void on_attach(const shard_store_actor& store, std::uint64_t applied, std::uint64_t term) {
    parts_.feed.lose_store();
    if (standing_.serving) {
      // What this epoch has shown may be missing until the store has caught up again.
      driver_.close_epoch(ec::not_serving, outcome::unknown);
      driver_.open_epoch();
    }
    if (store == nullptr)
      return;
    parts_.feed.offer({store, applied, term});
    driver_.take_store();
  }

  void on_applied(std::uint64_t index) {
    if (!parts_.feed.on_applied(index))
      return;
    parts_.epoch.tell_applied(index);
    driver_.maybe_serve();
    parts_.feed.feed();
    parts_.epoch.tell_following();
    parts_.feed.answer_waiters();
  }

  void on_durable(const snapshot_point_ptr& point) {
    // A later checkpoint will say so again. After a start the store may hold what this member does not know to be committed yet.
    if (standing_.core() == nullptr || point->index <= standing_.core()->log().cut_index() ||
        point->index < raft_core::snapshot_index_min || point->index > standing_.core()->applicable_index())
      return;
    // Who takes over a copy of the store needs what comes behind it; a later checkpoint cuts it.
    if (standing_.leads() && parts_.members.somebody_takes_over_a_copy() &&
        standing_.core()->log().bytes() < defaults::log_kept_bytes_max)
      return;
    raft_output out;
    standing_.core()->snapshot(*point, replica_.now_ms(), out);
    parts_.journal.cut(point);
    driver_.carry_out(out);
  }

  void on_fetched(const snapshot_point_ptr& point) {
    parts_.copy.on_fetched();
    if (point == nullptr)
      return;
    // What it has caught up with meanwhile counts, and may have been acknowledged on the strength of it.
    if (standing_.core() == nullptr || standing_.at != phase::running || standing_.leads() ||
        parts_.copy.has_all(point->index, point->term)) {
      parts_.copy.discard();
      return;
    }
    replica_.env.log.info(replica_.name, "goes on from another member's store", {{"entry", point->index}});
    driver_.install(*point);
  }

  void on_flush() { parts_.feed.flush(); }
  caf::result<std::uint64_t> on_flush(std::uint64_t index) { return parts_.feed.wait_for(index); }
  void on_feed() { parts_.feed.on_feed(); }

  bool on_drain() {
    parts_.feed.feed_now();
    return true;
  }

  // ---- who serves ------------------------------------------------------------------------------------------------------

  void on_listen(const shard_listener& listener) {
    driver_.close_epoch(ec::stale_epoch, outcome::unknown);
    parts_.epoch.set_listener(listener);
    driver_.open_epoch();
  }

  void on_propose(std::uint64_t epoch, std::uint64_t batch, const bytes_ptr& bytes, const proposer& who) {
    runtime::fault_point(replica_.env.faults, "replica.propose");
    raft_output out;
    if (parts_.epoch.propose(epoch, batch, bytes, who, out))
      driver_.carry_out(out);
  }

  void on_read_index(std::uint64_t epoch, ticket t) const { parts_.epoch.read_index(epoch, t); }
  caf::result<std::uint64_t> on_read_index() const { return parts_.epoch.read_index(); }

  // ---- other members -----------------------------------------------------------------------------------------------------

  void on_receive(const raft_messages_ptr& messages, const std::string& node) {
    if (standing_.core() == nullptr)
      return; // Raft sends again what it needs
    runtime::fault_point(replica_.env.faults, "replica.receive");
    raft_output out;
    for (const auto& m : *messages)
      receive(m, node, out);
    driver_.carry_out(out);
    parts_.epoch.tell_following();
  }

  caf::result<std::uint64_t> on_change(const server_change_ptr& change) {
    auto answer = self_->make_response_promise<std::uint64_t>();
    if (auto why = parts_.changes.not_now()) {
      answer.deliver(std::move(*why));
    } else if (parts_.changes.needs_whole_log()) {
      parts_.changes.wait(*change, answer);
      driver_.refill();
    } else {
      driver_.change_members(*change, answer);
    }
    return answer;
  }

  bool on_transfer(std::uint64_t id) {
    if (!standing_.leads())
      return false;
    raft_output out;
    const bool begun = parts_.changes.transfer(id, out);
    driver_.carry_out(out);
    return begun;
  }

  // ---- everything else -------------------------------------------------------------------------------------------------

  void on_tick(std::uint64_t timer) { driver_.on_tick(timer); }

  status_report_ptr status() const {
    const auto* core = standing_.core();
    status_report r{replica_.name, phase_text(), {}};
    r.details.emplace_back("epoch", number(standing_.epoch));
    if (core != nullptr) {
      r.details.emplace_back("term", number(core->term()));
      r.details.emplace_back("servers", number(core->servers().size()));
      r.details.emplace_back("committed", number(core->commit_index()));
      r.details.emplace_back("last", number(core->log().last()));
      r.details.emplace_back("cut", number(core->log().cut_index()));
      r.details.emplace_back("memory_bytes", number(core->log().bytes()));
    }
    if (core != nullptr && core->leader_id() != 0)
      r.details.emplace_back("leader", parts_.members.node_of(core->leader_id()));
    r.details.emplace_back("applied", number(parts_.feed.applied()));
    r.details.emplace_back("proposals", number(parts_.epoch.proposals()));
    return std::make_shared<const status_report>(std::move(r));
  }

private:
  using phase = replica_standing::phase;

  void receive(const raft_message& m, const std::string& node, raft_output& out) {
    if (!parts_.members.is_from(m.peer, node)) {
      replica_.env.log.warning(replica_.name, "a message of a member came from another node",
                               {{"member", m.peer}, {"node", node}});
      return;
    }
    // A member that was started again does not know whom it promised to follow: for as long as a lease may count on that, it
    // votes for nobody else.
    const bool asks_for_vote = m.kind == message_kind::request_vote || m.kind == message_kind::timeout_now;
    if (asks_for_vote && replica_.now_ms() < standing_.core_started_ms + replica_.options.lease_ms &&
        standing_.core()->log().last() > 0)
      return;
    if (m.kind == message_kind::install_snapshot) {
      if (parts_.feed.has_store()) // otherwise it may be about to take the file that came last
        parts_.copy.on_offer(m, node);
      return;
    }
    if (auto taken = standing_.core()->receive(m, replica_.now_ms(), out); !taken) {
      replica_.env.log.warning(replica_.name, "a message of a member makes no sense",
                               {{"member", m.peer}, {"why", taken.error()}});
      return;
    }
    if (m.kind == message_kind::append_entries)
      parts_.epoch.on_append(m);
  }

  void on_down(const caf::down_msg& down) {
    if (parts_.journal.is_from(down.source)) {
      driver_.stop(); // the supervisor starts everything behind the journal again
    } else if (parts_.feed.is_from(down.source)) {
      parts_.feed.lose_store();
    } else if (parts_.epoch.listens(down.source)) {
      parts_.epoch.lose_listener();
      driver_.close_epoch(ec::not_serving, outcome::unknown);
    } else {
      parts_.copy.on_down(down.source);
    }
  }

  std::string phase_text() const {
    switch (standing_.at) {
      case phase::loading: return "loading";
      case phase::bootstrapping: return "beginning";
      case phase::raising: return "raising its term";
      case phase::waiting: return "waiting for space";
      case phase::installing: return "taking over another member's store";
      case phase::stopped: return "stopped";
      case phase::running: break;
    }
    return standing_.serving ? "serving" : standing_.leads() ? "leading" : "following";
  }

  stateful_replica_pointer self_;
  replica_parts& parts_;
  const replica_identity& replica_;
  replica_standing& standing_;
  replica_driver driver_;
};

} // namespace

replica_actor::behavior_type replica(stateful_replica_pointer self, const runtime::environment& env, replica_options options,
                                     epoch_counter epochs) {
  const auto name = "replica " + std::to_string(options.group);
  runtime::prepare(self, env, name);
  // The text of a broken rule holds no entry's content, and names the fault better than its type.
  self->set_exception_handler([&env, name](caf::scheduled_actor*, std::exception_ptr& x) -> caf::error {
    try {
      std::rethrow_exception(x);
    } catch (const invariant_violation& broken) {
      env.log.error(name, "a rule is broken", {{"rule", broken.what()}});
      return make_error(ec::unhandled_exception, std::string{broken.what()});
    } catch (const std::exception& other) {
      env.log.error(name, "ended by an exception", {{"type", typeid(other).name()}});
    } catch (...) {
      env.log.error(name, "ended by an exception");
    }
    return make_error(ec::unhandled_exception);
  });
  auto& parts = self->state.parts.emplace(self, env, std::move(options), std::move(epochs));
  auto w = std::make_shared<replica_work>(self, parts);
  w->start();
  return {
      [w](persisted_atom, std::uint64_t epoch, std::uint64_t index) { w->on_persisted(epoch, index); },
      [w](failed_atom, std::uint64_t epoch, const caf::error& why) { w->on_failed(epoch, why); },
      [w](attach_atom, const shard_store_actor& store, std::uint64_t applied, std::uint64_t term) {
        w->on_attach(store, applied, term);
      },
      [w](applied_atom, std::uint64_t index) { w->on_applied(index); },
      [w](durable_atom, const snapshot_point_ptr& point) { w->on_durable(point); },
      [w](listen_atom, const shard_listener& listener) { w->on_listen(listener); },
      [w](propose_atom, std::uint64_t epoch, std::uint64_t batch, const bytes_ptr& bytes, const proposer& who) {
        w->on_propose(epoch, batch, bytes, who);
      },
      [w](read_index_atom, std::uint64_t epoch, ticket t) { w->on_read_index(epoch, t); },
      [w](receive_atom, const raft_messages_ptr& messages, const std::string& node) { w->on_receive(messages, node); },
      [w](change_atom, const server_change_ptr& change) { return w->on_change(change); },
      [w](transfer_atom, std::uint64_t id) { return w->on_transfer(id); },
      [w](fetched_atom, const snapshot_point_ptr& point) { w->on_fetched(point); },
      [w](read_index_atom) { return w->on_read_index(); },
      [w](flush_atom) { w->on_flush(); },
      [w](flush_atom, std::uint64_t index) { return w->on_flush(index); },
      [w](drain_atom) { return w->on_drain(); },
      [w](feed_atom) { w->on_feed(); },
      [w](caf::tick_atom, std::uint64_t timer) { w->on_tick(timer); },
      [w](status_atom) { return w->status(); },
  };
}

} // namespace epione::cluster
