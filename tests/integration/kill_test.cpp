// Any actor may die at any moment: everybody who waits gets an answer, what was acknowledged is there once, and the node goes on.
#include "runtime/error_text.hpp"
#include "tests/integration/evening.hpp"
#include "tests/integration/scratch_disk.hpp"
#include "tests/integration/test_node.hpp"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <map>

using namespace epione;
using epione::tests::evening;
using epione::tests::scratch_disk;
using epione::tests::test_node;

namespace {

using counts = std::map<std::string, int>;

/// Every fault point an undisturbed evening passes, and how often.
const counts& places() {
  static const counts all = [] {
    scratch_disk disk;
    test_node node{disk.disk(), disk.directory()};
    BOOST_REQUIRE(node.start_with_demo());
    node.faults.seen.clear();
    evening calm{node};
    calm.begin();
    calm.check();
    return node.faults.seen;
  }();
  return all;
}

struct fixture {
  fixture() { BOOST_REQUIRE(node.start_with_demo()); }
  scratch_disk disk;
  test_node node{disk.disk(), disk.directory()};
};

} // namespace

BOOST_AUTO_TEST_SUITE(kills)

BOOST_AUTO_TEST_CASE(every_stage_of_an_evening_has_a_fault_point) {
  std::vector<std::string> names;
  for (const auto& [name, times] : places())
    names.push_back(name);
  const std::vector<std::string> all{
      "gateway.reply", "gateway.submit",  "journal.flush",     "outbox.page",      "reader.read",   "region.committed",
      "region.submit", "region.verdict",  "replica.persisted", "replica.propose",  "session.found", "session.submit",
      "store.apply",   "validator.check", "validator.checked", "writer.committed", "writer.propose"};
  BOOST_TEST(names == all, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(an_exception_at_any_stage_loses_nothing) {
  for (const auto& [place, times] : places()) {
    for (int nth : {1, std::min(3, times)}) {
      BOOST_TEST_CONTEXT("throw at " << place << ", time " << nth) {
        fixture f;
        int count = 0;
        f.node.faults.on_hit = [&, &at = place](std::string_view point, std::string_view) {
          if (point == at && ++count == nth)
            throw std::runtime_error("planted");
        };
        evening troubled{f.node};
        troubled.begin();
        troubled.check();
        BOOST_TEST(count >= nth);
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(any_actor_killed_at_any_stage_loses_nothing) {
  const auto victims = fixture{}.node.actor_names();
  BOOST_TEST(victims.size() >= 15u);
  for (const auto& victim : victims) {
    for (const auto& [place, times] : places()) {
      BOOST_TEST_CONTEXT("kill " << victim << " at " << place) {
        fixture f;
        bool done = false;
        f.node.faults.on_hit = [&, &at = place](std::string_view point, std::string_view) {
          if (!done && point == at)
            done = f.node.kill(victim);
        };
        evening troubled{f.node};
        troubled.begin();
        troubled.check();
        BOOST_TEST(done);
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(a_session_killed_at_any_stage_loses_nothing_and_a_repeat_and_a_conflict_that_follow_are_settled) {
  const auto hash = domain::subject_hash("demo", evening::subject(0));
  for (const auto& [place, times] : places()) {
    for (int nth : {1, 2, 4}) {
      BOOST_TEST_CONTEXT("kill the session at " << place << ", time " << nth) {
        fixture f;
        evening troubled{f.node};
        int count = 0;
        f.node.faults.on_hit = [&, &at = place](std::string_view point, std::string_view) {
          if (point != at || count >= nth || !f.node.has_session(hash) || ++count < nth)
            return;
          f.node.kill_session(hash);
          troubled.send_again(0);
        };
        troubled.begin();
        troubled.check();
        BOOST_TEST(count > 0);
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(a_body_that_ends_a_validator_three_times_is_set_aside_and_does_not_count_as_restarts) {
  scratch_disk disk;
  auto config = test_node::small_config();
  config.supervision.restarts_max = 2; // three crashes would be too many if they counted
  test_node node{disk.disk(), disk.directory(), config};
  BOOST_REQUIRE(node.start_with_demo());
  int crashes = 0;
  node.faults.on_hit = [&](std::string_view point, std::string_view who) {
    if (point == "validator.check" && who == "13") {
      ++crashes;
      throw std::runtime_error("planted");
    }
  };
  std::vector<messages::ticket> others;
  const auto bad = node.post("13", node.phq9(), "k");
  for (int i = 20; i < 40; ++i)
    others.push_back(node.post(std::to_string(i), node.phq9(), "k"));
  BOOST_TEST(node.status(bad) == 422);
  BOOST_TEST(node.body(bad)["problems"][0]["code"] == "set-aside");
  BOOST_TEST(crashes == 3);
  for (auto t : others)
    BOOST_TEST(node.status(t) == 202); // those that shared a mailbox with it are not punished
  BOOST_TEST(node.send("13", node.phq9(), "k") == 422);
  BOOST_TEST(crashes == 3); // it is known by now
  BOOST_TEST(node.send("13", node.phq9(), "another key") == 422);
  BOOST_TEST(!node.ended);
  node.faults.on_hit = nullptr;
  BOOST_TEST(node.send("13", node.phq9(), "a third key") == 202);
  BOOST_TEST(node.receipts("13").size() == 1u); // what was set aside is an event, not a submission
}

BOOST_AUTO_TEST_CASE(too_many_restarts_end_the_node_with_a_clear_reason) {
  scratch_disk disk;
  auto config = test_node::small_config();
  config.supervision.restarts_max = 3;
  test_node node{disk.disk(), disk.directory(), config};
  BOOST_REQUIRE(node.start_with_demo());
  for (int i = 0; i < 20 && !node.ended; ++i) {
    node.kill("journal");
    node.run(200);
  }
  BOOST_TEST(node.ended);
  BOOST_TEST((node.end_reason == ec::restart_intensity));
  BOOST_TEST(runtime::error_text(node.end_reason).find("journal") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
