// How a shard that has just begun to serve starts its patients' sessions: so many a second, in order, and nobody waits for ever.
#include "actor_fixture.hpp"
#include "actors/shard_region.hpp"
#include "runtime/defaults.hpp"

#include <boost/test/unit_test.hpp>
#include <map>

using namespace epione;
using namespace epione::actors;
using namespace epione::actors::test;
using namespace epione::messages;

namespace {

/// A store that knows nobody.
caf::behavior empty_store(caf::event_based_actor* self, std::size_t* looked_up) {
  self->set_default_handler(caf::drop);
  return {[self, looked_up](head_atom, std::uint32_t, std::uint64_t hash, const store_client& who) {
    ++*looked_up;
    self->send(who, head_atom::value, hash, subject_head_ptr{std::make_shared<subject_head>()});
  }};
}

/// Remembers what it is to check, and does not.
struct given_to_check {
  std::vector<std::string> keys;
  submission_ptr newest;
};
caf::behavior slow_validator(caf::event_based_actor* self, given_to_check* given) {
  self->set_default_handler(caf::drop);
  return {[given](check_atom, const submission_ptr& s, const assessment_client&) {
    given->keys.push_back(s->key);
    given->newest = s;
  }};
}

/// Remembers who asks whether it leads, and does not say so.
caf::behavior silent_replica(caf::event_based_actor* self, std::vector<ticket>* questions) {
  self->set_default_handler(caf::drop);
  return {[questions](read_index_atom, std::uint64_t, ticket t) { questions->push_back(t); }};
}

/// Takes what it is to store.
caf::behavior patient_writer(caf::event_based_actor* self, std::vector<domain::receipt>* proposed) {
  self->set_default_handler(caf::drop);
  return {[proposed](propose_atom, std::uint64_t, const command_ptr& c) { proposed->push_back(c->id); }};
}

caf::behavior phones(caf::event_based_actor* self, std::map<ticket, reply>* answers) {
  self->set_default_handler(caf::drop);
  return {[answers](reply_atom, const replies_ptr& batch) {
    for (const auto& r : *batch)
      answers->emplace(r.to, r);
  }};
}

struct region_fixture : actor_fixture {
  void begin(std::uint32_t starts_per_s, std::uint32_t request_limit_ms = 10'000) {
    fakes = {system.spawn(silent_replica, &questions), system.spawn(patient_writer, &proposed),
             system.spawn(empty_store, &looked_up), system.spawn(slow_validator, &given), system.spawn(phones, &answers)};
    const auto name = {"replica 1", "writer 1", "reader 0", "validator 0"};
    auto fake = fakes.begin();
    for (const auto* n : name)
      env.directory->put(n, caf::actor_cast<caf::strong_actor_ptr>(*fake++));
    shard_region_options options;
    options.shard = options.validators = options.readers = 1;
    options.store_lag_max = options.sessions_max = 100'000;
    options.store_lag_bytes_max = 1u << 30;
    options.request_limit_ms = request_limit_ms;
    options.session_idle_limit_ms = 900'000;
    options.session_starts_per_s = starts_per_s;
    options.validator_crashes_max = 3;
    options.retry_after_s = 7;
    tested = runtime::spawn_actor(system, env, shard_region, options, std::ref(ready));
    run();
    serve(1);
  }
  ~region_fixture() {
    fakes.push_back(caf::actor_cast<caf::actor>(tested));
    for (const auto& actor : fakes)
      self->send_exit(actor, caf::exit_reason::kill);
    run();
  }

  void serve(std::uint64_t epoch) {
    self->send(tested, serving_atom::value, epoch);
    run();
  }

  /// Each patient's number is also the key, unless it says otherwise. The ticket is the how manieth request it is.
  ticket submit(std::uint64_t patient, std::string key = {}) {
    submission s;
    s.study = "demo";
    s.subject = std::to_string(patient);
    s.key = key.empty() ? s.subject : std::move(key);
    s.subject_hash = patient;
    s.shard = 1;
    s.id = domain::make_receipt(s.study, s.subject, s.key);
    s.received_ns = clock.now_ns();
    self->send(tested, submit_atom::value, ++asked, submission_ptr{std::make_shared<const submission>(std::move(s))},
               caf::actor_cast<reply_receiver>(fakes.back()));
    return asked;
  }

  void submit_all(std::uint64_t first, std::uint64_t count) {
    for (auto patient = first; patient < first + count; ++patient)
      submit(patient);
    run();
  }

  void wait(int ms) {
    for (int i = 0; i < ms; i += 10)
      advance(10ms);
  }

