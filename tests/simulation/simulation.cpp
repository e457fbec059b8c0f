#include "tests/simulation/simulation.hpp"

#include "runtime/storage/audit.hpp"
#include "tests/simulation/phones.hpp"
#include "tests/simulation/replica_check.hpp"
#include "tests/simulation/trouble.hpp"
#include "tests/simulation/world.hpp"

#include <algorithm>
#include <utility>
#include <vector>

namespace epione::simulation {

namespace {

/// After the last fault: until the node serves it is the world that watches; until every phone has got its answer these.
constexpr std::int64_t settle_limit_ns = 120 * s_in_ns;
/// From then on: until all serve again, and until everybody who should has a copy of everything; new forms are taken by then.
constexpr std::int64_t served_limit_ns = 120 * s_in_ns, whole_limit_ns = 120 * s_in_ns, anew_limit_ns = 30 * s_in_ns;
constexpr std::int64_t level_limit_ns = 60 * s_in_ns;
/// The same for reading everything back.
constexpr std::int64_t inspect_limit_ns = 240 * s_in_ns;
/// A seed whose node was down most of the time goes on until enough was acknowledged, up to here.
constexpr std::int64_t longest_life_ns = 400 * s_in_ns;
/// The same for telling of every alert: a window's worth at a time, each with an outcome that is stored.
constexpr std::int64_t told_limit_ns = 240 * s_in_ns;
constexpr std::size_t inspections_at_once = 16;

class seed_run {
public:
  seed_run(std::uint64_t seed, std::size_t nodes, std::FILE* out, const excerpt& what)
      : what_(what), world_(seed, nodes, out), phones_(world_), trouble_(world_, phones_, what.faults) {
    world_.on_serving = [this](machine& m) { on_serving(m); };
  }

  seed_result run() {
    if (begin() && live() && recover() && restart() && inspect() && told() && finish())
      count();
    return report();
  }

private:
  std::int64_t now() const { return world_.clock.ns; }

  bool wait(const std::function<bool()>& done, std::int64_t limit_ns, const char* what) {
    if (world_.run_until(done, now() + limit_ns))
      return true;
    if (!world_.broken())
      world_.book.violation(std::string{what} + " took longer than " + std::to_string(limit_ns / s_in_ns) + " s");
    return false;
  }

  bool wait_until_served() {
    if (!wait([this] { return world_.all_serve(); }, served_limit_ns, "the start of all nodes"))
      return false;
    if (!world_.clustered() || world_.run_until([this] { return world_.is_whole(); }, now() + whole_limit_ns))
      return true;
    if (!world_.broken())
      world_.book.violation("not whole within " + std::to_string(whole_limit_ns / s_in_ns) +
                            " s after everything is well: " + world_.why_not_whole());
    return false;
  }

  bool begin() {
    if (world_.clustered() && world_.luck.branch("growth").share(0.4))
      return grow();
    for (auto& m : world_.machines)
      world_.start_node(*m);
    if (!wait_until_served())
      return false;
    return import();
  }

  /// A node that is alone has patients already when it becomes a cluster.
  bool grow() {
    auto luck = world_.luck.branch("growing");
    auto& first = *world_.machines.front();
    world_.start_node(first);
    if (!wait([&first] { return first.serves(); }, served_limit_ns, "the start of the first node") || !import())
      return false;
    phones_.live_until(now() + longest_life_ns);
    const auto alone_until = now() + luck.between(1'000, 8'000) * ms_in_ns;
    world_.run_until([&] { return now() >= alone_until; }, alone_until);
    for (auto& m : world_.machines)
      world_.start_node(*m);
    return wait_until_served() && wait([this] { return demo_is_everywhere(); }, 10 * s_in_ns, "showing the study everywhere");
  }

  /// Through the node that leads the catalog, as an operator's command finds it.
  bool import() {
    imported_ = false;
    for (int tries = 0; tries < 20 && !imported_ && !world_.broken(); ++tries) {
      auto* through = world_.clustered() ? world_.leader(0) : world_.machines.front().get();
      bool answered = through == nullptr;
      if (through != nullptr)
        through->node.import_demo([&](const std::string& why) {
          answered = true;
          imported_ = why.empty();
          world_.log.line(imported_ ? "demo imported" : "import failed: " + why);
        });
      wait([&] { return answered; }, 40 * s_in_ns, "an import");
      const auto pause_ns = now() + (imported_ ? 0 : s_in_ns);
      world_.run_until([&] { return now() >= pause_ns; }, pause_ns);
    }
    if (!imported_ && !world_.broken())
      world_.book.violation("the demo study could not be imported");
    return imported_ && wait([this] { return demo_is_everywhere(); }, 10 * s_in_ns, "showing an imported study everywhere");
  }

