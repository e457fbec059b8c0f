#include "node/node.hpp"

#include "actors/console_commands.hpp"
#include "node/actor_tree.hpp"
#include "node/cluster_answers.hpp"
#include "node/cluster_metrics.hpp"
#include "node/cluster_side.hpp"
#include "node/data_directory.hpp"
#include "node/node_metrics.hpp"
#include "runtime/admin_socket.hpp"
#include "runtime/admission.hpp"
#include "runtime/channels/secret_file.hpp"
#include "runtime/clock.hpp"
#include "runtime/directory.hpp"
#include "runtime/error_text.hpp"
#include "runtime/http/http_server.hpp"
#include "runtime/log.hpp"
#include "runtime/metrics.hpp"
#include "runtime/process.hpp"
#include "runtime/random.hpp"
#include "runtime/scope_limit.hpp"
#include "runtime/storage/disk.hpp"

#include <algorithm>
#include <atomic>
#include <charconv>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <sstream>
#include <thread>

namespace epione::node {

namespace {

using namespace messages;
using std::chrono::milliseconds;

constexpr milliseconds import_limit{runtime::defaults::import_answer_limit_ms};
constexpr milliseconds poll_period{5};
constexpr milliseconds ready_report_period{5'000};

struct actor_config : caf::actor_system_config {
  actor_config() {
    set("scheduler.policy", caf::atom("stealing"));
    set("scheduler.max-threads", static_cast<std::size_t>(std::max(2u, std::thread::hardware_concurrency())));
    set("scheduler.max-throughput", runtime::defaults::actor_turn_messages);
    set("logger.verbosity", caf::atom("quiet"));
  }
};

/// The HTTP server needs the tree's catalog and the tree needs the server's inbox; this breaks the circle.
class forwarding_sink final : public runtime::reply_sink {
public:
  void set(runtime::reply_sink* to) { to_ = to; }
  void deliver(replies batch) override {
    if (auto* to = to_.load())
      to->deliver(std::move(batch));
  }
  void abandon_all() override {
    if (auto* to = to_.load())
      to->abandon_all();
  }
  std::string body_buffer() override {
    auto* to = to_.load();
    return to != nullptr ? to->body_buffer() : std::string{};
  }

private:
  std::atomic<runtime::reply_sink*> to_{nullptr};
};

using steady_clock = std::chrono::steady_clock;

/// At least one millisecond, so that what is asked for with it is tried.
milliseconds left_until(steady_clock::time_point end) {
  return std::max(milliseconds{1}, std::chrono::duration_cast<milliseconds>(end - steady_clock::now()));
}

/// "file\tplace\tmessage" a line, as the catalog answers.
std::vector<domain::import_problem> problems_of(const std::string& text) {
  std::vector<domain::import_problem> result;
  std::istringstream lines{text};
  for (std::string line; std::getline(lines, line);) {
    const auto first = line.find('\t');
    const auto second = first == std::string::npos ? first : line.find('\t', first + 1);
    if (second == std::string::npos)
      result.push_back({{}, {}, line});
    else
      result.push_back({line.substr(0, first), line.substr(first + 1, second - first - 1), line.substr(second + 1)});
  }
  return result;
}

/// Everything about a failed import in one sentence.
std::string sentence_of(const import_failure& failure) {
  std::string text = failure.message;
  for (const auto& p : failure.problems)
    text += (text.empty() ? "" : "; ") + p.file + ", " + p.place + ": " + p.message;
  return text;
}

} // namespace

struct node::impl {
  explicit impl(const node_options& o)
      : options(o), log(runtime::make_json_log(runtime::parse_log_level(o.config.log.level).value_or(runtime::log_level::info))),
        disk(runtime::make_system_disk()), process(runtime::make_system_process(*log)) {}

