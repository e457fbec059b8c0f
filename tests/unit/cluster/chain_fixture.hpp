// One group's journal writer, replica and store on a fresh directory, in one thread, and somebody who listens and proposes.
#pragma once

#include "actors/journal_writer.hpp"
#include "actors/shard_store.hpp"
#include "actors/store_reader.hpp"
#include "cluster/replica.hpp"
#include "domain/command.hpp"
#include "domain/event.hpp"
#include "runtime/directory.hpp"
#include "tests/unit/actors/actor_fixture.hpp"

#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <filesystem>
#include <limits>
#include <sqlite3.h>
#include <string>
#include <vector>

namespace epione::cluster::test {

using namespace messages;
using namespace std::chrono_literals;
using actors::test::counting_random;
using actors::test::manual_clock;
using actors::test::recording_log;
using actors::test::recording_process;

/// The machine's disk, with as much space as a test allows.
class chain_disk final : public runtime::disk {
public:
  const char* sqlite_vfs() const override { return nullptr; }
  bool exists(const std::string& path) override { return real_->exists(path); }
  std::uint64_t identity(const std::string& path) override { return real_->identity(path); }
  runtime::storage_result<std::unique_ptr<runtime::disk_file>> open(const std::string& path) override {
    return real_->open(path);
  }
  runtime::storage_result<void> rename(const std::string& from, const std::string& to) override {
    return real_->rename(from, to);
  }
  runtime::storage_result<void> discard(const std::string& path) override { return real_->discard(path); }
  std::uint64_t free_bytes(const std::string&) override { return space; }
  bool allows_threads() const override { return false; }
  std::uint64_t space = std::numeric_limits<std::uint64_t>::max() / 2;

private:
  std::unique_ptr<runtime::disk> real_ = runtime::make_system_disk();
};

class temporary_directory {
public:
  temporary_directory() {
    auto pattern = (std::filesystem::temp_directory_path() / "epione-cluster-XXXXXX").string();
    BOOST_REQUIRE(mkdtemp(pattern.data()) != nullptr);
    path = pattern;
  }
  temporary_directory(const temporary_directory&) = delete;
  temporary_directory& operator=(const temporary_directory&) = delete;
  ~temporary_directory() { std::filesystem::remove_all(path); }
  std::string path;
};

/// Throws once where a test wants it to.
class one_fault final : public runtime::fault_points {
public:
  void hit(std::string_view point, std::string_view) override {
    if (point == where && !where.empty()) {
      where.clear();
      throw std::runtime_error("a fault of the test");
    }
  }
  std::string where;
};

/// Listens and proposes.
using client_actor =
    caf::typed_actor<caf::reacts_to<serving_atom, std::uint64_t>, caf::reacts_to<closed_atom, std::uint64_t, ec, outcome>,
                     caf::reacts_to<applied_atom, std::uint64_t>,
                     caf::reacts_to<read_index_atom, std::uint64_t, ticket, std::uint64_t>,
                     caf::reacts_to<leader_atom, std::uint64_t, std::string>, caf::reacts_to<follow_atom, std::uint64_t>,
                     caf::reacts_to<committed_atom, std::uint64_t, std::uint64_t, std::uint64_t>,
                     caf::reacts_to<refused_atom, std::uint64_t, std::uint64_t>>;

/// What a client was told, oldest first, and the newest of each.
struct heard {
  heard() = default;
  heard(const heard&) = delete;
  heard& operator=(const heard&) = delete;
  ~heard() { *alive = false; }
  std::shared_ptr<bool> alive = std::make_shared<bool>(true); ///< the client may outlive the test's variable
  std::vector<std::string> all;
  std::uint64_t serving = 0, closed = 0, applied = 0, read_index = 0;
  ec why = ec::none;
  outcome known = outcome::unknown;
  std::vector<std::uint64_t> committed, refused; ///< batches
};

struct client_state {
  client_state() = default;
  static inline const char* name = "client";
};

inline client_actor::behavior_type client(client_actor::stateful_pointer<client_state>, heard* h) {
  const auto note = [h, alive = h->alive](const std::string& what, auto&& change) {
    if (!*alive)
      return;
    h->all.push_back(what);
    change();
  };
  const auto n = [](std::uint64_t x) { return std::to_string(x); };
  return {
      [=](serving_atom, std::uint64_t epoch) { note("serving", [&] { h->serving = epoch; }); },
      [=](closed_atom, std::uint64_t epoch, ec why, outcome known) {
        note("closed", [&] {
          h->closed = epoch;
          h->why = why;
          h->known = known;
        });
      },
      [=](applied_atom, std::uint64_t index) { note("applied " + n(index), [&] { h->applied = index; }); },
      [=](read_index_atom, std::uint64_t, ticket, std::uint64_t index) { note("read index", [&] { h->read_index = index; }); },
      [=](leader_atom, std::uint64_t, const std::string& node) { note("led by " + node, [] {}); },
      [=](follow_atom, std::uint64_t) { note("following", [] {}); },
      [=](committed_atom, std::uint64_t, std::uint64_t batch, std::uint64_t) {
        note("committed " + n(batch), [&] { h->committed.push_back(batch); });
      },
      [=](refused_atom, std::uint64_t, std::uint64_t batch) {
        note("refused " + n(batch), [&] { h->refused.push_back(batch); });
      },
  };
}

inline domain::command command_of(std::uint64_t subject, const std::string& key, const std::string& content) {
  domain::submission_record r;
  r.study = "demo";
  r.subject = std::to_string(subject);
  r.key = key;
  r.id = domain::make_receipt(r.study, r.subject, key);
  r.content_fingerprint = domain::make_fingerprint(content);
  r.form = "phq-9";
  r.answers = "\x80";
  return {domain::command_type::submission, subject, r.id, r.content_fingerprint, domain::encode_submission_event(r)};
}

/// A node's part for one group. Restarting it is destroying it and making another on the same directory.
struct chain {
  struct config : caf::actor_system_config {
    config() { set("scheduler.policy", caf::atom("testing")); }
  };

