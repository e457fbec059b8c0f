// The catalog with a replica, a store and a reader that do what the test says.
#include "actor_fixture.hpp"
#include "actors/catalog.hpp"
#include "domain/command.hpp"
#include "domain/compiled_study.hpp"
#include "domain/event.hpp"
#include "domain/limits.hpp"
#include "runtime/defaults.hpp"

#include <boost/test/unit_test.hpp>

using namespace epione;
using namespace epione::actors;
using namespace epione::actors::test;
using namespace epione::messages;

namespace {

struct empty_state {
  empty_state() = default;
  static inline const char* name = "fake";
};

/// What lies in group 0's store.
struct fake_store {
  std::vector<stored_event> events;
  std::optional<runtime::storage_error> broken;
};

class fake_reader final : public runtime::store_reader {
public:
  explicit fake_reader(fake_store& store) : store_(store) {}
  runtime::storage_result<subject_head> head(std::uint64_t) override { return subject_head{}; }
  runtime::storage_result<std::optional<stored_event>> find(std::uint64_t, const domain::receipt&) override {
    return std::nullopt;
  }
  runtime::storage_result<std::vector<stored_event>> list(std::uint64_t, std::string_view, std::string_view, std::uint64_t,
                                                          std::uint32_t) override {
    return std::vector<stored_event>{};
  }
  runtime::storage_result<std::vector<stored_event>> scan(std::uint64_t from_seq, std::uint32_t limit) override {
    if (store_.broken)
      return tl::unexpected(*store_.broken);
    std::vector<stored_event> result;
    for (const auto& event : store_.events)
      if (event.seq >= from_seq && result.size() < limit)
        result.push_back(event);
    return result;
  }
  runtime::storage_result<std::optional<stored_event>> locate(const domain::receipt&) override { return std::nullopt; }
  runtime::storage_result<search_page> search(const domain::response_filter&, std::uint64_t, std::uint64_t, std::uint32_t,
                                              std::uint32_t) override {
    return search_page{};
  }
  runtime::storage_result<notice_page> pending(const notice_question&) override { return notice_page{}; }
  runtime::storage_result<dead_letters> dead(const notice_question&) override { return dead_letters{}; }

private:
  fake_store& store_;
};

/// What the catalog asked of its replica.
struct asked {
  int listens = 0, flushes = 0;
  std::vector<std::pair<std::uint64_t, std::uint64_t>> proposals; ///< epoch, batch
  std::vector<std::string> batches;
};

replica_actor::behavior_type fake_replica(replica_actor::stateful_pointer<empty_state> self, const runtime::environment& env,
                                          asked& seen) {
  runtime::prepare(self, env, "replica");
  return {
      [](persisted_atom, std::uint64_t, std::uint64_t) {},
      [](failed_atom, std::uint64_t, const caf::error&) {},
      [](attach_atom, const shard_store_actor&, std::uint64_t, std::uint64_t) {},
      [](applied_atom, std::uint64_t) {},
      [](durable_atom, const snapshot_point_ptr&) {},
      [&seen](listen_atom, const shard_listener&) { ++seen.listens; },
      [&seen](propose_atom, std::uint64_t epoch, std::uint64_t batch, const bytes_ptr& bytes, const proposer&) {
        seen.proposals.emplace_back(epoch, batch);
        seen.batches.push_back(*bytes);
      },
      [](read_index_atom, std::uint64_t, ticket) {},
      [](read_index_atom) { return std::uint64_t{0}; },
      [&seen](flush_atom) { ++seen.flushes; },
      [](flush_atom, std::uint64_t index) { return index; },
      [](drain_atom) { return true; },
      [](receive_atom, const raft_messages_ptr&, const std::string&) {},
      [](change_atom, const server_change_ptr&) { return std::uint64_t{0}; },
      [](transfer_atom, std::uint64_t) { return false; },
      [](fetched_atom, const snapshot_point_ptr&) {},
      [](feed_atom) {},
      [](caf::tick_atom, std::uint64_t) {},
      [](status_atom) { return status_report_ptr{}; },
  };
}

domain::study_source source_of(const std::string& study, const std::string& version, const std::string& question,
                               const std::string& title = "A study") {
  domain::study_source source;
  source.toml = "id = \"" + study + "\"\ntitle = \"" + title +
                "\"\nlanguages = [\"en\"]\n\n[[sites]]\nid = \"S1\"\n\n[[subjects]]\nrange = [1, 9]\nsite = \"S1\"\n\n"
                "[[forms]]\nid = \"mood\"\nfile = \"mood.json\"\n";
  source.forms.push_back({"mood.json", R"({"resourceType": "Questionnaire", "id": "mood", "url": "http://example.org/mood",
    "version": ")" + version + R"(", "status": "active",
    "item": [{"linkId": "q1", "text": ")" + question +
                                           R"(", "type": "integer"}]})"});
  return source;
}

struct catalog_fixture : actor_fixture {
  using answer = caf::variant<std::pair<std::string, bool>, caf::error>;

