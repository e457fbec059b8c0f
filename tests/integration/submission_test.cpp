// What a phone is promised, from the gateway to the store and back.
#include "tests/integration/scratch_disk.hpp"
#include "tests/integration/test_node.hpp"

#include <boost/test/unit_test.hpp>
#include <utility>

using namespace epione;
using epione::tests::json;
using epione::tests::scratch_disk;
using epione::tests::test_node;

namespace {

struct submission_node {
  submission_node() { BOOST_REQUIRE(node.start_with_demo()); }
  ~submission_node() { BOOST_CHECK(node.sink.repeated.empty()); } // one reply a ticket, whatever happened
  scratch_disk disk;
  test_node node{disk.disk(), disk.directory()};
};

bool is_known(const std::string& text, const std::vector<std::string>& list) {
  return std::find(list.begin(), list.end(), text) != list.end();
}

} // namespace

BOOST_FIXTURE_TEST_SUITE(submissions, submission_node)

BOOST_AUTO_TEST_CASE(a_submission_is_stored_scored_and_read_back) {
  const auto t = node.post("42", node.phq9(0, 2), "first");
  BOOST_TEST(node.status(t) == 202);
  const auto answer = node.body(t);
  BOOST_TEST(answer["status"] == "stored");
  BOOST_TEST(answer["receipt"] == to_text(domain::make_receipt("demo", "42", "first")));
  BOOST_TEST(answer["scores"].dump() == json::parse(R"([{"name":"total","value":16,"label":"moderately severe"}])").dump());

  const auto history = node.body(node.get("42"));
  BOOST_TEST(history["patientId"] == "42");
  BOOST_TEST(!history["site"].get<std::string>().empty());
  BOOST_REQUIRE(history["submissions"].size() == 1u);
  const auto& first = history["submissions"][0];
  BOOST_TEST(first["form"] == "phq-9");
  BOOST_TEST(first["authored"] == "2026-11-23T19:30:00+01:00");
  BOOST_TEST(first["alerts"].empty());
  BOOST_TEST(!first.contains("answers"));
  BOOST_TEST(history["next"].is_null());

  const auto one = node.body(node.get("42", domain::make_receipt("demo", "42", "first")));
  BOOST_TEST(one["receipt"] == answer["receipt"]);
  BOOST_TEST(one["answers"].size() == 9u);
}

BOOST_AUTO_TEST_CASE(alarming_answers_raise_each_alert_they_meet) {
  BOOST_TEST(node.send("42", node.phq9(3, 3), "both") == 202);
  const auto alerts = node.body(node.get("42"))["submissions"][0]["alerts"];
  BOOST_TEST(alerts.size() == 2u);
}

BOOST_AUTO_TEST_CASE(history_is_newest_first_and_pages) {
  for (int i = 0; i < 7; ++i)
    BOOST_TEST(node.send("42", node.phq9(0, i % 3), "k" + std::to_string(i)) == 202);
  std::vector<std::string> seen;
  std::uint64_t before = 0;
  for (int page = 0; page < 4; ++page) {
    const auto history = node.body(node.get("42", {}, 3, before));
    for (const auto& s : history["submissions"])
      seen.push_back(s["receipt"]);
    if (history["next"].is_null())
      break;
    before = std::stoull(history["next"].get<std::string>());
  }
  BOOST_REQUIRE(seen.size() == 7u);
  for (int i = 0; i < 7; ++i)
    BOOST_TEST(seen[static_cast<std::size_t>(i)] == to_text(domain::make_receipt("demo", "42", "k" + std::to_string(6 - i))));
}

BOOST_AUTO_TEST_CASE(an_unknown_subject_or_study_is_404_and_nothing_is_stored) {
  BOOST_TEST(node.send("1000001", node.phq9(), "k") == 404);
  BOOST_TEST(node.status(node.get("1000001")) == 404);
  BOOST_TEST(node.status(node.get("42", domain::make_receipt("demo", "42", "never"))) == 404);
}

