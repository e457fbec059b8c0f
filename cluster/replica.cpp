#include "cluster/replica.hpp"

#include "cluster/invariant.hpp"
#include "runtime/defaults.hpp"
#include "runtime/directory.hpp"
#include "runtime/mutation.hpp"
#include "runtime/storage/shard_store.hpp"

#include <algorithm>
#include <chrono>
#include <typeinfo>

namespace epione::cluster {

using namespace messages;
using caf::make_error;
using runtime::mutated;
using runtime::mutation;
namespace defaults = runtime::defaults;

namespace {

using replica_pointer = replica_actor::stateful_pointer<replica_state>;
using phase = replica_state::phase;

constexpr std::int64_t view_period_ms = 200; ///< what others see of a group is at most so old, as long as something happens in it

struct replica_metrics {
  prometheus::Gauge &lag, &memory;
  prometheus::Counter &epochs, &reloads;
};

replica_metrics make_replica_metrics(runtime::metrics& m, std::uint32_t group) {
  const runtime::metric_labels of_shard{{"shard", std::to_string(group)}};
  return {m.gauge("epione_store_lag_entries", "Log entries committed and not yet applied to the shard's store", of_shard),
          m.gauge("epione_log_memory_bytes", "Log entries held in memory", of_shard),
          m.counter("epione_epochs_total", "Epochs opened: starts, changes of leadership, new listeners", of_shard),
          m.counter("epione_replica_reloads_total", "Logs loaded again after a write that failed", of_shard)};
}

bool is_empty(const group_log& log) {
  return log.term == 0 && log.entries.empty() && !log.cut;
}

std::string number(std::uint64_t n) {
  return std::to_string(n);
}

/// The replica's work, one function a message. Lives as long as its actor.
class replica_work {
public:
  replica_work(replica_pointer self, const runtime::environment& env, replica_options options, epoch_counter epochs)
      : self_(self), state_(self->state), env_(env), options_(std::move(options)), epochs_(std::move(epochs)),
        name_("replica " + number(options_.group)), metrics_(make_replica_metrics(env.metrics, options_.group)) {}

  void start() {
    state_.journal = env_.directory->get<journal_actor>("journal");
    if (state_.journal == nullptr) {
      self_->quit(make_error(ec::not_serving, name_ + ": the journal is not there"));
      return;
    }
    self_->monitor(state_.journal);
    self_->set_down_handler([this](caf::down_msg& down) { on_down(down); });
    load();
  }

  // ---- the journal -----------------------------------------------------------------------------------------------------

  void on_persisted(std::uint64_t write_epoch, std::uint64_t index) {
    if (write_epoch != state_.write_epoch)
      return;
    if (state_.at == phase::bootstrapping) {
      load();
      return;
    }
    if (state_.at == phase::raising) {
      state_.term_raised = true;
      load();
      return;
    }
    if (state_.at == phase::installing) {
      on_log_replaced();
      return;
    }
    if (state_.core == nullptr)
      return;
    runtime::fault_point(env_.faults, "replica.persisted");
    state_.backoff_ms = 0;
    raft_output out;
    state_.core->written(index, now_ms(), out);
    carry_out(out);
  }

  void on_failed(std::uint64_t write_epoch, const caf::error& why) {
    if (write_epoch != state_.write_epoch || state_.at == phase::waiting)
      return;
    if (state_.at == phase::installing)
      state_.fetched.reset(); // nothing was replaced; the leader offers it again
    if (runtime::code_of(why) == ec::io_failed) {
      env_.process.fatal(runtime::exit_code::failed, name_ + ": " + runtime::error_text(why));
      return;
    }
    if (runtime::code_of(why) != ec::disk_full) {
      self_->quit(why);
      return;
    }
    // The write left nothing behind, and later ones of this core are refused: a single voter's log ends with what it has
    // acknowledged. With peers the entries may be stored there.
    const bool alone = state_.core == nullptr || state_.core->servers().size() <= 1;
    close_epoch(ec::disk_full, alone ? outcome::not_stored : outcome::unknown);
    load_later();
  }

  // ---- the store -------------------------------------------------------------------------------------------------------

  void on_attach(const shard_store_actor& store, std::uint64_t applied, std::uint64_t term) {
    state_.store = nullptr;
    if (state_.serving) {
      // What this epoch has shown may be missing until the store has caught up again.
      close_epoch(ec::not_serving, outcome::unknown);
      open_epoch();
    }
    if (store == nullptr)
      return;
    state_.waiting_store = replica_state::attachment{store, applied, term};
    take_store();
  }

  void on_applied(std::uint64_t index) {
    if (state_.store == nullptr || self_->current_sender() != state_.store)
      return;
    invariant(index >= state_.applied && index <= state_.sent, "a store applies what it was sent, in order");
    state_.applied = index;
    while (!state_.window.empty() && state_.window.front().first <= index) {
      state_.window_bytes -= state_.window.front().second;
      state_.window.pop_front();
    }
    if (state_.core != nullptr)
      state_.core->release(std::min(index, state_.core->applicable_index()));
    if (state_.listener != nullptr)
      self_->send(state_.listener, applied_atom::value, index);
    maybe_serve();
    feed();
    tell_following();
    answer_applied();
  }

