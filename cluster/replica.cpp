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
      : self_(self), replica_(parts.standing), env_(replica_.env), options_(replica_.options), name_(replica_.name),
        journal_(parts.journal), members_(parts.members), feed_(parts.feed), epoch_(parts.epoch), changes_(parts.changes),
        copy_(parts.copy), driver_(parts) {}

  void start() {
    self_->set_down_handler([this](caf::down_msg& down) { on_down(down); });
    driver_.start();
  }

  // ---- the journal -----------------------------------------------------------------------------------------------------

  void on_persisted(std::uint64_t write_epoch, std::uint64_t index) { driver_.on_persisted(write_epoch, index); }
  void on_failed(std::uint64_t write_epoch, const caf::error& why) { driver_.on_failed(write_epoch, why); }

  // ---- the store -------------------------------------------------------------------------------------------------------

  void on_attach(const shard_store_actor& store, std::uint64_t applied, std::uint64_t term) {
    feed_.lose_store();
    if (replica_.serving) {
      // What this epoch has shown may be missing until the store has caught up again.
      driver_.close_epoch(ec::not_serving, outcome::unknown);
      driver_.open_epoch();
    }
    if (store == nullptr)
      return;
    feed_.offer({store, applied, term});
    driver_.take_store();
  }

  void on_applied(std::uint64_t index) {
    if (!feed_.on_applied(index))
      return;
    epoch_.tell_applied(index);
    driver_.maybe_serve();
    feed_.feed();
    epoch_.tell_following();
    feed_.answer_waiters();
  }

  void on_durable(const snapshot_point_ptr& point) {
    // A later checkpoint will say so again. After a start the store may hold what this member does not know to be committed yet.
    if (replica_.core == nullptr || point->index <= replica_.core->log().cut_index() ||
        point->index < raft_core::snapshot_index_min || point->index > replica_.core->applicable_index())
      return;
    // Who takes over a copy of the store needs what comes behind it; a later checkpoint cuts it.
    if (replica_.leads() && members_.somebody_takes_over_a_copy() && replica_.core->log().bytes() < defaults::log_kept_bytes_max)
      return;
    raft_output out;
    replica_.core->snapshot(*point, replica_.now_ms(), out);
    journal_.cut(point);
    driver_.carry_out(out);
  }

  void on_fetched(const snapshot_point_ptr& point) {
    copy_.on_fetched();
    if (point == nullptr)
      return;
    // What it has caught up with meanwhile counts, and may have been acknowledged on the strength of it.
    if (replica_.core == nullptr || replica_.at != phase::running || replica_.leads() ||
        copy_.has_all(point->index, point->term)) {
      copy_.discard();
      return;
    }
    env_.log.info(name_, "goes on from another member's store", {{"entry", point->index}});
    driver_.install(*point);
  }

  void on_flush() { feed_.flush(); }
  caf::result<std::uint64_t> on_flush(std::uint64_t index) { return feed_.wait_for(index); }
  void on_feed() { feed_.on_feed(); }

  bool on_drain() {
    feed_.feed_now();
    return true;
  }

  // ---- who serves ------------------------------------------------------------------------------------------------------

  void on_listen(const shard_listener& listener) {
    driver_.close_epoch(ec::stale_epoch, outcome::unknown);
    epoch_.set_listener(listener);
    driver_.open_epoch();
  }

  void on_propose(std::uint64_t epoch, std::uint64_t batch, const bytes_ptr& bytes, const proposer& who) {
    runtime::fault_point(env_.faults, "replica.propose");
    raft_output out;
    if (epoch_.propose(epoch, batch, bytes, who, out))
      driver_.carry_out(out);
  }

  void on_read_index(std::uint64_t epoch, ticket t) const { epoch_.read_index(epoch, t); }
  caf::result<std::uint64_t> on_read_index() const { return epoch_.read_index(); }

  // ---- other members -----------------------------------------------------------------------------------------------------

  void on_receive(const raft_messages_ptr& messages, const std::string& node) {
    if (replica_.core == nullptr)
      return; // Raft sends again what it needs
    runtime::fault_point(env_.faults, "replica.receive");
    raft_output out;
    for (const auto& m : *messages)
      receive(m, node, out);
    driver_.carry_out(out);
    epoch_.tell_following();
  }

  caf::result<std::uint64_t> on_change(const server_change_ptr& change) {
    auto answer = self_->make_response_promise<std::uint64_t>();
    if (auto why = changes_.not_now()) {
      answer.deliver(std::move(*why));
    } else if (changes_.needs_whole_log()) {
      changes_.wait(*change, answer);
      driver_.refill();
    } else {
      driver_.change_members(*change, answer);
    }
    return answer;
  }

  bool on_transfer(std::uint64_t id) {
    if (!replica_.leads())
      return false;
    raft_output out;
    const bool begun = changes_.transfer(id, out);
    driver_.carry_out(out);
    return begun;
  }

  // ---- everything else -------------------------------------------------------------------------------------------------

  void on_tick(std::uint64_t timer) { driver_.on_tick(timer); }

  status_report_ptr status() const {
    const auto* core = replica_.core.get();
    status_report r{name_, phase_text(), {}};
    r.details.emplace_back("epoch", number(replica_.epoch));
    if (core != nullptr) {
      r.details.emplace_back("term", number(core->term()));
      r.details.emplace_back("servers", number(core->servers().size()));
      r.details.emplace_back("committed", number(core->commit_index()));
      r.details.emplace_back("last", number(core->log().last()));
      r.details.emplace_back("cut", number(core->log().cut_index()));
      r.details.emplace_back("memory_bytes", number(core->log().bytes()));
    }
    if (core != nullptr && core->leader_id() != 0)
      r.details.emplace_back("leader", members_.node_of(core->leader_id()));
    r.details.emplace_back("applied", number(feed_.applied()));
    r.details.emplace_back("proposals", number(epoch_.proposals()));
    return std::make_shared<const status_report>(std::move(r));
  }

