// A node that recovers may be hit again: any actor killed while it starts, while an epoch ends, while a store is checkpointed,
// while a study is imported, and while it drains. What was acknowledged before and what comes after is there once.
#include "tests/integration/evening.hpp"
#include "tests/integration/scratch_disk.hpp"
#include "tests/integration/test_node.hpp"

#include <boost/test/unit_test.hpp>
#include <map>
#include <set>
#include <string>
#include <vector>

using namespace epione;
using epione::tests::evening;
using epione::tests::scratch_disk;
using epione::tests::test_node;

namespace {

std::vector<std::string> all_actors() {
  static const auto names = [] {
    scratch_disk disk;
    test_node node{disk.disk(), disk.directory()};
    BOOST_REQUIRE(node.start_with_demo());
    return node.actor_names();
  }();
  return names;
}

/// Kills an actor when a place is reached and the actor is there; once.
class assassin {
public:
  assassin(test_node& node, std::string place, std::string victim)
      : node_(node), place_(std::move(place)), victim_(std::move(victim)) {
    node_.faults.on_hit = [this](std::string_view point, std::string_view) {
      if (point != place_)
        return;
      reached = true;
      if (!done && armed)
        done = node_.kill(victim_);
    };
  }
  ~assassin() { node_.faults.on_hit = nullptr; }
  assassin(const assassin&) = delete;
  assassin& operator=(const assassin&) = delete;

  bool armed = true, reached = false, done = false;

private:
  test_node& node_;
  std::string place_, victim_;
};

/// Runs `body` for each place and each actor, with a node that serves the demo study and has had an evening; then what was
/// acknowledged before must be there, and another evening must go well.
template <class Body>
void for_each_victim(const std::vector<std::string>& places, const runtime::config& config, Body body) {
  std::set<std::string> killed;
  for (const auto& place : places) {
    for (const auto& victim : all_actors()) {
      BOOST_TEST_CONTEXT("kill " << victim << " at " << place) {
        scratch_disk disk;
        test_node node{disk.disk(), disk.directory(), config};
        BOOST_REQUIRE(node.start_with_demo());
        evening before{node, "before"};
        before.begin();
        before.check();
        bool done = false;
        {
          assassin killer{node, place, victim};
          killer.armed = false;
          body(disk, node, killer);
          BOOST_TEST(killer.reached);
          done = killer.done;
        }
        if (done)
          killed.insert(victim);
        BOOST_REQUIRE_MESSAGE(node.run_until([&] { return node.ready(); }, 30'000), node.why_not());
        before.check_again();
        evening after{node, "after"};
        after.begin();
        after.check();
      }
    }
  }
  for (const auto& victim : all_actors())
    BOOST_TEST(killed.count(victim) == 1u, victim << " was never killed");
}

} // namespace

BOOST_AUTO_TEST_SUITE(recoveries)

BOOST_AUTO_TEST_CASE(any_actor_killed_while_a_node_starts_loses_nothing) {
  for_each_victim({"journal.load", "store.open", "store.apply", "journal.flush", "replica.persisted"}, test_node::small_config(),
                  [](scratch_disk& disk, test_node& node, assassin& killer) {
                    disk.disk().crash();
                    node.crash();
                    killer.armed = true;
                    const bool started = node.start();
                    BOOST_REQUIRE_MESSAGE(started, node.why_not());
                  });
}

BOOST_AUTO_TEST_CASE(any_actor_killed_while_a_store_is_checkpointed_loses_nothing) {
  auto config = test_node::small_config();
  config.storage.store_checkpoint_bytes = 1;
  for_each_victim({"store.checkpoint"}, config, [](scratch_disk&, test_node& node, assassin& killer) {
    killer.armed = true;
    evening troubled{node, "troubled"};
    troubled.begin();
    troubled.check();
  });
}

BOOST_AUTO_TEST_CASE(any_actor_killed_while_an_epoch_ends_loses_nothing) {
  for_each_victim({"region.closed"}, test_node::small_config(), [](scratch_disk& disk, test_node& node, assassin& killer) {
    killer.armed = true;
    disk.disk().set_capacity(0); // the journal refuses the write, and the replica ends its epoch
    evening troubled{node, "troubled"};
    troubled.begin();
    node.run_until([&] { return killer.reached; }, 10'000);
    disk.disk().set_capacity(std::nullopt);
    troubled.check();
  });
}

BOOST_AUTO_TEST_CASE(any_actor_killed_while_a_study_is_imported_leaves_it_whole_or_absent) {
  std::set<std::string> killed;
  for (const auto* place :
       {"catalog.propose", "replica.propose", "journal.flush", "replica.persisted", "catalog.committed", "store.apply"}) {
    for (const auto& victim : all_actors()) {
      BOOST_TEST_CONTEXT("kill " << victim << " at " << place) {
        scratch_disk disk;
        test_node node{disk.disk(), disk.directory()};
        BOOST_REQUIRE(node.start());
        {
          assassin killer{node, place, victim};
          node.import(node::demo_study()); // stored or not, as it says
          BOOST_TEST(killer.reached);
          if (killer.done)
            killed.insert(victim);
        }
        BOOST_REQUIRE_MESSAGE(node.run_until([&] { return node.ready(); }, 30'000), node.why_not());
        BOOST_TEST(node.import(node::demo_study()) == "");
        evening after{node};
        after.begin();
        after.check();
      }
    }
  }
  BOOST_TEST(killed.size() == all_actors().size());
}

BOOST_AUTO_TEST_CASE(any_actor_killed_while_a_node_drains_leaves_nobody_without_an_answer) {
  for_each_victim({"gateway.reply", "region.verdict", "journal.flush", "writer.committed", "store.apply"},
                  test_node::small_config(), [](scratch_disk&, test_node& node, assassin& killer) {
                    killer.armed = true;
                    evening troubled{node, "troubled"};
                    troubled.begin();
                    node.drain();
                    node.run_until([&] { return node.sink.open.empty(); }, 12'000);
                    BOOST_TEST(node.sink.open.empty());
                    BOOST_TEST(node.stop());
                    killer.armed = false;
                    const bool started = node.start();
                    BOOST_REQUIRE_MESSAGE(started, node.why_not());
                    troubled.check();
                  });
}

BOOST_AUTO_TEST_SUITE_END()