BOOST_AUTO_TEST_CASE(every_problem_is_listed_and_nothing_is_stored) {
  auto data = node.phq9();
  data["answers"].erase("q1");
  data["answers"]["q2"] = 9;
  data["answers"]["nonsense"] = 1;
  const auto t = node.post("42", data, "k");
  BOOST_TEST(node.status(t) == 422);
  BOOST_TEST(node.body(t)["problems"].size() == 3u);
  BOOST_TEST(node.receipts("42").empty());
  BOOST_TEST(node.send("42", node.phq9(), "k") == 202); // a refused key is free
}

BOOST_AUTO_TEST_CASE(the_same_key_of_two_subjects_is_two_submissions) {
  BOOST_TEST(node.send("1", node.phq9(), "k") == 202);
  BOOST_TEST(node.send("2", node.phq9(), "k") == 202);
}

// ---- repeats and conflicts in every phase -----------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_repeat_while_the_first_is_checked_waits_for_it) {
  const auto first = node.post("42", node.phq9(), "k");
  const auto repeat = node.post("42", node.phq9(), "k");
  const auto conflict = node.post("42", node.phq9(1), "k");
  BOOST_TEST(node.status(first) == 202);
  BOOST_TEST(node.status(repeat) == 200);
  BOOST_TEST(node.status(conflict) == 409);
  BOOST_TEST(node.body(repeat)["receipt"] == node.body(first)["receipt"]);
  BOOST_TEST(node.body(repeat)["scores"] == node.body(first)["scores"]);
  BOOST_TEST(node.receipts("42").size() == 1u);
}

BOOST_AUTO_TEST_CASE(a_repeat_or_conflict_in_any_phase_is_answered_by_the_first_one) {
  for (const auto* phase : {"session.submit", "validator.check", "validator.checked", "region.verdict", "writer.propose",
                            "writer.committed", "region.committed"}) {
    BOOST_TEST_CONTEXT(phase) {
      const std::string key = std::string{"k "} + phase;
      std::vector<messages::ticket> later;
      bool done = false;
      node.faults.on_hit = [&](std::string_view point, std::string_view) {
        if (done || point != phase)
          return;
        done = true;
        later = {node.post("42", node.phq9(), key), node.post("42", node.phq9(2), key)};
      };
      BOOST_TEST(node.send("42", node.phq9(), key) == 202);
      node.faults.on_hit = nullptr;
      BOOST_REQUIRE(later.size() == 2u);
      BOOST_TEST(node.status(later[0]) == 200);
      BOOST_TEST(node.status(later[1]) == 409);
    }
  }
}

BOOST_AUTO_TEST_CASE(nobody_is_told_anything_before_the_first_is_durable) {
  // The writer dies with the batch in hand: the repeat must not have been told 200 for something that never was.
  bool killed = false;
  messages::ticket repeat = 0;
  node.faults.on_hit = [&](std::string_view point, std::string_view) {
    if (killed || point != "writer.propose")
      return;
    killed = true;
    repeat = node.post("42", node.phq9(), "k");
    throw std::runtime_error("planted");
  };
  const auto first = node.post("42", node.phq9(), "k");
  BOOST_TEST(node.status(first) == 503);
  BOOST_TEST(node.status(repeat) == 503);
}