  catalog_fixture() {
    replica = runtime::spawn_actor(system, env, fake_replica, std::ref(seen));
    env.directory->put("replica 0", caf::actor_cast<caf::strong_actor_ptr>(replica));
    start();
  }
  ~catalog_fixture() {
    for (const auto& actor : {caf::actor_cast<caf::strong_actor_ptr>(replica), caf::actor_cast<caf::strong_actor_ptr>(tested)})
      caf::anon_send_exit(actor, caf::exit_reason::kill);
    run();
  }

  void start() {
    tested = runtime::spawn_actor(system, env, catalog_reading, std::ref(view), std::ref(readiness),
                                  open_reader{[this]() -> runtime::storage_result<std::unique_ptr<runtime::store_reader>> {
                                    return std::make_unique<fake_reader>(store);
                                  }});
    tested->attach_functor([this](const caf::error& why) { end = why; });
    run();
  }
  void serve(std::uint64_t e) {
    epoch = e;
    self->send(tested, serving_atom::value, epoch);
    run();
  }

  /// Sends an import; its answer is kept under the returned number.
  std::size_t import(const domain::study_source& source, const std::string& who = "os:root") {
    const auto place = answers.size();
    answers.emplace_back();
    system.spawn(
        [this, place, source, who](caf::event_based_actor* me, caf::unit_t) {
          runtime::prepare(me, env, "importer");
          me->request(caf::actor_cast<caf::actor>(tested), std::chrono::seconds{3600}, import_atom::value,
                      std::make_shared<const domain::study_source>(source), who)
              .then([this, place](const std::string& id, bool changed,
                                  std::uint64_t) { answers[place] = answer{std::pair{id, changed}}; },
                    [this, place](const caf::error& why) { answers[place] = answer{why}; });
        },
        caf::unit);
    run();
    return place;
  }

  /// Sends a form for a study; answered as an import, with the form's id.
  std::size_t add(const domain::form_addition& addition) {
    const auto place = answers.size();
    answers.emplace_back();
    system.spawn(
        [this, place, addition](caf::event_based_actor* me, caf::unit_t) {
          runtime::prepare(me, env, "importer");
          me->request(caf::actor_cast<caf::actor>(tested), std::chrono::seconds{3600}, add_form_atom::value,
                      std::make_shared<const domain::form_addition>(addition))
              .then([this, place](const std::string& id, bool changed,
                                  std::uint64_t) { answers[place] = answer{std::pair{id, changed}}; },
                    [this, place](const caf::error& why) { answers[place] = answer{why}; });
        },
        caf::unit);
    run();
    return place;
  }
  std::string add_all_the_way(const std::string& questionnaire, const std::string& study = "demo") {
    const auto proposals = seen.proposals.size();
    const auto i = add({study, questionnaire, "fhir:Practitioner/7", "author", "a new diary"});
    if (seen.proposals.size() > proposals) {
      const auto index = 10 + store.events.size();
      commit(index);
      apply();
      applied(index);
    }
    return text(i);
  }

  bool answered(std::size_t i) const { return answers[i].has_value(); }
  /// "demo true", "demo false" or the error.
  std::string text(std::size_t i) const {
    if (!answers[i])
      return "no answer";
    if (const auto* ok = caf::get_if<std::pair<std::string, bool>>(&*answers[i]))
      return ok->first + (ok->second ? " true" : " false");
    return runtime::error_text(caf::get<caf::error>(*answers[i]));
  }

