// A whole node in one thread: the program's own actor tree under CAF's deterministic scheduler, with a clock that moves only when
// told, any disk, and phones that are plain functions.
#pragma once

#include "domain/canonical.hpp"
#include "domain/ids.hpp"
#include "node/actor_tree.hpp"
#include "node/node.hpp"
#include "runtime/directory.hpp"
#include "runtime/error_text.hpp"
#include "runtime/storage/disk.hpp"
#include "tests/support/manual_clock.hpp"
#include "tests/support/patient_sessions.hpp"
#include "tests/support/seeded_random.hpp"
#include "tests/support/stub_notifier.hpp"

#include <array>
#include <caf/scheduler/test_coordinator.hpp>
#include <chrono>
#include <cstdlib>
#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

namespace epione::tests {

using nlohmann::json;

/// Keeps every reply; a second reply to a ticket is a fault of the node's.
class recording_sink final : public runtime::reply_sink {
public:
  void deliver(messages::replies batch) override {
    for (auto& r : batch) {
      open.erase(r.to);
      if (!answers.emplace(r.to, r).second)
        repeated.push_back(r.to);
    }
  }
  void abandon_all() override {
    for (auto t : open)
      answers.emplace(t, messages::reply{t, 503, R"({"error":"abandoned","outcome":"unknown"})", 1});
    abandoned.insert(open.begin(), open.end());
    open.clear();
  }
  std::set<messages::ticket> open, abandoned;
  std::map<messages::ticket, messages::reply> answers;
  std::vector<messages::ticket> repeated;
};

class recording_process final : public runtime::process {
public:
  void fatal(int code, std::string_view why) override {
    exit_code = code;
    reason = why;
  }
  std::optional<int> exit_code;
  std::string reason;
};

/// Does something at the n-th time a place is reached: throw, kill somebody, ...
class scripted_faults final : public runtime::fault_points {
public:
  void hit(std::string_view point, std::string_view detail) override {
    ++seen[std::string{point}];
    if (on_hit)
      on_hit(point, detail);
  }
  std::function<void(std::string_view, std::string_view)> on_hit;
  std::map<std::string, int> seen; ///< how often each place was reached
};

class test_node {
public:
  test_node(runtime::disk& disk, std::string directory, runtime::config config = small_config())
      : disk_(disk), log_(std::getenv("EPIONE_TEST_LOG") != nullptr ? runtime::make_json_log(runtime::log_level::debug)
                                                                    : runtime::make_silent_log()) {
    config.data.directory = std::move(directory);
    config_ = config;
  }
  ~test_node() {
    faults.on_hit = nullptr; // it may look at what belongs to the test, which is gone
    crash();
  }

  /// Few shards, so that tests with a handful of patients meet in one.
  static runtime::config small_config() {
    runtime::config c;
    c.shards.count = 2;
    c.storage.disk_reserve_bytes = 0;
    return c;
  }

  /// Starts the tree on what the directory holds, and gives it up to `limit_ms` to serve. False: it ended or is not ready.
  bool start(std::int64_t limit_ms = 60'000) {
    begin();
    return run_until([this] { return ready(); }, limit_ms);
  }

  /// The same without waiting. With `cluster`: its links as well; without `tree` nothing but them.
  void begin(bool whole_tree = true) {
    caf_config_ = std::make_unique<actor_config>();
    system_ = std::make_unique<caf::actor_system>(*caf_config_);
    scheduler_ = &dynamic_cast<caf::scheduler::test_coordinator&>(system_->scheduler());
    ended = false;
    end_reason = {};
    tree = std::make_unique<node::actor_tree>(
        *system_,
        node::tree_ports{*log_, metrics, clock, random, disk_, &faults, process, sink, other_channels, kinds, true, cluster},
        config_, false);
    if (cluster != nullptr)
      cluster_root_ = tree->start_cluster();
    if (whole_tree)
      begin_tree();
  }

  void begin_tree() {
    root_ = tree->start();
    caf::actor_cast<caf::abstract_actor*>(root_)->attach_functor([this](const caf::error& why) {
      ended = true;
      end_reason = why;
    });
  }