  void on_durable(const snapshot_point_ptr& point) {
    // A later checkpoint will say so again. After a start the store may hold what this member does not know to be committed yet.
    if (state_.core == nullptr || point->index <= state_.core->log().cut_index() ||
        point->index < raft_core::snapshot_index_min || point->index > state_.core->applicable_index())
      return;
    // Who takes over a copy of the store needs what comes behind it; a later checkpoint cuts it.
    if (leads() && somebody_takes_over_a_copy() && state_.core->log().bytes() < defaults::log_kept_bytes_max)
      return;
    raft_output out;
    state_.core->snapshot(*point, now_ms(), out);
    self_->send(state_.journal, cut_atom::value, options_.group, point);
    carry_out(out);
  }

  // ---- who serves ------------------------------------------------------------------------------------------------------

  void on_listen(const shard_listener& listener) {
    close_epoch(ec::stale_epoch, outcome::unknown);
    state_.listener = listener;
    self_->monitor(listener);
    open_epoch();
  }

  void on_propose(std::uint64_t epoch, std::uint64_t batch, const bytes_ptr& bytes, const proposer& who) {
    runtime::fault_point(env_.faults, "replica.propose");
    std::optional<std::uint64_t> index;
    raft_output out;
    if (state_.serving && epoch == state_.epoch)
      index = state_.core->submit(entry_type::command, bytes, now_ms(), out);
    if (!index) {
      self_->send(who, refused_atom::value, epoch, batch);
      return;
    }
    state_.proposals.push_back({*index, batch, who});
    if (mutated(mutation::acknowledge_before_commit))
      self_->send(who, committed_atom::value, epoch, batch, *index);
    carry_out(out);
  }

  void on_read_index(std::uint64_t epoch, ticket t) {
    const bool lease =
        state_.serving && epoch == state_.epoch && (state_.core->has_lease(now_ms()) || mutated(mutation::read_without_lease));
    if (state_.listener != nullptr)
      self_->send(state_.listener, read_index_atom::value, epoch, t, lease ? state_.core->commit_index() : std::uint64_t{0});
  }

  caf::result<std::uint64_t> on_read_index() const {
    if (!state_.serving || !state_.core->has_lease(now_ms()))
      return make_error(ec::not_serving, name_ + " does not lead");
    return state_.core->commit_index();
  }

  // ---- other members -----------------------------------------------------------------------------------------------------

  void on_receive(const raft_messages_ptr& messages, const std::string& node) {
    if (state_.core == nullptr)
      return; // Raft sends again what it needs
    runtime::fault_point(env_.faults, "replica.receive");
    raft_output out;
    for (const auto& m : *messages) {
      if (!is_from(m.peer, node)) {
        env_.log.warning(name_, "a message of a member came from another node", {{"member", m.peer}, {"node", node}});
        continue;
      }
      // A member that was started again does not know whom it promised to follow: for as long as a lease may count on that, it
      // votes for nobody else.
      const bool asks_for_vote = m.kind == message_kind::request_vote || m.kind == message_kind::timeout_now;
      if (asks_for_vote && now_ms() < state_.core_started_ms + options_.lease_ms && state_.core->log().last() > 0)
        continue;
      if (m.kind == message_kind::install_snapshot) {
        on_offer(m, node);
        continue;
      }
      if (auto taken = state_.core->receive(m, now_ms(), out); !taken) {
        env_.log.warning(name_, "a message of a member makes no sense", {{"member", m.peer}, {"why", taken.error()}});
        continue;
      }
      if (m.kind == message_kind::append_entries && !state_.follow_from && knows_what_is_committed(m))
        state_.follow_from = m.commit;
    }
    carry_out(out);
    tell_following();
  }

  caf::result<std::uint64_t> on_change(const server_change_ptr& change) {
    auto answer = self_->make_response_promise<std::uint64_t>();
    if (!state_.serving)
      answer.deliver(make_error(ec::not_serving, name_ + " does not lead"));
    else if (state_.waiting_change || state_.core->change_under_way())
      answer.deliver(make_error(ec::not_serving, name_ + ": another change of its members is under way"));
    else if (state_.core->log().first_in_memory() > state_.core->log().cut_index() + 1) {
      // A single voter forgets what is applied; a follower may need all of it.
      state_.waiting_change.emplace(*change, answer);
      refill();
    } else {
      change_members(*change, answer);
    }
    return answer;
  }

  bool on_transfer(std::uint64_t id) {
    if (state_.core == nullptr || !leads())
      return false;
    if (id == 0) {
      std::uint64_t most = 0;
      for (const auto& x : state_.core->servers())
        if (x.role == server_role::voter && x.id != options_.server_id && state_.core->match_index(x.id) >= most &&
            heard_recently(x.id)) {
          most = state_.core->match_index(x.id);
          id = x.id;
        }
    }
    raft_output out;
    const bool begun = id != 0 && state_.core->transfer(id, now_ms(), out);
    if (begun) {
      env_.log.info(name_, "hands its leadership over", {{"to", id}});
      state_.transfer_until_ms = now_ms() + 2 * std::int64_t{options_.election_ms};
    }
    carry_out(out);
    return begun;
  }

