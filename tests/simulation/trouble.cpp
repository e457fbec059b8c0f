#include "tests/simulation/trouble.hpp"

#include "messages/errors.hpp"
#include "runtime/error_text.hpp"

#include <algorithm>
#include <cstdio>
#include <utility>

namespace epione::simulation {

namespace {

/// A node may end by itself when at least so many of its actors were made to die within a minute. Its own limit is higher; but
/// one death takes others along, and a supervisor above counts those.
constexpr std::size_t deaths_that_may_end_it = 4;

struct weight {
  trouble_kind kind;
  std::uint64_t parts;
};
constexpr weight weights[] = {
    {trouble_kind::power_loss, 10}, {trouble_kind::torn_operation, 10}, {trouble_kind::process_kill, 8},
    {trouble_kind::clean_stop, 6},  {trouble_kind::actor_kill, 22},     {trouble_kind::exception, 14},
    {trouble_kind::poison, 3},      {trouble_kind::disk_full, 6},       {trouble_kind::no_space_once, 5},
    {trouble_kind::slow_disk, 5},   {trouble_kind::io_error, 5},        {trouble_kind::clock_jump, 3},
    {trouble_kind::pause, 3},       {trouble_kind::session_kill, 14},
};

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
  }
  return "?";
}

trouble::trouble(world& w, phones& p) : world_(w), phones_(p), luck_(chance{w.seed}.branch("trouble")) {
  normal_sync_ns_ = luck_.one_of<std::int64_t>(50'000, 500'000, 4'000'000);
  world_.sync_cost_ns = normal_sync_ns_;
  world_.may_end = [this](const caf::error* ended, int code) { return may_end(ended, code); };
  const auto restart = std::exchange(world_.on_node_gone, nullptr);
  world_.on_node_gone = [this, restart] {
    restart();
    node_gone_ns_ = world_.clock.ns;
    world_.restart_later(luck_.between(50, 3'000) * ms_in_ns);
  };
}

void trouble::plan(std::int64_t from_ns, std::int64_t until_ns) {
  std::uint64_t parts = 0;
  for (const auto& w : weights)
    parts += w.parts;
  const auto draw = [&] {
    auto at = luck_.below(parts);
    for (const auto& w : weights) {
      if (at < w.parts)
        return w.kind;
      at -= w.parts;
    }
    return trouble_kind::power_loss;
  };
  const auto many = luck_.between(16, 34);
  for (std::int64_t i = 0; i < many; ++i) {
    const auto kind = draw();
    auto at = luck_.between(from_ns, until_ns);
    // At times one follows at the heels of another: while the node is recovering.
    const auto follow = luck_.share(0.2) ? luck_.between(1, 3) : 1;
    for (std::int64_t k = 0; k < follow; ++k) {
      world_.plans.at(at, [this, kind = k == 0 ? kind : draw()] { cause(kind); });
      at += luck_.between(1, 2'000) * ms_in_ns;
    }
  }
}

void trouble::lasts(std::int64_t ns) {
  world_.last_trouble_ns = std::max(world_.last_trouble_ns, world_.clock.ns + ns);
}

void trouble::poison(const std::string& subject) {
  world_.node.poison(subject);
  world_.book.poisoned(subject);
}

void trouble::cause(trouble_kind kind) {
  if (over_ || (calm_ && world_.node.stopping()))
    return;
  std::string detail;
  if (!try_cause(kind, detail))
    return;
  lasts(0);
  ++counts_[static_cast<std::size_t>(kind)];
  char time[32];
  std::snprintf(time, sizeof(time), "%10.3f s  ", world_.log.elapsed_s());
  auto text = std::string{to_string(kind)} + (detail.empty() ? "" : ": " + detail);
  list_.push_back(time + text);
  world_.log.line("fault " + text);
}

bool trouble::try_cause(trouble_kind kind, std::string& detail) {
  auto& w = world_;
  const auto ms = [](std::int64_t n) { return std::to_string(n) + " ms"; };
  const bool running = w.node.running() && !w.node.ended();
  if (!running && kind != trouble_kind::power_loss && kind != trouble_kind::clock_jump)
    return false;
  switch (kind) {
    case trouble_kind::power_loss: w.crash_node(world::loss::power, "planned"); return true;
    case trouble_kind::process_kill: w.crash_node(world::loss::none, "killed"); return true;
    case trouble_kind::torn_operation: {
      const auto nth = static_cast<std::uint64_t>(luck_.between(1, 60));
      w.disk.fail_at(nth, fault::power_loss);
      w.crash_at_operation = w.disk.operations() + nth;
      detail = "operation " + std::to_string(nth) + " from now";
      return true;
    }
    case trouble_kind::clean_stop:
      if (w.node.stopping())
        return false;
      // While many are submitting; when nobody waits it would prove little. And every other time nothing else goes wrong until it
      // has ended, so that nothing excuses what it does not answer.
      calm_ = luck_.share(0.5);
      phones_.remind_many(100 * ms_in_ns);
      w.after(luck_.between(0, 200) * ms_in_ns, [&w] { w.stop_node(); });
      return true;
    case trouble_kind::actor_kill: {
      const auto names = w.node.actor_names();
      if (names.empty())
        return false;
      detail = names[luck_.below(names.size())];
      actor_deaths_ns_.push_back(w.clock.ns);
      return w.node.kill(detail);
    }
    case trouble_kind::session_kill: return w.node.kill_session(luck_.next());
    case trouble_kind::exception: {
      const auto nth = static_cast<std::uint64_t>(luck_.between(1, 40));
      w.node.arm_exception(nth);
      actor_deaths_ns_.push_back(w.clock.ns);
      detail = "at fault point " + std::to_string(nth) + " from now";
      return true;
    }
    case trouble_kind::poison: {
      detail = phones_.any_patient();
      poison(detail);
      detail = "patient " + detail;
      const auto length = luck_.between(3'000, 20'000);
      lasts(length * ms_in_ns);
      w.after(length * ms_in_ns, [this] { poison({}); });
      return true;
    }
    case trouble_kind::disk_full: {
      const auto length = luck_.between(200, 8'000);
      std::uint64_t used = 0;
      for (const auto& f : w.disk.files())
        used += w.disk.size(f);
      w.disk.set_capacity(used + luck_.one_of<std::uint64_t>(0, 3'000, 40'000));
      lasts(length * ms_in_ns);
      w.after(length * ms_in_ns, [this] {
        world_.disk.set_capacity(std::nullopt);
        world_.log.line("space returns");
      });
      detail = "for " + ms(length);
      return true;
    }
    case trouble_kind::slow_disk: {
      const auto length = luck_.between(500, 8'000), cost = luck_.between(20, 900);
      w.sync_cost_ns = cost * ms_in_ns;
      lasts((length + 2 * cost) * ms_in_ns);
      w.after(length * ms_in_ns, [this] {
        world_.sync_cost_ns = normal_sync_ns_;
        lasts(0);
      });
      detail = "a sync takes " + ms(cost) + " for " + ms(length);
      return true;
    }
    case trouble_kind::no_space_once:
    case trouble_kind::io_error: {
      if (w.crash_at_operation != 0)
        return false;
      const auto nth = static_cast<std::uint64_t>(luck_.between(1, 40));
      const bool full = kind == trouble_kind::no_space_once;
      w.disk.fail_at(nth, full ? fault::no_space : fault::io_error);
      detail = "operation " + std::to_string(nth) + " from now";
      return true;
    }
    case trouble_kind::clock_jump: {
      const auto by = luck_.between(-86'400, 86'400);
      w.clock.wall_offset_us += by * 1'000'000;
      detail = std::to_string(by) + " s";
      return true;
    }
    case trouble_kind::pause: {
      const auto length = luck_.between(200, 20'000);
      w.clock.ns += length * ms_in_ns;
      detail = ms(length);
      return true;
    }
  }
  return false;
}

/// Whether the node had a reason to end by itself. Damaged data (4) is never one: this disk keeps what was synced.
bool trouble::may_end(const caf::error* ended, int exit_code) const {
  if (exit_code == runtime::exit_code::problems || (ended != nullptr && runtime::code_of(*ended) == ec::damaged))
    return false;
  // An operation of this process failed lately: it ends at once, or when its children have stopped.
  if (world_.disk.failed_ns() > node_gone_ns_ &&
      world_.clock.ns - world_.disk.failed_ns() <= std::int64_t{world_.config.stop.limit_ms} * ms_in_ns)
    return true;
  if (ended == nullptr || runtime::code_of(*ended) != ec::restart_intensity)
    return false;
  const auto period = std::int64_t{world_.config.supervision.restart_period_ms} * ms_in_ns;
  return static_cast<std::size_t>(std::count_if(actor_deaths_ns_.begin(), actor_deaths_ns_.end(), [&](std::int64_t t) {
           return t + period > world_.clock.ns;
         })) >= deaths_that_may_end_it;
}

void trouble::end() {
  over_ = true;
  world_.disk.set_capacity(std::nullopt);
  world_.disk.no_faults();
  world_.crash_at_operation = 0;
  world_.sync_cost_ns = normal_sync_ns_;
  world_.node.arm_exception(0);
  poison({});
  actor_deaths_ns_.clear();
  lasts(0);
  world_.last_trouble_ns = world_.clock.ns;
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