  bool is_not_stored(ticket t) {
    const auto a = answers.find(t);
    return a != answers.end() && a->second.status == 503 && a->second.retry_after_s == 7 &&
           a->second.body.find(R"("outcome":"not_stored")") != std::string::npos;
  }

  std::string detail(const std::string& key) {
    auto answer = self->request(tested, 10s, status_atom::value);
    run();
    std::string value = "no such detail";
    answer.receive(
        [&](const status_report_ptr& report) {
          for (const auto& [name, text] : report->details)
            if (name == key)
              value = text;
        },
        [](const caf::error&) {});
    return value;
  }

  double waited(const char* outcome) {
    return metrics
        .counter("epione_session_starts_waited_total", "Submissions that waited for a session to be started, by what came of it",
                 {{"outcome", outcome}})
        .Value();
  }

  /// Of what was given to it last, by the validator.
  void refuse() {
    auto a = std::make_shared<assessment>();
    a->id = given.newest->id;
    a->what = given.newest;
    a->status = 422;
    a->refusal = R"({"problems":[]})";
    self->send(tested, verdict_atom::value, assessment_ptr{std::move(a)});
    run();
  }

  /// The replica's answer to who asked last; 0: it does not lead.
  void say_index(std::uint64_t epoch, std::uint64_t index) {
    BOOST_REQUIRE(!questions.empty());
    self->send(tested, read_index_atom::value, epoch, questions.back(), index);
    run();
  }