  void on_fetched(const snapshot_point_ptr& point) {
    state_.fetching = false;
    if (point == nullptr)
      return;
    // What it has caught up with meanwhile counts, and may have been acknowledged on the strength of it.
    if (state_.core == nullptr || state_.at != phase::running || leads() || has_all(point->index, point->term)) {
      static_cast<void>(env_.disk.discard(runtime::incoming_path(env_.data_directory, options_.group)));
      return;
    }
    env_.log.info(name_, "goes on from another member's store", {{"entry", point->index}});
    const auto term = state_.core->term();
    close_epoch(ec::not_serving, outcome::unknown);
    hide();
    state_.core.reset();
    state_.store = nullptr;
    state_.waiting_store.reset();
    state_.at = phase::installing;
    state_.fetched = *point;
    state_.write_epoch = next_epoch();
    journal_write write;
    write.group = options_.group;
    write.epoch = state_.write_epoch;
    write.reset = *point;
    if (point->term > term) { // of a leader that it has not heard of yet
      write.term = point->term;
      write.voted_for = 0;
    }
    self_->send(state_.journal, write_atom::value, std::make_shared<const journal_write>(std::move(write)),
                journal_client{self_});
  }

  void on_flush() {
    feed_now();
    if (state_.store != nullptr)
      self_->send(state_.store, flush_atom::value);
  }

  caf::result<std::uint64_t> on_flush(std::uint64_t index) {
    auto answer = self_->make_response_promise<std::uint64_t>();
    auto& waiters = state_.applied_waiters;
    std::erase_if(waiters, [](const auto& x) { return !x.answer.pending(); });
    if (waiters.size() >= defaults::applied_waiters_max) {
      answer.deliver(make_error(ec::not_serving, name_ + ": too many wait for its store already"));
      return answer;
    }
    waiters.push_back({std::max(index, state_.core == nullptr ? 0 : state_.core->commit_index()), answer});
    answer_applied();
    return answer;
  }

  /// The store takes a window of entries each time it is asked: it is asked again while somebody waits.
  void answer_applied() {
    auto& waiters = state_.applied_waiters;
    if (waiters.empty())
      return;
    if (state_.core != nullptr && state_.store != nullptr)
      std::erase_if(waiters, [this](auto& x) {
        if (x.index > state_.applied)
          return false;
        x.answer.deliver(state_.applied);
        return true;
      });
    if (!waiters.empty())
      on_flush();
  }

  bool on_drain() {
    feed_now();
    return true;
  }

  void on_feed() {
    state_.feed_due = false;
    feed_now();
  }

  void on_tick(std::uint64_t timer) {
    if (timer != state_.timer)
      return;
    state_.timer_due_ms = 0;
    if (state_.at == phase::waiting) {
      load();
      return;
    }
    if (state_.core == nullptr)
      return;
    if (has_been_taken_out()) {
      tell_leader();
      schedule(now_ms() + options_.election_ms);
      return;
    }
    raft_output out;
    if (now_ms() >= state_.core->timeout_at_ms())
      state_.core->tick(now_ms(), out);
    carry_out(out);
    if (state_.transfer_until_ms != 0 && now_ms() >= state_.transfer_until_ms)
      end_transfer();
  }

  status_report_ptr status() const {
    const auto* core = state_.core.get();
    status_report r{name_, phase_text(), {}};
    r.details.emplace_back("epoch", number(state_.epoch));
    if (core != nullptr) {
      r.details.emplace_back("term", number(core->term()));
      r.details.emplace_back("servers", number(core->servers().size()));
      r.details.emplace_back("committed", number(core->commit_index()));
      r.details.emplace_back("last", number(core->log().last()));
      r.details.emplace_back("cut", number(core->log().cut_index()));
      r.details.emplace_back("memory_bytes", number(core->log().bytes()));
    }
    if (core != nullptr && core->leader_id() != 0)
      r.details.emplace_back("leader", node_of(core->leader_id()));
    r.details.emplace_back("applied", number(state_.applied));
    r.details.emplace_back("proposals", number(state_.proposals.size()));
    return std::make_shared<const status_report>(std::move(r));
  }

private:
  // ---- loading ---------------------------------------------------------------------------------------------------------

  void load() {
    state_.at = phase::loading;
    state_.write_epoch = next_epoch();
    self_->request(state_.journal, std::chrono::milliseconds{defaults::journal_load_limit_ms}, load_atom::value, options_.group)
        .then([this](const group_log_ptr& log) { on_loaded(*log); },
              [this](caf::error& why) {
                if (runtime::code_of(why) == ec::disk_full)
                  load_later();
                else if (state_.at != phase::stopped)
                  self_->quit(runtime::code_of(why) ? why : make_error(ec::not_serving, name_ + ": the journal did not answer"));
              });
  }