  ~impl() {
    if (admin)
      admin->stop_accepting();
    if (http)
      http->stop();
    stop_tree(milliseconds{options.config.stop.limit_ms});
    stop_cluster();
    if (console != nullptr)
      caf::anon_send_exit(caf::actor_cast<caf::actor>(std::exchange(console, nullptr)), caf::exit_reason::user_shutdown);
    // An actor inside a call to the disk that does not return has been left behind, and its thread would be waited for.
    const runtime::scope_limit limit{*process, milliseconds{runtime::defaults::child_stop_limit_ms},
                                     std::max(code, runtime::exit_code::failed),
                                     (failure.empty() ? "" : failure + "; ") +
                                         "a thread did not end, it is probably inside a call to the disk that does not return"};
    if (admin)
      admin->stop();
    sink.set(nullptr);
    if (tree)
      tree->forget_actors();
    system.reset(); // an actor that comes back from the disk only now still looks into the tree
    tree.reset();
  }

  // ---- start -----------------------------------------------------------------------------------------------------------

  std::optional<node_error> start(std::stop_token stop) {
    stop_token = stop;
    stop_asked.emplace(std::move(stop), [this] { request_stop(); });
    auto failed = start_parts();
    if (failed) {
      code = failed->exit_code;
      failure = failed->message;
    }
    return failed;
  }

  std::optional<node_error> start_parts() {
    if (options.cluster) {
      if (auto failed = become_member(); failed || asked_to_stop())
        return failed;
    }
    auto opened = open_data_directory(options.config);
    if (!opened)
      return node_error{opened.error().exit_code, opened.error().message};
    directory = std::move(*opened);
    if (auto failed = check_membership())
      return failed;
    system = std::make_unique<caf::actor_system>(caf_config);
    if (options.cluster) {
      if (auto failed = make_cluster_side())
        return failed;
      others->become(directory.cluster, directory.member, "");
    }
    tree_ports ports = ports_of();
    tree = std::make_unique<actor_tree>(*system, ports, options.config, true);
    if (options.http) {
      if (auto failed = start_http())
        return failed;
    }
    if (options.http)
      for (const auto& file : runtime::unusable_files(options.config.channels))
        log->warning("node", "a channel's file cannot be used",
                     {{"channel", file.channel}, {"key", file.key}, {"why", file.why}});
    if (others) {
      others->parts().http = address;
      cluster_root = tree->start_cluster();
      caf::actor_cast<caf::abstract_actor*>(cluster_root)->attach_functor([this](const caf::error& why) {
        std::lock_guard guard{mutex};
        cluster_ended = true;
        if (why && why != caf::exit_reason::user_shutdown && !ended) { // the node is of no use without the others
          ended = true;
          end_reason = why;
        }
        changed.notify_all();
      });
      others->start(*tree);
    }
    start_tree();
    if (options.http) { // before the node is ready: what keeps it from that is to be seen and mended
      if (auto failed = start_admin())
        return failed;
    }
    if (auto failed = wait_until_ready())
      return failed;
    if (others && !directory.member.begun && !asked_to_stop())
      if (auto failed = note_begun())
        return failed;
    if (options.demo && !asked_to_stop()) {
      auto imported = import(demo_study(), "system:demo", given_up_when::asked_to_stop);
      if (!imported && !asked_to_stop())
        return node_error{runtime::exit_code::failed, "the demo study could not be imported: " + sentence_of(imported.error())};
    }
    return std::nullopt;
  }

  tree_ports ports_of() {
    tree_ports ports{*log, numbers, clock, random, *disk, nullptr, *process, sink, {}, options.kinds, options.http};
    ports.cluster = others ? &others->parts() : nullptr;
    ports.cluster_id = directory.cluster;
    return ports;
  }

  std::optional<node_error> make_cluster_side() {
    others = std::make_unique<cluster_side>(*options.cluster, options.config, *log, numbers, clock, random);
    if (auto listening = others->listen(); !listening)
      return node_error{runtime::exit_code::failed, listening.error()};
    return std::nullopt;
  }

