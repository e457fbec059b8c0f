#include "tests/simulation/simulated_node.hpp"

#include "domain/canonical.hpp"
#include "domain/ids.hpp"
#include "node/node.hpp"
#include "runtime/directory.hpp"
#include "runtime/error_text.hpp"
#include "tests/simulation/agenda.hpp"
#include "tests/support/patient_sessions.hpp"

#include <algorithm>
#include <chrono>
#include <stdexcept>
#include <utility>

namespace epione::simulation {

using messages::ticket;

namespace {

/// Of the messages handled while a dead node's actors are drained; far more than any can have in their mailboxes.
constexpr std::size_t drain_steps_max = 5'000'000;
/// How often a stopping node looks whether a connection still waits, as the HTTP server does.
constexpr std::chrono::milliseconds idle_poll{5};

} // namespace

// ---- what the tree is given
// ----------------------------------------------------------------------------------------------------

void simulated_node::sink::deliver(messages::replies batch) {
  if (owner->silent_)
    return;
  for (auto& r : batch) {
    // As the HTTP server does: whose connection has been answered and closed is not there any more.
    if (waiting.erase(r.to) == 0 && abandoned.erase(r.to) != 0)
      continue;
    owner->around_.deliver(r);
  }
}

void simulated_node::sink::abandon_all() {
  if (owner->silent_)
    return;
  const auto all = std::exchange(waiting, {});
  for (auto t : all) {
    abandoned.insert(t);
    owner->around_.deliver({t, 503, R"({"error":"the gateway was restarted","outcome":"unknown"})", 1});
  }
}

void simulated_node::process::fatal(int exit_code, std::string_view why) {
  if (owner->silent_)
    return;
  owner->silent_ = true; // a process that has ended says nothing more
  owner->around_.fatal(exit_code, why);
}

void simulated_node::planted_faults::hit(std::string_view point, std::string_view detail) {
  const bool poisonous = point == "validator.check" && !poisoned.empty() && detail == poisoned;
  if (!poisonous && (countdown == 0 || --countdown != 0))
    return;
  owner->around_.log.line("exception at " + std::string{point});
  throw std::runtime_error("planted");
}

simulated_node::actor_config::actor_config() {
  set("scheduler.policy", caf::atom("testing"));
  set("logger.verbosity", caf::atom("quiet"));
}

// ---- life
// ----------------------------------------------------------------------------------------------------------------------

simulated_node::simulated_node(node_surroundings around, runtime::config config)
    : around_(std::move(around)), config_(std::move(config)), log_(runtime::make_silent_log()), random_(around_.luck.next()) {
  sink_.owner = this;
  process_.owner = this;
  faults_.owner = this;
  fifo_ = around_.luck.share(0.1);
}

simulated_node::~simulated_node() {
  destroy();
}

void simulated_node::start() {
  metrics_ = std::make_unique<runtime::metrics>();
  caf_config_ = std::make_unique<actor_config>();
  system_ = std::make_unique<caf::actor_system>(*caf_config_);
  scheduler_ = &dynamic_cast<caf::scheduler::test_coordinator&>(system_->scheduler());
  time_offset_ns_ = around_.clock.ns - caf_time_ns();
  stopping_ = silent_ = false;
  ended_.reset();
  faults_.countdown = 0;
  tree_ = std::make_unique<node::actor_tree>(
      *system_, node::tree_ports{*log_, *metrics_, around_.clock, random_, around_.disk, &faults_, process_, sink_, {"doctor"}},
      config_, false);
  root_ = tree_->start();
  caf::actor_cast<caf::abstract_actor*>(root_)->attach_functor([this](const caf::error& why) { ended_ = why; });
  notices_ = std::make_shared<tests::notifier_book>();
  notices_->decide = around_.notify;
  start_notifier();
}

/// Nobody supervises it here: whoever is killed is started again at once, and knows nothing of what the last one had in hand.
void simulated_node::start_notifier() {
  notices_->held.clear();
  notifier_ = caf::actor_cast<caf::strong_actor_ptr>(
      runtime::spawn_actor(*system_, tree_->environment(), tests::stub_notifier, notices_));
  caf::actor_cast<caf::abstract_actor*>(notifier_)->attach_functor([this](const caf::error&) {
    if (!silent_)
      start_notifier();
  });
  tree_->directory().put("notifier doctor", notifier_);
}

void simulated_node::try_held_notices() {
  if (!running() || silent_)
    return;
  for (auto& [n, client] : std::exchange(notices_->held, {})) {
    if (const auto outcome = around_.notify(n))
      caf::anon_send(client, messages::outcome_atom::value,
                     std::make_shared<const messages::notice_outcomes>(messages::notice_outcomes{*outcome}));
    else
      notices_->held.emplace_back(n, client);
  }
}

bool simulated_node::ready() {
  return running() && !ended_ && tree_->readiness().ready();
}

/// As node::node stops: drain the gateway, wait until every connection has its answer, then stop the tree in reverse order.
void simulated_node::request_stop() {
  stopping_ = true;
  const auto limit = std::chrono::milliseconds{config_.stop.limit_ms};
  const auto until_ns = around_.clock.ns + std::int64_t{config_.stop.limit_ms} * 1'000'000;
  const auto root = caf::actor_cast<caf::actor>(root_);
  const auto gateway = tree_->gateway();
  system_->spawn<caf::hidden>(
      [=, this](caf::event_based_actor* self, caf::unit_t) -> caf::behavior {
        const auto look = [=] { self->send(self, caf::tick_atom::value); };
        if (gateway == nullptr)
          look();
        else
          self->request(gateway, limit, messages::drain_atom::value).then([=](bool) { look(); }, [=](caf::error&) { look(); });
        return {[=, this](caf::tick_atom) {
          if (silent_ || sink_.waiting.empty() || around_.clock.ns >= until_ns) {
            self->send_exit(root, caf::exit_reason::user_shutdown);
            self->quit();
          } else {
            self->delayed_send(self, idle_poll, caf::tick_atom::value);
          }
        }};
      },
      caf::unit);
}

std::size_t simulated_node::destroy() {
  if (!running())
    return 0;
  silent_ = true;
  if (!ended_)
    caf::anon_send_exit(caf::actor_cast<caf::actor>(root_), caf::exit_reason::kill);
  root_ = nullptr;
  notices_->held.clear(); // they refer to actors of this system
  caf::anon_send_exit(caf::actor_cast<caf::actor>(notifier_), caf::exit_reason::kill);
  notifier_ = nullptr;
  scheduler_->run(drain_steps_max);
  const auto left = system_->registry().running();
  tree_.reset();
  if (left != 0) {
    // CAF would wait for them for ever.
    (void)system_.release();
    (void)caf_config_.release();
    (void)metrics_.release();
  }
  system_.reset();
  caf_config_.reset();
  metrics_.reset();
  scheduler_ = nullptr;
  sink_.waiting.clear();
  sink_.abandoned.clear();
  return left;
}

// ---- time and order
// ------------------------------------------------------------------------------------------------------------

std::int64_t simulated_node::caf_time_ns() const {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(scheduler_->clock().current_time.time_since_epoch()).count();
}

/// Any ready actor may be next. For some time one kind of actor rarely is, so that others run far ahead of it.
std::size_t simulated_node::pick() {
  auto& jobs = scheduler_->jobs;
  if (jobs.size() == 1 || fifo_)
    return 0;
  const auto name_of = [&](std::size_t i) -> std::string_view {
    const auto* actor = dynamic_cast<caf::scheduled_actor*>(jobs[i]);
    return actor == nullptr ? "" : actor->name();
  };
  auto i = around_.luck.below(jobs.size());
  if (around_.clock.ns >= laggard_until_ns_) {
    laggard_ = around_.luck.share(0.5) ? std::string{name_of(i)} : std::string{};
    laggard_until_ns_ = around_.clock.ns + around_.luck.between(100, 3'000) * 1'000'000;
  }
  for (int again = 0; again < 8 && !laggard_.empty() && name_of(i) == laggard_; ++again)
    i = around_.luck.below(jobs.size());
  return i;
}

bool simulated_node::step() {
  auto& jobs = scheduler_->jobs;
  if (jobs.empty())
    return false;
  if (const auto i = pick(); i != 0)
    std::swap(jobs.front(), jobs[i]);
  if (const auto* actor = dynamic_cast<caf::scheduled_actor*>(jobs.front()); actor != nullptr)
    around_.log.decided(actor->name());
  scheduler_->run_once();
  return true;
}

std::int64_t simulated_node::next_timer_ns() const {
  if (!running() || scheduler_->clock().schedule().empty())
    return agenda::never;
  const auto due = scheduler_->clock().schedule().begin()->first.time_since_epoch();
  return std::chrono::duration_cast<std::chrono::nanoseconds>(due).count() + time_offset_ns_;
}

void simulated_node::pass_time() {
  if (!running())
    return;
  if (const auto passed = around_.clock.ns - time_offset_ns_ - caf_time_ns(); passed > 0)
    scheduler_->advance_time(std::chrono::nanoseconds{passed});
}

// ---- requests
// ------------------------------------------------------------------------------------------------------------------

void simulated_node::submit(ticket t, const std::string& subject, const std::string& key, const nlohmann::json& data) {
  const auto packed = nlohmann::json::to_msgpack(data);
  auto content = domain::canonical_from_msgpack({reinterpret_cast<const char*>(packed.data()), packed.size()},
                                                runtime::defaults::json_depth_max);
  if (!content)
    throw std::logic_error("a phone sent what is not msgpack: " + content.error());
  auto s = std::make_shared<messages::submission>();
  s->study = "demo";
  s->subject = subject;
  s->key = key;
  s->key_given = true;
  s->subject_hash = domain::subject_hash(s->study, subject);
  s->shard = domain::shard_of(s->subject_hash, config_.shards.count);
  s->id = domain::make_receipt(s->study, subject, key);
  s->fingerprint = domain::make_fingerprint(*content);
  s->content = std::move(*content);
  s->received_ns = around_.clock.ns;
  sink_.waiting.insert(t);
  tree_->submit(t, std::move(s));
}

void simulated_node::read(ticket t, const std::string& subject, const std::string& receipt, std::uint32_t limit,
                          std::uint64_t before) {
  auto r = std::make_shared<messages::read_request>();
  r->study = "demo";
  r->subject = subject;
  r->subject_hash = domain::subject_hash(r->study, subject);
  r->shard = domain::shard_of(r->subject_hash, config_.shards.count);
  if (!receipt.empty())
    r->id = domain::parse_receipt(receipt);
  r->limit = limit;
  r->before_seq = before;
  sink_.waiting.insert(t);
  tree_->read(t, std::move(r));
}

void simulated_node::import_demo(std::function<void(std::string)> done) {
  const auto catalog = tree_->catalog();
  if (catalog == nullptr)
    return done("no catalog");
  system_->spawn<caf::hidden>(
      [=](caf::event_based_actor* self, caf::unit_t) {
        self->request(catalog, std::chrono::milliseconds{runtime::defaults::import_limit_ms}, messages::import_atom::value,
                      std::make_shared<const domain::study_source>(node::demo_study()), std::string{"os:simulator"})
            .then([=](std::string&, bool) { done({}); }, [=](caf::error& why) { done(runtime::error_text(why)); });
      },
      caf::unit);
}

// ---- trouble
// -------------------------------------------------------------------------------------------------------------------

std::vector<std::string> simulated_node::actor_names() const {
  std::vector<std::string> names;
  if (running() && !ended_)
    for (const auto& [name, who] : tree_->directory().all())
      names.push_back(name);
  return names;
}

bool simulated_node::kill(const std::string& name) {
  auto who = tree_->directory().find(name);
  if (who == nullptr)
    return false;
  caf::anon_send_exit(caf::actor_cast<caf::actor>(who), caf::exit_reason::kill);
  return true;
}

bool simulated_node::kill_session(std::uint64_t number) {
  if (!running() || ended_)
    return false;
  auto sessions = tests::patient_sessions(tree_->directory());
  if (std::any_of(sessions.begin(), sessions.end(), [](const auto& s) { return s.busy; }))
    std::erase_if(sessions, [](const auto& s) { return !s.busy; });
  if (sessions.empty())
    return false;
  caf::anon_send_exit(sessions[number % sessions.size()].actor, caf::exit_reason::kill);
  return true;
}

} // namespace epione::simulation