  void load_later() {
    hide();
    state_.core.reset();
    state_.at = phase::waiting;
    state_.backoff_ms = std::clamp(state_.backoff_ms * 2, defaults::journal_retry_ms, defaults::journal_retry_ms_max);
    metrics_.reloads.Increment();
    env_.log.warning(name_, "a write failed for lack of space; loads its log again", {{"in_ms", state_.backoff_ms}});
    state_.timer_due_ms = 0; // the core's own timer is void
    schedule(now_ms() + state_.backoff_ms);
  }

  void on_loaded(const group_log& log) {
    if (state_.at == phase::stopped)
      return;
    state_.cut = log.cut;
    if (options_.view != nullptr && is_only_voter(log) && !std::exchange(state_.term_raised, false)) {
      raise_term(log.term + 1);
      return;
    }
    if (is_empty(log) && options_.bootstrap) {
      begin_group();
      return;
    }
    raft_options o;
    o.id = options_.server_id;
    o.seed = static_cast<unsigned>(env_.random.next());
    o.election_ms = options_.election_ms;
    o.heartbeat_ms = options_.heartbeat_ms;
    o.lease_ms = options_.lease_ms;
    o.in_flight_max = defaults::raft_in_flight_max;
    o.trailing_max = defaults::raft_trailing_max;
    o.memory_bytes_max = options_.memory_bytes_max;
    auto core = std::make_unique<raft_core>(o);
    auto out = core->start(log, now_ms());
    if (!out) {
      refuse("the log of group " + number(options_.group) + " in the journal is not whole: " + out.error());
      return;
    }
    state_.core = std::move(core);
    state_.core_started_ms = now_ms();
    state_.at = phase::running;
    state_.told_leader = 0;
    out->role_changed = false; // opening the epoch below is what a change would do
    open_epoch();
    carry_out(*out);
    take_store();
  }

  /// Whether this server alone decides what the log's newest configuration makes of it.
  bool is_only_voter(const group_log& log) const {
    auto servers = log.cut ? decode_configuration(log.cut->configuration) : tl::unexpected(std::string{});
    for (const auto& x : log.entries)
      if (x.type == entry_type::change)
        servers = decode_configuration(*x.data);
    return servers && voter_count(*servers) == 1 && std::any_of(servers->begin(), servers->end(), [this](const server& x) {
             return x.role == server_role::voter && x.id == options_.server_id;
           });
  }

  /// A single voter leads again in the term it stopped in, and stand-bys may hold entries of that term which it sent and never
  /// stored: what it appends now must be of another term, or they would take the one for the other.
  void raise_term(std::uint64_t term) {
    state_.at = phase::raising;
    journal_write write;
    write.group = options_.group;
    write.epoch = state_.write_epoch;
    write.term = term;
    write.voted_for = options_.server_id;
    self_->send(state_.journal, write_atom::value, std::make_shared<const journal_write>(std::move(write)),
                journal_client{self_});
  }

  /// The explicit act that begins a group; loaded like any other once it is durable.
  void begin_group() {
    state_.at = phase::bootstrapping;
    auto data = encode_configuration({{options_.server_id, options_.address, server_role::voter}});
    journal_write write;
    write.group = options_.group;
    write.epoch = state_.write_epoch;
    write.term = 1;
    write.voted_for = 0;
    write.entries.push_back({1, 1, entry_type::change, std::make_shared<const std::string>(std::move(data))});
    env_.log.info(name_, "begins a new group", {{"server", options_.server_id}});
    self_->send(state_.journal, write_atom::value, std::make_shared<const journal_write>(std::move(write)),
                journal_client{self_});
  }

  // ---- what a step asks for --------------------------------------------------------------------------------------------

  void carry_out(raft_output& out) {
    for (auto& x : out.writes) {
      journal_write write;
      write.group = options_.group;
      write.epoch = state_.write_epoch;
      write.term = x.term;
      write.voted_for = x.voted_for;
      write.entries = std::move(x.entries);
      self_->send(state_.journal, write_atom::value, std::make_shared<const journal_write>(std::move(write)),
                  journal_client{self_});
    }
    send_messages(std::move(out.messages));
    if (out.role_changed && (leads() || state_.barrier != 0)) {
      env_.log.info(name_, "changed its role", {{"leads", leads()}, {"term", state_.core->term()}});
      close_epoch(ec::not_serving, outcome::unknown);
      open_epoch();
    }
    tell_leader();
    feed();
    report_committed();
    maybe_serve();
    if (now_ms() >= state_.view_due_ms)
      show();
    metrics_.lag.Set(static_cast<double>(state_.core->commit_index() - std::min(state_.applied, state_.core->commit_index())));
    metrics_.memory.Set(static_cast<double>(state_.core->log().bytes()));
    schedule(state_.core->timeout_at_ms());
  }

  void report_committed() {
    const auto committed = mutated(mutation::commit_by_minority) ? state_.core->stored_index() : state_.core->commit_index();
    while (!state_.proposals.empty() && state_.proposals.front().index <= committed) {
      const auto& p = state_.proposals.front();
      self_->send(p.who, committed_atom::value, state_.epoch, p.batch, p.index);
      state_.proposals.pop_front();
    }
  }