BOOST_AUTO_TEST_CASE(a_repeat_after_the_commit_and_after_the_apply_gets_the_first_receipt) {
  const auto first = node.post("42", node.phq9(), "k");
  BOOST_TEST(node.status(first) == 202);
  BOOST_TEST(node.send("42", node.phq9(), "k") == 200); // committed, perhaps not applied
  BOOST_TEST(node.send("42", node.phq9(1), "k") == 409);
  node.run(5'000); // applied, the region has forgotten it
  const auto repeat = node.post("42", node.phq9(), "k");
  BOOST_TEST(node.status(repeat) == 200);
  BOOST_TEST(node.body(repeat)["scores"] == node.body(first)["scores"]);
  BOOST_TEST(node.send("42", node.phq9(1), "k") == 409);
  BOOST_TEST(node.receipts("42").size() == 1u);
}

BOOST_AUTO_TEST_CASE(a_repeat_after_the_session_was_passivated_gets_the_first_receipt) {
  BOOST_TEST(node.send("42", node.phq9(), "k") == 202);
  node.run(node.config().sessions.idle_limit_ms + 5'000);
  BOOST_TEST(node.send("42", node.phq9(), "k") == 200);
  BOOST_TEST(node.send("42", node.phq9(1), "k") == 409);
}

BOOST_AUTO_TEST_CASE(a_repeat_after_the_session_died_between_commit_and_apply_gets_the_first_receipt) {
  BOOST_TEST(node.send("42", node.phq9(), "k") == 202);
  // Another submission of the patient kills the session before the store has the first one.
  node.faults.on_hit = [](std::string_view point, std::string_view subject) {
    if (point == "session.submit" && subject == "42")
      throw std::runtime_error("planted");
  };
  BOOST_TEST(node.send("42", node.phq9(), "other") == 503);
  node.faults.on_hit = nullptr;
  BOOST_TEST(node.send("42", node.phq9(), "other") == 202); // a new session, which may have read the store too early
  node.run(5'000);                                          // now the first one is applied
  BOOST_TEST(node.send("42", node.phq9(), "k") == 200);
  BOOST_TEST(node.send("42", node.phq9(2), "k") == 409);
  BOOST_TEST(node.receipts("42").size() == 2u);
}

BOOST_AUTO_TEST_CASE(a_verdict_that_outlives_its_session_does_not_settle_another_content_under_the_key) {
  // The reader of the patient's session is replaced while the verdict is on its way: the sender is told that nothing is stored,
  // the session ends, and other content under the key may be in front of the verdict in the region's mailbox.
  const auto x = node.phq9(0, 1), y = node.phq9(0, 2);
  const auto region =
      node.tree->directory().get<messages::shard_region_actor>("region " + std::to_string(node.make("42", y, "k")->shard));
  caf::scoped_actor later{node.system(), true};
  bool done = false;
  node.faults.on_hit = [&](std::string_view point, std::string_view) {
    if (point != "validator.checked" || std::exchange(done, true))
      return;
    for (const auto* name : {"reader 0", "reader 1"})
      caf::anon_send(region, messages::changed_atom::value, std::string{name}, node.tree->directory().find(name));
    caf::anon_send(region, messages::submit_atom::value, messages::ticket{1'000'000}, node.make("42", y, "k"),
                   caf::actor_cast<messages::reply_receiver>(later));
  };
  BOOST_TEST(node.send("42", x, "k") == 503);
  node.run(5'000);
  BOOST_REQUIRE(later->has_next_message());
  later->receive([](messages::reply_atom, const messages::replies_ptr& answers) {
    BOOST_REQUIRE(answers->size() == 1u);
    BOOST_TEST(answers->front().status == 202);
    BOOST_TEST(json::parse(answers->front().body)["scores"][0]["value"] == 16);
  });
  BOOST_TEST(node.send("42", y, "k") == 200);
  BOOST_TEST(node.send("42", x, "k") == 409);
  const auto one = node.body(node.get("42", domain::make_receipt("demo", "42", "k")));
  BOOST_TEST(one["answers"] == node.stored_answers(y));
}

BOOST_AUTO_TEST_CASE(a_repeat_after_a_restart_gets_the_first_receipt) {
  BOOST_TEST(node.send("42", node.phq9(), "k") == 202);
  BOOST_TEST(node.stop());
  BOOST_REQUIRE(node.start());
  BOOST_TEST(node.send("42", node.phq9(), "k") == 200);
  BOOST_TEST(node.send("42", node.phq9(1), "k") == 409);
  BOOST_TEST(node.receipts("42").size() == 1u);
}

BOOST_AUTO_TEST_CASE(everything_acknowledged_survives_a_crash) {
  std::vector<std::string> acknowledged;
  for (int i = 0; i < 40; ++i) {
    const auto subject = std::to_string(1 + i % 5);
    const auto key = "k" + std::to_string(i);
    if (node.send(subject, node.phq9(0, i % 3), key) == 202)
      acknowledged.push_back(subject + "/" + to_text(domain::make_receipt("demo", subject, key)));
  }
  BOOST_TEST(acknowledged.size() == 40u);
  disk.disk().crash(); // power loss: what was not synced is gone
  node.crash();
  BOOST_REQUIRE(node.start());
  std::vector<std::string> present;
  for (int s = 1; s <= 5; ++s)
    for (const auto& r : node.receipts(std::to_string(s)))
      present.push_back(std::to_string(s) + "/" + r);
  BOOST_TEST(present.size() == 40u);
  for (const auto& a : acknowledged)
    BOOST_TEST(is_known(a, present), a);
}

BOOST_AUTO_TEST_CASE(a_read_sees_what_was_acknowledged_before_it) {
  for (int i = 0; i < 20; ++i) {
    BOOST_TEST(node.send("42", node.phq9(0, i % 3), "k" + std::to_string(i)) == 202);
    BOOST_TEST(node.receipts("42").size() == static_cast<std::size_t>(i + 1));
  }
}

// ---- limits -------------------------------------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_key_that_is_used_by_two_contents_at_once_is_settled_by_the_first_that_is_valid) {
  auto invalid = node.phq9();
  invalid["answers"].erase("q1");
  const auto bad = node.post("42", invalid, "k");
  const auto good = node.post("42", node.phq9(), "k");
  BOOST_TEST(node.status(bad) == 422);
  BOOST_TEST(node.status(good) == 202); // it waited, and then had its own turn
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(limits)

BOOST_AUTO_TEST_CASE(without_credit_a_request_is_refused_at_once_and_not_stored) {
  scratch_disk disk;
  auto config = test_node::small_config();
  config.shards.count = 1;
  config.admission.in_flight_per_shard_max = 4;
  test_node node{disk.disk(), disk.directory(), config};
  BOOST_REQUIRE(node.start_with_demo());
  std::vector<messages::ticket> tickets;
  for (int i = 0; i < 10; ++i)
    tickets.push_back(node.post(std::to_string(i + 1), node.phq9(), "k"));
  int stored = 0, refused = 0;
  for (auto t : tickets) {
    const auto status = node.status(t);
    stored += status == 202;
    if (status == 503) {
      ++refused;
      BOOST_TEST(node.body(t)["outcome"] == "not_stored");
      BOOST_TEST(node.sink.answers.at(t).retry_after_s > 0u);
    }
  }
  BOOST_TEST(stored == 4);
  BOOST_TEST(refused == 6);
}

BOOST_AUTO_TEST_CASE(a_store_that_lags_too_far_stops_admission_until_it_has_caught_up) {
  scratch_disk disk;
  auto config = test_node::small_config();
  config.shards.count = 1;
  config.admission.store_lag_max = 5;
  config.storage.apply_delay_ms = 3'000;
  test_node node{disk.disk(), disk.directory(), config};
  BOOST_REQUIRE(node.start_with_demo());
  int stored = 0, refused = 0;
  for (int i = 0; i < 8; ++i) {
    const auto status = node.send(std::to_string(i + 1), node.phq9(), "k");
    stored += status == 202;
    refused += status == 503;
  }
  BOOST_TEST(stored == 5);
  BOOST_TEST(refused == 3);
  node.run(10'000);
  BOOST_TEST(node.send("8", node.phq9(), "k") == 202);
}

BOOST_AUTO_TEST_CASE(no_more_sessions_are_kept_than_allowed) {
  scratch_disk disk;
  auto config = test_node::small_config();
  config.shards.count = 1;
  config.sessions.per_node_max = 3;
  test_node node{disk.disk(), disk.directory(), config};
  BOOST_REQUIRE(node.start_with_demo());
  for (int round = 0; round < 2; ++round)
    for (int i = 1; i <= 10; ++i)
      BOOST_TEST(node.send(std::to_string(i), node.phq9(), "k") == (round == 0 ? 202 : 200));
  auto& gauge = node.metrics.gauge("epione_sessions", "Live patient sessions", {{"shard", "1"}});
  node.run(2'000);
  BOOST_TEST(gauge.Value() == 3.0);
}

BOOST_AUTO_TEST_SUITE_END()
