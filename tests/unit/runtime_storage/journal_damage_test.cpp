// A damaged journal is never taken for a whole one: each kind of damage is noticed and named.
#include "runtime/storage/mark_file.hpp"
#include "runtime/storage/sqlite.hpp"
#include "tests/unit/runtime_storage/simulated_fixture.hpp"

#include <algorithm>
#include <functional>

using namespace epione;
using namespace epione::storage_tests;

namespace {

constexpr runtime::journal_options damage_options{64 << 10, 0};
const std::string db = "/d/journal.db", wal = "/d/journal.db-wal", mark = "/d/journal.mark";

struct damaged_journal : simulated {
  damaged_journal() : simulated(11) {}

  std::unique_ptr<runtime::journal> open() { return must(runtime::open_journal(disk, "/d", damage_options)); }

  /// Two groups, a cut, a change of term; everything in the database file when `checkpointed`.
  void fill(bool checkpointed) {
    auto j = open();
    for (std::uint64_t i = 1; i <= 40; ++i)
      must(j->write({write_of(2, {entry(i, std::string(100 + i * 10, 'a'))}, 1, 1), write_of(5, {entry(i, "five")})}));
    must(j->cut(5, {10, 1, "configuration", 1}));
    must(j->write({write_of(2, {entry(41, "newest of group two")}, 2, 1)}));
    if (checkpointed) {
      j.reset();
      auto c = raw();
      BOOST_REQUIRE(c->checkpoint().complete);
    }
  }

  std::unique_ptr<runtime::connection> raw() {
    return std::make_unique<runtime::connection>(disk, db, runtime::access_mode::write,
                                                 runtime::file_format{0x45504a4c, 1, "journal"}, "", "FULL", 64);
  }

  /// Changes a row behind the journal's back, as a flipped bit that SQLite cannot see would.
  void change(const char* sql) {
    fill(true);
    auto c = raw();
    c->run(sql);
    BOOST_REQUIRE(c->checkpoint().complete);
  }

  void expect_damaged(std::initializer_list<const char*> words) {
    const auto opened = runtime::open_journal(disk, "/d", damage_options);
    BOOST_REQUIRE(!opened.has_value());
    BOOST_TEST((opened.error().code == ec::damaged), "is " << to_string(opened.error().code));
    for (const auto* word : words)
      BOOST_TEST((opened.error().message.find(word) != std::string::npos), opened.error().message << " does not say " << word);
  }