  /// To each member's node, in one parcel. A node whose link is down gets nothing: Raft sends it again.
  void send_messages(std::vector<raft_message> messages) {
    if (messages.empty())
      return;
    std::map<std::string, std::vector<raft_message>> by_node;
    for (auto& m : messages)
      if (auto node = node_of(m.peer); !node.empty())
        by_node[std::move(node)].push_back(std::move(m));
    for (auto& [node, parcel] : by_node) {
      if (auto link = env_.directory->get<peer_link_actor>("peer " + node); link != nullptr)
        self_->send(link, raft_atom::value, options_.group, std::make_shared<const std::vector<raft_message>>(std::move(parcel)));
    }
  }

  const server* find_server(std::uint64_t id) const {
    if (state_.core != nullptr)
      for (const auto& x : state_.core->servers())
        if (x.id == id)
          return &x;
    return nullptr;
  }

  /// Empty when it is not known.
  std::string node_of(std::uint64_t id) const {
    if (id == options_.server_id)
      return options_.address;
    if (const auto* x = find_server(id); x != nullptr && x->address != nameless)
      return x->address;
    const auto heard = state_.nodes.find(id);
    return heard == state_.nodes.end() ? std::string{} : heard->second;
  }

  /// Whether this member may be on that node. A member that is new here is believed: its link has told who it is.
  bool is_from(std::uint64_t id, const std::string& node) {
    if (const auto* x = find_server(id); x != nullptr && x->address != nameless)
      return x->address == node;
    if (state_.nodes.size() >= defaults::cluster_nodes_max)
      state_.nodes.clear();
    state_.nodes[id] = node;
    return true;
  }

  bool heard_recently(std::uint64_t id) const {
    const auto heard = state_.core->heard_ms(id);
    return heard != 0 && now_ms() - heard < options_.election_ms;
  }

  bool somebody_takes_over_a_copy() const {
    const auto cut = state_.core->log().cut_index();
    return std::any_of(state_.core->servers().begin(), state_.core->servers().end(), [&](const server& x) {
      return x.id != options_.server_id && heard_recently(x.id) && state_.core->match_index(x.id) < cut;
    });
  }

  /// What the listener is told of who leads elsewhere; not empty when this node has no part in the group: others answer for it.
  std::string leader_elsewhere() const {
    if (const auto id = state_.core->leader_id(); id != 0)
      return node_of(id);
    if (auto leader = leader_without_this(); !leader.empty())
      return leader;
    if (options_.view == nullptr || find_server(options_.server_id) != nullptr)
      return {};
    const auto known = options_.view->where(options_.group).leader;
    return known.empty() ? "another node" : known;
  }

  /// Who leads a group that this server was taken out of: it gets no entries any more, so its own log never tells it, and it
  /// would wait for a leader for ever. Empty when no leader says so.
  std::string leader_without_this() const {
    const auto v = options_.view == nullptr ? std::nullopt : options_.view->best(options_.group);
    const auto is_this = [this](const auto& m) { return m.id == options_.server_id; };
    return v && v->led() && v->leader_id != options_.server_id && std::none_of(v->members.begin(), v->members.end(), is_this)
               ? v->leader
               : std::string{};
  }

  /// It would only ask for votes that nobody gives it, for as long as it runs. Should it be added again, it hears from the
  /// leader.
  bool has_been_taken_out() const { return state_.core->role() == raft_role::candidate && !leader_without_this().empty(); }

  void tell_leader() {
    const auto leader = state_.core->leader_id();
    const auto without = leader == 0 && !leads() ? leader_without_this() : std::string{};
    const bool told = state_.told_leader == leader && state_.told_without == without;
    state_.told_leader = leader;
    state_.told_without = without;
    if (told)
      return;
    state_.follow_from.reset();
    state_.follow_told = false;
    if (leader != 0 && !leads())
      env_.log.info(name_, "follows", {{"leader", node_of(leader)}, {"term", state_.core->term()}});
    if (state_.listener != nullptr && state_.epoch != 0 && !leads())
      self_->send(state_.listener, leader_atom::value, state_.epoch, leader_elsewhere());
    show();
  }

  /// Whether this leader's commit index covers all that was acknowledged before its term. After a start of all members it begins
  /// far behind that (Raft dissertation, 6.4), until the leader has committed an entry of its own term; or when its whole log is
  /// committed.
  bool knows_what_is_committed(const raft_message& m) const {
    const auto& log = state_.core->log();
    if (m.term != state_.core->term() || state_.core->leader_id() != m.peer)
      return false;
    const bool all = m.entries.empty() && m.index == m.commit && log.last() == m.commit;
    return all || (m.commit >= log.cut_index() && m.commit <= log.last() && log.term_of(m.commit) == m.term);
  }

  void tell_following() {
    if (state_.follow_told || !state_.follow_from || state_.core == nullptr || leads() || state_.store == nullptr ||
        state_.listener == nullptr || state_.applied < *state_.follow_from)
      return;
    state_.follow_told = true;
    self_->send(state_.listener, follow_atom::value, state_.epoch);
  }