  /// A directory that belongs to a cluster is started as what it is, or not at all.
  std::optional<node_error> check_membership() const {
    const auto& name = directory.member.node;
    const auto& path = directory.path;
    if (!options.cluster && !name.empty() && options.http)
      return node_error{runtime::exit_code::failed, path + " belongs to node " + name +
                                                        " of a cluster; start it with: epione serve --node " + name +
                                                        " --cluster FILE"};
    if (options.cluster && name.empty())
      return node_error{runtime::exit_code::failed,
                        path +
                            " holds the data of a node that is alone. To begin a cluster with it, say once: epione cluster init "
                            "--cluster FILE --node " +
                            options.cluster->node + " --data-dir " + path};
    if (options.cluster && name != options.cluster->node)
      return node_error{runtime::exit_code::failed,
                        path + " is that of node " + name + ", not of " + options.cluster->node + "; name the right directory"};
    return std::nullopt;
  }

  /// An empty directory asks the cluster's nodes to be let in, with nothing running but its links.
  std::optional<node_error> become_member() {
    if (holds_data(options.config.data.directory))
      return std::nullopt;
    auto empty = open_empty_directory(options.config.data.directory);
    if (!empty)
      return node_error{empty.error().exit_code, empty.error().message};
    if (auto failed = make_cluster_side())
      return failed;
    log->info("node", "asks to be let into the cluster", {{"node", options.cluster->node}});
    std::optional<node_error> result;
    {
      actor_config joining_config;
      caf::actor_system joining{joining_config};
      actor_tree links{joining, ports_of(), options.config, true};
      auto root_of_links = links.start_cluster();
      others->start(links);
      const auto& http = options.config.http;
      auto granted =
          others->join(joining, links, options.config.data.directory, "http://" + http.address + ":" + std::to_string(http.port),
                       stop_token, [this](const std::string& why) { say_not_ready(1, {"cluster", why}); });
      if (granted) {
        log->info("node", "belongs to the cluster", {{"node", options.cluster->node}, {"server", granted->server_id}});
        options.config.shards.count = granted->shards;
      } else if (!granted.error().empty()) {
        result = node_error{runtime::exit_code::failed, granted.error()};
      }
      others->stop();
      caf::anon_send_exit(caf::actor_cast<caf::actor>(root_of_links), caf::exit_reason::user_shutdown);
      root_of_links = nullptr;
      links.forget_actors();
      joining.await_all_actors_done();
    }
    others.reset();
    return result;
  }

  /// Should this directory's journal be lost from now on, it begins no cluster again, nor goes on as the member it was: it has to
  /// be replaced.
  std::optional<node_error> note_begun() {
    const auto end = steady_clock::now() + milliseconds{runtime::defaults::membership_step_limit_ms};
    {
      std::unique_lock lock{mutex};
      while (others->parts().nodes.get() == nullptr && !ended && !stop_requested && steady_clock::now() < end)
        changed.wait_for(lock, poll_period);
    }
    if (others->parts().nodes.get() == nullptr)
      return std::nullopt; // the next start will see
    auto written = write_membership(directory.path, directory.cluster, options.config.shards.count,
                                    {directory.member.node, directory.member.server_id, false, {}, true});
    return written ? std::nullopt : std::optional{node_error{written.error().exit_code, written.error().message}};
  }

  std::optional<node_error> start_http() {
    admitted = std::make_unique<runtime::admission>(options.config.admission.requests_in_flight_max);
    looked_up = std::make_unique<node_metrics>(numbers, *admitted, tree->directory());
    if (others)
      cluster_looked_up = std::make_unique<cluster_metrics>(numbers, others->parts(), options.config.shards.count);
    http = std::make_unique<runtime::http_server>(
        runtime::http_options_of(options.config),
        runtime::http_surroundings{tree->catalog_view(), numbers, *log, clock, random, tree->readiness(), *admitted, [this] {
                                     looked_up->refresh();
                                     if (cluster_looked_up)
                                       cluster_looked_up->refresh();
                                   }});
    sink.set(http.get());
    auto endpoint = http->start(*tree);
    if (!endpoint)
      return node_error{1, endpoint.error()};
    const bool six = endpoint->address.find(':') != std::string::npos;
    address = "http://" + (six ? "[" + endpoint->address + "]" : endpoint->address) + ":" + std::to_string(endpoint->port);
    log->info("node", "HTTP listens", {{"address", address}});
    return std::nullopt;
  }

