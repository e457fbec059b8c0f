// A walk hands out every event once and in order up to where it was told to, or says which one is not as it was written.
#include "runtime/storage/event_walk.hpp"

#include "runtime/storage/shard_rows.hpp"
#include "runtime/storage/sqlite.hpp"
#include "tests/unit/runtime_storage/simulated_fixture.hpp"

#include <numeric>

using namespace epione;
using namespace epione::storage_tests;

namespace {

struct walked : simulated {
  walked() : simulated(17) { fill(1, 30); }

  void fill(std::uint64_t from, std::uint64_t to) {
    auto j = must(runtime::open_journal(disk, "/d", {1 << 20, 0}));
    auto store = must(runtime::open_shard_store(disk, "/d", 1));
    for (std::uint64_t i = from; i <= to; ++i) {
      const auto e = batch(i, {submission(i % 7, std::to_string(i))});
      must(j->write({write_of(1, {e}, 1, 1)}));
      must(store->apply({e}));
    }
  }

  runtime::chain_head head() { return must(runtime::read_store_position(disk, "/d", 1)).head; }

  std::vector<std::uint64_t> walk(const runtime::chain_head& from, const runtime::chain_head& to) {
    std::vector<std::uint64_t> seen;
    must(runtime::walk_events(disk, "/d", 1, from, to, [&](std::uint64_t seq, std::string_view bytes) {
      BOOST_TEST(domain::decode_submission_event(bytes).has_value());
      seen.push_back(seq);
      return runtime::storage_result<void>{};
    }));
    return seen;
  }

  runtime::storage_error failure(const runtime::chain_head& from, const runtime::chain_head& to) {
    const auto done = runtime::walk_events(disk, "/d", 1, from, to,
                                           [](std::uint64_t, std::string_view) { return runtime::storage_result<void>{}; });
    BOOST_REQUIRE(!done);
    return done.error();
  }

  void change(const char* sql) {
    runtime::connection c{disk, "/d/shard-001.db", runtime::access_mode::write, runtime::shard_format, "", "FULL", 64};
    c.run(sql);
  }
};

std::vector<std::uint64_t> from_to(std::uint64_t from, std::uint64_t to) {
  std::vector<std::uint64_t> out(to - from + 1);
  std::iota(out.begin(), out.end(), from);
  return out;
}

} // namespace

BOOST_FIXTURE_TEST_SUITE(event_walk, walked)

BOOST_AUTO_TEST_CASE(every_event_comes_once_and_in_order) {
  BOOST_TEST(walk({}, head()) == from_to(1, 30), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_walk_ends_where_it_was_told_to_and_the_next_goes_on_there) {
  const auto then = head();
  fill(31, 40);
  BOOST_TEST(walk({}, then) == from_to(1, 30), boost::test_tools::per_element());
  BOOST_TEST(walk(then, head()) == from_to(31, 40), boost::test_tools::per_element());
  BOOST_TEST(walk(head(), head()).empty());
}

BOOST_AUTO_TEST_CASE(the_journals_ends_are_its_newest_entries_also_when_it_was_cut) {
  BOOST_TEST(must(runtime::journal_ends(disk, "/d")).at(1) == 30u);
  BOOST_TEST(must(runtime::read_store_position(disk, "/d", 1)).applied == 30u);
  auto j = must(runtime::open_journal(disk, "/d", {1 << 20, 0}));
  must(j->cut(1, {30, 1, "", 0}));
  BOOST_TEST(must(runtime::journal_ends(disk, "/d")).at(1) == 30u);
  must(j->write({write_of(1, {batch(31, {submission(1, "more")})}, 1, 1)}));
  BOOST_TEST(must(runtime::journal_ends(disk, "/d")).at(1) == 31u);
}

BOOST_AUTO_TEST_CASE(a_changed_event_is_named) {
  change("UPDATE event SET body = x'00' WHERE seq = 17");
  const auto why = failure({}, head());
  BOOST_TEST((why.code == ec::damaged));
  BOOST_TEST(why.message.find("shard-001.db: event 17") != std::string::npos, why.message);
}

BOOST_AUTO_TEST_CASE(a_missing_event_is_named) {
  change("DELETE FROM event WHERE seq = 5");
  BOOST_TEST(failure({}, head()).message.find("event 5: is missing") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_missing_end_is_named) {
  const auto then = head();
  change("DELETE FROM event WHERE seq > 28");
  BOOST_TEST(failure({}, then).message.find("event 29: is missing") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_last_event_that_is_not_the_one_of_the_state_is_named) {
  auto to = head();
  to.hash[0] ^= 1;
  const auto why = failure({}, to);
  BOOST_TEST((why.code == ec::damaged));
  BOOST_TEST(why.message.find("event 30: its hash") != std::string::npos, why.message);
}

BOOST_AUTO_TEST_CASE(a_place_that_is_not_of_this_store_is_refused) {
  auto other = head();
  other.hash[0] ^= 1;
  auto why = failure(other, head());
  BOOST_TEST((why.code == ec::invalid));
  BOOST_TEST(why.message.find("another data directory") != std::string::npos, why.message);
  why = failure({31, {}}, head());
  BOOST_TEST((why.code == ec::invalid));
  BOOST_TEST(why.message.find("the newest is 30") != std::string::npos, why.message);
}

BOOST_AUTO_TEST_CASE(a_failure_of_who_takes_the_events_ends_the_walk) {
  int taken = 0;
  const auto done =
      runtime::walk_events(disk, "/d", 1, {}, head(), [&](std::uint64_t, std::string_view) -> runtime::storage_result<void> {
        if (++taken == 3)
          return tl::unexpected<runtime::storage_error>({ec::io_failed, "enough"});
        return {};
      });
  BOOST_REQUIRE(!done);
  BOOST_TEST(done.error().message == "enough");
  BOOST_TEST(taken == 3);
}

BOOST_AUTO_TEST_SUITE_END()