  void hide() {
    if (options_.view != nullptr)
      options_.view->remove(options_.group);
  }

  /// For whoever looks from outside.
  void show() {
    state_.view_due_ms = now_ms() + view_period_ms;
    if (options_.view == nullptr || state_.core == nullptr)
      return;
    const auto& core = *state_.core;
    runtime::group_view v;
    v.role = core.role() == raft_role::leader      ? "leader"
             : core.role() == raft_role::candidate ? "candidate"
             : core.servers().empty()              ? "none"
                                                   : "follower";
    v.term = core.term();
    v.commit = core.commit_index();
    v.applied = state_.applied;
    v.last = core.log().last();
    v.leader_id = core.leader_id();
    v.leader = v.leader_id == 0 ? std::string{} : node_of(v.leader_id);
    v.serving = state_.serving;
    v.change_under_way = core.change_under_way();
    for (const auto& x : core.servers()) {
      runtime::member_view m;
      m.id = x.id;
      m.node = node_of(x.id);
      m.role = x.id == v.leader_id ? "leader" : x.role == server_role::voter ? "voter" : "stand-by";
      m.known = leads();
      m.match = core.match_index(x.id);
      m.heard_ms = x.id == options_.server_id ? 0 : core.heard_ms(x.id) == 0 ? -1 : now_ms() - core.heard_ms(x.id);
      v.members.push_back(std::move(m));
    }
    options_.view->set(options_.group, std::move(v));
  }

  void change_members(const server_change& change, caf::typed_response_promise<std::uint64_t> answer) {
    auto next = state_.core->servers();
    for (auto& x : next) // one that was alone before tells the others its name with the first change
      if (x.id == options_.server_id)
        x.address = options_.address;
    const auto who = std::find_if(next.begin(), next.end(), [&](const server& x) { return x.id == change.id; });
    const auto refuse_change = [&](ec code, std::string why) { answer.deliver(make_error(code, name_ + ": " + std::move(why))); };
    // Or two who decide on the same members, one of them late, would take out two of them.
    if (!change.seen.empty() && change.seen != roster(next))
      return refuse_change(ec::not_serving, "its members are " + roster(next) + " by now");
    switch (change.what) {
      case server_change::kind::add:
        if (who != next.end())
          return refuse_change(ec::invalid, "server " + number(change.id) + " belongs to it already");
        for (const auto& x : next)
          if (node_of(x.id) == change.node)
            return refuse_change(ec::invalid, "node " + change.node + " belongs to it already, as server " + number(x.id));
        next.push_back({change.id, change.node, server_role::stand_by});
        break;
      case server_change::kind::promote: {
        if (who == next.end() || who->role == server_role::voter)
          return refuse_change(ec::invalid, "server " + number(change.id) + " is no stand-by of it");
        const auto match = state_.core->match_index(change.id), last = state_.core->log().last();
        // It has to know at least that it is a member: one that does not cannot vote (see may_vote in raft_core.c).
        if (!heard_recently(change.id) || match == 0 || match < state_.core->log().cut_index() ||
            match < state_.core->servers_index() || match + defaults::raft_promotion_lag_max < last)
          return refuse_change(ec::not_serving, "server " + number(change.id) + " is not caught up: it holds entries up to " +
                                                    number(match) + " of " + number(last));
        who->role = server_role::voter;
        break;
      }
      case server_change::kind::remove:
        if (who == next.end())
          return refuse_change(ec::invalid, "server " + number(change.id) + " does not belong to it");
        if (change.id == options_.server_id)
          return refuse_change(ec::invalid, "its leader does not remove itself; hand leadership over first");
        next.erase(who);
        break;
    }
    raft_output out;
    const auto index =
        state_.core->submit(entry_type::change, std::make_shared<const std::string>(encode_configuration(next)), now_ms(), out);
    if (!index)
      return refuse_change(ec::not_serving, "it does not lead any more");
    env_.log.info(name_, "changes its members",
                  {{"entry", *index}, {"server", change.id}, {"members", std::uint64_t{next.size()}}});
    answer.deliver(*index);
    carry_out(out);
    show();
  }

  /// Nobody took the leadership over. The word to stand for election may still arrive, so that this member can hold no lease in
  /// its term any more: it begins anew, as after a start.
  void end_transfer() {
    state_.transfer_until_ms = 0;
    if (!leads() || state_.core->has_lease(now_ms()))
      return;
    close_epoch(ec::not_serving, outcome::unknown);
    hide();
    state_.core.reset();
    state_.timer_due_ms = 0;
    load();
  }

  // ---- another member's store ------------------------------------------------------------------------------------------

  /// Whether its log has this entry, and so all before it, or begins behind it.
  bool has_all(std::uint64_t index, std::uint64_t term) const {
    return index <= state_.core->commit_index() || state_.core->log().term_of(index) == term;
  }

