#include "tests/simulation/trouble.hpp"

#include "messages/errors.hpp"
#include "runtime/error_text.hpp"
#include "tests/simulation/replica_check.hpp"

#include <algorithm>
#include <cstdio>
#include <span>
#include <utility>

namespace epione::simulation {

namespace {

/// A node may end by itself when at least so many of its actors were made to die within a minute. Its own limit is higher; but
/// one death takes others along, and a supervisor above counts those.
constexpr std::size_t deaths_that_may_end_it = 4;

/// Of SQLite's files (https://www.sqlite.org/fileformat2.html).
constexpr std::uint64_t wal_header_bytes = 32;
constexpr std::uint64_t sqlite_head_bytes = 20; ///< its name, size of a page, and versions of the format: any bit matters

struct weight {
  trouble_kind kind;
  std::uint64_t parts;
};
constexpr weight weights[] = {
    {trouble_kind::power_loss, 10},
    {trouble_kind::torn_operation, 10},
    {trouble_kind::process_kill, 8},
    {trouble_kind::clean_stop, 6},
    {trouble_kind::actor_kill, 22},
    {trouble_kind::exception, 14},
    {trouble_kind::poison, 3},
    {trouble_kind::disk_full, 6},
    {trouble_kind::no_space_once, 5},
    {trouble_kind::slow_disk, 5},
    {trouble_kind::io_error, 5},
    {trouble_kind::clock_jump, 3},
    {trouble_kind::pause, 3},
    {trouble_kind::clock_drift, 4},
    {trouble_kind::read_error, 6},
    {trouble_kind::damage, 10},
    {trouble_kind::session_kill, 14},
    // In a cluster also:
    {trouble_kind::all_lose_power, 4},
    {trouble_kind::isolation, 12},
    {trouble_kind::cut, 8},
    {trouble_kind::one_way_cut, 10},
    {trouble_kind::link_reset, 10},
    {trouble_kind::slow_network, 6},
    {trouble_kind::unreliable, 10},
    {trouble_kind::pause, 7},
    {trouble_kind::lost_directory, 6},
    {trouble_kind::departure, 5},
    {trouble_kind::power_loss_at_word, 10},
    {trouble_kind::late_answers, 9},
    {trouble_kind::deposed_leader, 9},
};
constexpr std::size_t lone_weights = 17; ///< the first ones: of a node that is alone

/// Answers may be later by so much, and each time all links together by this much more: slowly enough that their leader hears
/// something all the time and does not step down.
constexpr std::int64_t late_step_ns = 60 * ms_in_ns, late_step_period_ns = 100 * ms_in_ns;
/// How many patients such a fault brings along; without them it would mostly show nothing to anybody.
constexpr std::size_t patients_at_a_fault = 18;

} // namespace

std::string_view to_string(trouble_kind x) {
  switch (x) {
    case trouble_kind::power_loss: return "power loss";
    case trouble_kind::torn_operation: return "torn operation";
    case trouble_kind::process_kill: return "process kill";
    case trouble_kind::clean_stop: return "clean stop";
    case trouble_kind::actor_kill: return "actor kill";
    case trouble_kind::session_kill: return "session kill";
    case trouble_kind::exception: return "exception";
    case trouble_kind::poison: return "poison";
    case trouble_kind::disk_full: return "disk full";
    case trouble_kind::no_space_once: return "no space once";
    case trouble_kind::slow_disk: return "slow disk";
    case trouble_kind::io_error: return "I/O error";
    case trouble_kind::clock_jump: return "clock jump";
    case trouble_kind::pause: return "pause";
    case trouble_kind::read_error: return "read error";
    case trouble_kind::damage: return "damage";
    case trouble_kind::clock_drift: return "clock drift";
    case trouble_kind::all_lose_power: return "power loss of all";
    case trouble_kind::lost_directory: return "lost directory";
    case trouble_kind::departure: return "departure";
    case trouble_kind::isolation: return "isolation";
    case trouble_kind::cut: return "cut";
    case trouble_kind::one_way_cut: return "one-way cut";
    case trouble_kind::link_reset: return "link reset";
    case trouble_kind::slow_network: return "slow network";
    case trouble_kind::unreliable: return "unreliable messages";
    case trouble_kind::power_loss_at_word: return "power loss at a word";
    case trouble_kind::late_answers: return "late answers";
    case trouble_kind::deposed_leader: return "deposed leader";
  }
  return "?";
}

trouble::trouble(world& w, phones& p, std::optional<std::set<std::size_t>> only)
    : world_(w), phones_(p), luck_(chance{w.seed}.branch("trouble")), restarts_(chance{w.seed}.branch("restarts")),
      only_(std::move(only)), victims_(w.machines.size()) {
  normal_sync_ns_ = luck_.one_of<std::int64_t>(50'000, 500'000, 4'000'000);
  for (auto& m : world_.machines)
    m->sync_cost_ns = normal_sync_ns_;
  world_.may_end = [this](const machine& m, const caf::error* ended, int code) { return may_end(m, ended, code); };
  const auto restart = std::exchange(world_.on_node_gone, nullptr);
  world_.on_node_gone = [this, restart](machine& m) {
    restart(m);
    if (m.refused && m.damaged)
      world_.replace_node(m);
    victims_[m.number].gone_ns = world_.clock.ns;
    const auto delay_ns = restarts_.between(50, 3'000) * ms_in_ns;
    lasts(delay_ns, &m);
    world_.restart_later(m, delay_ns);
  };
}

void trouble::plan(std::int64_t from_ns, std::int64_t until_ns) {
  const std::span some{weights, world_.clustered() ? std::size(weights) : lone_weights};
  std::uint64_t parts = 0;
  for (const auto& w : some)
    parts += w.parts;
  const auto draw = [this, some, parts] {
    auto at = luck_.below(parts);
    for (const auto& w : some) {
      if (at < w.parts)
        return w.kind;
      at -= w.parts;
    }
    return trouble_kind::power_loss;
  };
  const auto many = luck_.between(16, 34);
  std::size_t number = 0;
  for (std::int64_t i = 0; i < many; ++i) {
    const auto kind = draw();
    auto at = luck_.between(from_ns, until_ns);
    // At times one follows at the heels of another: while the node is recovering.
    const auto follow = luck_.share(0.2) ? luck_.between(1, 3) : 1;
    for (std::int64_t k = 0; k < follow; ++k) {
      world_.plans.at(at, [this, n = number++, kind = k == 0 ? kind : draw()] { cause(n, kind); });
      at += luck_.between(1, 2'000) * ms_in_ns;
    }
  }
}

void trouble::lasts(std::int64_t ns, machine* m) {
  const auto end = world_.clock.ns + ns;
  world_.last_trouble_ns = std::max(world_.last_trouble_ns, end);
  for (auto& x : world_.machines)
    if (x.get() == m)
      x->last_trouble_ns = std::max(x->last_trouble_ns, end);
}

void trouble::poison(const std::string& subject) {
  for (auto& m : world_.machines)
    m->node.poison(subject);
  world_.book.poisoned(subject);
}

machine& trouble::other_than(const machine& m) {
  const auto n = luck_.below(world_.machines.size() - 1);
  return *world_.machines[n < m.number ? n : n + 1];
}

void trouble::cause(std::size_t number, trouble_kind kind) {
  if (only_ && !only_->contains(number))
    return;
  luck_ = chance{world_.seed}.branch("fault " + std::to_string(number));
  auto* whose = world_.machines[world_.clustered() ? luck_.below(world_.machines.size()) : 0].get();
  if (kind == trouble_kind::late_answers || kind == trouble_kind::deposed_leader)
    whose = some_leader();
  if (whose == nullptr)
    return;
  auto& m = *whose;
  if (over_ || (victims_[m.number].calm && m.node.stopping()))
    return;
  std::string detail;
  const bool done =
      static_cast<std::size_t>(kind) < lone_trouble_kinds ? try_cause(kind, m, detail) : try_cause_in_network(kind, m, detail);
  if (!done)
    return;
  lasts(0, &m);
  ++counts_[static_cast<std::size_t>(kind)];
  char time[32];
  std::snprintf(time, sizeof(time), "%10.3f s  ", world_.log.elapsed_s());
  auto text = std::string{to_string(kind)};
  if (world_.clustered())
    text += ", " + m.name;
  text += detail.empty() ? "" : ": " + detail;
  numbers_.push_back(number);
  list_.push_back(time + text + " (" + std::to_string(number) + ")");
  world_.log.line("fault " + text);
}

bool trouble::try_cause(trouble_kind kind, machine& m, std::string& detail) {
  auto& w = world_;
  const auto ms = [](std::int64_t n) { return std::to_string(n) + " ms"; };
  const bool running = m.node.running() && !m.node.ended();
  if (!running && kind != trouble_kind::power_loss && kind != trouble_kind::clock_jump && kind != trouble_kind::clock_drift)
    return false;
  switch (kind) {
    case trouble_kind::power_loss: w.crash_node(m, world::loss::power, "planned"); return true;
    case trouble_kind::process_kill: w.crash_node(m, world::loss::none, "killed"); return true;
    case trouble_kind::torn_operation: {
      const auto nth = static_cast<std::uint64_t>(luck_.between(1, 60));
      m.disk.fail_at(nth, fault::power_loss);
      m.crash_at_operation = m.disk.operations() + nth;
      detail = "operation " + std::to_string(nth) + " from now";
      return true;
    }
    case trouble_kind::clean_stop:
      if (m.node.stopping())
        return false;
      // While many are submitting; when nobody waits it would prove little. And every other time nothing else goes wrong until it
      // has ended, so that nothing excuses what it does not answer.
      victims_[m.number].calm = luck_.share(0.5);
      phones_.remind_many(100 * ms_in_ns);
      w.after(luck_.between(0, 200) * ms_in_ns, [&w, &m] { w.stop_node(m); });
      return true;
    case trouble_kind::actor_kill: {
      auto names = m.node.actor_names();
      std::erase(names,
                 "cluster"); // a top of the tree, as "node", which is not listed: who starts it is the process, and ends with it
      if (names.empty())
        return false;
      detail = names[luck_.below(names.size())];
      victims_[m.number].actor_deaths_ns.push_back(w.clock.ns);
      return m.node.kill(detail);
    }
    case trouble_kind::session_kill: return m.node.kill_session(luck_.next());
    case trouble_kind::exception: {
      const auto nth = static_cast<std::uint64_t>(luck_.between(1, 40));
      m.node.arm_exception(nth);
      victims_[m.number].actor_deaths_ns.push_back(w.clock.ns);
      detail = "at fault point " + std::to_string(nth) + " from now";
      return true;
    }
    case trouble_kind::poison: {
      detail = phones_.any_patient();
      poison(detail);
      detail = "patient " + detail;
      const auto length = luck_.between(3'000, 20'000);
      lasts(length * ms_in_ns, nullptr);
      w.after(length * ms_in_ns, [this] { poison({}); });
      return true;
    }
    case trouble_kind::disk_full: {
      const auto length = luck_.between(200, 8'000);
      std::uint64_t used = 0;
      for (const auto& f : m.disk.files())
        used += m.disk.size(f);
      m.disk.set_capacity(used + luck_.one_of<std::uint64_t>(0, 3'000, 40'000));
      lasts(length * ms_in_ns, &m);
      w.after(length * ms_in_ns, [this, &m] {
        m.disk.set_capacity(std::nullopt);
        world_.log.line("space returns on " + m.name);
      });
      detail = "for " + ms(length);
      return true;
    }
    case trouble_kind::slow_disk: {
      const auto length = luck_.between(500, 8'000), cost = luck_.between(20, 900);
      const bool in_threads = luck_.share(0.5);
      lasts((length + 2 * cost) * ms_in_ns, &m);
      slow_syncs(m, cost * ms_in_ns, in_threads, length * ms_in_ns);
      detail = "a sync takes " + ms(cost) + " for " + ms(length) + (in_threads ? ", and only who asked for it waits" : "");
      return true;
    }
    case trouble_kind::no_space_once:
    case trouble_kind::io_error: {
      if (m.crash_at_operation != 0)
        return false;
      const auto nth = static_cast<std::uint64_t>(luck_.between(1, 40));
      const bool full = kind == trouble_kind::no_space_once;
      m.disk.fail_at(nth, full ? fault::no_space : fault::io_error);
      detail = "operation " + std::to_string(nth) + " from now";
      return true;
    }
    case trouble_kind::read_error: {
      // A node that runs reads little: its pages are in memory. Its start reads everything.
      const auto nth = static_cast<std::uint64_t>(luck_.between(1, luck_.share(0.5) ? 20 : 400));
      const bool at_start = luck_.share(0.5);
      if (at_start)
        w.crash_node(m, luck_.share(0.5) ? world::loss::power : world::loss::none, "so that a read of its start fails");
      m.disk.fail_read_at(nth);
      detail = "read " + std::to_string(nth) + (at_start ? " of its next start" : " from now");
      return true;
    }
    case trouble_kind::damage: return w.clustered() ? damage(m, detail) : damage_store(m, detail);
    case trouble_kind::clock_jump: {
      const auto by = luck_.between(-86'400, 86'400);
      m.clock.wall_offset_us += by * 1'000'000;
      detail = std::to_string(by) + " s";
      return true;
    }
    case trouble_kind::pause: {
      const auto length = luck_.between(200, 20'000);
      w.pause_node(m, length * ms_in_ns);
      lasts(length * ms_in_ns, &m);
      detail = ms(length);
      return true;
    }
    case trouble_kind::clock_drift: {
      // A lease is a quarter shorter than an election; two clocks that go wrong by so much come nowhere near that.
      const bool fast = luck_.share(0.5);
      const auto ppm = (fast ? 1 : -1) * luck_.between(1'000, 20'000);
      const auto length = luck_.between(1'000, 60'000);
      m.clock.set_drift(ppm);
      w.after(length * ms_in_ns, [&m] { m.clock.set_drift(m.usual_drift_ppm); });
      detail = std::to_string(ppm) + " ppm for " + ms(length);
      return true;
    }
    default: return false;
  }
}

void trouble::slow_syncs(machine& m, std::int64_t cost_ns, bool in_threads, std::int64_t length_ns) {
  m.sync_cost_ns = cost_ns;
  m.threads_wait = in_threads;
  world_.after(length_ns, [this, &m] {
    m.sync_cost_ns = normal_sync_ns_;
    m.threads_wait = false;
    m.node.let_go_all();
    lasts(0, &m);
  });
}

/// Only while all groups are whole, and one at a time: what is acknowledged is on most of their members, not on all.
bool trouble::damage(machine& m, std::string& detail) {
  if (!world_.is_whole())
    return false;
  const bool at_rest = luck_.share(0.5), power = luck_.share(0.5);
  std::vector<std::string> files;
  for (const auto& f : m.disk.files())
    if (f.ends_with(".db") || f.ends_with(".db-wal") || f.ends_with(".mark"))
      files.push_back(f);
  if (luck_.share(0.4)) // there is one of them, and a store or more for each shard
    std::erase_if(files, [](const std::string& f) { return f.find("/journal.") == std::string::npos; });
  for (int tries = 0; tries < 50 && !files.empty(); ++tries) {
    const auto& file = files[luck_.below(files.size())];
    const auto at = luck_.below(std::max<std::uint64_t>(1, m.disk.size(file)));
    if (!m.disk.is_synced(file, at))
      continue;
    if (at_rest)
      world_.crash_node(m, power ? world::loss::power : world::loss::none, "to be damaged");
    const auto bit = static_cast<unsigned>(luck_.below(8));
    m.disk.flip_bit(file, at, bit);
    m.damaged = m.spoilt = true;
    detail = file + ", byte " + std::to_string(at) + ", bit " + std::to_string(bit) + (at_rest ? ", at rest" : "");
    const auto seen_after = luck_.between(1'000, 20'000);
    lasts(seen_after * ms_in_ns, &m);
    world_.after(seen_after * ms_in_ns, [this, &m] { look_at_disk(m); });
    return true;
  }
  return false;
}

/// What was acknowledged is nowhere else. So it is what the node can make good by itself, while the journal holds everything that
/// is in the store: a bit of the store's log, or all of that log and the beginning of the store.
bool trouble::damage_store(machine& m, std::string& detail) {
  const auto shards = shards_in_journal(world_, m);
  if (shards.empty())
    return false;
  const auto store = path_of_store(world_, shards[luck_.below(shards.size())]), log = store + "-wal";
  world_.crash_node(m, world::loss::power, "to be damaged"); // what is on the disk after that counts as synced
  const auto flip = [&](const std::string& file, std::uint64_t at) {
    if (at >= m.disk.size(file))
      return;
    const auto bit = static_cast<unsigned>(luck_.below(8));
    m.disk.flip_bit(file, at, bit);
    detail += (detail.empty() ? "" : "; ") + file + ", byte " + std::to_string(at) + ", bit " + std::to_string(bit);
  };
  if (luck_.share(0.5))
    flip(log, luck_.below(std::max<std::uint64_t>(1, m.disk.size(log))));
  else {
    flip(log, luck_.below(wal_header_bytes)); // a page in it would hide what the store holds
    flip(store, luck_.below(sqlite_head_bytes));
  }
  return true;
}

/// An operator stops the node, and asks `audit verify`. A node that has found its damage itself has been replaced before.
void trouble::look_at_disk(machine& m) {
  if (!m.damaged)
    return;
  if (m.node.running())
    world_.crash_node(m, world::loss::none, "to look at its disk");
  const auto found = world_.audit(m);
  world_.log.line("the disk of " + m.name + " is " + (found.empty() ? "whole" : "damaged: " + found));
  m.damaged = false;
  if (!found.empty())
    world_.replace_node(m);
}

void trouble::cut(std::vector<simulated_network::direction> ways, std::int64_t length_ns) {
  for (const auto& [from, to] : ways)
    world_.network.cut(from, to);
  lasts(length_ns, nullptr);
  world_.after(length_ns, [this, ways = std::move(ways)] {
    for (const auto& [from, to] : ways)
      world_.network.heal(from, to);
    world_.log.line("the network from " + ways.front().first + " to " + ways.front().second + " is mended");
  });
}

/// Chance alone hardly ever hits the moment between a word and what must be durable before it.
std::string trouble::cut_power_at_next_word() {
  const auto whose = [this](const std::string& node) { cut_power(node); };
  const auto kind = luck_.below(3);
  if (kind == 0) {
    world_.watch.at_next_vote(whose);
    return "of whoever votes next";
  }
  if (kind == 1) {
    world_.watch.at_next_result(whose);
    return "of whoever next says what it has stored";
  }
  const auto spared = luck_.below(world_.machines.size());
  world_.at_next_acknowledgement = [this, spared] {
    for (const auto& m : world_.machines)
      if (m->number != spared)
        cut_power(*m);
  };
  return "of all but " + world_.machines[spared]->name + ", at the next acknowledgement";
}

void trouble::cut_power(const std::string& node) {
  for (const auto& m : world_.machines)
    if (m->name == node)
      cut_power(*m);
}

void trouble::cut_power(const machine& m) {
  world_.plans.at(world_.clock.ns, [this, n = m.number] {
    auto& x = *world_.machines[n];
    if (over_ || !x.node.running() || x.node.joining())
      return;
    lasts(0, &x);
    world_.crash_node(x, world::loss::power, "at a word");
  });
}

machine* trouble::some_leader() {
  std::vector<machine*> all;
  for (std::uint32_t g = 0; g <= world_.config.shards.count; ++g)
    if (auto* m = world_.leader(g); m != nullptr)
      all.push_back(m);
  return all.empty() ? nullptr : all[luck_.below(all.size())];
}

std::vector<simulated_network::direction> trouble::ways_out_of(const machine& m) const {
  std::vector<simulated_network::direction> ways;
  for (const auto& x : world_.machines)
    if (x.get() != &m)
      ways.emplace_back(m.name, x->name);
  return ways;
}

/// Its followers' answers are on their way for longer than an election takes. When it is cut off they go on coming, the others
/// elect another leader and take new forms, and it hears of that as late. Meanwhile patients ask it: it may not answer.
std::string trouble::make_answers_late(machine& m) {
  const auto late_ns = luck_.between(600, 2'000) * ms_in_ns;
  const auto set = [this, &m](std::int64_t ns) {
    if (over_)
      return; // the network is mended
    for (const auto& [to, from] : ways_out_of(m))
      world_.network.delay(from, to, ns);
  };
  const auto steps = late_ns / late_step_ns;
  for (std::int64_t i = 1; i <= steps; ++i)
    world_.after(i * late_step_period_ns, [set, i] { set(i * late_step_ns); });
  const auto cut_after_ns = steps * late_step_period_ns + luck_.between(200, 800) * ms_in_ns;
  const auto cut_ns = late_ns + luck_.between(800, 2'500) * ms_in_ns;
  lasts(cut_after_ns + cut_ns + late_ns, nullptr);
  world_.after(cut_after_ns, [this, &m, late_ns, cut_ns] {
    if (over_)
      return;
    cut(ways_out_of(m), cut_ns);
    phones_.look_through(m, world_.clock.ns + cut_ns);
    phones_.gather(m, phones::where::elsewhere, patients_at_a_fault, 300 * ms_in_ns, late_ns);
  });
  world_.after(cut_after_ns + cut_ns, [set] { set(0); });
  return "by up to " + std::to_string(late_ns / ms_in_ns) + " ms, then cut off for " + std::to_string(cut_ns / ms_in_ns) + " ms";
}

/// What it is asked meanwhile waits for its disk and is known to nobody else. It hears who leads in its place and what stands in
/// its log instead while that disk still writes the entries that were replaced.
std::string trouble::depose(machine& m) {
  const auto cost_ns = luck_.between(900, 1'400) * ms_in_ns, slow_ns = luck_.between(5'000, 9'000) * ms_in_ns;
  const auto cut_after_ns = luck_.between(0, 400) * ms_in_ns, cut_ns = luck_.between(1'500, 4'000) * ms_in_ns;
  const bool power = luck_.share(0.7);
  lasts(slow_ns + 2 * cost_ns, nullptr);
  slow_syncs(m, cost_ns, true, slow_ns);
  phones_.gather(m, phones::where::there, patients_at_a_fault, 0, 700 * ms_in_ns);
  phones_.gather(m, phones::where::elsewhere, patients_at_a_fault, 1'000 * ms_in_ns, 2'000 * ms_in_ns);
  world_.after(cut_after_ns, [this, &m, cut_ns] {
    if (!over_)
      cut(ways_out_of(m), cut_ns);
  });
  if (power)
    world_.watch.at_next_result_of_deposed([this](const std::string& node) { cut_power(node); });
  return "a sync takes " + std::to_string(cost_ns / ms_in_ns) + " ms, cut off for " + std::to_string(cut_ns / ms_in_ns) + " ms" +
         (power ? ", power loss when it follows" : "");
}

bool trouble::try_cause_in_network(trouble_kind kind, machine& m, std::string& detail) {
  const auto ms = [](std::int64_t n) { return std::to_string(n) + " ms"; };
  // Often shorter than a link's patience, often longer.
  const auto length = luck_.share(0.4) ? luck_.between(50, 3'000) : luck_.between(3'000, 20'000);
  auto& other = other_than(m);
  switch (kind) {
    case trouble_kind::all_lose_power:
      for (auto& x : world_.machines)
        if (x->node.running() && !x->node.joining())
          world_.crash_node(*x, world::loss::power, "all at once");
      return true;
    case trouble_kind::power_loss_at_word: detail = cut_power_at_next_word(); return true;
    case trouble_kind::late_answers: detail = make_answers_late(m); return true;
    case trouble_kind::deposed_leader: detail = depose(m); return true;
    case trouble_kind::lost_directory:
      // One of them at a time: what is acknowledged is on most of them, not on all.
      if (!world_.is_whole())
        return false;
      world_.lose_directory(m);
      lasts(5 * s_in_ns, &m); // until somebody has said so
      return true;
    case trouble_kind::departure:
      if (!world_.is_whole())
        return false;
      world_.leave_and_return(m);
      return true;
    case trouble_kind::isolation: {
      std::vector<simulated_network::direction> ways;
      for (const auto& x : world_.machines)
        if (x.get() != &m)
          ways.insert(ways.end(), {{m.name, x->name}, {x->name, m.name}});
      cut(std::move(ways), length * ms_in_ns);
      detail = "for " + ms(length);
      return true;
    }
    case trouble_kind::cut:
      cut({{m.name, other.name}, {other.name, m.name}}, length * ms_in_ns);
      detail = "from " + other.name + " for " + ms(length);
      return true;
    case trouble_kind::one_way_cut: {
      std::vector<simulated_network::direction> ways;
      const bool out = luck_.share(0.5), all = luck_.share(0.5);
      for (const auto& x : world_.machines)
        if (x.get() != &m && (all || x.get() == &other))
          ways.push_back(out ? simulated_network::direction{m.name, x->name} : simulated_network::direction{x->name, m.name});
      cut(std::move(ways), length * ms_in_ns);
      detail = std::string{out ? "to " : "from "} + (all ? "all" : other.name) + " for " + ms(length);
      return true;
    }
    case trouble_kind::link_reset:
      world_.network.reset(m.name, other.name);
      detail = "with " + other.name;
      return true;
    case trouble_kind::slow_network: {
      const auto by = luck_.one_of<std::int64_t>(5, 50, 300);
      const bool out = luck_.share(0.7), in = !out || luck_.share(0.5);
      const auto set = [this, &m, out, in](std::int64_t ns) {
        for (const auto& x : world_.machines) {
          if (x.get() == &m)
            continue;
          if (out)
            world_.network.slow(m.name, x->name, ns);
          if (in)
            world_.network.slow(x->name, m.name, ns);
        }
      };
      set(by * ms_in_ns);
      lasts(length * ms_in_ns, nullptr);
      world_.after(length * ms_in_ns, [set] { set(0); });
      detail = "by " + ms(by) + " for " + ms(length);
      return true;
    }
    case trouble_kind::unreliable: {
      const auto rate = luck_.one_of(0.01, 0.1, 0.3);
      world_.network.set_unreliable({luck_.share(0.7) ? rate : 0, luck_.share(0.7) ? rate : 0, luck_.share(0.7) ? rate : 0,
                                     luck_.one_of<std::int64_t>(5, 200, 3'000) * ms_in_ns});
      ++unreliable_;
      lasts(length * ms_in_ns + 3 * s_in_ns, nullptr); // what is late comes behind its end
      world_.after(length * ms_in_ns, [this] {
        if (--unreliable_ == 0)
          world_.network.set_unreliable({});
      });
      detail = "for " + ms(length);
      return true;
    }
    default: return false;
  }
}

/// Whether the node had a reason to end by itself. Damaged data (4) is one only
/// if they are.
bool trouble::may_end(const machine& m, const caf::error* ended, int exit_code) const {
  if (m.damaged)
    return true;
  const auto& v = victims_[m.number];
  if (exit_code == runtime::exit_code::problems || (ended != nullptr && runtime::code_of(*ended) == ec::damaged))
    return false;
  // An operation of this process failed lately: it ends at once, or when its children have stopped.
  if (m.disk.failed_ns() > v.gone_ns &&
      world_.clock.ns - m.disk.failed_ns() <= std::int64_t{world_.config.stop.limit_ms} * ms_in_ns)
    return true;
  if (ended == nullptr || runtime::code_of(*ended) != ec::restart_intensity)
    return false;
  const auto period = std::int64_t{world_.config.supervision.restart_period_ms} * ms_in_ns;
  return static_cast<std::size_t>(std::count_if(v.actor_deaths_ns.begin(), v.actor_deaths_ns.end(), [&](std::int64_t t) {
           return t + period > world_.clock.ns;
         })) >= deaths_that_may_end_it;
}

void trouble::end() {
  over_ = true;
  world_.watch.at_next_vote(nullptr);
  world_.watch.at_next_result(nullptr);
  world_.watch.at_next_result_of_deposed(nullptr);
  world_.at_next_acknowledgement = nullptr;
  world_.network.mend();
  for (auto& m : world_.machines) {
    m->disk.set_capacity(std::nullopt);
    m->disk.no_faults();
    m->crash_at_operation = 0;
    m->sync_cost_ns = normal_sync_ns_;
    m->threads_wait = false;
    m->node.let_go_all();
    m->node.arm_exception(0);
    m->paused_until_ns = 0;
    m->clock.set_drift(m->usual_drift_ppm);
    world_.network.set_frozen(m->name, false);
    m->last_trouble_ns = world_.clock.ns;
    look_at_disk(*m);
    victims_[m->number].actor_deaths_ns.clear();
  }
  poison({});
  // What is down is about to be started, and what is late still comes.
  world_.last_trouble_ns = world_.clock.ns + (world_.clustered() ? 5 * s_in_ns : 0);
  world_.log.line("no more faults");
}

std::uint64_t trouble::total() const {
  std::uint64_t out = 0;
  for (auto n : counts_)
    out += n;
  return out;
}

std::size_t trouble::kinds() const {
  return static_cast<std::size_t>(std::count_if(counts_.begin(), counts_.end(), [](auto n) { return n > 0; }));
}

} // namespace epione::simulation
