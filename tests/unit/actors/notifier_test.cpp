// What a notifier promises: everything handed over has one outcome, however the other side behaves.
#include "tests/unit/actors/notifier_fixture.hpp"

using namespace epione;
using namespace epione::actors;
using namespace epione::actors::test;

namespace {

send_result away(const outgoing&) {
  return try_later(send_failure::unreachable, "nobody listens");
}

} // namespace

BOOST_FIXTURE_TEST_SUITE(notifiers, notifier_fixture)

BOOST_AUTO_TEST_CASE(a_notice_is_sent_once_with_its_key_and_its_outcome_is_told) {
  start();
  hand_over({make(7)});
  BOOST_REQUIRE(script.messages.size() == 1U);
  const auto& m = script.messages[0];
  BOOST_TEST(m.key == "3-7-self%2Dharm-doctor-wang");
  BOOST_TEST(m.to == "wang@example.org");
  BOOST_TEST(m.subject == "Alert self-harm: study demo, site S1, subject 7");
  BOOST_TEST(m.text.find(domain::to_text(make(7).id)) != std::string::npos);
  BOOST_TEST(outcome_of(7)->sent);
  pass(10min, 10s);
  BOOST_TEST(script.messages.size() == 1U);
}

BOOST_AUTO_TEST_CASE(a_recipient_is_written_to_in_their_language) {
  recipients["wang"].language = "zh";
  recipients["wang"].zone = "Asia/Shanghai";
  start();
  hand_over({make(7)});
  BOOST_TEST(script.messages.at(0).subject == "警报 self-harm：研究 demo，中心 S1，受试者 7");
  BOOST_TEST(script.messages.at(0).text.find("+08:00") != std::string::npos, script.messages[0].text);
}