  void start_tree() {
    root = tree->start();
    caf::actor_cast<caf::abstract_actor*>(root)->attach_functor([this](const caf::error& why) {
      std::lock_guard guard{mutex};
      ended = true;
      end_reason = why;
      changed.notify_all();
    });
  }

  /// Until the node may serve, or is asked to stop. A full disk or a halted shard can take any time.
  std::optional<node_error> wait_until_ready() {
    auto report_at = steady_clock::now() + ready_report_period;
    std::unique_lock lock{mutex};
    while (!ended && !stop_requested) {
      const auto reasons = tree->readiness().reasons();
      if (reasons.empty())
        return std::nullopt;
      if (steady_clock::now() >= report_at) {
        say_not_ready(reasons.size(), reasons.front());
        report_at += ready_report_period;
      }
      changed.wait_for(lock, poll_period);
    }
    return ended ? std::optional{failed()} : std::nullopt;
  }

  void say_not_ready(std::size_t reasons, const runtime::readiness::item& first) {
    log->warning("node", "not ready yet",
                 {{"reasons", std::uint64_t{reasons}}, {"first_part", first.part}, {"first_reason", first.reason}});
    if (options.waiting)
      options.waiting(first.part + ": " + first.reason);
  }

  /// The tree ended without being asked to.
  node_error failed() const { return {std::max(exit_code_of(end_reason), runtime::exit_code::failed), failure_text(end_reason)}; }

  std::optional<node_error> start_admin() {
    const auto path = options.config.data.directory + "/" + runtime::admin_socket_name;
    admin = std::make_unique<runtime::admin_server>(
        path, [this](const runtime::admin_request& r, const std::string& who) { return answer(r, who); }, *log);
    console = tree->start_console([this] { request_stop(); });
    auto started = admin->start();
    return started ? std::nullopt : std::optional<node_error>{node_error{1, started.error()}};
  }

  // ---- while it runs -----------------------------------------------------------------------------------------------------

  runtime::admin_reply answer(const runtime::admin_request& r, const std::string& user) {
    if (r.command == "console")
      return answer_console(r, user);
    if (r.command == "apply-committed")
      return apply_committed(r);
    if (r.command == "anchor")
      return anchor();
    if (r.command.starts_with("cluster-")) {
      if (!others)
        return {runtime::exit_code::failed, "this node is alone: it was started without --cluster", {}};
      return answer_cluster(r, user, *system, *tree, others->parts(), options.config.shards.count);
    }
    if (r.command != "study-import")
      return {runtime::exit_code::usage, "this node does not know the command '" + r.command + "'", {}};
    const auto bytes = r.arguments.find("source");
    if (bytes == r.arguments.end())
      return {runtime::exit_code::usage, "study-import needs the argument 'source'", {}};
    auto source = domain::decode_study_source(bytes->second);
    if (!source)
      return {runtime::exit_code::usage, "the study cannot be read: " + source.error(), {}};
    return reply_of(import(*source, user, given_up_when::ended));
  }

  std::optional<std::string> apply_committed(std::uint32_t group, std::uint64_t index, milliseconds limit) {
    const auto name = "group " + std::to_string(group);
    const auto replica = tree->directory().get<replica_actor>("replica " + std::to_string(group));
    if (replica == nullptr)
      return name + " is not running here; the log says why";
    std::optional<std::string> why;
    caf::scoped_actor self{*system, true};
    self->request(replica, limit, flush_atom::value, index)
        .receive([](std::uint64_t) {},
                 [&](caf::error& x) {
                   why = name + " has not applied all that is committed (it was asked for " + std::to_string(limit.count()) +
                         " ms at most): " + runtime::sentence_of(x);
                 });
    return why;
  }

  runtime::admin_reply apply_committed(const runtime::admin_request& r) {
    const auto number = [&](const char* name) {
      std::uint64_t n = 0;
      if (const auto found = r.arguments.find(name); found != r.arguments.end())
        std::from_chars(found->second.data(), found->second.data() + found->second.size(), n);
      return n;
    };
    // Who asks for several groups one after the other says what is left of the time for all of them.
    const auto asked_ms = r.arguments.contains("limit_ms") ? number("limit_ms") : runtime::defaults::export_apply_limit_ms;
    const auto limit_ms = std::clamp<std::uint64_t>(asked_ms, 1, runtime::defaults::export_apply_limit_ms);
    const auto why = apply_committed(static_cast<std::uint32_t>(number("group")), number("index"),
                                     milliseconds{static_cast<std::int64_t>(limit_ms)});
    return why ? runtime::admin_reply{runtime::exit_code::failed, *why, {}} : runtime::admin_reply{};
  }