  /// Puts the newest batch into the store, as apply would.
  void apply() { apply(seen.batches.back()); }
  void apply(const std::string& batch) {
    const auto commands = domain::decode_batch(batch);
    BOOST_REQUIRE(commands.has_value());
    for (const auto& command : *commands)
      store.events.push_back({store.events.size() + 1, std::string{command.event}, {}});
  }
  void commit(std::uint64_t index) {
    self->send(tested, committed_atom::value, seen.proposals.back().first, seen.proposals.back().second, index);
    run();
  }
  void applied(std::uint64_t index) {
    self->send(tested, applied_atom::value, index);
    run();
  }
  std::string import_all_the_way(const domain::study_source& source) {
    const auto proposals = seen.proposals.size();
    const auto i = import(source);
    if (seen.proposals.size() > proposals) {
      const auto index = 10 + store.events.size();
      commit(index);
      apply();
      applied(index);
    }
    return text(i);
  }
  std::vector<std::string> served() const {
    std::vector<std::string> ids;
    for (const auto& [id, study] : view.get()->studies)
      ids.push_back(id);
    return ids;
  }

  fake_store store;
  asked seen;
  runtime::catalog_view view;
  runtime::readiness readiness;
  replica_actor replica;
  catalog_actor tested;
  caf::error end;
  std::uint64_t epoch = 0;
  std::vector<std::optional<answer>> answers;
};

using ids = std::vector<std::string>;

std::string steps(const std::string& version, const std::string& question, const std::string& rest = "",
                  const std::string& url = "urn:a:steps") {
  return R"({"resourceType":"Questionnaire","url":")" + url + R"(","version":")" + version +
         R"(","status":"active","language":"en",)" + rest + R"("item":[{"linkId":"s","text":")" + question +
         R"(","type":"integer"}]})";
}

} // namespace

BOOST_FIXTURE_TEST_SUITE(catalog_of_studies, catalog_fixture)

BOOST_AUTO_TEST_CASE(it_listens_to_its_replica_and_refuses_imports_until_it_serves) {
  BOOST_TEST(seen.listens == 1);
  BOOST_TEST(!view.ready());
  BOOST_TEST(text(import(source_of("demo", "1", "How are you?"))).starts_with("not_serving: "));
  serve(1);
  BOOST_TEST(view.ready());
  BOOST_TEST(served().empty());
}

BOOST_AUTO_TEST_CASE(an_import_is_answered_only_after_it_is_durable_applied_and_published) {
  serve(7);
  const auto source = source_of("demo", "1", "How are you?");
  const auto i = import(source, "os:anna");
  BOOST_REQUIRE(seen.proposals.size() == 1u);
  BOOST_TEST(seen.proposals[0].first == 7u);
  BOOST_TEST(!answered(i));
  commit(5);
  BOOST_TEST(seen.flushes == 1); // somebody waits, so the store need not gather any longer
  BOOST_TEST(!answered(i));
  applied(4);
  BOOST_TEST(!answered(i));
  BOOST_TEST(served().empty());
  apply();
  applied(5);
  BOOST_TEST(text(i) == "demo true");
  BOOST_TEST((served() == ids{"demo"}));
  BOOST_TEST(view.get()->seq == 1u);

  const auto commands = *domain::decode_batch(seen.batches[0]);
  BOOST_REQUIRE(commands.size() == 1u);
  BOOST_TEST((commands[0].type == domain::command_type::record));
  BOOST_TEST(commands[0].subject_hash == domain::subject_hash("demo", ""));
  const auto event = domain::decode_event(commands[0].event);
  BOOST_REQUIRE(event.has_value());
  BOOST_TEST(event->action == "study.import");
  BOOST_TEST(event->entity == "demo");
  BOOST_TEST(event->who == "os:anna");
  BOOST_TEST(event->role == "operator");
  BOOST_TEST(event->before == "");
  BOOST_TEST(event->after == domain::encode(source));
  BOOST_TEST(event->time_us == clock.wall_us());
}