BOOST_AUTO_TEST_CASE(the_rate_is_kept_and_an_hour_of_it_is_what_it_says) {
  options.rate = {60, 60'000};
  options.merge_max = 1;
  start();
  hand_over(many(1, 200));
  BOOST_TEST(script.messages.size() == 1U);
  pass(60s);
  BOOST_TEST(script.messages.size() == 61U);
  pass(3min);
  BOOST_TEST(script.messages.size() == 200U);
  BOOST_TEST(sent_notices() == 200U);
}

BOOST_AUTO_TEST_CASE(a_second_of_the_rate_may_go_at_once) {
  options.rate = {10, 1'000};
  options.merge_max = 1;
  start();
  hand_over(many(1, 100));
  BOOST_TEST(script.messages.size() == 10U);
  pass(1s, 10ms);
  BOOST_TEST(script.messages.size() == 20U);
}

BOOST_AUTO_TEST_CASE(an_hour_away_loses_nothing_and_costs_few_tries) {
  start();
  script.answer = away;
  hand_over(many(1, 300));
  for (std::uint64_t minute = 0; minute < 60; ++minute) {
    pass(1min);
    hand_over(many(1'000 + minute, 1)); // it goes on
  }
  const auto tries = script.messages.size();
  BOOST_TEST(tries >= 10U);
  BOOST_TEST(tries <= 40U, tries << " tries while nobody was there");
  BOOST_TEST(outcomes.empty());
  script.answer = [](const outgoing&) { return sent(); };
  pass(15min);
  BOOST_TEST(sent_notices() == 360U);
  BOOST_TEST(log.count("the channel does not work") >= 1U);
  BOOST_TEST(log.count("the channel works again") == 1U);
}

BOOST_AUTO_TEST_CASE(pauses_grow_and_chance_takes_up_to_half_off) {
  options.breaker_failures = 1'000;
  start();
  script.answer = away;
  hand_over({make(1)});
  std::vector<std::int64_t> at;
  for (int i = 0; i < 6'000; ++i) {
    const auto before = script.messages.size();
    advance(100ms);
    if (script.messages.size() > before)
      at.push_back(clock.now);
  }
  BOOST_REQUIRE(at.size() >= 6U);
  for (std::size_t i = 1; i < 6; ++i) {
    const auto pause_ms = (at[i] - at[i - 1]) / 1'000'000, full = std::int64_t{2'000} << i;
    BOOST_TEST(pause_ms >= full / 2);
    BOOST_TEST(pause_ms <= full + 200);
  }
  BOOST_TEST(script.messages.front().key == script.messages.back().key); // the same at every try
}

BOOST_AUTO_TEST_CASE(after_its_time_a_notice_gets_a_last_try_and_is_dead) {
  options.give_up_after_s = 3'600;
  options.breaker_failures = 1'000;
  start();
  script.answer = away;
  hand_over({make(1)});
  pass(59min, 10s);
  BOOST_TEST(!outcome_of(1).has_value());
  const auto before = script.messages.size();
  pass(2min, 10s);
  BOOST_REQUIRE(outcome_of(1).has_value());
  BOOST_TEST(!outcome_of(1)->sent);
  BOOST_TEST(outcome_of(1)->reason.find("nobody listens") != std::string::npos);
  BOOST_TEST(script.messages.size() == before + 1);
}

BOOST_AUTO_TEST_CASE(an_old_notice_after_a_restart_is_tried_once_before_it_is_dead) {
  start();
  script.answer = away;
  auto old = make(1);
  old.raised_us -= std::int64_t{80} * 3'600 * 1'000'000;
  hand_over({old});
  BOOST_TEST(script.messages.size() == 1U);
  BOOST_TEST(!outcome_of(1)->sent);
}

BOOST_AUTO_TEST_CASE(a_failed_trial_is_the_last_try_of_everything_whose_time_is_over) {
  options.give_up_after_s = 3'600;
  start();
  script.answer = away;
  hand_over(many(1, 500));
  pass(70min, 10s);
  BOOST_TEST(outcomes.size() == 500U);
  BOOST_TEST(script.messages.size() < 100U);
}

BOOST_AUTO_TEST_CASE(what_is_refused_for_good_is_dead_after_a_few_tries) {
  start();
  script.answer = [](const outgoing& m) {
    return m.recipient == "smith" ? refused(send_failure::rejected, "nobody here of that name") : sent();
  };
  hand_over({make(1, "smith"), make(2, "wang")});
  BOOST_TEST(outcome_of(2)->sent);
  pass(1min);
  BOOST_REQUIRE(outcome_of(1).has_value());
  BOOST_TEST(!outcome_of(1)->sent);
  BOOST_TEST(outcome_of(1)->reason == "refused 3 times; last: nobody here of that name");
  BOOST_TEST(script.messages.size() == 4U);
  BOOST_TEST(detail("circuit breaker") == "closed"); // the other side is there
}

BOOST_AUTO_TEST_CASE(retry_after_holds_up_the_whole_channel) {
  start();
  script.answer = [](const outgoing&) { return try_later(send_failure::busy, "too often", 600); };
  hand_over({make(1), make(2, "smith")});
  script.answer = [](const outgoing&) { return sent(); };
  const auto before = script.messages.size();
  pass(590s, 10s);
  BOOST_TEST(script.messages.size() == before);
  pass(20s);
  BOOST_TEST(sent_notices() == 2U);
}

BOOST_AUTO_TEST_CASE(a_backlog_is_merged_and_every_receipt_is_in_it) {
  options.rate = {1, 1'000};
  start();
  hand_over(many(1, 250));
  pass(5s);
  BOOST_TEST(script.messages.size() == 3U); // 100, 100, 50
  std::set<std::string> receipts, keys;
  for (const auto& m : script.messages) {
    BOOST_TEST(m.notices.size() <= 100U);
    for (const auto& n : m.notices) {
      BOOST_TEST(receipts.insert(n.receipt).second);
      keys.insert(n.key);
      BOOST_TEST(m.text.find(n.receipt) != std::string::npos);
    }
  }
  BOOST_TEST(receipts.size() == 250U);
  BOOST_TEST(keys.size() == 250U);
  BOOST_TEST(sent_notices() == 250U);
  BOOST_TEST(script.messages[0].key.starts_with("merged-"));
  BOOST_TEST(script.messages[0].key != script.messages[1].key);
  BOOST_TEST(detail("merged") == "250");
}

BOOST_AUTO_TEST_CASE(fewer_than_merge_from_go_one_by_one) {
  start();
  hand_over(many(1, 9));
  BOOST_TEST(script.messages.size() == 9U);
}

BOOST_AUTO_TEST_CASE(a_merged_message_fits_what_the_channel_takes) {
  options.text_bytes_max = 1'800;
  start();
  hand_over(many(1, 100));
  BOOST_TEST(sent_notices() == 100U);
  BOOST_TEST(script.messages.size() > 5U);
  for (const auto& m : script.messages)
    BOOST_TEST(m.text.size() <= 1'800U);
}

BOOST_AUTO_TEST_CASE(a_merged_message_stays_together_and_keeps_its_key) {
  start();
  script.answer = away;
  hand_over(many(1, 20));
  BOOST_REQUIRE(script.messages.size() >= 1U);
  const auto key = script.messages[0].key;
  script.answer = [](const outgoing&) { return sent(); };
  pass(1min);
  BOOST_TEST(sent_notices() == 20U);
  BOOST_TEST(std::count_if(script.messages.begin(), script.messages.end(), [&](const auto& m) { return m.key == key; }) == 2);
}

BOOST_AUTO_TEST_CASE(one_recipient_s_backlog_does_not_hold_up_another) {
  options.rate = {1, 1'000};
  options.merge_max = 1;
  start();
  hand_over(many(1, 1'000));
  hand_over({make(5'000, "smith")});
  pass(3s);
  BOOST_TEST(outcome_of(5'000).has_value());
}

BOOST_AUTO_TEST_CASE(what_is_urgent_comes_first_and_the_rest_does_not_starve) {
  options.rate = {1, 1'000};
  options.merge_max = 1;
  start();
  hand_over(many(1, 100, "wang", false));
  hand_over(many(1'001, 100, "smith", true));
  pass(40s);
  const auto urgent = std::count_if(script.messages.begin(), script.messages.end(), [](const auto& m) { return m.urgent; });
  const auto calm = static_cast<std::ptrdiff_t>(script.messages.size()) - urgent;
  BOOST_TEST(urgent >= 3 * calm - 4);
  BOOST_TEST(calm >= 9);
}

BOOST_AUTO_TEST_CASE(quiet_hours_over_midnight_hold_what_is_not_urgent) {
  recipients["wang"].quiet = domain::quiet_hours{22 * 60, 7 * 60};
  start(); // the clock of the fixture: 22:13 UTC
  hand_over({make(1, "wang", false), make(2, "wang", true)});
  BOOST_TEST(outcome_of(2)->sent);
  pass(8h + 40min, 1min);
  BOOST_TEST(!outcome_of(1).has_value());
  pass(10min, 1min);
  BOOST_TEST(outcome_of(1).has_value());
}

BOOST_AUTO_TEST_CASE(quiet_hours_that_the_study_drops_end_soon) {
  recipients["wang"].quiet = domain::quiet_hours{22 * 60, 7 * 60};
  start();
  hand_over({make(1, "wang", false)});
  BOOST_TEST(!outcome_of(1).has_value());
  recipients["wang"].quiet.reset();
  pass(16min, 1min);
  BOOST_TEST(outcome_of(1).has_value());
}

BOOST_AUTO_TEST_CASE(a_recipient_who_is_gone_is_dead_with_the_reason) {
  start();
  hand_over({make(1, "nobody")});
  BOOST_REQUIRE(outcome_of(1).has_value());
  BOOST_TEST(outcome_of(1)->reason == "study 'demo' has no recipient 'nobody' any more");
  BOOST_TEST(script.messages.empty());
}

BOOST_AUTO_TEST_CASE(while_the_studies_are_being_read_nobody_is_gone) {
  studies_known = false;
  start();
  hand_over({make(1)});
  pass(5s);
  BOOST_TEST(outcomes.empty());
  studies_known = true;
  pass(1s);
  BOOST_TEST(outcome_of(1)->sent);
}

BOOST_AUTO_TEST_CASE(an_address_is_looked_up_for_every_try) {
  start();
  script.answer = away;
  hand_over({make(1)});
  recipients["wang"].addresses[0].second = "new@example.org";
  script.answer = [](const outgoing&) { return sent(); };
  pass(5s);
  BOOST_TEST(script.messages.back().to == "new@example.org");
}

BOOST_AUTO_TEST_CASE(a_sender_that_ends_loses_nothing) {
  start();
  bool first = true;
  script.answer = [&](const outgoing&) -> send_result {
    if (std::exchange(first, false))
      throw std::runtime_error{"what the test does"};
    return sent();
  };
  hand_over({make(1), make(2)});
  pass(10s);
  BOOST_TEST(sent_notices() == 2U);
  BOOST_TEST(log.count("a sender ended, is started again") == 1U);
}

BOOST_AUTO_TEST_CASE(when_a_sender_ends_one_that_never_ran_carries_on) {
  options.concurrency = 2;
  options.rate = {1, 60'000};
  script.answer = [&](const outgoing&) {
    if (script.messages.size() == 1)
      throw std::runtime_error{"it ended"};
    return sent();
  };
  start();
  hand_over({make(1)});
  pass(5min);
  BOOST_REQUIRE(outcome_of(1).has_value());
  BOOST_TEST(outcome_of(1)->sent);
}

BOOST_AUTO_TEST_CASE(who_has_no_address_says_nothing_about_the_other_side) {
  options.breaker_failures = 3;
  for (const auto* id : {"jones", "miller"})
    recipients[id] = {id, "", "en", "UTC", {}, {{"doctor", std::string{id} + "@example.org"}}};
  script.answer = [](const outgoing& m) {
    return m.recipient == "smith" ? refused(send_failure::no_address, "there is none")
                                  : try_later(send_failure::unreachable, "nobody listens");
  };
  start();
  std::uint64_t seq = 0;
  for (const auto* id : {"wang", "smith", "jones", "smith", "miller"}) {
    BOOST_TEST(detail("circuit breaker") == "closed");
    hand_over({make(++seq, id)});
  }
  BOOST_TEST(detail("circuit breaker") == "open");
}

BOOST_AUTO_TEST_CASE(a_message_that_ends_every_sender_is_set_aside_and_the_rest_goes_on) {
  start();
  script.answer = [](const outgoing& m) -> send_result {
    if (m.notices[0].subject == "1")
      throw std::runtime_error{"what the test does"};
    return sent();
  };
  hand_over(many(1, 5));
  pass(1min);
  BOOST_TEST(sent_notices() == 4U);
  BOOST_REQUIRE(outcome_of(1).has_value());
  BOOST_TEST(!outcome_of(1)->sent);
  BOOST_TEST(outcome_of(1)->reason.find("the sender ended") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(what_an_ended_client_handed_over_is_dropped_until_its_successor_does) {
  options.rate = {1, 1'000};
  start();
  hand_over(many(1, 5));
  BOOST_TEST(script.messages.size() == 1U);
  caf::anon_send_exit(client, caf::exit_reason::kill);
  run();
  BOOST_TEST(detail("waiting") == "0");
  pass(10s);
  BOOST_TEST(script.messages.size() == 1U);
  client = make_client();
  hand_over(many(2, 4));
  pass(10s);
  BOOST_TEST(sent_notices() == 5U);
}

BOOST_AUTO_TEST_CASE(handed_over_twice_is_sent_once) {
  options.rate = {1, 1'000};
  start();
  hand_over(many(1, 5));
  hand_over(many(2, 4)); // they wait already
  pass(10s);
  BOOST_TEST(script.messages.size() == 5U);
  BOOST_TEST(sent_notices() == 5U);
}

BOOST_AUTO_TEST_CASE(outcomes_come_in_batches) {
  options.rate = {1, 1'000};
  start();
  hand_over(many(1, 250));
  pass(5s);
  BOOST_TEST(batches.size() == 3U);
}

BOOST_AUTO_TEST_CASE(its_metrics_say_what_happened) {
  start();
  script.answer = away;
  hand_over({make(1)});
  script.answer = [](const outgoing&) { return sent(); };
  pass(5s);
  hand_over({make(2, "nobody")});
  const auto text = metrics.text();
  for (const auto* line : {"epione_channel_notices_total{channel=\"doctor\",outcome=\"sent\"} 1",
                           "epione_channel_notices_total{channel=\"doctor\",outcome=\"dead\"} 1",
                           "epione_channel_tries_total{channel=\"doctor\",result=\"unreachable\"} 1",
                           "epione_channel_tries_total{channel=\"doctor\",result=\"sent\"} 1",
                           "epione_channel_waiting{channel=\"doctor\"} 0", "epione_channel_breaker_open{channel=\"doctor\"} 0"})
    BOOST_TEST(text.find(line) != std::string::npos, line);
}

BOOST_AUTO_TEST_SUITE_END()