  /// Has group 0 keep how far the chains are now; answered once this node's store has it.
  runtime::admin_reply anchor() {
    const auto keeper = tree->directory().get<anchor_keeper_actor>("anchors");
    if (keeper == nullptr)
      return {runtime::exit_code::failed, "the keeper of anchors is not running; the log says why", {}};
    runtime::admin_reply reply;
    caf::scoped_actor self{*system, true};
    self->request(keeper, milliseconds{runtime::defaults::anchor_answer_limit_ms + runtime::defaults::console_margin_ms},
                  anchor_atom::value)
        .receive([](bool) {},
                 [&](caf::error& why) {
                   reply = {
                       runtime::exit_code::failed, "the chains' heads were not kept in group 0: " + runtime::error_text(why), {}};
                 });
    if (reply.code != runtime::exit_code::done)
      return reply;
    // Also when there was nothing to say: what other nodes said may not have come to this one yet.
    const auto limit = milliseconds{runtime::defaults::backup_ask_limit_ms};
    const auto index = others ? committed_in(0, *system, *tree, others->parts(), steady_clock::now() + limit)
                              : tl::expected<std::uint64_t, std::string>{0};
    if (auto why = index ? apply_committed(0, *index, limit) : std::optional{index.error()})
      return {runtime::exit_code::failed, std::move(*why), {}};
    return reply;
  }

  /// "words": the command, a word a line; "json" and "columns": how it is shown; "after": where it goes on.
  runtime::admin_reply answer_console(const runtime::admin_request& r, const std::string& user) {
    auto request = std::make_shared<console_request>();
    const auto argument = [&](const char* name) {
      const auto found = r.arguments.find(name);
      return found == r.arguments.end() ? std::string{} : found->second;
    };
    std::istringstream words{argument("words")};
    for (std::string word; std::getline(words, word);)
      request->words.push_back(word);
    request->json = argument("json") == "true";
    const auto columns = argument("columns");
    std::from_chars(columns.data(), columns.data() + columns.size(), request->columns);
    request->who = user;
    request->after = argument("after");
    const auto* command = request->words.empty() ? nullptr : actors::find_console_command(request->words.front());
    const milliseconds limit{std::max(command != nullptr ? command->limit_ms : 0, runtime::defaults::console_status_limit_ms) +
                             runtime::defaults::console_margin_ms};
    runtime::admin_reply reply{runtime::exit_code::failed, "the console is not running; the log says why", {}};
    const auto actor = tree->console();
    if (actor == nullptr)
      return reply;
    caf::scoped_actor self{*system, true};
    self->request(actor, limit, console_atom::value, console_request_ptr{request})
        .receive(
            [&](const console_reply_ptr& answer) {
              reply = {answer->code, answer->message, {{"text", answer->text}, {"cursor", answer->cursor}}};
            },
            [&](caf::error& why) { reply.message = "the console did not answer: " + runtime::error_text(why); });
    return reply;
  }

  static runtime::admin_reply reply_of(const tl::expected<import_result, import_failure>& result) {
    if (result)
      return {runtime::exit_code::done, {}, {{"study", result->study}, {"changed", result->changed ? "true" : "false"}}};
    if (result.error().problems.empty())
      return {runtime::exit_code::failed, result.error().message, {}};
    std::string lines;
    for (const auto& p : result.error().problems)
      lines += p.file + "\t" + p.place + "\t" + p.message + "\n";
    return {runtime::exit_code::problems, "the study has problems", {{"problems", lines}}};
  }

  /// What ends waiting for the catalog early.
  enum class given_up_when : std::uint8_t { ended, asked_to_stop };