BOOST_AUTO_TEST_CASE(the_same_content_again_changes_nothing) {
  serve(1);
  BOOST_TEST(import_all_the_way(source_of("demo", "1", "How are you?")) == "demo true");
  BOOST_TEST(text(import(source_of("demo", "1", "How are you?"))) == "demo false");
  BOOST_TEST(seen.proposals.size() == 1u);
}

BOOST_AUTO_TEST_CASE(a_later_import_replaces_the_study_and_names_what_was_there) {
  serve(1);
  import_all_the_way(source_of("demo", "1", "How are you?"));
  BOOST_TEST(import_all_the_way(source_of("demo", "2", "How do you feel?")) == "demo true");
  const auto event = domain::decode_event(store.events.back().bytes);
  BOOST_TEST(event->before.size() == 34u); // msgpack bin of 32 bytes
  BOOST_TEST(view.get()->seq == 2u);
  BOOST_TEST(import_all_the_way(source_of("other", "1", "How are you?")) == "other true");
  BOOST_TEST((served() == ids{"demo", "other"}));
}

BOOST_AUTO_TEST_CASE(a_form_cannot_change_under_a_version_that_was_ever_imported) {
  serve(1);
  import_all_the_way(source_of("demo", "1", "How are you?"));
  const auto refusal = import_all_the_way(source_of("demo", "1", "How do you feel?"));
  BOOST_TEST(refusal.starts_with("invalid: mood.json\tversion\tversion \"1\" of form \"mood\" was imported before"), refusal);
  import_all_the_way(source_of("demo", "2", "How do you feel?"));
  BOOST_TEST(import_all_the_way(source_of("demo", "1", "What?")).starts_with("invalid: mood.json\tversion\t"));
  BOOST_TEST(import_all_the_way(source_of("demo", "1", "How are you?")) == "demo true"); // as it was
  BOOST_TEST(import_all_the_way(source_of("demo", "1", "How are you?", "Another title")) == "demo true");
}

BOOST_AUTO_TEST_CASE(earlier_versions_of_a_form_are_kept_and_come_back_from_the_events_alone) {
  serve(1);
  import_all_the_way(source_of("demo", "1", "How are you?"));
  import_all_the_way(source_of("demo", "2", "How do you feel?"));
  const auto versions = [&] {
    const auto& study = view.get()->studies.at("demo")->compiled();
    return std::string{study.find_form("mood", "1") != nullptr ? "1" : ""} +
           (study.find_form("mood", "2") != nullptr ? "2" : "") + " newest " + study.find_form("mood")->version;
  };
  BOOST_TEST(versions() == "12 newest 2");
  self->send_exit(tested, caf::exit_reason::kill);
  run();
  start();
  serve(2);
  BOOST_TEST(versions() == "12 newest 2");
}

BOOST_AUTO_TEST_CASE(a_version_may_be_retired_under_its_own_name) {
  serve(1);
  auto source = source_of("demo", "1", "How are you?");
  import_all_the_way(source);
  auto& text = source.forms.front().text;
  text.replace(text.find("\"active\""), 8, "\"retired\", \"date\": \"2024-05-01\"");
  BOOST_TEST(import_all_the_way(source) == "demo true");
}

BOOST_AUTO_TEST_CASE(an_added_form_is_an_event_that_says_who_added_it_in_which_role_and_why) {
  serve(1);
  import_all_the_way(source_of("demo", "1", "How are you?"));
  BOOST_TEST(add_all_the_way(steps("1", "How many?")) == "steps true");
  const auto event = domain::decode_event(store.events.back().bytes);
  BOOST_REQUIRE(event.has_value());
  BOOST_TEST(event->action == "study.import");
  BOOST_TEST(event->entity == "demo");
  BOOST_TEST(event->who == "fhir:Practitioner/7");
  BOOST_TEST(event->role == "author");
  BOOST_TEST(event->reason == "a new diary");
  const auto& study = view.get()->studies.at("demo")->compiled();
  BOOST_TEST((study.find_form("mood") != nullptr && study.find_form("steps") != nullptr));
  BOOST_TEST(view.get()->form_time("demo", "steps", "1") == clock.wall_us());
  BOOST_TEST(add_all_the_way(steps("1", "How many?"), "other").starts_with("not_found: \t\tthere is no study \"other\""));
}

