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

namespace {

std::string field_text(std::initializer_list<runtime::log_field> fields, std::string_view name) {
  for (const auto& f : fields)
    if (const auto* text = std::get_if<std::string>(&f.value); text != nullptr && f.name == name)
      return *text;
  return {};
}

/// What no fault of this world brings about; empty: nothing of the kind. A replica starts again after it has broken one of its
/// rules, and a store after it was left without an entry, so that no phone need ever notice.
std::string broken_rule(std::string_view part, std::string_view event, std::initializer_list<runtime::log_field> fields) {
  if (event == "a rule is broken")
    return std::string{part} + " broke a rule: " + field_text(fields, "rule");
  if (event.substr(0, 5) == "ALARM")
    return std::string{part} + ": " + std::string{event} + ": " + field_text(fields, "why");
  if (event != "child ended, is started again")
    return {};
  constexpr std::string_view unasked = "unhandled_exception: ", planted = "unhandled_exception: std::runtime_error";
  const auto reason = field_text(fields, "reason");
  if (reason.compare(0, unasked.size(), unasked) != 0 || reason == planted)
    return {};
  return field_text(fields, "child") + " ended: " + reason.substr(unasked.size());
}

} // namespace

/// What a node logs stands in a trace that is shown.
class simulated_node::traced_log final : public runtime::log {
public:
  explicit traced_log(const node_surroundings& around) : around_(around) {}
  void write(runtime::log_level level, std::string_view part, std::string_view event,
             std::initializer_list<runtime::log_field> fields) override {
    if (level > runtime::log_level::info && around_.broken)
      if (const auto what = broken_rule(part, event, fields); !what.empty())
        around_.broken(what);
    if (around_.log.shows_asides() && level > runtime::log_level::debug)
      around_.log.aside("log " + around_.member.name + " " +
                        runtime::json_log_line(around_.clock.wall_us() / 1'000, level, part, event, fields));
  }

private:
  const node_surroundings& around_;
};

simulated_node::actor_config::actor_config() {
  set("scheduler.policy", caf::atom("testing"));
  set("logger.verbosity", caf::atom("quiet"));
}

// ---- life
// ----------------------------------------------------------------------------------------------------------------------

simulated_node::simulated_node(node_surroundings around, runtime::config config)
    : around_(std::move(around)), config_(std::move(config)), log_(std::make_unique<traced_log>(around_)),
      random_(around_.luck.next()) {
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
  time_offset_ns_ = around_.clock.now_ns() - caf_time_ns();
  stopping_ = silent_ = tree_started_ = false;
  ended_.reset();
  faults_.countdown = 0;
  held_.clear();
  node::tree_ports ports{*log_, *metrics_, around_.clock, random_, around_.disk, &faults_, process_, sink_, {"doctor"}};
  if (around_.member.network != nullptr) {
    make_parts();
    ports.cluster = parts_.get();
  }
  ports.replica_memory_bytes_max = around_.replica_memory_bytes_max;
  tree_ = std::make_unique<node::actor_tree>(*system_, ports, config_, false);
  if (parts_ != nullptr)
    start_cluster();
  if (parts_ != nullptr && around_.member.server_id == 0)
    return; // it asks to be let in first
  tree_started_ = true;
  root_ = tree_->start();
  caf::actor_cast<caf::abstract_actor*>(root_)->attach_functor([this](const caf::error& why) { on_root_ended(why); });
  notices_ = std::make_shared<tests::notifier_book>();
  notices_->decide = around_.notify;
  start_notifier();
}

/// As the program does (node/cluster_side.cpp).
void simulated_node::make_parts() {
  const auto& m = around_.member;
  identity_ = std::make_unique<cluster::local_identity>(m.name, "simulated", random_.next());
  transport_ = std::make_unique<simulated_network::transport>(*m.network, *identity_);
  parts_ = std::make_unique<node::cluster_parts>(*transport_, *identity_);
  auto& p = *parts_;
  p.name = m.name;
  p.peer = m.name + ".simulated:7000";
  p.http = "http://" + m.name;
  p.server_id = m.server_id;
  p.cluster = m.server_id == 0 ? "" : "simulated-cluster";
  p.founder = m.server_id == 1 && !m.begun;
  identity_->set_membership(p.cluster, m.server_id);
  for (const auto& other : m.all)
    p.known.push_back({other, other + ".simulated", 7000});
  if (m.server_id != 1)
    return;
  p.founding.replication_factor = m.replication;
  p.founding.next_server_id = 2;
  for (const auto& other : m.all)
    p.founding.add({other,
                    other + ".simulated:7000",
                    "http://" + other,
                    other == m.name ? domain::node_phase::member : domain::node_phase::invited,
                    other == m.name ? 1u : 0u,
                    {},
                    false});
}

void simulated_node::start_cluster() {
  cluster_root_ = tree_->start_cluster();
  caf::actor_cast<caf::abstract_actor*>(cluster_root_)->attach_functor([this](const caf::error& why) {
    cluster_root_ = nullptr;
    if (!ended_) // the node is of no use without the others; or it was the last to stop
      ended_ = root_end_ ? *root_end_ : why;
  });
  events_ = std::make_unique<cluster::peer_event_sender>(tree_->environment().directory);
  transport_->reaches(tree_->environment().directory);
  transport_->start(*events_);
}

/// What sends over the links goes before they do.
void simulated_node::on_root_ended(const caf::error& why) {
  if (cluster_root_ == nullptr || !stopping_ || (why && why != caf::exit_reason::user_shutdown)) {
    ended_ = why;
    return;
  }
  root_end_ = why;
  caf::anon_send_exit(caf::actor_cast<caf::actor>(cluster_root_), caf::exit_reason::user_shutdown);
}

void simulated_node::leave_network(bool told) {
  if (transport_ != nullptr)
    transport_->gone(told);
}

void simulated_node::ask_steward(const std::string& other, const messages::steward_question& q,
                                 std::function<void(const messages::steward_answer*)> done) {
  const auto router = running() ? tree_->directory().get<messages::router_actor>("router") : messages::router_actor{};
  if (router == nullptr)
    return done(nullptr);
  const auto limit_ms = runtime::defaults::membership_step_limit_ms;
  system_->spawn<caf::hidden>(
      [=](caf::event_based_actor* self, caf::unit_t) {
        self->request(router, std::chrono::milliseconds{limit_ms + 2 * runtime::defaults::console_margin_ms},
                      messages::ask_atom::value, other, messages::routed_kind::steward,
                      std::make_shared<const std::string>(encode(q)), limit_ms)
            .then(
                [=](const messages::bytes_ptr& bytes) {
                  const auto a = messages::decode_steward_answer(*bytes);
                  done(a ? &*a : nullptr);
                },
                [=](caf::error&) { done(nullptr); });
      },
      caf::unit);
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
  if (!running() || silent_ || !tree_started_)
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
  return running() && tree_started_ && !ended_ && tree_->readiness().ready();
}

std::string simulated_node::why_not_ready() {
  std::string text;
  if (running())
    for (const auto& r : tree_->readiness().reasons())
      text += (text.empty() ? "" : "; ") + r.part + ": " + r.reason;
  return text;
}

/// As node::node stops: hand the leaderships over, drain the gateway, wait until every connection has its answer, then stop the
/// tree in reverse order, and the links.
void simulated_node::request_stop() {
  stopping_ = true;
  if (!tree_started_) {
    caf::anon_send_exit(caf::actor_cast<caf::actor>(cluster_root_), caf::exit_reason::user_shutdown);
    return;
  }
  tree_->readiness().set("node", "stopping");
  const auto limit = std::chrono::milliseconds{config_.stop.limit_ms};
  const auto until_ns = around_.clock.now_ns() + std::int64_t{config_.stop.limit_ms} * 1'000'000;
  const auto handed_over_by_ns = around_.clock.now_ns() + std::int64_t{runtime::defaults::hand_over_limit_ms} * 1'000'000;
  const auto root = caf::actor_cast<caf::actor>(root_);
  hand_over();
  const auto drain_asked = std::make_shared<bool>(false);
  system_->spawn<caf::hidden>(
      [=, this](caf::event_based_actor* self, caf::unit_t) -> caf::behavior {
        const auto look = [=] { self->send(self, caf::tick_atom::value); };
        look();
        return {[=, this](caf::tick_atom) {
          if (tree_ == nullptr) // it was destroyed meanwhile
            self->quit();
          else if (leads_others() && around_.clock.now_ns() < handed_over_by_ns) {
            self->delayed_send(self, idle_poll, caf::tick_atom::value);
          } else if (!std::exchange(*drain_asked, true)) {
            if (const auto gateway = tree_->gateway(); gateway == nullptr)
              look();
            else
              self->request(gateway, limit, messages::drain_atom::value)
                  .then([=](bool) { look(); }, [=](caf::error&) { look(); });
          } else if (silent_ || sink_.waiting.empty() || around_.clock.now_ns() >= until_ns) {
            self->send_exit(root, caf::exit_reason::user_shutdown);
            self->quit();
          } else {
            self->delayed_send(self, idle_poll, caf::tick_atom::value);
          }
        }};
      },
      caf::unit);
}

void simulated_node::hand_over() {
  if (parts_ == nullptr)
    return;
  for (const auto& [group, v] : parts_->shards.led_here())
    if (auto replica = tree_->directory().get<messages::replica_actor>("replica " + std::to_string(group)); replica != nullptr)
      if (v.members.size() > 1)
        caf::anon_send(replica, messages::transfer_atom::value, std::uint64_t{0});
}

bool simulated_node::leads_others() const {
  if (parts_ == nullptr)
    return false;
  const auto led = parts_->shards.led_here();
  return std::any_of(led.begin(), led.end(), [](const auto& x) { return x.second.members.size() > 1; });
}

std::size_t simulated_node::destroy() {
  if (!running())
    return 0;
  silent_ = true;
  leave_network(true);
  for (const auto& top : {root_, cluster_root_})
    if (top != nullptr)
      caf::anon_send_exit(caf::actor_cast<caf::actor>(top), caf::exit_reason::kill);
  root_ = nullptr;
  if (tree_started_) {
    notices_->held.clear(); // they refer to actors of this system
    caf::anon_send_exit(caf::actor_cast<caf::actor>(notifier_), caf::exit_reason::kill);
    notifier_ = nullptr;
  }
  scheduler_->run(drain_steps_max);
  const auto left = system_->registry().running();
  cluster_root_ = nullptr;
  if (transport_ != nullptr)
    transport_->reaches(nullptr);
  tree_.reset();
  if (left != 0) {
    // CAF would wait for them for ever.
    (void)system_.release();
    (void)caf_config_.release();
    (void)metrics_.release();
    (void)parts_.release();
    (void)transport_.release();
    (void)identity_.release();
  }
  system_.reset();
  caf_config_.reset();
  metrics_.reset();
  events_.reset();
  parts_.reset();
  transport_.reset();
  identity_.reset();
  root_end_.reset();
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

bool simulated_node::is_held(std::size_t job) const {
  const auto* actor = dynamic_cast<caf::scheduled_actor*>(scheduler_->jobs[job]);
  const auto held = actor == nullptr ? held_.end() : held_.find(actor->id());
  return held != held_.end() && around_.clock.now_ns() < held->second;
}

bool simulated_node::has_ready() const {
  if (!running() || held_.empty())
    return running() && !scheduler_->jobs.empty();
  for (std::size_t i = 0; i < scheduler_->jobs.size(); ++i)
    if (!is_held(i))
      return true;
  return false;
}

void simulated_node::hold_last(std::int64_t ns) {
  const auto now = around_.clock.now_ns();
  std::erase_if(held_, [now](const auto& x) { return x.second <= now; });
  if (last_ != 0)
    held_[last_] = now + ns;
}

/// Any ready actor may be next. For some time one kind of actor rarely is, so that others run far ahead of it. Who is held is
/// not; somebody must be ready who is not held.
std::size_t simulated_node::pick() {
  auto& jobs = scheduler_->jobs;
  if (!held_.empty()) { // the rest behind them
    std::size_t free = 0;
    for (std::size_t i = 0; i < jobs.size(); ++i)
      if (!is_held(i))
        ++free;
    if (free < jobs.size()) {
      auto nth = fifo_ ? 0 : around_.luck.below(free);
      for (std::size_t i = 0; i < jobs.size(); ++i)
        if (!is_held(i) && nth-- == 0)
          return i;
    }
  }
  if (jobs.size() == 1 || fifo_)
    return 0;
  const auto name_of = [&](std::size_t i) -> std::string_view {
    const auto* actor = dynamic_cast<caf::scheduled_actor*>(jobs[i]);
    return actor == nullptr ? "" : actor->name();
  };
  auto i = around_.luck.below(jobs.size());
  const auto now = around_.clock.now_ns();
  if (now >= laggard_until_ns_) {
    laggard_ = around_.luck.share(0.5) ? std::string{name_of(i)} : std::string{};
    laggard_until_ns_ = now + around_.luck.between(100, 3'000) * 1'000'000;
  }
  for (int again = 0; again < 8 && !laggard_.empty() && name_of(i) == laggard_; ++again)
    i = around_.luck.below(jobs.size());
  return i;
}

bool simulated_node::step() {
  auto& jobs = scheduler_->jobs;
  if (!has_ready())
    return false;
  if (const auto i = pick(); i != 0)
    std::swap(jobs.front(), jobs[i]);
  last_ = 0;
  if (const auto* actor = dynamic_cast<caf::scheduled_actor*>(jobs.front()); actor != nullptr) {
    last_ = actor->id();
    around_.log.decided(actor->name());
  }
  scheduler_->run_once();
  return true;
}

std::int64_t simulated_node::next_timer_ns() const {
  if (!running())
    return agenda::never;
  auto next = agenda::never;
  if (!scheduler_->jobs.empty()) // they are held, or it would not be asked
    for (const auto& [who, until] : held_)
      if (until > around_.clock.now_ns())
        next = std::min(next, around_.clock.world_ns(until));
  if (scheduler_->clock().schedule().empty())
    return next;
  const auto due = scheduler_->clock().schedule().begin()->first.time_since_epoch();
  return std::min(next,
                  around_.clock.world_ns(std::chrono::duration_cast<std::chrono::nanoseconds>(due).count() + time_offset_ns_));
}

void simulated_node::pass_time() {
  if (!running())
    return;
  if (const auto passed = around_.clock.now_ns() - time_offset_ns_ - caf_time_ns(); passed > 0)
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
  s->received_ns = around_.clock.now_ns();
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
  const auto catalog = running() ? tree_->catalog() : messages::catalog_actor{};
  if (catalog == nullptr)
    return done("no catalog");
  system_->spawn<caf::hidden>(
      [=](caf::event_based_actor* self, caf::unit_t) {
        self->request(catalog, std::chrono::milliseconds{runtime::defaults::import_limit_ms}, messages::import_atom::value,
                      std::make_shared<const domain::study_source>(node::demo_study()), std::string{"os:simulator"})
            .then([=](std::string&, bool, std::uint64_t) { done({}); }, [=](caf::error& why) { done(runtime::error_text(why)); });
      },
      caf::unit);
}

bool simulated_node::knows_demo() const {
  return running() && tree_->catalog_view().ready() && tree_->catalog_view().get()->studies.count("demo") != 0;
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
