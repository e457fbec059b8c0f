// What the journal promises: what it accepted is there after reopening, nothing else is, and damage is noticed.
#include "runtime/storage/mark_file.hpp"
#include "runtime/storage/sqlite.hpp"
#include "tests/unit/runtime_storage/storage_fixture.hpp"

using namespace epione;
using namespace epione::storage_tests;

namespace {

constexpr runtime::journal_options journal_options{1 << 20, 0};

struct journal_fixture {
  fresh_directory directory;
  std::unique_ptr<runtime::disk> disk = runtime::make_system_disk();
  std::unique_ptr<runtime::journal> journal = open();

  std::unique_ptr<runtime::journal> open() { return must(runtime::open_journal(*disk, directory.path(), journal_options)); }
  void reopen() {
    journal.reset();
    journal = open();
  }
  void fill(std::uint32_t group, std::uint64_t from, std::uint64_t to, std::uint64_t term = 1) {
    messages::log_entries entries;
    for (auto i = from; i <= to; ++i)
      entries.push_back(entry(i, "entry " + std::to_string(i) + " of term " + std::to_string(term), term));
    must(journal->write({write_of(group, entries)}));
  }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(journal_suite, journal_fixture)

BOOST_AUTO_TEST_CASE(an_unknown_group_is_empty) {
  const auto log = must(journal->load(3));
  BOOST_TEST(log.term == 0u);
  BOOST_TEST(log.entries.empty());
  BOOST_TEST(!log.cut.has_value());
}

BOOST_AUTO_TEST_CASE(what_was_written_is_there_after_reopening) {
  must(journal->write({write_of(0, {entry(1, "configuration", 1, messages::entry_type::change)}, 1, 7),
                       write_of(5, {entry(1, std::string(100'000, 'x')), entry(2, "", 1, messages::entry_type::barrier)}, 1)}));
  must(journal->write({write_of(0, {}, 2, 9)}));
  for (int round = 0; round < 2; ++round) {
    const auto zero = must(journal->load(0));
    BOOST_TEST(zero.term == 2u);
    BOOST_TEST(zero.voted_for == 9u);
    BOOST_REQUIRE(zero.entries.size() == 1);
    BOOST_TEST((zero.entries[0].type == messages::entry_type::change));
    BOOST_TEST(*zero.entries[0].data == "configuration");
    const auto five = must(journal->load(5));
    BOOST_REQUIRE(five.entries.size() == 2);
    BOOST_TEST(five.entries[0].data->size() == 100'000u);
    BOOST_TEST((five.entries[1].type == messages::entry_type::barrier));
    BOOST_TEST(five.entries[1].data->empty());
    reopen();
  }
}

BOOST_AUTO_TEST_CASE(entries_from_an_index_on_are_replaced) {
  fill(1, 1, 10);
  fill(1, 6, 7, 2);
  reopen();
  const auto log = must(journal->load(1));
  BOOST_REQUIRE(log.entries.size() == 7);
  BOOST_TEST(log.entries[4].term == 1u);
  BOOST_TEST(log.entries[5].term == 2u);
  BOOST_TEST(*log.entries[6].data == "entry 7 of term 2");
}

BOOST_AUTO_TEST_CASE(a_gap_is_refused_and_leaves_nothing_behind) {
  fill(1, 1, 3);
  const auto refused = journal->write({write_of(2, {entry(1, "other group")}), write_of(1, {entry(5, "gap")})});
  BOOST_REQUIRE(!refused);
  BOOST_TEST((refused.error().code == ec::invalid));
  BOOST_TEST(must(journal->load(2)).entries.empty());
  fill(1, 4, 4);
  reopen();
  BOOST_TEST(must(journal->load(1)).entries.size() == 4u);
  BOOST_TEST(must(journal->load(2)).entries.empty());
}

BOOST_AUTO_TEST_CASE(a_cut_log_begins_behind_the_cut) {
  fill(1, 1, 3'000);
  must(journal->cut(1, {2'500, 1, "configuration", 1}));
  fill(1, 3'001, 3'001);
  while (must(journal->maintain())) {
  }
  for (int round = 0; round < 2; ++round) {
    const auto log = must(journal->load(1));
    BOOST_REQUIRE(log.cut.has_value());
    BOOST_TEST(log.cut->index == 2'500u);
    BOOST_TEST(log.cut->configuration == "configuration");
    BOOST_REQUIRE(log.entries.size() == 501);
    BOOST_TEST(log.entries[0].index == 2'501u);
    reopen();
  }
  const auto refused = journal->write({write_of(1, {entry(2'500, "behind the cut")})});
  BOOST_REQUIRE(!refused);
  BOOST_TEST((refused.error().code == ec::invalid));
}

BOOST_AUTO_TEST_CASE(a_log_that_is_replaced_begins_behind_the_point_and_keeps_nothing_of_before) {
  fill(3, 1, 20);
  fill(4, 1, 5);
  auto write = std::make_shared<messages::journal_write>();
  write->group = 3;
  write->reset = messages::snapshot_point{100, 4, "servers", 90};
  write->term = 4;
  must(journal->write({write}));
  must(journal->write({write_of(3, {entry(101, "next", 4)})}));
  for (int round = 0; round < 2; ++round) {
    const auto log = must(journal->load(3));
    BOOST_REQUIRE(log.cut.has_value());
    BOOST_TEST(log.cut->index == 100u);
    BOOST_TEST(log.cut->configuration == "servers");
    BOOST_TEST(log.term == 4u);
    BOOST_REQUIRE(log.entries.size() == 1u);
    BOOST_TEST(*log.entries[0].data == "next");
    BOOST_TEST(must(journal->load(4)).entries.size() == 5u);
    reopen();
  }
  BOOST_TEST(!journal->write({write}).has_value()); // it does not go back
}

BOOST_AUTO_TEST_CASE(a_log_cut_at_its_end_goes_on) {
  fill(1, 1, 10);
  must(journal->cut(1, {10, 1, "", 0}));
  reopen();
  fill(1, 11, 12);
  reopen();
  BOOST_TEST(must(journal->load(1)).entries.size() == 2u);
}

BOOST_AUTO_TEST_CASE(a_log_is_not_cut_beyond_what_is_stored) {
  fill(1, 1, 10);
  const auto refused = journal->cut(1, {11, 1, "", 0});
  BOOST_REQUIRE(!refused);
  BOOST_TEST((refused.error().code == ec::invalid));
  BOOST_TEST(!journal->cut(2, {1, 1, "", 0}).has_value());
  BOOST_TEST(!journal->cut(1, {5, 9, "", 0}).has_value());
}

BOOST_AUTO_TEST_CASE(as_many_groups_as_the_mark_holds_have_their_place_whatever_is_written_with_them) {
  constexpr auto groups_max = static_cast<std::uint32_t>(runtime::mark_file::groups_max);
  std::vector<messages::journal_write_ptr> known;
  for (std::uint32_t g = 0; g + 1 < groups_max; ++g)
    known.push_back(write_of(g, {}, 1));
  must(journal->write(known));
  known.push_back(write_of(groups_max - 1, {}, 1)); // new, in one transaction with a change of all others
  must(journal->write(known));
  reopen();
  BOOST_TEST(journal->groups().size() == groups_max);
  const auto refused = journal->write({write_of(groups_max, {}, 1)});
  BOOST_REQUIRE(!refused);
  BOOST_TEST((refused.error().code == ec::invalid));
  must(journal->write(known));
}

BOOST_AUTO_TEST_CASE(the_wal_is_used_again_and_does_not_grow) {
  const std::string data(20'000, 'y');
  std::uintmax_t largest = 0;
  for (std::uint64_t i = 1; i <= 2'000; ++i) {
    must(journal->write({write_of(1, {entry(i, data)})}));
    while (must(journal->maintain())) {
    }
    largest = std::max(largest, std::filesystem::file_size(directory.path() + "/journal.db-wal"));
  }
  BOOST_TEST(largest < 4u << 20);
  BOOST_TEST(journal->counters().checkpoints > 10u);
  reopen();
  BOOST_TEST(must(journal->load(1)).entries.size() == 2'000u);
}

BOOST_AUTO_TEST_CASE(a_group_that_is_seldom_cut_does_not_keep_the_others_rows) {
  fill(9, 1, 5);
  for (std::uint64_t i = 1; i <= 60; ++i) {
    fill(1, i * 500 - 499, i * 500);
    must(journal->cut(1, {i * 500 - 10, 1, "", 0}));
    while (must(journal->maintain())) {
    }
    if (i % 20 == 0) {
      fill(9, 5 + i / 20, 5 + i / 20);
      reopen();
    }
  }
  BOOST_TEST(must(journal->load(9)).entries.size() == 8u);
  BOOST_TEST(must(journal->load(1)).entries.size() == 10u);
  fill(9, 3, 4, 2); // replaces entries that lie in several places
  reopen();
  BOOST_TEST(must(journal->load(9)).entries.size() == 4u);
  runtime::connection c{
      *disk, directory.path() + "/journal.db", runtime::access_mode::read, {0x45504a4c, 1, "journal"}, "", "FULL", 64};
  BOOST_TEST(c.number("SELECT count(*) FROM entry") < 9'000);
}

BOOST_AUTO_TEST_CASE(deleted_rows_make_room_for_new_ones) {
  const std::string data(20'000, 'y');
  for (std::uint64_t i = 1; i <= 3'000; ++i) {
    must(journal->write({write_of(1, {entry(i, data)})}));
    if (i % 100 == 0)
      must(journal->cut(1, {i - 10, 1, "", 0}));
    while (must(journal->maintain())) {
    }
  }
  BOOST_TEST(std::filesystem::file_size(directory.path() + "/journal.db") < 12u << 20);
  BOOST_TEST(must(journal->load(1)).entries.size() == 10u);
}

BOOST_AUTO_TEST_SUITE_END()