BOOST_AUTO_TEST_CASE(an_earlier_version_that_comes_again_stays_an_earlier_one) {
  serve(1);
  import_all_the_way(source_of("demo", "1", "How are you?"));
  add_all_the_way(steps("1", "How many?"));
  const auto first = view.get()->form_time("demo", "steps", "1");
  advance(1s);
  BOOST_TEST(add_all_the_way(steps("2", "How many today?")) == "steps true");
  const auto stored = store.events.size();
  BOOST_TEST(add_all_the_way(steps("1", "How many?")) == "steps false");
  BOOST_TEST(add_all_the_way(steps("1", "How many?", R"("meta":{"tag":[]},"id":"x",)")) == "steps false");
  BOOST_TEST(add_all_the_way(steps("2", "How many today?", R"("id":"steps",)")) == "steps false");
  for (const auto* version : {"1", "2"}) {
    const auto refusal = add_all_the_way(steps(version, "What?"));
    BOOST_TEST(refusal.starts_with("conflict: steps.json\tversion\tversion \"" + std::string{version} + "\" of form"), refusal);
  }
  BOOST_TEST(store.events.size() == stored);
  BOOST_TEST(view.get()->studies.at("demo")->compiled().find_form("steps")->version == "2");
  BOOST_TEST(view.get()->form_time("demo", "steps", "1") == first);
  BOOST_TEST(view.get()->form_time("demo", "steps", "2") == first + 1'000'000);
  // The newest may be retired under its own name, and that is a change.
  auto retired = steps("2", "How many today?");
  retired.replace(retired.find("\"active\""), 8, "\"retired\"");
  BOOST_TEST(add_all_the_way(retired) == "steps true");
  // A form that an import has taken out comes back, with whichever version.
  import_all_the_way(source_of("demo", "2", "How are you?"));
  BOOST_TEST((view.get()->studies.at("demo")->compiled().find_form("steps") == nullptr));
  BOOST_TEST(add_all_the_way(steps("1", "How many?")) == "steps true");
  BOOST_TEST(view.get()->studies.at("demo")->compiled().find_form("steps")->version == "1");
}

BOOST_AUTO_TEST_CASE(two_forms_that_want_one_name_at_the_same_time_get_two) {
  serve(1);
  import_all_the_way(source_of("demo", "1", "How are you?"));
  const auto one = add({"demo", steps("1", "How many?"), "a", "unknown", ""});
  const auto other = add({"demo", steps("1", "How far?", R"("name":"walk",)", "urn:b:steps"), "b", "unknown", ""});
  for (const auto index : {11u, 12u}) {
    commit(index);
    apply();
    applied(index);
  }
  BOOST_TEST(text(one) == "steps true");
  BOOST_TEST(text(other) == "walk true");
  // Also when the first is no longer part of the study: responses to it are.
  import_all_the_way(source_of("demo", "2", "How are you?"));
  BOOST_TEST(add_all_the_way(steps("1", "How far?", R"("name":"walk",)", "urn:c:steps")).starts_with("form-"));
}

BOOST_AUTO_TEST_CASE(more_earlier_versions_than_are_kept_are_refused_and_not_lost) {
  serve(1);
  const auto source = [](int version) { // 250 forms
    auto all = source_of("demo", "1", "How are you?");
    for (int n = 1; n < 250; ++n) {
      const auto id = "f" + std::to_string(n);
      all.toml += "[[forms]]\nid = \"" + id + "\"\nfile = \"" + id + ".json\"\n";
      all.forms.push_back({id + ".json", steps(std::to_string(version), "How many?", "", "urn:" + id)});
    }
    all.forms[0] = {"mood.json", steps(std::to_string(version), "How many?", "", "urn:mood")};
    return all;
  };
  for (int version = 1; version <= 3; ++version)
    BOOST_REQUIRE(import_all_the_way(source(version)) == "demo true");
  BOOST_REQUIRE(view.get()->studies.at("demo")->compiled().earlier.size() == domain::limits::earlier_forms_max);
  BOOST_TEST(add_all_the_way(steps("1", "How far?", "", "urn:far")) == "far true"); // a new form takes no place among them
  const auto refusal = add_all_the_way(steps("4", "How many?", "", "urn:f7"));
  BOOST_TEST(refusal.starts_with("invalid: study.toml\tforms\twith this the study would have 501 earlier versions"), refusal);
  BOOST_TEST(import_all_the_way(source(4)).starts_with("invalid: study.toml\tforms\t"));
  BOOST_TEST(import_all_the_way(source_of("demo", "9", "How are you?")).starts_with("invalid: study.toml\tforms\t"));
  BOOST_TEST(add_all_the_way(steps("1", "How many?", "", "urn:f7")) == "f7 false");
}

