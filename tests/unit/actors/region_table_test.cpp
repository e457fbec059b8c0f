// The table of what is on its way: bounded in entries and in bytes, and it gives back whoever waits.
#include "actors/region_table.hpp"

#include <boost/test/unit_test.hpp>
#include <memory>
#include <string>

using namespace epione;
using actors::region_table;

namespace {

struct table_fixture {
  static domain::receipt receipt(const std::string& key) { return domain::make_receipt("demo", "1", key); }

  static region_table::waiter waiter(messages::ticket t, std::size_t bytes, std::int64_t received_ns = 0) {
    messages::submission s;
    s.content.assign(bytes, 'x');
    s.received_ns = received_ns;
    return {t, {}, std::make_shared<const messages::submission>(std::move(s))};
  }

  void add(const std::string& key, messages::ticket t, std::size_t bytes,
           region_table::phase at = region_table::phase::checking) {
    region_table::entry e;
    e.at = at;
    table.add(receipt(key), std::move(e), waiter(t, bytes));
  }

  region_table table{3, 100};
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(a_regions_table, table_fixture)

BOOST_AUTO_TEST_CASE(it_is_full_of_entries_or_of_bytes) {
  add("a", 1, 10);
  add("b", 2, 10);
  BOOST_TEST(table.has_room_for_entry());
  add("c", 3, 10);
  BOOST_TEST(!table.has_room_for_entry());
  BOOST_TEST(table.has_room_for_waiter());
  table.wait(*table.find(receipt("a")), waiter(4, 70));
  BOOST_TEST(!table.has_room_for_waiter());
  table.take(receipt("b"));
  BOOST_TEST(table.has_room_for_waiter());
  BOOST_TEST(table.has_room_for_entry());
}

BOOST_AUTO_TEST_CASE(what_is_taken_gives_its_waiters_and_all_of_their_bytes_back) {
  add("a", 1, 60);
  table.wait(*table.find(receipt("a")), waiter(2, 40));
  BOOST_TEST(!table.has_room_for_waiter());
  const auto who = table.take(receipt("a"));
  BOOST_REQUIRE(who.size() == 2U);
  BOOST_TEST(who[0].to == 1U);
  BOOST_TEST(who[1].to == 2U);
  BOOST_TEST(table.size() == 0U);
  add("b", 3, 99); // all but one of the bytes are free again
  BOOST_TEST(table.has_room_for_waiter());
}

BOOST_AUTO_TEST_CASE(late_waiters_are_dropped_but_never_the_first) {
  region_table::entry e;
  table.add(receipt("a"), std::move(e), waiter(1, 40, 5));
  auto& added = *table.find(receipt("a"));
  table.wait(added, waiter(2, 40, 5));
  table.wait(added, waiter(3, 20, 15));
  BOOST_TEST(!table.has_room_for_waiter());
  table.drop_waiters_before(10);
  BOOST_TEST(table.has_room_for_waiter());
  const auto who = table.take(receipt("a"));
  BOOST_REQUIRE(who.size() == 2U);
  BOOST_TEST(who[0].to == 1U);
  BOOST_TEST(who[1].to == 3U);
  add("b", 4, 99);
  BOOST_TEST(table.has_room_for_waiter());
}

BOOST_AUTO_TEST_CASE(only_those_that_match_are_taken_out) {
  add("a", 1, 50);
  add("b", 2, 49, region_table::phase::proposed);
  const auto taken = table.take_if([](const auto& e) { return e.at == region_table::phase::checking; });
  BOOST_REQUIRE(taken.size() == 1U);
  BOOST_TEST((taken[0].first == receipt("a")));
  BOOST_TEST(taken[0].second.at(0).to == 1U);
  BOOST_TEST((table.find(receipt("b"), region_table::phase::proposed) != nullptr));
  BOOST_TEST((table.find(receipt("b"), region_table::phase::checking) == nullptr));
  add("c", 3, 50);
  BOOST_TEST(table.has_room_for_waiter()); // 99 of 100
  table.clear();
  BOOST_TEST(table.size() == 0U);
}

BOOST_AUTO_TEST_CASE(ids_come_in_the_order_of_receipts) {
  add("a", 1, 1);
  add("b", 2, 1);
  add("c", 3, 1, region_table::phase::committed);
  const auto ids = table.ids_if([](const auto& e) { return e.at == region_table::phase::checking; });
  BOOST_REQUIRE(ids.size() == 2U);
  BOOST_TEST((ids[0] < ids[1]));
}

BOOST_AUTO_TEST_SUITE_END()