  /// The leader has cut what this member would need. Its store is fetched beside Raft; the core only hears of it
  /// once it is here, as a log that begins behind it.
  void on_offer(const raft_message& m, const std::string& node) {
    if (m.term < state_.core->term() || state_.fetching || has_all(m.index, m.index_term))
      return;
    if (state_.store == nullptr)
      return; // it may be about to take the file that came last
    auto fetcher = env_.directory->get<snapshot_fetcher_actor>("fetcher");
    if (fetcher == nullptr)
      return; // the leader offers it again
    state_.fetching = true;
    self_->monitor(fetcher);
    state_.fetcher = fetcher.address();
    env_.log.info(name_, "fetches another member's store",
                  {{"node", node}, {"behind", m.index - std::min(m.index, state_.core->log().last())}});
    self_->send(fetcher, fetch_atom::value, options_.group, node);
  }

  /// The journal's log begins behind the fetched file. Its store takes the file; should it die before, it takes it when it
  /// attaches again.
  void on_log_replaced() {
    const auto point = std::make_shared<const snapshot_point>(std::move(*state_.fetched));
    state_.fetched.reset();
    if (auto store = env_.directory->get<shard_store_actor>("store " + number(options_.group)); store != nullptr)
      self_->send(store, install_atom::value, point);
    load();
  }

  // ---- epochs ----------------------------------------------------------------------------------------------------------

  std::uint64_t next_epoch() { return epochs_->fetch_add(1) + 1; }

  bool leads() const { return state_.core != nullptr && state_.core->role() == raft_role::leader; }

  void open_epoch() {
    if (state_.listener == nullptr || state_.core == nullptr)
      return;
    invariant(state_.epoch == 0, "an epoch ends before the next begins");
    state_.epoch = next_epoch();
    metrics_.epochs.Increment();
    state_.follow_told = false;
    if (!leads()) {
      if (auto leader = leader_elsewhere(); !leader.empty())
        self_->send(state_.listener, leader_atom::value, state_.epoch, std::move(leader));
      tell_following();
      return;
    }
    // A single voter takes all it has stored as committed, and a leader without uncommitted entries appends no barrier: only one
    // of our own proves that what it serves is complete.
    raft_output out;
    const auto index = state_.core->submit(entry_type::barrier, std::make_shared<const std::string>(), now_ms(), out);
    state_.barrier = index.value_or(0);
    carry_out(out);
  }

  void close_epoch(ec why, outcome known) {
    if (state_.epoch != 0 && state_.listener != nullptr)
      self_->send(state_.listener, closed_atom::value, state_.epoch, why, known);
    state_.epoch = state_.barrier = 0;
    if (auto change = std::exchange(state_.waiting_change, std::nullopt))
      change->second.deliver(make_error(ec::not_serving, name_ + " does not lead any more"));
    const bool served = std::exchange(state_.serving, false);
    state_.barrier_flushed = false;
    state_.proposals.clear();
    if (served)
      show();
  }

  void maybe_serve() {
    if (state_.serving || state_.epoch == 0 || state_.barrier == 0 || !leads() || state_.store == nullptr ||
        (!mutated(mutation::serve_before_barrier) &&
         (state_.core->commit_index() < state_.barrier || state_.applied < state_.barrier)))
      return;
    state_.serving = true;
    self_->send(state_.listener, applied_atom::value, state_.applied);
    self_->send(state_.listener, serving_atom::value, state_.epoch);
    show();
  }

  // ---- feeding the store -----------------------------------------------------------------------------------------------

  void take_store() {
    if (!state_.waiting_store || state_.core == nullptr)
      return;
    const auto [store, applied, term] = *state_.waiting_store;
    const auto& log = state_.core->log();
    const auto stored = state_.core->stored_index();
    const auto group = "group " + number(options_.group);
    if (applied > stored) {
      refuse("the journal is behind the store of " + group + ": its log ends at entry " + number(stored) +
             ", but the store has applied entry " + number(applied) + "; entries " + number(stored + 1) + " to " +
             number(applied) + " are missing from the journal. Restore the data directory from a backup.");
      return;
    }
    if (applied < log.cut_index() && state_.cut &&
        env_.disk.exists(runtime::incoming_path(env_.data_directory, options_.group))) {
      state_.waiting_store.reset();
      self_->send(store, install_atom::value, std::make_shared<const snapshot_point>(*state_.cut));
      return; // it attaches again
    }
    if (applied < log.cut_index()) {
      refuse("the store of " + group + " has applied up to entry " + number(applied) + ", but the journal begins at entry " +
             number(log.cut_index() + 1) + ": entries " + number(applied + 1) + " to " + number(log.cut_index()) +
             " are missing. Restore the data directory from a backup.");
      return;
    }
    if (log.term_of(applied) != term) {
      refuse("the store and the journal of " + group + " disagree: entry " + number(applied) + " has term " + number(term) +
             " in the store and " + number(log.term_of(applied)) + " in the journal. Restore the data directory from a backup.");
      return;
    }
    state_.store = store;
    state_.applied = state_.sent = applied;
    if (mutated(mutation::apply_skips_entry) && applied < state_.core->applicable_index())
      ++state_.sent;
    state_.window.clear();
    state_.window_bytes = 0;
    state_.barrier_flushed = false;
    state_.waiting_store.reset();
    self_->monitor(state_.store);
    if (applied + 1 < log.first_in_memory())
      refill();
    else
      state_.core->release(std::min(applied, state_.core->applicable_index()));
    feed();
    maybe_serve();
    answer_applied();
  }

