#include "tests/simulation/world.hpp"

#include "messages/errors.hpp"
#include "runtime/defaults.hpp"
#include "runtime/error_text.hpp"
#include "tests/simulation/replica_check.hpp"

#include <algorithm>
#include <utility>

namespace epione::simulation {

namespace {

/// How long a node may take from its start, or from the last fault, until it serves: reading a small log takes simulated
/// milliseconds, and every retry and restart has a back-off of at most two seconds. In a cluster it may have to join first, and
/// to fetch every store.
constexpr std::int64_t serve_limit_ns = 30 * s_in_ns, clustered_serve_limit_ns = 60 * s_in_ns;
constexpr std::int64_t world_look_period_ns = 5 * ms_in_ns;
constexpr std::int64_t ask_period_ns = 300 * ms_in_ns;
/// Longer than a node takes to answer an operator, or to say that it cannot.
constexpr std::int64_t answer_patience_ns = 15 * s_in_ns;
constexpr const char* directory = "/node";

std::string name_of(std::size_t number, std::size_t machines) {
  return machines == 1 ? "node" : "n" + std::to_string(number + 1);
}

} // namespace

machine::machine(world& w, std::size_t n, std::size_t machines)
    : number(n), name(name_of(n, machines)), usual_drift_ppm(w.luck.branch("drift " + name).between(-500, 500)),
      clock(w.clock, w.luck.branch("up " + name).between(10, 86'400) * s_in_ns, usual_drift_ppm),
      disk(chance{w.seed}.branch("disk " + name).next(), w.clock), node_disk(disk),
      node(node_surroundings{
               clock, member, node_disk, w.log, chance{w.seed}.branch("order " + name),
               [&w](const messages::reply& r) {
                 const auto how = w.book.answered(r);
                 w.log.line("answer " + std::to_string(r.to) + " " + std::to_string(r.status) +
                            (r.status == 503 ? " " + std::string{to_string(how)} : std::string{}));
                 if (r.status == 202 && w.at_next_acknowledgement)
                   std::exchange(w.at_next_acknowledgement, nullptr)();
                 if (w.on_answer)
                   w.on_answer(r.to, how);
               },
               [&w](const messages::notice& x) { return w.post.take(x); },
               [this, &w](int code, std::string_view why) { w.fatal(*this, code, why); },
               [this, &w](const std::string& what) {
                 if (!damaged && !spoilt)
                   w.book.violation(name + ", " + what);
               },
               w.luck.branch("replica memory").one_of<std::size_t>(0, 8u << 10, runtime::defaults::replica_memory_bytes_max)},
           w.config) {
  disk.on_sleep([this, &w](std::int64_t us) { busy_until_ns = std::max(busy_until_ns, w.clock.ns) + us * 1'000; });
  if (machines == 1)
    return;
  clock.wall_offset_us = w.luck.branch("wall " + name).between(-200'000, 200'000);
  member.network = &w.network;
  member.name = name;
  for (std::size_t i = 0; i < machines; ++i)
    member.all.push_back(name_of(i, machines));
  member.server_id = n == 0 ? 1 : 0;
  member.attempt = "attempt 1 of " + name;
  member.replication = w.replication;
}

world::world(std::uint64_t number, std::size_t nodes, std::FILE* trace_out)
    : seed(number), luck(chance{number}.branch("world")), log(clock.ns, trace_out), book(log, nodes > 1),
      post(log, book, chance{number}.branch("post")), watch(book), config(make_config()),
      network(plans, clock, log, chance{number}.branch("network")) {
  book.now_is(clock.ns);
  network.on_said = [this](const cluster::local_identity& from, std::uint32_t group, const messages::raft_message& m) {
    const auto hello = from.hello();
    watch.said({hello.node, hello.server_id, hello.incarnation}, group, m);
  };
  step_cost_max_ns_ = luck.one_of<std::int64_t>(2'000, 20'000, 100'000);
  if (nodes == 5)
    replication = luck.one_of<std::uint32_t>(3, 5);
  for (std::size_t i = 0; i < nodes; ++i)
    machines.push_back(std::make_unique<machine>(*this, i, nodes));
  log.line("seed " + std::to_string(seed) + ": " + std::to_string(nodes) + (nodes == 1 ? " node, " : " nodes, ") +
           std::to_string(config.shards.count) + " shards, handling a message takes up to " +
           std::to_string(step_cost_max_ns_ / 1'000) + " us");
}

world::~world() {
  for (auto& m : machines) // whatever ends now is nobody's business
    m->node.leave_network(false);
}

/// Small limits, so that batches, sessions, checkpoints and cuts of the log all happen within two simulated minutes.
runtime::config world::make_config() {
  auto c = luck.branch("configuration");
  runtime::config out;
  out.data.directory = directory;
  out.shards.count = static_cast<std::uint32_t>(c.between(2, 4));
  out.storage.disk_reserve_bytes = 0;
  out.storage.apply_delay_ms = c.one_of<std::uint32_t>(10, 200, 1'000, 3'000);
  out.storage.apply_rows_max = c.one_of<std::uint32_t>(8, 256, 4'096);
  out.storage.store_checkpoint_bytes = c.one_of<std::uint64_t>(16u << 10, 128u << 10, 16u << 20);
  out.storage.journal_checkpoint_bytes = c.one_of<std::uint64_t>(32u << 10, 256u << 10, 32u << 20);
  out.batch.commands_max = c.one_of<std::uint32_t>(1, 4, 64, 1'024);
  out.sessions.per_node_max = c.one_of<std::uint32_t>(40, 400, 1'000'000);
  out.sessions.idle_limit_ms = c.one_of<std::uint32_t>(1'000, 10'000, 900'000);
  out.admission.in_flight_per_shard_max = c.one_of<std::uint32_t>(16, 2'048);
  out.admission.store_lag_max = c.one_of<std::uint32_t>(64, 32'768);
  out.validators.count = static_cast<std::uint32_t>(c.between(1, 3));
  out.readers.count = static_cast<std::uint32_t>(c.between(1, 2));
  out.sessions.starts_per_s = c.one_of<std::uint32_t>(50, 2'000);
  return out;
}

// ---- moving on
// -----------------------------------------------------------------------------------------------------------------

bool world::run_until(const std::function<bool()>& done, std::int64_t limit_ns) {
  while (!done()) {
    if (broken() || clock.ns >= limit_ns)
      return false;
    if (!move_on(limit_ns))
      clock.ns = limit_ns;
  }
  return true;
}

/// The next small thing: an entry of the agenda, a message, or time passing. False when nothing happens before the limit.
bool world::move_on(std::int64_t limit_ns) {
  if (plans.do_one(clock.ns))
    return true;
  ready_.clear();
  auto next = plans.next_ns();
  for (auto& one : machines) {
    auto& m = *one;
    if (!m.node.running())
      continue;
    const auto free_ns = std::max(m.busy_until_ns, m.paused_until_ns);
    if (free_ns > clock.ns) {
      next = std::min(next, free_ns);
      continue;
    }
    m.node.pass_time();
    if (clock.ns >= m.next_look_ns || m.process_ended || m.node.ended() || m.crash_at_operation != 0)
      look_at(m);
    if (!m.node.running() || m.node.ended())
      continue;
    if (m.node.has_ready())
      ready_.push_back(&m);
    else
      next = std::min({next, m.node.next_timer_ns(), std::max(m.next_look_ns, clock.ns + 1)});
  }
  if (ready_.empty()) {
    if (next >= limit_ns)
      return false;
    clock.ns = std::max(clock.ns, next);
    return true;
  }
  auto& m = *ready_[ready_.size() == 1 ? 0 : luck.below(ready_.size())];
  m.node.step();
  ++steps;
  const auto syncs = m.disk.syncs();
  const auto synced_ns = static_cast<std::int64_t>(syncs - m.syncs_seen) * m.sync_cost_ns;
  m.busy_until_ns = std::max(m.busy_until_ns, clock.ns) + luck.between(1, step_cost_max_ns_) + (m.threads_wait ? 0 : synced_ns);
  if (m.threads_wait && synced_ns > 0)
    m.node.hold_last(std::min(synced_ns, thread_wait_max_ns));
  m.syncs_seen = syncs;
  return true;
}

/// What somebody who watches the process would notice.
void world::look_at(machine& m) {
  m.next_look_ns = clock.ns + world_look_period_ns;
  if (m.crash_at_operation != 0 && m.disk.operations() >= m.crash_at_operation)
    return crash_node(m, loss::power, "power loss in the middle of an operation of the disk");
  if (m.process_ended) {
    m.refused = m.fatal_code == runtime::exit_code::problems;
    if (!may_end || !may_end(m, nullptr, m.fatal_code))
      return book.violation(m.name + " ended its process without a reason");
    const auto what = luck.share(0.3) ? loss::power : loss::none;
    return crash_node(m, what, what == loss::power ? "it ended itself, and the power went" : "it ended itself");
  }
  if (m.node.ended()) {
    check_end(m, *m.node.ended());
    if (!broken())
      crash_node(m, loss::none, m.node.stopping() ? "stopped" : "gave up");
    return;
  }
  if (m.node.joining())
    return look_at_joining(m);
  check_liveness(m);
}

void world::check_end(machine& m, const caf::error& why) {
  const bool stopped = m.node.stopping() && (!why || why == caf::exit_reason::user_shutdown);
  m.refused = runtime::code_of(why) == ec::damaged;
  log.line(m.name + " ended: " + (stopped ? std::string{"stopped"} : runtime::error_text(why)));
  if (!stopped && (!may_end || !may_end(m, &why, 0)))
    return book.violation(m.name + " ended without a reason: " + runtime::error_text(why));
  if (stopped && !m.stop_disturbed && last_trouble_ns <= m.stop_asked_ns && book.open_count(m.number) != 0)
    book.violation("a stop of " + m.name + " that nothing disturbed left " + std::to_string(book.open_count(m.number)) +
                   " requests without an answer");
}

void world::check_liveness(machine& m) {
  if (m.node.stopping()) {
    if (clock.ns - std::max(m.stop_asked_ns, m.last_trouble_ns) > std::int64_t{config.stop.limit_ms} * ms_in_ns + s_in_ns)
      book.violation(m.name + " did not stop within its limit");
    return;
  }
  const bool ready = m.node.ready();
  if (ready != m.serving) {
    m.serving = ready;
    log.line(m.name + (ready ? " serving" : " not ready"));
    if (ready)
      m.member.begun = true;
    if (ready && on_serving)
      on_serving(m);
  }
  const auto limit_to_serve = clustered() ? clustered_serve_limit_ns : serve_limit_ns;
  // Who leaves need not serve any more; that it leaves within a time is asked at the end.
  if (!ready && !m.leaving && !m.away && clock.ns - std::max(m.started_ns, last_trouble_ns) > limit_to_serve)
    book.violation(m.name + " does not serve " + std::to_string(limit_to_serve / s_in_ns) +
                   " s after its start and the last fault: " + m.node.why_not_ready());
  // One second above its own limit: the gateway looks at its deadlines ten times a second, and must get its turn for that.
  const auto limit = std::int64_t{config.http.request_limit_ms} * ms_in_ns + s_in_ns;
  if (clock.ns - std::max(book.oldest_open_ns(m.number, clock.ns), m.last_trouble_ns) > limit)
    book.violation("a request was not answered within the limit of " + m.name);
}

// ---- the nodes' life
// -----------------------------------------------------------------------------------------------------------

void world::start_node(machine& m) {
  if (m.node.running() || m.away)
    return;
  ++starts;
  ++m.starts;
  log.line("start " + m.name + (m.member.server_id == 0 && clustered() ? " with an empty directory" : ""));
  m.process_ended = m.serving = m.asking = m.refused = false;
  m.granted = 0;
  m.fatal_code = 0;
  m.started_ns = m.next_look_ns = m.busy_until_ns = clock.ns;
  m.node_disk.begin();
  m.node.start();
}

void world::fatal(machine& m, int exit_code, std::string_view why) {
  log.line(m.name + " fatal " + std::to_string(exit_code) + ": " + std::string{why});
  m.process_ended = true;
  m.fatal_code = exit_code;
  m.node_disk.end();
  m.disk.cut();
}

void world::crash_node(machine& m, loss what, std::string_view why) {
  log.line((what == loss::power ? "power loss of " : "process gone: ") + m.name + ": " + std::string{why});
  const bool was_running = m.node.running();
  m.crash_at_operation = 0;
  m.paused_until_ns = 0;
  m.node_disk.end();
  m.disk.cut();
  m.node.leave_network(what == loss::none);
  if (const auto left = m.node.destroy(); left != 0)
    book.violation(std::to_string(left) + " actors outlived " + m.name);
  if (what == loss::power) {
    m.disk.crash();
    if (clustered() && was_running && !m.damaged)
      watch.check_disk({m.name, m.member.server_id, 0}, terms_on_disk(*this, m, watch.last_stored(m.member.server_id)));
    m.clock.reboot(luck.between(5, 60) * s_in_ns);
  }
  m.process_ended = m.serving = false;
  if (!was_running)
    return;
  book.node_gone(m.number);
  if (on_node_gone)
    on_node_gone(m);
}

void world::stop_node(machine& m) {
  if (!m.accepts())
    return;
  log.line(m.name + " asked to stop");
  m.stop_asked_ns = clock.ns;
  m.stop_disturbed = m.node.exception_armed() || m.disk.fault_due();
  m.serving = false;
  m.node.request_stop();
}

void world::restart_later(machine& m, std::int64_t delay_ns) {
  after(delay_ns, [this, &m] { start_node(m); });
}

void world::pause_node(machine& m, std::int64_t length_ns) {
  m.paused_until_ns = std::max(m.paused_until_ns, clock.ns + length_ns);
  network.set_frozen(m.name, true);
  plans.at(m.paused_until_ns, [this, &m] {
    if (!m.paused(clock.ns))
      network.set_frozen(m.name, false);
  });
}

void world::lose_directory(machine& m) {
  crash_node(m, loss::power, "its disk is gone");
  replace_node(m);
}

void world::replace_node(machine& m) {
  const auto lost = m.member.server_id;
  empty_directory(m);
  say_of(m, "replace", [lost](const domain::cluster_node* n) { return n == nullptr || n->server_id != lost; }, [] {});
}

/// A shard that has moved away leaves its files behind, and nobody brings them up to date.
runtime::audit_options world::what_is_there(const machine& m) {
  runtime::audit_options options;
  options.member = clustered();
  if (clustered())
    for (std::uint32_t g = 0; const auto& members : members_of_groups(*this)) {
      if (!members.machines.empty() && !members.machines.contains(m.number))
        options.not_here.insert(g);
      ++g;
    }
  return options;
}

std::string world::audit(machine& m) {
  const auto read_fails_in = m.disk.read_fails_in(); // of a node, not of ours
  m.disk.fail_read_at(0);
  const auto report =
      runtime::audit_directory(m.disk, config.data.directory, [](std::string_view, std::uint64_t) {}, what_is_there(m));
  m.disk.fail_read_at(read_fails_in);
  for (const auto& part : report.parts)
    if (part.broken)
      return part.file + ": " + *part.broken;
  return {};
}

void world::empty_directory(machine& m) {
  m.disk.wipe();
  m.damaged = m.spoilt = false;
  m.member.server_id = 0;
  m.member.begun = false;
  m.member.attempt = "attempt " + std::to_string(m.starts + 1) + " of " + m.name;
}

/// An operator says so on any node that goes on, until it is done. Whose answer is lost looks first whether it was done; a second
/// `replace` would take out who has joined anew.
void world::say_of(machine& m, const std::string& what, std::function<bool(const domain::cluster_node*)> is_done,
                   std::function<void()> then) {
  const auto again = [this, &m, what, is_done, then] {
    after(luck.between(200, 1'500) * ms_in_ns, [this, &m, what, is_done, then] {
      auto* by = leader(0);
      const auto nodes = by == nullptr ? nullptr : by->node.parts()->nodes.get();
      if (nodes != nullptr && is_done(nodes->find(m.name)))
        then();
      else
        say_of(m, what, is_done, then);
    });
  };
  auto& through = *machines[luck.below(machines.size())];
  if (&through == &m || !through.accepts() || through.node.parts() == nullptr)
    return again();
  const auto where = through.node.parts()->shards.where(0);
  if (!where.here && where.leader.empty())
    return again();
  messages::steward_question q;
  q.verb = messages::steward_verb::nodes;
  q.text = what;
  q.text2 = m.name;
  if (what == "invite")
    q.text3 = m.name + ".simulated:7000";
  // Whoever was asked may be gone before it answers.
  const auto over = std::make_shared<bool>(false);
  after(answer_patience_ns, [over, again] {
    if (!std::exchange(*over, true))
      again();
  });
  through.node.ask_steward(where.here ? through.name : where.leader, q,
                           [this, &m, what, then, again, over](const messages::steward_answer* a) {
                             log.line(what + " " + m.name + ": " + (a == nullptr ? "no answer" : a->text));
                             const bool done = a != nullptr && a->error == ec::none;
                             if (done && what == "replace")
                               look_whether_thrown_out(m);
                             if (!std::exchange(*over, true))
                               done ? then() : again();
                           });
}

/// What was said a second time may come late, and be about the node that has joined meanwhile.
void world::look_whether_thrown_out(machine& m) {
  if (m.member.server_id == 0)
    return;
  auto* by = leader(0);
  const auto nodes = by == nullptr || by == &m ? nullptr : by->node.parts()->nodes.get();
  if (nodes == nullptr)
    return after(s_in_ns, [this, &m] { look_whether_thrown_out(m); });
  const auto* n = nodes->find_server(m.member.server_id);
  if (n != nullptr && n->phase == domain::node_phase::member)
    return;
  if (m.node.running())
    crash_node(m, loss::none, "it was replaced once more");
  empty_directory(m);
}

void world::leave_and_return(machine& m) {
  m.leaving = true;
  say_of(
      m, "leave", [](const domain::cluster_node* n) { return n == nullptr || n->phase == domain::node_phase::leaving; },
      [this, &m] { look_whether_gone(m); });
}

void world::look_whether_gone(machine& m) {
  auto* by = leader(0);
  const auto nodes = by == nullptr || by == &m ? nullptr : by->node.parts()->nodes.get();
  if (nodes != nullptr && nodes->find(m.name) == nullptr)
    return retire(m);
  after(luck.between(100, 600) * ms_in_ns, [this, &m] { look_whether_gone(m); });
}

void world::retire(machine& m) {
  if (!m.away) {
    log.line(m.name + " has left");
    m.leaving = false;
    m.away = true;
    if (luck.share(0.5))
      stop_node(m);
    else if (m.node.running())
      crash_node(m, loss::none, "it has left");
  }
  if (m.node.running())
    return after(luck.between(100, 600) * ms_in_ns, [this, &m] {
      if (!m.node.stopping() && m.node.running())
        stop_node(m);
      retire(m);
    });
  empty_directory(m);
  after(luck.between(0, 10'000) * ms_in_ns, [this, &m] {
    say_of(
        m, "invite", [](const domain::cluster_node* n) { return n != nullptr; },
        [this, &m] {
          m.away = false;
          start_node(m);
        });
  });
}

/// A node with an empty directory asks whom it is linked with to be let in; then it starts again as what it is.
void world::look_at_joining(machine& m) {
  if (m.granted != 0) {
    log.line(m.name + " is server " + std::to_string(m.granted));
    m.member.server_id = m.granted;
    const auto kept = std::exchange(on_node_gone, nullptr); // nobody was connected
    crash_node(m, loss::none, "it has been let in");
    on_node_gone = kept;
    return start_node(m);
  }
  if (clock.ns - std::max(m.started_ns, last_trouble_ns) > clustered_serve_limit_ns)
    return book.violation(m.name + " was not let in within " + std::to_string(clustered_serve_limit_ns / s_in_ns) +
                          " s after its start and the last fault");
  if (m.asking || clock.ns < m.next_ask_ns)
    return;
  m.next_ask_ns = clock.ns + ask_period_ns;
  std::vector<std::string> there;
  for (const auto& p : m.node.parts()->peers.all())
    if (p.linked && p.server_id != 0)
      there.push_back(p.node);
  if (there.empty())
    return;
  messages::steward_question q;
  q.verb = messages::steward_verb::join;
  q.text = m.name;
  q.text2 = m.member.attempt;
  q.text3 = m.name + ".simulated:7000";
  q.text4 = "http://" + m.name;
  m.asking = true;
  m.node.ask_steward(there[luck.below(there.size())], q, [this, &m, start = m.starts](const messages::steward_answer* a) {
    if (m.starts != start)
      return;
    m.asking = false;
    if (a == nullptr || a->error != ec::none) {
      log.line(m.name + " not let in: " + (a == nullptr ? "no answer" : a->text));
      return;
    }
    if (const auto grant = messages::decode_join_grant(a->text))
      m.granted = grant->server_id;
    else
      book.violation(m.name + " was let in with words that cannot be read");
  });
}

// ---- the cluster
// ---------------------------------------------------------------------------------------------------------------

bool world::all_serve() const {
  return std::all_of(machines.begin(), machines.end(), [](const auto& m) { return m->serves(); });
}

machine* world::leader(std::uint32_t group) {
  for (auto& m : machines)
    if (m->accepts() && m->node.parts() != nullptr && m->node.parts()->shards.where(group).here)
      return m.get();
  return nullptr;
}

std::string world::why_not_whole() const {
  for (const auto& m : machines)
    if (m->leaving || m->damaged || !m->accepts())
      return m->name + (m->leaving ? " leaves" : m->damaged ? "'s disk is damaged" : " is down");
  std::vector<std::size_t> replicas(machines.size());
  for (std::uint32_t g = 0; g <= config.shards.count; ++g) {
    const auto group = "group " + std::to_string(g);
    const machine* by = nullptr;
    for (const auto& m : machines)
      if (m->node.parts()->shards.where(g).here)
        by = m.get();
    if (by == nullptr)
      return group + " is led by nobody";
    const auto v = by->node.parts()->shards.get(g);
    const std::size_t wanted = g == 0 ? machines.size() : std::min<std::size_t>(replication, machines.size());
    if (v->members.size() != wanted || v->change_under_way)
      return group + " has " + std::to_string(v->members.size()) + " members";
    for (const auto& x : v->members)
      if (x.role == "stand-by" || x.match + runtime::defaults::raft_promotion_lag_max < v->last)
        return group + ": " + x.node + " is " + x.role + " and has " + std::to_string(x.match) + " of " + std::to_string(v->last);
    if (g != 0)
      for (const auto& m : machines)
        replicas[m->number] += static_cast<std::size_t>(
            std::count_if(v->members.begin(), v->members.end(), [&](const auto& x) { return x.node == m->name; }));
  }
  const auto [least, most] = std::minmax_element(replicas.begin(), replicas.end());
  if (*most > *least + 1)
    return "one node has " + std::to_string(*most) + " replicas, another one " + std::to_string(*least);
  return {};
}

bool world::is_whole() const {
  return why_not_whole().empty();
}

bool world::is_level() const {
  if (!is_whole())
    return false;
  for (std::uint32_t g = 0; g <= config.shards.count; ++g) {
    std::optional<runtime::group_view> lead;
    for (const auto& m : machines)
      if (auto v = m->node.parts()->shards.get(g); v && v->serving)
        lead = std::move(v);
    if (!lead)
      return false;
    // As the leader lists them: who was taken out of a group is not told, and stays where it was.
    for (const auto& m : machines)
      if (std::any_of(lead->members.begin(), lead->members.end(), [&](const auto& x) { return x.node == m->name; }))
        if (const auto v = m->node.parts()->shards.get(g); !v || v->applied != lead->last || v->commit != lead->last)
          return false;
  }
  return true;
}

} // namespace epione::simulation