BOOST_AUTO_TEST_CASE(all_problems_are_answered_one_a_line) {
  serve(1);
  auto source = source_of("demo", "1", "How are you?");
  source.forms[0].text = "{";
  source.toml += "\n[[forms]]\nid = \"gone\"\nfile = \"gone.json\"\n";
  const auto refusal = text(import(source));
  BOOST_TEST(refusal.starts_with("invalid: "), refusal);
  BOOST_TEST(std::count(refusal.begin(), refusal.end(), '\n') >= 2, refusal);
  BOOST_TEST(std::count(refusal.begin(), refusal.end(), '\t') == 2 * std::count(refusal.begin(), refusal.end(), '\n'), refusal);
  BOOST_TEST(seen.proposals.empty());
}

BOOST_AUTO_TEST_CASE(a_zone_that_no_node_knows_is_refused) {
  serve(1);
  auto source = source_of("demo", "1", "How are you?");
  const auto with_zone = [&](const std::string& zone) {
    auto copy = source;
    copy.toml += "\n[[recipients]]\nid = \"r\"\nrole = \"doctor\"\nsites = \"all\"\nzone = \"" + zone + "\"\n";
    return copy;
  };
  const auto refusal = text(import(with_zone("Europe/Berln")));
  BOOST_TEST(refusal.starts_with("invalid: "), refusal);
  BOOST_TEST(refusal.find("recipients[0].zone (r)") != std::string::npos, refusal);
  BOOST_TEST(refusal.find("Europe/Berln") != std::string::npos, refusal);
  BOOST_TEST(seen.proposals.empty());
  import(with_zone("Europe/Berlin"));
  BOOST_TEST(seen.proposals.size() == 1u);
}

BOOST_AUTO_TEST_CASE(imports_go_one_after_the_other_and_only_so_many_wait) {
  serve(1);
  std::vector<std::size_t> all;
  for (std::size_t n = 0; n < 1 + runtime::defaults::imports_waiting_max; ++n)
    all.push_back(import(source_of("demo", std::to_string(n), "How are you?")));
  BOOST_TEST(text(import(source_of("demo", "x", "How are you?"))).starts_with("not_serving: "));
  for (std::size_t n = 0; n < all.size(); ++n) {
    BOOST_REQUIRE(seen.proposals.size() == n + 1);
    commit(10 + n);
    apply();
    applied(10 + n);
    BOOST_TEST(text(all[n]) == "demo true");
  }
}

BOOST_AUTO_TEST_CASE(a_refused_proposal_was_not_stored) {
  serve(3);
  const auto i = import(source_of("demo", "1", "How are you?"));
  self->send(tested, refused_atom::value, std::uint64_t{3}, seen.proposals[0].second);
  run();
  BOOST_TEST(text(i).starts_with("not_serving: "));
}

