// Events of the catalog's group that change no study: what operators do.
#include "runtime/defaults.hpp"
#include "tests/unit/actors/catalog_fixture.hpp"

using namespace epione;
using namespace epione::actors;
using namespace epione::actors::catalog_test;
using namespace epione::actors::test;
using namespace epione::messages;

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

BOOST_FIXTURE_TEST_SUITE(catalog_of_records, record_fixture)

BOOST_AUTO_TEST_CASE(a_record_is_answered_once_it_is_durable_and_changes_no_study) {
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

BOOST_AUTO_TEST_CASE(records_and_an_import_are_on_their_way_together) {
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

BOOST_AUTO_TEST_CASE(whoever_waits_for_a_record_hears_the_end_of_the_epoch_or_the_catalog) {
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

BOOST_AUTO_TEST_CASE(records_on_their_way_are_limited) {
  serve(3);
  for (std::size_t i = 0; i < runtime::defaults::records_waiting_max; ++i)
    BOOST_TEST(records[record()] == "");
  BOOST_TEST(records[record()].starts_with("not_serving: "));
}

BOOST_AUTO_TEST_SUITE_END()
