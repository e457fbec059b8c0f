// The catalog's forms: which versions there are, which may come again, and what is added one by one.
#include "domain/compiled_study.hpp"
#include "domain/limits.hpp"
#include "tests/unit/actors/catalog_fixture.hpp"

using namespace epione;
using namespace epione::actors;
using namespace epione::actors::catalog_test;
using namespace epione::actors::test;
using namespace epione::messages;

BOOST_FIXTURE_TEST_SUITE(catalog_of_forms, catalog_fixture)

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

BOOST_AUTO_TEST_SUITE_END()