  bool demo_is_everywhere() const {
    return std::all_of(world_.machines.begin(), world_.machines.end(),
                       [](const auto& m) { return m->starts == 0 || m->node.knows_demo(); });
  }

  void on_serving(machine& m) {
    phones_.inspect_sample(6);
    if (imported_ && world_.luck.share(0.3)) // as --demo does at every start
      m.node.import_demo(
          [this](const std::string& why) { world_.log.line(why.empty() ? "demo was there" : "import failed: " + why); });
  }

  /// The post office is away for some time, twice; and a notifier tries again what it could not deliver.
  void plan_post(std::int64_t until_ns) {
    auto luck = world_.luck.branch("post");
    for (int i = 0; i < 2; ++i) {
      const auto from = luck.between(now(), until_ns);
      world_.plans.at(from, [this] { world_.post.set_away(true), world_.log.line("the post office is away"); });
      world_.plans.at(from + luck.between(1, 60) * s_in_ns,
                      [this] { world_.post.set_away(false), world_.log.line("the post office is back"); });
    }
    try_post_again();
  }

  void try_post_again() {
    for (auto& m : world_.machines)
      m->node.try_held_notices();
    if (!posted_)
      world_.after(2 * s_in_ns, [this] { try_post_again(); });
  }

  /// Whom an acknowledged submission's alerts concern has been told, at the latest some time after the last trouble.
  bool told() {
    world_.post.be_quick();
    world_.post.expect_all();
    if (!world_.run_until([this] { return world_.post.missing() == 0; }, now() + told_limit_ns) && !world_.broken())
      world_.book.violation("nobody was told within " + std::to_string(told_limit_ns / s_in_ns) + " s of " +
                            world_.post.first_missing());
    posted_ = true;
    world_.post.check();
    return !world_.broken();
  }

  bool live() {
    const auto from = now(), until = from + world_.luck.between(125, 160) * s_in_ns;
    plan_post(until);
    trouble_.plan(from + s_in_ns, until);
    phones_.live_until(from + longest_life_ns);
    if (what_.live_ms) {
      const auto end = std::min(until, from + *what_.live_ms * ms_in_ns);
      world_.run_until([&] { return now() >= end; }, end);
    } else {
      world_.run_until([&] { return now() >= until && world_.book.counts().acknowledged >= acknowledged_min + 50; },
                       from + longest_life_ns);
    }
    return !world_.broken();
  }

  bool recover() {
    phones_.live_until(now()); // nothing new
    trouble_.end();
    return wait_until_served() && anew() &&
           wait([this] { return phones_.all_done(); }, settle_limit_ns, "settling every phone's submissions");
  }

  /// Every node takes new forms for every shard.
  bool anew() {
    std::size_t stored = 0;
    phones_.submit_everywhere([&stored] { ++stored; });
    const auto all = world_.machines.size() * world_.config.shards.count;
    return wait([&] { return stored == all; }, anew_limit_ns, "taking new forms for every shard through every node");
  }

  /// What is read at the end comes from the disks, not from memory.
  bool restart() {
    if (world_.luck.share(0.5)) {
      const auto what = world_.luck.share(0.7) ? world::loss::power : world::loss::none;
      for (auto& m : world_.machines)
        world_.crash_node(*m, what, "to read everything from the disk");
    } else {
      std::vector<std::uint64_t> starts;
      for (auto& m : world_.machines) {
        starts.push_back(m->starts);
        world_.stop_node(*m);
      }
      const auto again = [&] { // each comes back by itself
        return std::all_of(world_.machines.begin(), world_.machines.end(),
                           [&](const auto& m) { return m->starts > starts[m->number]; });
      };
      if (!wait(again, 60 * s_in_ns, "a clean stop"))
        return false;
    }
    world_.last_trouble_ns = now();
    return wait([this] { return all_run(); }, 10 * s_in_ns, "starting all nodes again") && wait_until_served() && import();
  }

  bool all_down() const {
    return std::none_of(world_.machines.begin(), world_.machines.end(), [](const auto& m) { return m->node.running(); });
  }
  bool all_run() const {
    return std::all_of(world_.machines.begin(), world_.machines.end(), [](const auto& m) { return m->node.running(); });
  }

  bool inspect() {
    for (auto& s : world_.book.subjects()) {
      if (s.keys.empty())
        continue;
      if (!wait([this] { return phones_.inspecting() < inspections_at_once; }, inspect_limit_ns, "reading everything back"))
        return false;
      phones_.inspect(s, true);
    }
    return wait([this] { return phones_.inspecting() == 0; }, inspect_limit_ns, "reading everything back");
  }

  bool finish() {
    if (world_.clustered())
      return compare() && audit();
    world_.on_node_gone = nullptr; // it stays down
    world_.stop_node(*world_.machines.front());
    return wait([this] { return all_down(); }, 60 * s_in_ns, "the last clean stop") && audit();
  }

