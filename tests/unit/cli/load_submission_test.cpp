#include "cli/load_submission.hpp"
#include "domain/canonical.hpp"
#include "domain/study.hpp"

#include <boost/test/unit_test.hpp>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <set>
#include <string>

using namespace epione::cli;

namespace {

load_plan plan_with(std::uint32_t alerts_ppm, load_forms forms = load_forms::phq_9) {
  return {0x1234567890ABCDEFu, 42, 1'000'000, alerts_ppm, forms};
}

struct request {
  std::string head;
  std::string body;
};

request split(std::string_view bytes) {
  const auto end = bytes.find("\r\n\r\n");
  return {std::string{bytes.substr(0, end + 4)}, std::string{bytes.substr(end + 4)}};
}

std::string text_of(const std::string& name) {
  std::ifstream in{EPIONE_SOURCE_DIR "/examples/demo/" + name, std::ios::binary};
  return {std::istreambuf_iterator<char>{in}, {}};
}

std::shared_ptr<const epione::domain::study> demo_study() {
  const auto study = epione::domain::compile_study(
      {text_of("study.toml"), {{"gad-7.json", text_of("gad-7.json")}, {"phq-9.json", text_of("phq-9.json")}}});
  BOOST_REQUIRE(study);
  return *study;
}

} // namespace

BOOST_AUTO_TEST_SUITE(load_submission_test)

BOOST_AUTO_TEST_CASE(exactly_the_given_share_meets_an_alert_rule) {
  for (const auto forms : {load_forms::phq_9, load_forms::mixed}) {
    for (const std::uint32_t ppm : {0u, 1u, 20'000u, 333'333u, 1'000'000u}) {
      const auto plan = plan_with(ppm, forms);
      std::uint64_t alerts = 0;
      for (std::uint64_t i = 0; i < 20'000; ++i) {
        alerts += answers_of(plan, i).alerts() ? 1 : 0;
        BOOST_REQUIRE_EQUAL(alerts, (i + 1) * ppm / 1'000'000);
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(both_alert_rules_are_met_by_some) {
  bool by_item = false, by_total = false;
  for (std::uint64_t i = 0; i < 200; ++i) {
    const auto a = answers_of(plan_with(1'000'000), i);
    by_item = by_item || (a.values[8] > 0 && a.total() < 20);
    by_total = by_total || (a.values[8] == 0 && a.total() >= 20);
  }
  BOOST_TEST(by_item);
  BOOST_TEST(by_total);
}

BOOST_AUTO_TEST_CASE(answers_differ_between_submissions_and_repeat_with_the_seed) {
  const auto plan = plan_with(20'000);
  auto other = plan;
  other.seed = 43;
  std::set<std::array<std::uint8_t, 9>> different;
  bool seed_matters = false;
  for (std::uint64_t i = 0; i < 1000; ++i) {
    different.insert(answers_of(plan, i).values);
    BOOST_TEST(answers_of(plan, i).values == answers_of(plan, i).values);
    seed_matters = seed_matters || answers_of(plan, i).values != answers_of(other, i).values;
  }
  BOOST_TEST(different.size() > 900u);
  BOOST_TEST(seed_matters);
}

BOOST_AUTO_TEST_CASE(subjects_are_within_their_range) {
  load_plan plan = plan_with(0);
  plan.subjects = 3;
  std::set<std::uint64_t> seen;
  for (std::uint64_t i = 0; i < 100; ++i)
    seen.insert(subject_of(plan, i));
  BOOST_TEST((seen == std::set<std::uint64_t>{1, 2, 3}));
}

BOOST_AUTO_TEST_CASE(a_request_is_what_its_counter_says) {
  for (const bool codes : {false, true}) {
    const auto plan = plan_with(20'000, load_forms::mixed);
    load_request_writer writer{plan, "127.0.0.1:8080", "demo", codes};
    std::set<std::string> keys;
    std::set<std::string> forms;
    for (const std::uint64_t counter : {0u, 1u, 999u, 7u, 123'456'789u, 999'999'999u}) {
      const auto r = split(writer.write(counter));
      BOOST_TEST(r.head.starts_with("POST /patient/data HTTP/1.1\r\nHost: 127.0.0.1:8080\r\n"));
      BOOST_TEST(r.head.find("\r\nContent-Length: " + std::to_string(r.body.size()) + "\r\n") != std::string::npos);
      const auto body = nlohmann::json::parse(r.body);
      const auto answers = answers_of(plan, counter);
      BOOST_TEST(body["patientId"] == subject_of(plan, counter));
      BOOST_TEST(body["study"] == "demo");
      BOOST_TEST(keys.insert(body["key"].get<std::string>()).second);
      BOOST_TEST(body["data"]["authored"] == authored_of(plan, counter));
      BOOST_TEST(body["data"]["form"] == form_name(answers.form));
      forms.insert(body["data"]["form"].get<std::string>());
      BOOST_TEST(body["data"]["answers"].size() == answers.items);
      for (std::uint32_t i = 0; i < answers.items; ++i) {
        const auto& value = body["data"]["answers"]["q" + std::to_string(i + 1)];
        if (codes)
          BOOST_TEST(value == answer_code(answers.values[i]));
        else
          BOOST_TEST(value == answers.values[i]);
      }
    }
    BOOST_TEST(forms.size() == 2u);
  }
}

BOOST_AUTO_TEST_CASE(the_demo_study_accepts_every_submission_and_agrees_on_score_and_alert) {
  const auto study = demo_study();
  for (const bool codes : {false, true}) {
    const auto plan = plan_with(100'000, load_forms::mixed);
    load_request_writer writer{plan, "h:1", "", codes};
    for (std::uint64_t counter = 0; counter < 500; ++counter) {
      const auto body = nlohmann::json::parse(split(writer.write(counter)).body);
      const auto bytes = nlohmann::json::to_msgpack(body["data"]);
      const auto content =
          epione::domain::canonical_from_msgpack({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, 32);
      BOOST_REQUIRE(content);
      const auto verdict = study->assess(*content);
      const auto answers = answers_of(plan, counter);
      BOOST_REQUIRE(verdict.accepted());
      BOOST_TEST(study->site_of(std::to_string(subject_of(plan, counter))).has_value());
      BOOST_TEST(verdict.authored == authored_of(plan, counter));
      BOOST_TEST(verdict.alerts.empty() == !answers.alerts());
      BOOST_REQUIRE(!verdict.scores.empty());
      BOOST_TEST(verdict.scores.front().value == answers.total());
    }
  }
}

BOOST_AUTO_TEST_CASE(keys_of_two_runs_never_meet) {
  auto plan = plan_with(0);
  load_request_writer first{plan, "h:1", "", false};
  plan.run += 1;
  load_request_writer second{plan, "h:1", "", false};
  const auto key = [](std::string_view bytes) { return nlohmann::json::parse(split(bytes).body)["key"].get<std::string>(); };
  BOOST_TEST(key(first.write(5)) != key(second.write(5)));
}

BOOST_AUTO_TEST_CASE(the_study_may_be_left_out) {
  load_request_writer writer{plan_with(0), "h:1", "", false};
  BOOST_TEST(!nlohmann::json::parse(split(writer.write(0)).body).contains("study"));
}

BOOST_AUTO_TEST_SUITE_END()