  explicit chain(const std::string& directory)
      : env(log, metrics, clock, random, disk, &faults, std::make_shared<runtime::directory>(), false, directory, process),
        system(settings), scheduler(dynamic_cast<caf::scheduler::test_coordinator&>(system.scheduler())), self(system, true) {
    system.await_actors_before_shutdown(false);
    scheduler.clock().current_time += 1h;
  }
  ~chain() {
    for (const auto& x : {store, replica, journal})
      if (x != nullptr)
        self->send_exit(caf::actor_cast<caf::actor>(x), caf::exit_reason::kill);
    for (auto& c : clients)
      self->send_exit(c, caf::exit_reason::kill);
    run();
    env.directory->clear();
  }

  void run() { scheduler.run(); }
  void advance(std::chrono::milliseconds time) {
    while (time > 0ms) {
      const auto step = std::min(time, std::chrono::milliseconds{50});
      clock.now += std::chrono::nanoseconds{step}.count();
      scheduler.advance_time(step);
      run();
      time -= step;
    }
  }

  void start_journal() {
    journal =
        track("journal", runtime::spawn_actor(system, env, actors::journal_writer, runtime::journal_options{1 << 20, 4096}));
  }
  void start_replica() {
    replica_options options{1};
    options.memory_bytes_max = 0;
    replica = track("replica 1", runtime::spawn_actor(system, env, cluster::replica, options, epochs));
  }
  void start_store() {
    actors::shard_store_options options{1};
    options.turn = turn;
    options.checkpoint_bytes = checkpoint_bytes;
    store = track("store 1", runtime::spawn_actor(system, env, actors::shard_store, options));
  }
  void start() {
    start_journal();
    start_replica();
    start_store();
    run();
  }
  /// As a supervisor tells its children.
  void stop(caf::strong_actor_ptr& who, caf::exit_reason reason = caf::exit_reason::user_shutdown) {
    self->send_exit(caf::actor_cast<caf::actor>(who), reason);
    run();
    who = nullptr;
  }