  /// When all members of each group have applied the same, they are stopped at one moment, and what lies on their disks is
  /// compared.
  bool compare() {
    if (!wait([this] { return world_.is_level(); }, level_limit_ns, "applying everything everywhere"))
      return false;
    members_ = members_of_groups(world_);
    world_.on_node_gone = nullptr; // they stay down
    for (auto& m : world_.machines)
      world_.crash_node(*m, world::loss::none, "to compare what they hold");
    check_replicas(world_, members_);
    return !world_.broken();
  }

  /// A shard that has moved away leaves its files behind, and nobody brings them up to date.
  runtime::audit_options what_is_here(const machine& m) const {
    runtime::audit_options options;
    for (std::uint32_t g = 0; g < members_.size(); ++g)
      if (!members_[g].machines.contains(m.number))
        options.not_here.insert(g);
    return options;
  }

  bool audit() {
    bool good = true;
    for (auto& m : world_.machines) {
      const auto report = runtime::audit_directory(
          m->disk, world_.config.data.directory, [](std::string_view, std::uint64_t) {}, what_is_here(*m));
      for (const auto& part : report.parts)
        if (part.broken)
          world_.book.violation("audit of " + m->name + ", " + part.file + ": " + *part.broken);
      good = good && report.ok();
    }
    return good;
  }

  void count() {
    if (!what_.is_whole())
      return;
    const auto too_few = [&](const std::string& what) { world_.book.violation("the seed does not count: " + what); };
    if (world_.log.elapsed_s() < simulated_s_min)
      too_few("simulated seconds");
    if (world_.book.counts().acknowledged < acknowledged_min)
      too_few(std::to_string(world_.book.counts().acknowledged) + " acknowledged submissions");
    if (trouble_.total() < faults_min || trouble_.kinds() < fault_kinds_min)
      too_few(std::to_string(trouble_.total()) + " faults of " + std::to_string(trouble_.kinds()) + " kinds");
  }

  seed_result report() {
    world_.book.check_order();
    seed_result r;
    const auto& counts = world_.book.counts();
    world_.log.line("end: " + std::to_string(counts.sent) + " sent, " + std::to_string(counts.acknowledged) + " acknowledged, " +
                    std::to_string(counts.repeats) + " repeats, " + std::to_string(counts.conflicts) + " conflicts, " +
                    std::to_string(counts.refused) + " refused, " + std::to_string(counts.not_found) + " not found, " +
                    std::to_string(counts.not_stored) + " not stored, " + std::to_string(counts.unknown) + " unknown, " +
                    std::to_string(counts.lost) + " lost, " + std::to_string(counts.readings) + " histories, " +
                    std::to_string(counts.details) + " submissions read, " + std::to_string(counts.ordered) +
                    " operations in order, " + std::to_string(counts.undecided) + " undecided, " +
                    std::to_string(world_.post.deliveries()) + " notices told, " + std::to_string(world_.post.repeats()) +
                    " of them again, " + std::to_string(world_.starts) + " starts, " +
                    std::to_string(world_.network.envelopes()) + " envelopes");
    r.seed = world_.seed;
    r.nodes = world_.machines.size();
    r.violations = world_.book.violations();
    r.faults = trouble_.list();
    r.fault_numbers = trouble_.numbers();
    r.trace_tail.assign(world_.log.tail().begin(), world_.log.tail().end());
    for (std::size_t i = 0; i < trouble_kinds; ++i)
      if (trouble_.counts()[i] > 0)
        r.fault_counts[std::string{to_string(static_cast<trouble_kind>(i))}] = trouble_.counts()[i];
    r.acknowledged = counts.acknowledged;
    r.requests = counts.sent;
    r.readings = counts.readings + counts.details;
    r.ordered = counts.ordered;
    r.undecided = counts.undecided;
    r.starts = world_.starts;
    r.steps = world_.steps;
    r.digest = world_.log.digest();
    for (const auto& m : world_.machines)
      r.digest = r.digest * 31 + m->disk.digest();
    r.simulated_s = world_.log.elapsed_s();
    return r;
  }

  excerpt what_;
  world world_;
  phones phones_;
  std::vector<group_members> members_; ///< of each group, when the nodes were stopped for good
  trouble trouble_;
  bool imported_ = false, posted_ = false;
};

} // namespace

std::size_t nodes_of(std::uint64_t seed) {
  const auto sixth = chance{seed}.branch("nodes").below(6);
  return sixth < 2 ? 1 : sixth < 5 ? 3 : 5;
}

seed_result run_seed(std::uint64_t seed, std::size_t nodes, std::FILE* trace_out, const excerpt& what) {
  seed_run run{seed, nodes, trace_out, what};
  return run.run();
}

} // namespace epione::simulation