  tl::expected<import_result, import_failure> import(const domain::study_source& source, const std::string& who,
                                                     given_up_when when) {
    tl::expected<import_result, import_failure> result;
    auto catalog = tree->catalog();
    if (catalog == nullptr)
      return tl::unexpected(import_failure{"the catalog is not running; try again", {}});
    caf::scoped_actor self{*system, true};
    auto pending =
        self->request(catalog, import_limit, import_atom::value, std::make_shared<const domain::study_source>(source), who);
    while (self->mailbox().empty()) {
      std::unique_lock lock{mutex};
      if (ended || (when == given_up_when::asked_to_stop && stop_requested))
        return tl::unexpected(
            import_failure{"the node stopped, and whether the study was imported is unknown; ask again, importing "
                           "the same study twice changes nothing",
                           {}});
      changed.wait_for(lock, poll_period);
    }
    pending.receive(
        [&](std::string& study, bool changed_something, std::uint64_t) { result = import_result{study, changed_something}; },
        [&](caf::error& why) {
          if (why == ec::invalid)
            result = tl::unexpected(import_failure{{}, problems_of(runtime::context_text(why))});
          else
            result = tl::unexpected(import_failure{runtime::error_text(why), {}});
        });
    return result;
  }

  // ---- stop --------------------------------------------------------------------------------------------------------------

  void request_stop() {
    std::lock_guard guard{mutex};
    stop_requested = true;
    changed.notify_all();
  }

  bool asked_to_stop() {
    std::lock_guard guard{mutex};
    return stop_requested;
  }

  int wait() {
    {
      std::unique_lock lock{mutex};
      changed.wait(lock, [this] { return ended || stop_requested; });
      if (ended) {
        auto why = failed();
        log->error("node", "failed", {{"why", why.message}, {"exit_code", why.exit_code}});
        return code = why.exit_code;
      }
    }
    return code = drain_and_stop();
  }

  int drain_and_stop() {
    const auto limit = milliseconds{options.config.stop.limit_ms};
    const auto end = steady_clock::now() + limit;
    log->info("node", "stopping", {{"limit_ms", static_cast<std::int64_t>(limit.count())}});
    if (options.stopping)
      options.stopping();
    if (tree == nullptr) { // it waited to be let in, and has begun nothing
      log->info("node", "stopped");
      return runtime::exit_code::done;
    }
    tree->readiness().set("node", "stopping");
    hand_over();
    finish_requests(end - limit / 2); // the actors need time as well, however slow a client is
    const bool stopped = stop_tree(left_until(end));
    const auto result = stopped ? exit_code_of(end_reason) : runtime::exit_code::failed;
    if (result != runtime::exit_code::done)
      log->error("node", "stopped, and failed while it did",
                 {{"why", stopped ? failure_text(end_reason) : "the limit passed"}, {"exit_code", result}});
    else
      log->info("node", "stopped");
    return result;
  }

  /// Takes nothing new, and gives what was accepted until `end`.
  void finish_requests(steady_clock::time_point end) {
    if (http)
      http->stop_accepting();
    if (admin)
      admin->stop_accepting();
    if (auto gateway = tree->gateway(); gateway != nullptr) {
      caf::scoped_actor self{*system, true};
      self->request(gateway, left_until(end), drain_atom::value)
          .receive(
              [](bool) {},
              [&](caf::error& why) { log->warning("node", "not everything was answered", {{"why", runtime::error_text(why)}}); });
    }
    if (http && !http->wait_until_idle(left_until(end)))
      log->warning("node", "not every client took its answer", {{"connections", std::uint64_t{http->connections()}}});
    if (admin && !admin->wait_until_idle(left_until(end)))
      log->warning("node", "not every command was finished");
    if (http) {
      http->abandon_all(); // an answer that says "unknown" is better than none
      http->stop();
    }
  }