  client_actor listen(heard& h) {
    auto c = system.spawn(client, &h);
    clients.push_back(caf::actor_cast<caf::actor>(c));
    self->send(replica_handle(), listen_atom::value, shard_listener{c});
    run();
    return c;
  }
  void propose(const client_actor& who, std::uint64_t epoch, std::uint64_t batch, const std::vector<domain::command>& commands) {
    self->send(replica_handle(), propose_atom::value, epoch, batch,
               std::make_shared<const std::string>(domain::encode_batch(commands)), proposer{who});
  }
  void flush_store() {
    self->send(replica_handle(), flush_atom::value);
    run();
  }
  void checkpoint_store() {
    self->send(caf::actor_cast<shard_store_actor>(store), checkpoint_atom::value);
    run();
  }
  replica_actor replica_handle() { return caf::actor_cast<replica_actor>(replica); }

  /// Why an actor ended; "running" while it has not.
  std::string end_of(const std::string& name) const {
    const auto found = ends->find(name);
    return found == ends->end() ? "running" : runtime::error_text(found->second);
  }
  /// What the store's file holds of a subject, newest first.
  std::uint64_t stored_events(std::uint64_t subject) {
    auto reader = runtime::open_store_reader(disk, env.data_directory, 1);
    if (!reader)
      return 0;
    const auto found = (*reader)->head(subject);
    BOOST_REQUIRE_MESSAGE(found, (found ? "" : found.error().message));
    return found->count;
  }
  std::string detail(const caf::strong_actor_ptr& who, const std::string& name) {
    auto asked = self->request(caf::actor_cast<replica_actor>(who), 1s, status_atom::value);
    run();
    std::string value;
    asked.receive(
        [&](const status_report_ptr& r) {
          for (const auto& [key, text] : r->details)
            if (key == name)
              value = text;
        },
        [&](caf::error& e) { value = runtime::error_text(e); });
    return value;
  }

  recording_log log;
  runtime::metrics metrics;
  manual_clock clock;
  counting_random random;
  chain_disk disk;
  one_fault faults;
  recording_process process;
  runtime::environment env;
  config settings;
  caf::actor_system system;
  caf::scheduler::test_coordinator& scheduler;
  caf::scoped_actor self;
  epoch_counter epochs = std::make_shared<std::atomic<std::uint64_t>>(0);
  std::shared_ptr<actors::checkpoint_turn> turn = std::make_shared<actors::checkpoint_turn>();
  std::uint64_t checkpoint_bytes = 64u << 20;
  caf::strong_actor_ptr journal, replica, store;
  std::vector<caf::actor> clients;
  std::shared_ptr<std::map<std::string, caf::error>> ends = std::make_shared<std::map<std::string, caf::error>>();

private:
  template <class Handle>
  caf::strong_actor_ptr track(const std::string& name, const Handle& actor) {
    auto pointer = caf::actor_cast<caf::strong_actor_ptr>(actor);
    env.directory->put(name, pointer);
    ends->erase(name);
    pointer->get()->attach_functor([ends = ends, name](const caf::error& why) { (*ends)[name] = why; });
    return pointer;
  }
};

/// Runs a statement on a database that nobody has open.
inline void damage(const std::string& path, const std::string& sql) {
  sqlite3* db = nullptr;
  BOOST_REQUIRE(sqlite3_open(path.c_str(), &db) == SQLITE_OK);
  char* why = nullptr;
  sqlite3_exec(db, sql.c_str(), nullptr, nullptr, &why);
  BOOST_REQUIRE_MESSAGE(why == nullptr, (why == nullptr ? "" : why));
  sqlite3_close(db);
}

struct fixture : temporary_directory {
  fixture() { renew(); }
  /// The process is gone and starts again.
  void renew() {
    node.reset();
    node = std::make_unique<chain>(path);
  }
  std::unique_ptr<chain> node;
};

inline std::vector<domain::command> one(std::uint64_t subject, const std::string& key) {
  return {command_of(subject, key, "event " + key)};
}

inline constexpr const char* flip_newest_event = "UPDATE event SET body = x'00' WHERE seq = (SELECT max(seq) FROM event)";

/// Runs a chain that serves, applies this many entries of subjects 1, 2, ... and leaves it running.
inline void fill(chain& node, std::uint64_t entries) {
  node.start();
  heard h;
  auto c = node.listen(h);
  for (std::uint64_t i = 1; i <= entries; ++i)
    node.propose(c, h.serving, i, one(i, "a"));
  node.run();
  node.flush_store();
  BOOST_TEST(h.committed.size() == entries);
  BOOST_TEST(h.applied == entries + 2);
}

} // namespace epione::cluster::test