BOOST_AUTO_TEST_CASE(the_end_of_an_epoch_answers_everybody_and_says_what_is_known) {
  serve(3);
  const auto first = import(source_of("demo", "1", "How are you?"));
  const auto second = import(source_of("demo", "2", "How are you?"));
  self->send(tested, closed_atom::value, std::uint64_t{3}, ec::not_serving, outcome::unknown);
  run();
  BOOST_TEST(text(first).find("unknown") != std::string::npos);
  BOOST_TEST(text(second).find("nothing was stored") != std::string::npos);
  BOOST_TEST(text(import(source_of("demo", "1", "How are you?"))).starts_with("not_serving: "));
  // It was stored after all: the next epoch shows it.
  apply();
  serve(4);
  BOOST_TEST((served() == ids{"demo"}));
  BOOST_TEST(text(import(source_of("demo", "1", "How are you?"))) == "demo false");
  // A late word of the old epoch means nothing.
  self->send(tested, closed_atom::value, std::uint64_t{3}, ec::not_serving, outcome::unknown);
  run();
  BOOST_TEST(import_all_the_way(source_of("demo", "2", "How are you?")) == "demo true");
}

BOOST_AUTO_TEST_CASE(an_import_that_takes_too_long_is_answered_and_does_not_block_the_next) {
  serve(1);
  const auto first = import(source_of("demo", "1", "How are you?"));
  advance(std::chrono::milliseconds{runtime::defaults::import_limit_ms});
  BOOST_TEST(text(first).starts_with("time_limit: "));
  const auto late = seen.batches.back();
  const auto second = import(source_of("demo", "2", "How are you?"));
  BOOST_TEST(seen.proposals.size() == 2u);
  apply(late); // the first one comes through after all
  applied(10);
  BOOST_TEST((served() == ids{"demo"}));
  commit(11);
  apply();
  applied(11);
  BOOST_TEST(text(second) == "demo true");
}

BOOST_AUTO_TEST_CASE(readiness_names_it_whenever_it_does_not_serve) {
  BOOST_TEST(!readiness.ready());
  serve(1);
  BOOST_TEST(readiness.ready());
  self->send(tested, messages::closed_atom::value, std::uint64_t{1}, ec::not_serving, messages::outcome::unknown);
  run();
  BOOST_REQUIRE(readiness.reasons().size() == 1u);
  BOOST_TEST(readiness.reasons().front().part == "catalog");
  serve(2);
  BOOST_TEST(readiness.ready());
  self->send_exit(tested, caf::exit_reason::kill);
  run();
  start(); // its successor has read nothing yet
  BOOST_TEST(!readiness.ready());
}

BOOST_AUTO_TEST_CASE(it_comes_back_from_the_events_alone) {
  serve(1);
  for (int n = 0; n < 40; ++n)
    import_all_the_way(source_of("demo", std::to_string(n), "How are you?"));
  const auto seq = view.get()->seq;
  self->send_exit(tested, caf::exit_reason::kill);
  run();
  BOOST_TEST((served() == ids{"demo"})); // the last snapshot stays
  start();
  serve(2);
  BOOST_TEST(view.get()->seq == seq);
  BOOST_TEST(import_all_the_way(source_of("demo", "7", "What?")).starts_with("invalid: "));
  BOOST_TEST(text(import(source_of("demo", "39", "How are you?"))) == "demo false");
}

BOOST_AUTO_TEST_CASE(a_stored_study_that_no_longer_compiles_is_left_out_and_reported) {
  const auto event_of = [](std::string id, const domain::study_source& source) {
    domain::event e;
    e.action = "study.import";
    e.entity = std::move(id);
    e.after = domain::encode(source);
    return domain::encode(e);
  };
  auto broken = source_of("old", "1", "How are you?");
  broken.forms[0].text = "{";
  domain::event other;
  other.action = "something.else";
  store.events = {{1, event_of("old", broken), {}},
                  {2, event_of("demo", source_of("demo", "1", "How are you?")), {}},
                  {3, domain::encode(other), {}},
                  {4, "damaged", {}}};
  serve(1);
  BOOST_TEST((served() == ids{"demo"}));
  BOOST_TEST(log.count("a stored study does not compile with this version and is not served, study=old") == 1);
  BOOST_TEST(log.count("an event of group 0 cannot be read") == 1);
  BOOST_TEST(view.get()->seq == 4u);
}

BOOST_AUTO_TEST_CASE(a_store_that_cannot_be_read_ends_it_with_the_stores_error) {
  store.broken = runtime::storage_error{ec::damaged, "shard-000.db: row 3"};
  serve(1);
  BOOST_TEST(runtime::error_text(end) == "damaged: shard-000.db: row 3");
  BOOST_TEST(!view.ready());
}