  /// The shards that are led here are led by other nodes before this one stops to answer.
  void hand_over() {
    if (!others)
      return;
    const auto led = others->parts().shards.led_here();
    for (const auto& [group, v] : led)
      if (auto replica = tree->directory().get<replica_actor>("replica " + std::to_string(group)); replica != nullptr)
        if (v.members.size() > 1)
          caf::anon_send(replica, transfer_atom::value, std::uint64_t{0});
    const auto end = steady_clock::now() + milliseconds{runtime::defaults::hand_over_limit_ms};
    const auto is_left = [&] {
      const auto now = others->parts().shards.led_here();
      return std::any_of(now.begin(), now.end(), [](const auto& x) { return x.second.members.size() > 1; });
    };
    std::unique_lock lock{mutex};
    while (is_left() && !ended && steady_clock::now() < end)
      changed.wait_for(lock, poll_period);
  }

  bool stop_tree(milliseconds limit) {
    if (root == nullptr)
      return true;
    caf::anon_send_exit(caf::actor_cast<caf::actor>(root), caf::exit_reason::user_shutdown);
    std::unique_lock lock{mutex};
    const bool stopped = changed.wait_for(lock, limit, [this] { return ended; });
    if (!stopped) // its actors cannot be waited for, and nothing they hold is lost
      process->fatal(runtime::exit_code::failed,
                     "the actors did not stop within the limit; what is acknowledged is in the journal");
    root = nullptr;
    lock.unlock();
    stop_cluster();
    return stopped;
  }

  /// What sends over the links goes before they do.
  void stop_cluster() {
    if (cluster_root == nullptr)
      return;
    caf::anon_send_exit(caf::actor_cast<caf::actor>(std::exchange(cluster_root, nullptr)), caf::exit_reason::user_shutdown);
    std::unique_lock lock{mutex};
    changed.wait_for(lock, milliseconds{runtime::defaults::child_stop_limit_ms}, [this] { return cluster_ended; });
    lock.unlock();
    others->stop();
  }

  static std::string failure_text(const caf::error& why) { return runtime::error_text(why); }

  node_options options;
  std::unique_ptr<runtime::log> log;
  runtime::metrics numbers;
  runtime::system_clock clock;
  runtime::system_random random;
  std::unique_ptr<runtime::disk> disk;
  std::unique_ptr<runtime::process> process;
  data_directory directory;
  actor_config caf_config;
  std::unique_ptr<caf::actor_system> system;
  forwarding_sink sink;
  std::unique_ptr<cluster_side> others; ///< null: this node is alone
  std::unique_ptr<actor_tree> tree;
  std::unique_ptr<runtime::admission> admitted;
  std::unique_ptr<node_metrics> looked_up;
  std::unique_ptr<cluster_metrics> cluster_looked_up; ///< null: the node is alone
  std::unique_ptr<runtime::http_server> http;
  std::unique_ptr<runtime::admin_server> admin;
  std::string address;
  std::stop_token stop_token;
  caf::strong_actor_ptr root, console, cluster_root;

  int code = runtime::exit_code::done; ///< what the process is to end with
  std::string failure;                 ///< why it did not start

  std::mutex mutex;
  std::condition_variable changed;
  bool ended = false, stop_requested = false, cluster_ended = false;
  caf::error end_reason;
  std::optional<std::stop_callback<std::function<void()>>> stop_asked; ///< last: it calls what is above
};

node::node(std::unique_ptr<impl> i) : impl_(std::move(i)) {}
node::~node() = default;

tl::expected<std::unique_ptr<node>, node_error> node::start(const node_options& options, std::stop_token stop) {
  auto i = std::make_unique<impl>(options);
  if (auto failed = i->start(std::move(stop)))
    return tl::unexpected(*failed);
  return std::unique_ptr<node>(new node(std::move(i)));
}

std::string node::http_address() const {
  return impl_->address;
}

int node::wait() {
  return impl_->wait();
}

void node::request_stop() {
  impl_->request_stop();
}

std::optional<std::string> node::apply_committed(std::uint32_t group, std::uint64_t index, milliseconds limit) {
  return impl_->apply_committed(group, index, limit);
}

bool node::asked_to_stop() const {
  return impl_->asked_to_stop();
}

tl::expected<import_result, import_failure> node::import_study(const domain::study_source& source, const std::string& who) {
  return impl_->import(source, who, impl::given_up_when::ended);
}

} // namespace epione::node