private:
  using phase = replica_standing::phase;

  void receive(const raft_message& m, const std::string& node, raft_output& out) {
    if (!members_.is_from(m.peer, node)) {
      env_.log.warning(name_, "a message of a member came from another node", {{"member", m.peer}, {"node", node}});
      return;
    }
    // A member that was started again does not know whom it promised to follow: for as long as a lease may count on that, it
    // votes for nobody else.
    const bool asks_for_vote = m.kind == message_kind::request_vote || m.kind == message_kind::timeout_now;
    if (asks_for_vote && replica_.now_ms() < replica_.core_started_ms + options_.lease_ms && replica_.core->log().last() > 0)
      return;
    if (m.kind == message_kind::install_snapshot) {
      if (feed_.has_store()) // otherwise it may be about to take the file that came last
        copy_.on_offer(m, node);
      return;
    }
    if (auto taken = replica_.core->receive(m, replica_.now_ms(), out); !taken) {
      env_.log.warning(name_, "a message of a member makes no sense", {{"member", m.peer}, {"why", taken.error()}});
      return;
    }
    if (m.kind == message_kind::append_entries)
      epoch_.on_append(m);
  }

  void on_down(const caf::down_msg& down) {
    if (journal_.is_from(down.source)) {
      driver_.stop(); // the supervisor starts everything behind the journal again
    } else if (feed_.is_from(down.source)) {
      feed_.lose_store();
    } else if (epoch_.listens(down.source)) {
      epoch_.lose_listener();
      driver_.close_epoch(ec::not_serving, outcome::unknown);
    } else {
      copy_.on_down(down.source);
    }
  }

  std::string phase_text() const {
    switch (replica_.at) {
      case phase::loading: return "loading";
      case phase::bootstrapping: return "beginning";
      case phase::raising: return "raising its term";
      case phase::waiting: return "waiting for space";
      case phase::installing: return "taking over another member's store";
      case phase::stopped: return "stopped";
      case phase::running: break;
    }
    return replica_.serving ? "serving" : replica_.leads() ? "leading" : "following";
  }

  stateful_replica_pointer self_;
  const replica_standing& replica_;
  const runtime::environment& env_;
  const replica_options& options_;
  const std::string& name_;
  replica_journal& journal_;
  replica_members& members_;
  replica_feed& feed_;
  replica_epoch& epoch_;
  replica_changes& changes_;
  replica_copy& copy_;
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
