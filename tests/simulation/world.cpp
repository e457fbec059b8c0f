#include "tests/simulation/world.hpp"

#include "runtime/error_text.hpp"

#include <algorithm>

namespace epione::simulation {

namespace {

/// How long a node may take from its start, or from the last fault, until it serves: reading a small log takes simulated
/// milliseconds, and every retry and restart has a back-off of at most two seconds.
constexpr std::int64_t serve_limit_ns = 30 * s_in_ns;
constexpr std::int64_t look_period_ns = 5 * ms_in_ns;
constexpr const char* directory = "/node";

} // namespace

world::world(std::uint64_t number, std::FILE* trace_out)
    : seed(number), luck(chance{number}.branch("world")), log(clock.ns, trace_out),
      disk(chance{number}.branch("disk").next(), clock), node_disk(disk), book(log),
      post(log, book, chance{number}.branch("post")), config(make_config()),
      node(node_surroundings{clock, node_disk, log, chance{number}.branch("order"),
                             [this](const messages::reply& r) {
                               const auto how = book.answered(r);
                               log.line("answer " + std::to_string(r.to) + " " + std::to_string(r.status) +
                                        (r.status == 503 ? " " + std::string{to_string(how)} : std::string{}));
                               if (on_answer)
                                 on_answer(r.to, how);
                             },
                             [this](const messages::notice& n) { return post.take(n); },
                             [this](int code, std::string_view why) { fatal(code, why); }},
           config) {
  book.now_is(clock.ns);
  disk.on_sleep([this](std::int64_t us) { clock.ns += us * 1'000; });
  step_cost_max_ns_ = luck.one_of<std::int64_t>(2'000, 20'000, 100'000);
  log.line("seed " + std::to_string(seed) + ": " + std::to_string(config.shards.count) +
           " shards, handling a message takes up to " + std::to_string(step_cost_max_ns_ / 1'000) + " us");
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
  if (node.running()) {
    node.pass_time();
    if (clock.ns >= next_look_ns_ || process_ended_ || node.ended() || crash_at_operation != 0)
      look_at_node();
    if (node.running() && !node.ended() && node.step()) {
      ++steps;
      clock.ns += luck.between(1, step_cost_max_ns_);
      const auto syncs = disk.syncs();
      clock.ns += static_cast<std::int64_t>(syncs - syncs_seen_) * sync_cost_ns;
      syncs_seen_ = syncs;
      return true;
    }
  }
  const auto look = node.running() ? std::max(next_look_ns_, clock.ns) : agenda::never;
  const auto next = std::min({plans.next_ns(), node.next_timer_ns(), look});
  if (next >= limit_ns)
    return false;
  clock.ns = std::max(clock.ns, next);
  return true;
}

/// What somebody who watches the process would notice.
void world::look_at_node() {
  next_look_ns_ = clock.ns + look_period_ns;
  if (crash_at_operation != 0 && disk.operations() >= crash_at_operation)
    return crash_node(loss::power, "power loss in the middle of an operation of the disk");
  if (process_ended_) {
    if (!may_end || !may_end(nullptr, fatal_code_))
      return book.violation("the node ended its process without a reason");
    const auto what = luck.share(0.3) ? loss::power : loss::none;
    return crash_node(what, what == loss::power ? "it ended itself, and the power went" : "it ended itself");
  }
  if (node.ended()) {
    check_end(*node.ended());
    if (!broken())
      crash_node(loss::none, node.stopping() ? "stopped" : "gave up");
    return;
  }
  check_liveness();
}

void world::check_end(const caf::error& why) {
  const bool stopped = node.stopping() && (!why || why == caf::exit_reason::user_shutdown);
  log.line("ended: " + (stopped ? std::string{"stopped"} : runtime::error_text(why)));
  if (!stopped && (!may_end || !may_end(&why, 0)))
    return book.violation("the node ended without a reason: " + runtime::error_text(why));
  if (stopped && !stop_disturbed_ && last_trouble_ns <= stop_asked_ns_ && book.open_count() != 0)
    book.violation("a stop that nothing disturbed left " + std::to_string(book.open_count()) + " requests without an answer");
}

void world::check_liveness() {
  if (node.stopping()) {
    if (clock.ns - std::max(stop_asked_ns_, last_trouble_ns) > std::int64_t{config.stop.limit_ms} * ms_in_ns + s_in_ns)
      book.violation("the node did not stop within its limit");
    return;
  }
  const bool ready = node.ready();
  if (ready != serving_) {
    serving_ = ready;
    log.line(ready ? "serving" : "not ready");
    if (ready && on_serving)
      on_serving();
  }
  if (!ready && clock.ns - std::max(started_ns_, last_trouble_ns) > serve_limit_ns)
    book.violation("the node does not serve " + std::to_string(serve_limit_ns / s_in_ns) +
                   " s after its start and the last fault");
  // One second above its own limit: the gateway looks at its deadlines ten times a second, and must get its turn for that.
  const auto limit = std::int64_t{config.http.request_limit_ms} * ms_in_ns + s_in_ns;
  if (clock.ns - std::max(book.oldest_open_ns(clock.ns), last_trouble_ns) > limit)
    book.violation("a request was not answered within the node's limit");
}

// ---- the node's life
// -----------------------------------------------------------------------------------------------------------

void world::start_node() {
  if (node.running())
    return;
  ++starts;
  log.line("start");
  process_ended_ = serving_ = false;
  fatal_code_ = 0;
  started_ns_ = clock.ns;
  next_look_ns_ = clock.ns;
  node_disk.begin();
  node.start();
}

void world::fatal(int exit_code, std::string_view why) {
  log.line("fatal " + std::to_string(exit_code) + ": " + std::string{why});
  process_ended_ = true;
  fatal_code_ = exit_code;
  node_disk.end();
  disk.cut();
}

void world::crash_node(loss what, std::string_view why) {
  log.line((what == loss::power ? "power loss: " : "process gone: ") + std::string{why});
  const bool was_running = node.running();
  crash_at_operation = 0;
  node_disk.end();
  disk.cut();
  if (const auto left = node.destroy(); left != 0)
    book.violation(std::to_string(left) + " actors outlived their node");
  if (what == loss::power)
    disk.crash();
  process_ended_ = serving_ = false;
  if (!was_running)
    return;
  book.node_gone();
  if (on_node_gone)
    on_node_gone();
}

void world::stop_node() {
  if (!node_accepts())
    return;
  log.line("asked to stop");
  stop_asked_ns_ = clock.ns;
  stop_disturbed_ = node.exception_armed() || disk.fault_due();
  serving_ = false;
  node.request_stop();
}

void world::restart_later(std::int64_t delay_ns) {
  after(delay_ns, [this] { start_node(); });
}

} // namespace epione::simulation