  std::uint64_t find(const std::string& path, const std::string& text) {
    const auto& bytes = disk.bytes(path);
    const auto at = std::search(bytes.begin(), bytes.end(), text.begin(), text.end());
    BOOST_REQUIRE(at != bytes.end());
    return static_cast<std::uint64_t>(at - bytes.begin());
  }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(journal_damage_suite, damaged_journal)

BOOST_AUTO_TEST_CASE(a_flipped_bit_in_an_entry_in_the_file_is_named) {
  fill(true);
  disk.truncate(wal, 0);
  disk.flip_bit(db, find(db, "newest of group two") + 3, 2);
  expect_damaged({"journal.db", "group 2", "entry 41", "checksum"});
}

BOOST_AUTO_TEST_CASE(a_flipped_bit_in_the_wal_is_noticed_by_what_is_missing_after_it) {
  fill(false);
  disk.kill();
  disk.flip_bit(wal, disk.size(wal) - 2'000, 4);
  expect_damaged({"behind its mark", "group 2", "41"});
}

BOOST_AUTO_TEST_CASE(each_changed_column_is_noticed) {
  for (const auto* sql : {"UPDATE entry SET term = 7 WHERE group_id = 2 AND entry_index = 20",
                          "UPDATE entry SET type = 3 WHERE group_id = 2 AND entry_index = 20",
                          "UPDATE entry SET number = number + 1 WHERE group_id = 2 AND entry_index = 20",
                          "UPDATE entry SET before = x'00' WHERE group_id = 2 AND entry_index = 20",
                          "UPDATE entry SET data = x'61' WHERE group_id = 2 AND entry_index = 20",
                          "UPDATE entry SET checksum = 1 WHERE group_id = 2 AND entry_index = 20",
                          "DELETE FROM entry WHERE group_id = 2 AND entry_index = 20",
                          "UPDATE entry SET entry_index = 99 WHERE group_id = 2 AND entry_index = 20"}) {
    for (const auto& f : disk.files())
      disk.remove(f);
    disk.kill();
    change(sql);
    expect_damaged({"group 2", "entry 20"});
  }
}

BOOST_AUTO_TEST_CASE(each_changed_column_of_a_group_is_noticed) {
  for (const auto* column :
       {"term", "voted_for", "number", "has_cut", "cut_index", "cut_term", "cut_configuration_index", "checksum"}) {
    for (const auto& f : disk.files())
      disk.remove(f);
    disk.kill();
    change((std::string{"UPDATE groups SET "} + column + " = 1 - " + column + " WHERE id = 5").c_str());
    expect_damaged({"group 5", "checksum"});
  }
}

BOOST_AUTO_TEST_CASE(two_rows_that_changed_places_are_noticed) {
  change("UPDATE entry SET entry_index = -1 WHERE group_id = 5 AND entry_index = 20;"
         "UPDATE entry SET entry_index = 20 WHERE group_id = 5 AND entry_index = 21;"
         "UPDATE entry SET entry_index = 21 WHERE entry_index = -1");
  expect_damaged({"group 5", "entry 20"});
}

BOOST_AUTO_TEST_CASE(a_group_that_vanished_is_noticed) {
  change("DELETE FROM groups WHERE id = 2; DELETE FROM entry WHERE group_id = 2");
  expect_damaged({"behind its mark", "group 2", "entries 1 to 41"});
}

BOOST_AUTO_TEST_CASE(entries_missing_at_the_end_of_a_group_are_noticed) {
  change("DELETE FROM entry WHERE group_id = 5 AND entry_index >= 39");
  expect_damaged({"behind its mark", "group 5: entries 39 to 40 are missing"});
}

BOOST_AUTO_TEST_CASE(a_cut_tail_of_the_wal_is_named) {
  for (const std::uint64_t cut : {1u, 512u, 4'096u, 40'000u}) {
    for (const auto& f : disk.files())
      disk.remove(f);
    disk.kill();
    fill(false);
    disk.kill();
    disk.truncate(wal, disk.size(wal) - cut);
    expect_damaged({"behind its mark", "group 2"});
  }
}

BOOST_AUTO_TEST_CASE(a_wal_that_is_gone_is_noticed) {
  fill(false);
  disk.kill();
  disk.remove(wal);
  expect_damaged({"journal.db"});
}

BOOST_AUTO_TEST_CASE(a_journal_that_is_gone_is_noticed) {
  fill(true);
  disk.kill();
  disk.remove(db);
  expect_damaged({"journal.db: is missing"});
}

BOOST_AUTO_TEST_CASE(a_journal_that_its_header_lets_nobody_write_is_damaged) {
  fill(true);
  disk.truncate(wal, 0); // SQLite would take the header from there
  disk.flip_bit(db, 18, 2);
  expect_damaged({"journal.db", "header"});
}

BOOST_AUTO_TEST_CASE(a_journal_that_is_empty_is_noticed_and_left_alone) {
  fill(false);
  disk.kill();
  disk.truncate(db, 0);
  const auto before = disk.size(db);
  expect_damaged({"journal.db"});
  BOOST_TEST(disk.size(db) == before);
}

BOOST_AUTO_TEST_CASE(a_truncated_journal_is_noticed) {
  fill(true);
  disk.truncate(wal, 0);
  disk.truncate(db, disk.size(db) / 2);
  expect_damaged({"journal.db"});
}

BOOST_AUTO_TEST_CASE(a_mark_that_is_gone_is_noticed) {
  fill(false);
  disk.kill();
  disk.remove(mark);
  expect_damaged({"journal.mark: is missing"});
}

BOOST_AUTO_TEST_CASE(a_mark_without_a_whole_slot_is_noticed_and_one_slot_is_enough) {
  fill(false);
  disk.kill();
  disk.flip_bit(mark, 100);
  BOOST_TEST(open()->groups().size() == 2u);
  disk.kill();
  disk.flip_bit(mark, 100); // opening wrote nothing over it: the other slot was the newest, or is now
  disk.flip_bit(mark, 200);
  disk.flip_bit(mark, 4'096 + 200);
  expect_damaged({"journal.mark: holds no whole mark"});
}

BOOST_AUTO_TEST_CASE(the_two_slots_of_the_mark_are_one_transaction_apart) {
  fill(false);
  auto bytes = disk.bytes(mark);
  const auto newest = runtime::mark_file::parse(bytes);
  BOOST_REQUIRE(newest.has_value());
  for (const std::size_t slot : {0u, 1u}) {
    auto torn = bytes;
    torn[slot * runtime::mark_file::slot_bytes + 2'000] ^= 1;
    const auto other = runtime::mark_file::parse(torn);
    BOOST_REQUIRE(other.has_value());
    BOOST_TEST((other->number == newest->number || other->number + 1 == newest->number));
  }
}

BOOST_AUTO_TEST_CASE(an_older_copy_of_the_journal_is_noticed) {
  fill(true);
  disk.truncate(wal, 0);
  const auto old = disk.bytes(db);
  {
    auto j = open();
    must(j->write({write_of(2, {}, 3, 2)})); // only a vote: losing it could elect two leaders
  }
  disk.kill();
  disk.remove(wal);
  disk.truncate(db, 0);
  must(must(disk.open(db))->write_at(0, old));
  expect_damaged({"behind its mark", "group 2", "term 3 is missing"});
}

BOOST_AUTO_TEST_CASE(a_file_of_another_kind_and_one_of_a_newer_format_are_refused) {
  change("PRAGMA user_version = 2");
  expect_damaged({"names format 2"}); // it has the tables of this one
  runtime::connection c{disk, db, runtime::access_mode::write, {0x45504a4c, 2, "journal"}, "", "FULL", 64};
  c.run("CREATE TABLE later(x)");
  {
    auto opened = runtime::open_journal(disk, "/d", damage_options);
    BOOST_REQUIRE(!opened);
    BOOST_TEST((opened.error().code == ec::invalid));
    BOOST_TEST((opened.error().message.find("format 2") != std::string::npos));
  }
  c.run("PRAGMA user_version = 1; PRAGMA application_id = 17");
  expect_damaged({"is not a journal"});
}

BOOST_AUTO_TEST_CASE(any_flipped_bit_is_noticed_or_harmless) {
  fill(true);
  disk.truncate(wal, 0);
  disk.kill();
  const auto whole = must(open()->load(2));
  disk.kill();
  unsigned noticed = 0;
  for (std::uint64_t at = 0; at < disk.size(db); at += 61) {
    const auto bit = static_cast<unsigned>(at % 8);
    disk.flip_bit(db, at, bit);
    if (auto opened = runtime::open_journal(disk, "/d", damage_options); !opened) {
      ++noticed;
    } else {
      const auto log = must((*opened)->load(2));
      BOOST_REQUIRE(log.entries.size() == whole.entries.size());
      for (std::size_t i = 0; i < log.entries.size(); ++i)
        BOOST_REQUIRE(*log.entries[i].data == *whole.entries[i].data);
    }
    disk.kill();
    disk.remove(wal);
    disk.flip_bit(db, at, bit);
  }
  BOOST_TEST(noticed > 100u);
}

BOOST_AUTO_TEST_SUITE_END()