  /// As far as this node is concerned it is this late now.
  void advance_to(std::int64_t now_ns) {
    const auto passed = now_ns - clock.ns;
    clock.ns = now_ns;
    scheduler_->advance_time(std::chrono::nanoseconds{passed});
    scheduler_->run();
  }

  bool ready() { return tree->readiness().ready(); }

  /// What keeps it from serving, for messages.
  std::string why_not() {
    std::string text = ended ? runtime::error_text(end_reason) : "";
    for (const auto& r : tree->readiness().reasons())
      text += r.part + ": " + r.reason + "; ";
    return text;
  }

  /// Starts and imports the demo study.
  bool start_with_demo() { return start() && import(node::demo_study()).empty(); }

  /// Empty when imported, else the error. Null while the catalog is away.
  std::string import(const domain::study_source& source) {
    std::string result = "no answer";
    caf::scoped_actor self{*system_, true};
    auto pending = self->request(tree->catalog(), std::chrono::seconds{3600}, messages::import_atom::value,
                                 std::make_shared<const domain::study_source>(source), std::string{"os:test"});
    if (!run_until([&] { return self->has_next_message(); }, 70'000))
      return result;
    pending.receive([&](std::string&, bool, std::uint64_t) { result.clear(); },
                    [&](caf::error& e) { result = runtime::error_text(e); });
    return result;
  }

  /// First half of what SIGTERM does: nothing new is taken, everything accepted is answered. False when it did not come to that.
  bool drain() {
    bool drained = false;
    caf::scoped_actor self{*system_, true};
    auto pending = self->request(tree->gateway(), std::chrono::seconds{60}, messages::drain_atom::value);
    if (!run_until([&] { return self->has_next_message(); }, 70'000))
      return false;
    pending.receive([&](bool done) { drained = done; }, [](caf::error&) {});
    return drained;
  }

  /// Tells it to stop in order, without waiting.
  void request_stop() { caf::anon_send_exit(caf::actor_cast<caf::actor>(root_), caf::exit_reason::user_shutdown); }

  /// Stops in order, as SIGTERM does. False when it did not end.
  bool stop() {
    if (!system_ || ended)
      return true;
    caf::anon_send_exit(caf::actor_cast<caf::actor>(root_), caf::exit_reason::user_shutdown);
    const bool stopped = run_until([this] { return ended; }, 60'000);
    release();
    return stopped;
  }

  /// Ends every actor without giving any a chance to finish, as far as one process can: the disk decides what is left.
  void crash() {
    if (!system_)
      return;
    for (const auto& top : {root_, cluster_root_})
      if (top != nullptr)
        caf::anon_send_exit(caf::actor_cast<caf::actor>(top), caf::exit_reason::kill);
    scheduler_->run();
    release();
  }

  // ---- time --------------------------------------------------------------------------------------------------------------

  /// Everything that can happen without time passing.
  void settle() { scheduler_->run(); }

  void run(std::int64_t ms) {
    for (std::int64_t i = 0; i < ms; i += 10)
      step();
  }

  template <class Predicate>
  bool run_until(Predicate&& done, std::int64_t limit_ms) {
    settle();
    for (std::int64_t i = 0; i < limit_ms && !done() && !ended; i += 10)
      step();
    return done();
  }

  // ---- phones ------------------------------------------------------------------------------------------------------------

  static json phq9(int q9 = 0, int others = 1) {
    json answers;
    for (int i = 1; i <= 8; ++i)
      answers["q" + std::to_string(i)] = others;
    answers["q9"] = q9;
    return {{"form", "phq-9"}, {"answers", answers}, {"authored", "2026-11-23T19:30:00+01:00"}};
  }

  /// The answers of such a form as they are read back: choices by their codes.
  static json stored_answers(const json& data) {
    constexpr std::array<const char*, 4> codes{"LA6568-5", "LA6569-3", "LA6570-1", "LA6571-9"};
    json result = json::object();
    for (const auto& [item, value] : data["answers"].items())
      result[item] = codes.at(value.get<std::size_t>());
    return result;
  }

  messages::submission_ptr make(const std::string& subject, const json& data, const std::string& key) {
    const auto packed = json::to_msgpack(data);
    auto content = domain::canonical_from_msgpack({reinterpret_cast<const char*>(packed.data()), packed.size()},
                                                  runtime::defaults::json_depth_max);
    if (!content)
      throw std::invalid_argument(content.error());
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
    s->received_ns = clock.now_ns();
    return s;
  }

  messages::ticket post(const std::string& subject, const json& data, const std::string& key) {
    const auto t = next_ticket_++;
    sink.open.insert(t);
    tree->submit(t, make(subject, data, key));
    return t;
  }

  /// The answer's status, waiting up to the node's own limit; 0 when there is none: silence.
  int status(messages::ticket t) {
    run_until([&] { return sink.answers.count(t) != 0; }, std::int64_t{config_.http.request_limit_ms} + 1'000);
    auto found = sink.answers.find(t);
    return found == sink.answers.end() ? 0 : found->second.status;
  }

  json body(messages::ticket t) {
    status(t);
    auto found = sink.answers.find(t);
    return found == sink.answers.end() ? json{} : json::parse(found->second.body);
  }

  int send(const std::string& subject, const json& data, const std::string& key) { return status(post(subject, data, key)); }

  messages::ticket get(const std::string& subject, std::optional<domain::receipt> id = {}, std::uint32_t limit = 200,
                       std::uint64_t before = 0) {
    auto r = std::make_shared<messages::read_request>();
    r->study = "demo";
    r->subject = subject;
    r->subject_hash = domain::subject_hash(r->study, subject);
    r->shard = domain::shard_of(r->subject_hash, config_.shards.count);
    r->id = id;
    r->limit = limit;
    r->before_seq = before;
    const auto t = next_ticket_++;
    sink.open.insert(t);
    tree->read(t, r);
    return t;
  }

  /// The same list, not older than this submission.
  messages::ticket get_after(const std::string& subject, const domain::receipt& after) {
    auto r = std::make_shared<messages::read_request>();
    r->study = "demo";
    r->subject = subject;
    r->subject_hash = domain::subject_hash(r->study, subject);
    r->shard = domain::shard_of(r->subject_hash, config_.shards.count);
    r->after = after;
    const auto t = next_ticket_++;
    sink.open.insert(t);
    tree->read(t, r);
    return t;
  }

  /// A request under /fhir; its answer as for the others.
  messages::ticket fhir(messages::fhir_request r) {
    r.received_ns = clock.now_ns();
    const auto t = next_ticket_++;
    sink.open.insert(t);
    tree->fhir(t, std::make_shared<const messages::fhir_request>(std::move(r)));
    return t;
  }

  /// Receipts of a subject's submissions, newest first, as GET tells them. Asks again while the node says 503.
  std::vector<std::string> receipts(const std::string& subject) {
    std::vector<std::string> result;
    auto t = get(subject);
    for (int attempt = 0; attempt < 20 && status(t) == 503; ++attempt) {
      run(500);
      t = get(subject);
    }
    const auto history = body(t);
    if (history.contains("submissions"))
      for (const auto& s : history["submissions"])
        result.push_back(s["receipt"]);
    return result;
  }

  // ---- notices ----------------------------------------------------------------------------------------------------------

  /// From now on "notifier CHANNEL" writes into `notices`; one that was there before is gone.
  void start_notifier(const std::string& channel = "doctor") {
    end_notifier();
    notifier_ =
        caf::actor_cast<caf::strong_actor_ptr>(runtime::spawn_actor(*system_, tree->environment(), stub_notifier, notices));
    tree->directory().put("notifier " + channel, notifier_);
  }
  void end_notifier() {
    if (notifier_ != nullptr)
      caf::anon_send_exit(caf::actor_cast<caf::actor>(notifier_), caf::exit_reason::kill);
    notifier_ = nullptr;
    if (scheduler_ != nullptr)
      scheduler_->run();
  }

  /// "pending", "sent", "dead" or "null" of each alert of a subject's newest submission, separated by spaces.
  std::string alert_states(const std::string& subject) {
    auto t = get(subject);
    for (int attempt = 0; attempt < 20 && status(t) == 503; ++attempt) {
      run(500);
      t = get(subject);
    }
    std::string text;
    const auto history = body(t);
    if (history.contains("submissions") && !history["submissions"].empty())
      for (const auto& a : history["submissions"][0]["alerts"])
        text += (text.empty() ? "" : " ") + (a["notice"].is_null() ? "null" : a["notice"].get<std::string>());
    return text;
  }

  /// How a request to an outbox was answered.
  template <class Answer, class... Arguments>
  std::optional<Answer> ask_outbox(std::uint32_t shard, Arguments... arguments) {
    auto who = tree->directory().get<messages::outbox_actor>("outbox " + std::to_string(shard));
    std::optional<Answer> result;
    caf::scoped_actor self{*system_, true};
    auto pending = self->request(who, std::chrono::seconds{3600}, arguments...);
    if (run_until([&] { return self->has_next_message(); }, 70'000))
      pending.receive([&](Answer& a) { result = a; }, [&](caf::error& e) { outbox_error = runtime::error_text(e); });
    return result;
  }
  std::string outbox_error;
  std::shared_ptr<notifier_book> notices = std::make_shared<notifier_book>();

  // ---- trouble -----------------------------------------------------------------------------------------------------------

  bool kill(const std::string& name) {
    auto who = tree->directory().find(name);
    if (who == nullptr)
      return false;
    caf::anon_send_exit(caf::actor_cast<caf::actor>(who), caf::exit_reason::kill);
    return true;
  }

  std::vector<std::string> actor_names() {
    std::vector<std::string> names;
    for (const auto& [name, who] : tree->directory().all())
      names.push_back(name);
    return names;
  }

  bool has_session(std::uint64_t subject_hash) { return session(subject_hash) != nullptr; }

  bool kill_session(std::uint64_t subject_hash) {
    const auto who = session(subject_hash);
    if (who == nullptr)
      return false;
    caf::anon_send_exit(who, caf::exit_reason::kill);
    return true;
  }

  const runtime::config& config() const { return config_; }
  caf::actor_system& system() { return *system_; }

  manual_clock clock;
  seeded_random random{1};
  runtime::metrics metrics;
  recording_sink sink;
  recording_process process;
  scripted_faults faults;
  std::set<std::string> other_channels{"doctor"}; ///< of the demo; a stub stands there
  runtime::channel_kinds kinds = runtime::builtin_channel_kinds();
  node::cluster_parts* cluster = nullptr; ///< null: alone
  std::unique_ptr<node::actor_tree> tree;
  bool ended = true;
  caf::error end_reason;

private:
  struct actor_config : caf::actor_system_config {
    actor_config() {
      set("scheduler.policy", caf::atom("testing"));
      set("logger.verbosity", caf::atom("quiet"));
    }
  };

  void step() {
    clock.ns += 10'000'000;
    scheduler_->advance_time(std::chrono::milliseconds{10});
    scheduler_->run();
  }

  caf::actor session(std::uint64_t subject_hash) {
    for (auto& s : patient_sessions(tree->directory()))
      if (s.subject_hash == subject_hash)
        return s.actor;
    return {};
  }

  void release() {
    notices->held.clear(); // they refer to actors of this system
    end_notifier();
    root_ = cluster_root_ = nullptr;
    tree.reset();
    system_.reset();
    scheduler_ = nullptr;
    ended = true;
  }

  runtime::disk& disk_;
  runtime::config config_;
  std::unique_ptr<runtime::log> log_;
  std::unique_ptr<actor_config> caf_config_;
  std::unique_ptr<caf::actor_system> system_;
  caf::scheduler::test_coordinator* scheduler_ = nullptr;
  caf::strong_actor_ptr root_, cluster_root_, notifier_;
  messages::ticket next_ticket_ = 1;
};

} // namespace epione::tests