BOOST_AUTO_TEST_CASE(whoever_waits_hears_of_its_death) {
  serve(1);
  const auto first = import(source_of("demo", "1", "How are you?"));
  const auto second = import(source_of("demo", "2", "How are you?"));
  self->send_exit(tested, caf::exit_reason::kill);
  run();
  BOOST_TEST(text(first).starts_with("not_serving: "));
  BOOST_TEST(text(second).starts_with("not_serving: "));
}

// ---- events that change no study -----------------------------------------------------------------------------------

namespace {

struct record_fixture : catalog_fixture {
  ~record_fixture() { // whoever still waits is answered while there is a place for the answer
    self->send_exit(tested, caf::exit_reason::kill);
    run();
  }

  /// "recorded", the error's text, or nothing yet; kept under the returned number.
  std::size_t record(const std::string& action = "console.kill") {
    const auto place = records.size();
    records.emplace_back();
    auto event = std::make_shared<domain::event>();
    event->who = "os:anna";
    event->action = action;
    event->entity = "store 1";
    system.spawn(
        [this, place, event](caf::event_based_actor* me, caf::unit_t) {
          runtime::prepare(me, env, "console");
          me->request(caf::actor_cast<caf::actor>(tested), std::chrono::seconds{3600}, record_atom::value, event_ptr{event})
              .then([this, place](bool) { records[place] = "recorded"; },
                    [this, place](const caf::error& why) { records[place] = runtime::error_text(why); });
        },
        caf::unit);
    run();
    return place;
  }
  std::vector<std::string> records;
};

} // namespace

BOOST_FIXTURE_TEST_CASE(a_record_is_answered_once_it_is_durable_and_changes_no_study, record_fixture) {
  BOOST_TEST(records[record()].starts_with("not_serving: "));
  serve(3);
  const auto i = record();
  BOOST_REQUIRE(seen.proposals.size() == 1u);
  BOOST_TEST(records[i] == "");
  commit(5);
  BOOST_TEST(records[i] == "recorded");
  apply();
  applied(5);
  BOOST_TEST(served().empty());
  const auto event = domain::decode_event(store.events.front().bytes);
  BOOST_REQUIRE(event.has_value());
  BOOST_TEST(event->action == "console.kill");
  BOOST_TEST(import_all_the_way(source_of("demo", "1", "How are you?")) == "demo true");
}

BOOST_FIXTURE_TEST_CASE(records_and_an_import_are_on_their_way_together, record_fixture) {
  serve(3);
  const auto import_place = import(source_of("demo", "1", "How are you?"));
  const auto a = record(), b = record();
  BOOST_REQUIRE(seen.proposals.size() == 3u);
  self->send(tested, committed_atom::value, std::uint64_t{3}, seen.proposals[1].second, std::uint64_t{6});
  self->send(tested, refused_atom::value, std::uint64_t{3}, seen.proposals[2].second);
  run();
  BOOST_TEST(records[a] == "recorded");
  BOOST_TEST(records[b].starts_with("not_serving: "));
  BOOST_TEST(!answered(import_place));
}

BOOST_FIXTURE_TEST_CASE(whoever_waits_for_a_record_hears_the_end_of_the_epoch_or_the_catalog, record_fixture) {
  serve(3);
  const auto a = record();
  self->send(tested, closed_atom::value, std::uint64_t{3}, ec::stale_epoch, outcome::unknown);
  run();
  BOOST_TEST(records[a].starts_with("stale_epoch: "));
  serve(4);
  const auto b = record();
  self->send_exit(tested, caf::exit_reason::kill);
  run();
  BOOST_TEST(records[b].find("whether it was recorded is unknown") != std::string::npos);
}

BOOST_FIXTURE_TEST_CASE(records_on_their_way_are_limited, record_fixture) {
  serve(3);
  for (std::size_t i = 0; i < runtime::defaults::records_waiting_max; ++i)
    BOOST_TEST(records[record()] == "");
  BOOST_TEST(records[record()].starts_with("not_serving: "));
}

BOOST_AUTO_TEST_SUITE_END()
