// The catalog's imports: when one is answered, what is refused, and what the catalog knows after a failure.
#include "domain/compiled_study.hpp"
#include "runtime/defaults.hpp"
#include "tests/unit/actors/catalog_fixture.hpp"

#include <algorithm>

using namespace epione;
using namespace epione::actors;
using namespace epione::actors::catalog_test;
using namespace epione::actors::test;
using namespace epione::messages;

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

BOOST_AUTO_TEST_SUITE_END()
