// Any actor may die at any moment: everybody who waits gets an answer, what was acknowledged is there once, and the node goes on.
#include "runtime/error_text.hpp"
#include "tests/integration/scratch_disk.hpp"
#include "tests/integration/test_node.hpp"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <map>

using namespace epione;
using epione::tests::json;
using epione::tests::scratch_disk;
using epione::tests::test_node;

namespace {

constexpr int patients = 6;

std::string subject(int i) {
  return std::to_string(i + 1);
}
std::string key_of(int i) {
  return "key " + std::to_string(i);
}

/// Each patient submits, repeats at once, and reads; the answers in that order.
std::vector<messages::ticket> evening(test_node& node) {
  std::vector<messages::ticket> tickets;
  for (int i = 0; i < patients; ++i) {
    tickets.push_back(node.post(subject(i), node.phq9(i % 2, 1), key_of(i)));
    tickets.push_back(node.post(subject(i), node.phq9(i % 2, 1), key_of(i)));
    tickets.push_back(node.get(subject(i)));
  }
  return tickets;
}

/// Everybody is answered, and a retry under the same key settles every unknown outcome: each submission is there exactly once.
void check_after_trouble(test_node& node, const std::vector<messages::ticket>& tickets) {
  std::vector<bool> acknowledged(patients, false);
  for (std::size_t i = 0; i < tickets.size(); ++i) {
    const auto status = node.status(tickets[i]);
    const bool is_read = i % 3 == 2;
    BOOST_TEST((status == 503 || status == 200 || (!is_read && status == 202)), "ticket " << i << " got " << status);
    if (!is_read && (status == 202 || status == 200))
      acknowledged[i / 3] = true;
  }
  BOOST_REQUIRE(node.run_until([&] { return node.ready(); }, 30'000));
  for (int i = 0; i < patients; ++i) {
    int status = 0;
    for (int attempt = 0; attempt < 20 && status != 200 && status != 202; ++attempt) {
      status = node.send(subject(i), node.phq9(i % 2, 1), key_of(i));
      if (status == 503)
        node.run(500);
    }
    BOOST_TEST((status == 200 || status == 202), "retry of " << i << " got " << status);
    if (acknowledged[static_cast<std::size_t>(i)])
      BOOST_TEST(status == 200, "what was acknowledged to " << i << " was lost: " << status);
    const auto receipts = node.receipts(subject(i));
    BOOST_TEST(receipts.size() == 1u, "patient " << i << " has " << receipts.size() << " submissions");
  }
  BOOST_TEST(node.sink.repeated.empty());
  BOOST_TEST(!node.ended);
}

/// Every fault point an undisturbed evening passes, and how often.
const std::map<std::string, int>& places() {
  static const std::map<std::string, int> all = [] {
    scratch_disk disk;
    test_node node{disk.disk(), disk.directory()};
    BOOST_REQUIRE(node.start_with_demo());
    node.faults.seen.clear();
    check_after_trouble(node, evening(node));
    return node.faults.seen;
  }();
  return all;
}

std::vector<std::string> long_lived_actors(test_node& node) {
  std::vector<std::string> names;
  for (const auto& [name, who] : node.tree->directory().all())
    names.push_back(name);
  return names;
}

} // namespace

BOOST_AUTO_TEST_SUITE(kills)

BOOST_AUTO_TEST_CASE(every_stage_has_a_fault_point) {
  BOOST_TEST(places().size() >= 9u);
}

BOOST_AUTO_TEST_CASE(an_exception_at_any_stage_loses_nothing) {
  for (const auto& [place, times] : places()) {
    for (int nth : {1, std::min(3, times)}) {
      BOOST_TEST_CONTEXT("throw at " << place << ", time " << nth) {
        scratch_disk disk;
        test_node node{disk.disk(), disk.directory()};
        BOOST_REQUIRE(node.start_with_demo());
        int count = 0;
        node.faults.on_hit = [&, &at = place](std::string_view point, std::string_view) {
          if (point == at && ++count == nth)
            throw std::runtime_error("planted");
        };
        check_after_trouble(node, evening(node));
        BOOST_TEST(count >= nth);
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(any_actor_killed_at_any_stage_loses_nothing) {
  const auto victims = [] {
    scratch_disk disk;
    test_node node{disk.disk(), disk.directory()};
    BOOST_REQUIRE(node.start_with_demo());
    return long_lived_actors(node);
  }();
  BOOST_TEST(victims.size() >= 15u);
  for (const auto& victim : victims) {
    for (const auto& [place, times] : places()) {
      BOOST_TEST_CONTEXT("kill " << victim << " at " << place) {
        scratch_disk disk;
        test_node node{disk.disk(), disk.directory()};
        BOOST_REQUIRE(node.start_with_demo());
        bool done = false;
        node.faults.on_hit = [&, &at = place](std::string_view point, std::string_view) {
          if (!done && point == at)
            done = node.kill(victim);
        };
        check_after_trouble(node, evening(node));
        BOOST_TEST(done);
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