  std::size_t looked_up = 0;
  given_to_check given;
  std::vector<std::string>& checked = given.keys;
  std::vector<ticket> questions;
  std::vector<domain::receipt> proposed;
  std::map<ticket, reply> answers;
  runtime::readiness ready;
  std::vector<caf::actor> fakes;
  shard_region_actor tested;
  ticket asked = 0;
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(regions, region_fixture)

BOOST_AUTO_TEST_CASE(after_a_take_over_sessions_start_in_order_and_only_so_many_a_second) {
  begin(1'000);
  submit_all(1, 500);
  BOOST_TEST(looked_up == 21u); // what is due within 20 ms, and the first one
  BOOST_TEST(detail("waiting for a session") == "479");
  BOOST_TEST(detail("sessions a second") == "1000");
  wait(100);
  BOOST_TEST(looked_up == 121u);
  BOOST_REQUIRE(checked.size() == 121u);
  std::vector<std::string> first;
  for (int i = 1; i <= 121; ++i)
    first.push_back(std::to_string(i));
  std::sort(first.begin(), first.end());
  std::sort(checked.begin(), checked.end());
  BOOST_TEST(checked == first, boost::test_tools::per_element());
  submit_all(1'001, 1); // does not overtake
  wait(380);
  BOOST_TEST(looked_up == 501u);
  BOOST_TEST(checked.back() == "1001");
  BOOST_TEST(detail("waiting for a session") == "0");
  BOOST_TEST(waited("started") == 480.);
  BOOST_TEST(waited("refused") == 0.);
  BOOST_TEST(answers.empty());
}

BOOST_AUTO_TEST_CASE(each_second_twice_as_many_start_and_then_as_many_as_come) {
  begin(100);
  wait(1'000);
  submit_all(1, 100);
  wait(100);
  BOOST_TEST(looked_up == 25u); // 200 a second: five at once, then two in each 10 ms
  BOOST_TEST(detail("sessions a second") == "200");
  wait(static_cast<int>(runtime::defaults::session_ramp_ms) - 1'100);
  BOOST_TEST(detail("sessions a second") == "no limit");
  BOOST_TEST(looked_up == 100u);
  submit_all(10'001, 5'000);
  BOOST_TEST(looked_up == 5'100u);
}

BOOST_AUTO_TEST_CASE(whoever_has_a_session_waits_for_nobody) {
  begin(10);
  submit_all(1, 3);
  BOOST_TEST(looked_up == 1u);
  submit(1, "another key");
  run();
  BOOST_REQUIRE(checked.size() == 2u);
  BOOST_TEST(checked.back() == "another key");
}

BOOST_AUTO_TEST_CASE(who_cannot_be_started_in_time_is_told_that_nothing_is_stored_and_so_is_its_repeat) {
  begin(1, 1'000);
  submit_all(1, 1);
  const auto second = submit(2), repeat = submit(2);
  run();
  wait(750);
  BOOST_TEST(answers.empty());
  wait(10);
  BOOST_TEST(is_not_stored(second));
  BOOST_TEST(is_not_stored(repeat));
  BOOST_TEST(answers.size() == 2u);
  BOOST_TEST(waited("refused") == 1.);
  BOOST_TEST(detail("on the way") == "1");
  BOOST_TEST(looked_up == 1u);
}

BOOST_AUTO_TEST_CASE(no_more_wait_than_may) {
  begin(1'000);
  const auto most = 21 + runtime::defaults::session_starts_waiting_max;
  submit_all(1, most);
  BOOST_TEST(answers.empty());
  const auto one_more = submit(most + 1);
  run();
  BOOST_TEST(is_not_stored(one_more));
  BOOST_TEST(answers.size() == 1u);
}

BOOST_AUTO_TEST_CASE(those_who_wait_are_told_of_the_end_of_an_epoch_and_the_next_one_begins_slowly_again) {
  begin(1'000);
  wait(static_cast<int>(runtime::defaults::session_ramp_ms));
  self->send(tested, closed_atom::value, std::uint64_t{1}, ec::not_serving, outcome::unknown);
  run();
  serve(2);
  submit_all(1, 100);
  BOOST_TEST(looked_up == 21u);
  self->send(tested, closed_atom::value, std::uint64_t{2}, ec::not_serving, outcome::unknown);
  run();
  BOOST_REQUIRE(answers.size() == 100u);
  for (const auto& [t, answer] : answers) {
    BOOST_TEST(is_not_stored(t)); // none was proposed
    BOOST_TEST((answer.hint == elsewhere::yes));
  }
  BOOST_TEST(detail("waiting for a session") == "0");
  wait(100);
  BOOST_TEST(looked_up == 21u);
}

BOOST_AUTO_TEST_CASE(a_refusal_is_told_once_the_replica_has_said_that_it_still_leads) {
  begin(1'000);
  const auto first = submit(1), repeat = submit(1);
  run();
  refuse();
  BOOST_TEST(answers.empty());
  BOOST_TEST(questions.size() == 1u);
  BOOST_TEST(detail("on the way") == "0");
  say_index(1, 5);
  BOOST_REQUIRE(answers.size() == 2u);
  BOOST_TEST(answers[first].status == 422);
  BOOST_TEST(answers[repeat].status == 422);
}

BOOST_AUTO_TEST_CASE(who_does_not_lead_any_more_refuses_nothing) {
  begin(1'000);
  const auto first = submit(1);
  run();
  refuse();
  say_index(1, 0);
  BOOST_TEST(is_not_stored(first));
  BOOST_TEST((answers[first].hint == elsewhere::yes));
  const auto second = submit(2);
  run();
  refuse();
  self->send(tested, closed_atom::value, std::uint64_t{1}, ec::not_serving, outcome::unknown);
  run();
  BOOST_TEST(is_not_stored(second));
  serve(2);
  say_index(1, 5); // comes late
  BOOST_TEST(answers.size() == 2u);
  BOOST_TEST(proposed.empty());
}

BOOST_AUTO_TEST_CASE(what_was_set_aside_is_known_as_such_until_its_epoch_ends) {
  begin(1'000);
  submit(1);
  run();
  for (int i = 0; i < 3; ++i) {
    const auto validator = fakes[3];
    fakes[3] = system.spawn(slow_validator, &given);
    self->send_exit(validator, caf::make_error(ec::crashed_on_input, to_text(given.newest->id)));
    run();
    env.directory->put("validator 0", caf::actor_cast<caf::strong_actor_ptr>(fakes[3]));
    run();
  }
  BOOST_REQUIRE(proposed.size() == 1u);
  const auto committed = [&](std::uint64_t epoch) {
    self->send(tested, committed_atom::value, epoch, std::uint64_t{9},
               receipts_ptr{std::make_shared<const std::vector<domain::receipt>>(proposed)});
    run();
  };
  committed(1);
  say_index(1, 9);
  BOOST_REQUIRE(answers.size() == 1u);
  BOOST_TEST(answers[1].status == 422);
  const auto looked_at = checked.size();
  const auto again = submit(1);
  run();
  say_index(1, 9);
  BOOST_TEST(answers[again].status == 422);
  BOOST_TEST(checked.size() == looked_at);
  self->send(tested, closed_atom::value, std::uint64_t{1}, ec::not_serving, outcome::unknown);
  run();
  serve(2);
  submit(1); // another node may have stored it meanwhile: it is looked up again
  run();
  BOOST_TEST(checked.size() == looked_at + 1);
}

BOOST_AUTO_TEST_SUITE_END()