  /// A store that starts again may need what the last one had applied: the journal has it.
  void refill() {
    if (std::exchange(state_.refilling, true))
      return;
    self_->request(state_.journal, std::chrono::milliseconds{defaults::journal_load_limit_ms}, load_atom::value, options_.group)
        .then(
            [this](const group_log_ptr& log) {
              state_.refilling = false;
              if (state_.core == nullptr)
                return;
              state_.core->refill(*log);
              if (mutated(mutation::refill_wrong_window) && state_.sent < state_.core->applicable_index())
                ++state_.sent;
              if (auto change = std::exchange(state_.waiting_change, std::nullopt)) {
                if (state_.serving)
                  change_members(change->first, change->second);
                else
                  change->second.deliver(make_error(ec::not_serving, name_ + " does not lead any more"));
              }
              feed();
            },
            [this](caf::error& why) {
              self_->quit(runtime::code_of(why) ? why : make_error(ec::not_serving, name_ + ": the journal did not answer"));
            });
  }

  /// At once in the catalog, which others wait to see, and while a leader is not serving yet; then what is committed gathers,
  /// because each message wakes the store's thread.
  void feed() {
    if (state_.core == nullptr)
      return;
    if ((!state_.serving && leads()) || options_.feed_delay_ms == 0 || options_.group == 0)
      feed_now();
    else if (state_.sent < state_.core->applicable_index() && !std::exchange(state_.feed_due, true))
      self_->delayed_send(self_, std::chrono::milliseconds{options_.feed_delay_ms}, feed_atom::value);
  }

  void feed_now() {
    if (state_.store == nullptr || state_.core == nullptr || state_.refilling)
      return;
    const auto end = state_.core->applicable_index();
    while (state_.sent < end && state_.window_bytes < options_.feed_window_bytes) {
      auto chunk = state_.core->log().copy(state_.sent + 1, end, options_.feed_chunk_bytes);
      std::size_t bytes = 0;
      for (const auto& x : chunk)
        bytes += x.data->size();
      state_.sent = chunk.back().index;
      state_.window.emplace_back(state_.sent, bytes);
      state_.window_bytes += bytes;
      self_->send(state_.store, apply_atom::value, std::make_shared<const log_entries>(std::move(chunk)));
    }
    if (!state_.serving && !state_.barrier_flushed && state_.barrier != 0 && state_.sent >= state_.barrier) {
      state_.barrier_flushed = true; // nobody waits for the store to gather more before the shard serves
      self_->send(state_.store, flush_atom::value);
    }
  }

  // ---- everything else -------------------------------------------------------------------------------------------------

  void on_down(const caf::down_msg& down) {
    if (state_.journal != nullptr && down.source == state_.journal.address()) {
      // The supervisor starts everything behind the journal again.
      close_epoch(ec::not_serving, outcome::unknown);
      hide();
      state_.core.reset();
      state_.at = phase::stopped;
    } else if (state_.store != nullptr && down.source == state_.store.address()) {
      state_.store = nullptr;
    } else if (state_.fetching && down.source == state_.fetcher) {
      state_.fetching = false; // the leader offers it again
    } else if (state_.listener != nullptr && down.source == state_.listener.address()) {
      state_.listener = nullptr;
      close_epoch(ec::not_serving, outcome::unknown);
    }
  }

  void refuse(const std::string& why) {
    env_.log.error(name_, "refuses to start", {{"why", why}});
    self_->quit(make_error(ec::damaged, why));
  }

  std::int64_t now_ms() const { return env_.clock.now_ns() / 1'000'000; }

  /// One timer runs at a time unless an earlier one is needed; a later due time is found when it fires.
  void schedule(std::int64_t due_ms) {
    if (state_.timer_due_ms != 0 && state_.timer_due_ms <= due_ms)
      return;
    state_.timer_due_ms = due_ms;
    self_->delayed_send(self_, std::chrono::milliseconds{std::max<std::int64_t>(1, due_ms - now_ms())}, caf::tick_atom::value,
                        ++state_.timer);
  }

  std::string phase_text() const {
    switch (state_.at) {
      case phase::loading: return "loading";
      case phase::bootstrapping: return "beginning";
      case phase::raising: return "raising its term";
      case phase::waiting: return "waiting for space";
      case phase::installing: return "taking over another member's store";
      case phase::stopped: return "stopped";
      case phase::running: break;
    }
    return state_.serving ? "serving" : leads() ? "leading" : "following";
  }

  replica_pointer self_;
  replica_state& state_;
  const runtime::environment& env_;
  replica_options options_;
  epoch_counter epochs_;
  std::string name_;
  replica_metrics metrics_;
};

} // namespace

replica_actor::behavior_type replica(replica_pointer self, const runtime::environment& env, replica_options options,
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
  auto w = std::make_shared<replica_work>(self, env, std::move(options), std::move(epochs));
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
