// A damaged store is never served from: opening, reading and the audit notice each kind of damage.
#include "runtime/storage/shard_rows.hpp"
#include "runtime/storage/sqlite.hpp"
#include "tests/unit/runtime_storage/simulated_fixture.hpp"

#include <algorithm>

using namespace epione;
using namespace epione::storage_tests;

namespace {

const std::string shard_file = "/d/shard-003.db", shard_wal = "/d/shard-003.db-wal";

struct damaged_store : simulated {
  damaged_store() : simulated(12) { fill(); }

  void fill() {
    auto store = must(runtime::open_shard_store(disk, "/d", 3));
    for (std::uint64_t i = 1; i <= 20; ++i)
      must(store->apply(
          {batch(i, {submission(7, "key " + std::to_string(i), "answers " + std::to_string(i)), submission(i + 100, "only")})}));
    BOOST_REQUIRE(must(store->checkpoint()).has_value());
  }

  void change(const char* sql) {
    runtime::connection c{disk, shard_file, runtime::access_mode::write, runtime::shard_format, "", "FULL", 64};
    c.run(sql);
    BOOST_REQUIRE(c.checkpoint().complete);
  }

  /// `found` is what was wrong, in opening or in reading everything.
  std::optional<runtime::storage_error> open_error() {
    auto store = runtime::open_shard_store(disk, "/d", 3);
    return store ? std::nullopt : std::optional{store.error()};
  }
  std::optional<runtime::storage_error> scan_error() {
    auto reader = runtime::open_store_reader(disk, "/d", 3);
    if (!reader)
      return reader.error();
    auto all = (*reader)->scan(1, 1'000);
    return all ? std::nullopt : std::optional{all.error()};
  }

  static void expect(const std::optional<runtime::storage_error>& error, std::initializer_list<const char*> words) {
    BOOST_REQUIRE(error.has_value());
    BOOST_TEST((error->code == ec::damaged), "is " << to_string(error->code));
    for (const auto* word : words)
      BOOST_TEST((error->message.find(word) != std::string::npos), error->message << " does not say " << word);
  }

  void start_again() {
    disk.kill();
    for (const auto& f : disk.files())
      disk.remove(f);
    fill();
  }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(shard_damage_suite, damaged_store)

BOOST_AUTO_TEST_CASE(each_changed_column_of_the_newest_event_stops_the_store) {
  for (const auto* column : {"previous", "type", "checksum"}) {
    start_again();
    change((std::string{"UPDATE event SET "} + column + " = " + column + " + 1 WHERE seq = 40").c_str());
    expect(open_error(), {"shard-003.db", "event 40"});
  }
  for (const auto* column : {"hash", "body"}) {
    start_again();
    change((std::string{"UPDATE event SET "} + column + " = x'6161' WHERE seq = 40").c_str());
    expect(open_error(), {"event 40"});
  }
}

BOOST_AUTO_TEST_CASE(each_changed_column_of_the_state_stops_the_store) {
  for (const auto* column : {"shard", "applied", "term", "configuration_index", "head", "checksum"}) {
    start_again();
    change((std::string{"UPDATE state SET "} + column + " = " + column + " + 1").c_str());
    expect(open_error(), {"shard-003.db"});
  }
  start_again();
  change("UPDATE state SET head_hash = x'00'");
  expect(open_error(), {"state"});
  start_again();
  change("UPDATE state SET configuration = x'00'");
  expect(open_error(), {"state"});
}

BOOST_AUTO_TEST_CASE(a_state_row_that_is_gone_stops_the_store) {
  change("DELETE FROM state");
  expect(open_error(), {"state"});
}

BOOST_AUTO_TEST_CASE(a_newest_event_that_is_gone_stops_the_store) {
  change("DELETE FROM event WHERE seq = 40");
  expect(open_error(), {"event 40", "ends at 39"});
}

BOOST_AUTO_TEST_CASE(an_older_event_that_was_changed_is_not_served) {
  change("UPDATE event SET body = replace(body, 'answers 3', 'answers 4') WHERE seq = 5");
  change("UPDATE event SET body = cast(body as blob) WHERE seq = 5");
  expect(scan_error(), {"event 5", "checksum"});
  auto reader = must(runtime::open_store_reader(disk, "/d", 3));
  const auto found = reader->find(hash_of_subject(7), domain::make_receipt("demo", "7", "key 3"));
  BOOST_REQUIRE(!found);
  BOOST_TEST((found.error().code == ec::damaged));
  const auto listed = reader->list(hash_of_subject(7), "demo", "7", 0, 100);
  BOOST_REQUIRE(!listed);
  BOOST_TEST((listed.error().code == ec::damaged));
  BOOST_TEST(must(reader->list(hash_of_subject(7), "demo", "7", 0, 5)).size() == 5u); // what is whole still is
}

// That the newer ones are damaged here only shows who reads them.
BOOST_AUTO_TEST_CASE(the_next_page_begins_where_the_last_one_ended) {
  change("UPDATE event SET checksum = checksum + 1 WHERE seq BETWEEN 31 AND 38");
  auto reader = must(runtime::open_store_reader(disk, "/d", 3));
  const auto page = must(reader->list(hash_of_subject(7), "demo", "7", 29, 3)); // 29 is its fifteenth of twenty
  BOOST_REQUIRE(page.size() == 3);
  BOOST_TEST(page[0].seq == 27u);
  BOOST_TEST(page[2].seq == 23u);
  BOOST_TEST(must(reader->list(hash_of_subject(7), "demo", "7", 1, 3)).empty());
  // An event of somebody else says nothing about where to begin, and neither does one that is not there.
  BOOST_TEST(!reader->list(hash_of_subject(7), "demo", "7", 30, 3).has_value());
  BOOST_TEST(must(reader->list(hash_of_subject(7), "demo", "7", 1'000, 1)).front().seq == 39u);
}

BOOST_AUTO_TEST_CASE(an_older_event_that_is_gone_is_noticed) {
  change("DELETE FROM event WHERE seq = 5");
  expect(scan_error(), {"event 5", "missing"});
  auto reader = must(runtime::open_store_reader(disk, "/d", 3));
  BOOST_TEST(!reader->list(hash_of_subject(7), "demo", "7", 0, 100).has_value());
}

BOOST_AUTO_TEST_CASE(a_changed_subject_row_is_not_served_and_not_opened) {
  for (const auto* sql :
       {"UPDATE subject SET last = last - 1", "UPDATE subject SET tags = x''", "UPDATE subject SET checksum = 0"}) {
    start_again();
    change(sql);
    auto reader = must(runtime::open_store_reader(disk, "/d", 3));
    BOOST_TEST((reader->head(hash_of_subject(7)).error().code == ec::damaged));
    BOOST_TEST((reader->find(hash_of_subject(7), {}).error().code == ec::damaged));
    const auto error = open_error();
    BOOST_REQUIRE(error.has_value());
    BOOST_TEST((error->code == ec::damaged));
  }
}

BOOST_AUTO_TEST_CASE(a_store_of_another_shard_is_refused) {
  const auto copy = disk.bytes(shard_file);
  must(must(disk.open("/d/shard-004.db"))->write_at(0, copy));
  auto other = runtime::open_shard_store(disk, "/d", 4);
  BOOST_REQUIRE(!other);
  BOOST_TEST((other.error().message.find("holds shard 3, not shard 4") != std::string::npos));
}

BOOST_AUTO_TEST_CASE(a_store_that_is_gone_beside_its_wal_is_refused) {
  disk.remove(shard_file);
  expect(open_error(), {"is missing", "-wal"});
}

BOOST_AUTO_TEST_CASE(a_store_that_its_header_lets_nobody_write_is_damaged) {
  disk.kill();
  disk.truncate(shard_wal, 0); // SQLite would take the header from there
  disk.flip_bit(shard_file, 18, 2);
  expect(open_error(), {"shard-003.db", "header"});
}

BOOST_AUTO_TEST_CASE(a_truncated_store_is_refused) {
  disk.kill();
  disk.truncate(shard_wal, 0);
  disk.truncate(shard_file, disk.size(shard_file) - 4'096);
  BOOST_TEST((open_error().has_value() || scan_error().has_value()));
}

BOOST_AUTO_TEST_CASE(a_store_of_the_first_format_is_brought_to_this_one) {
  bring_to_format_1(disk, "/d", 3);
  BOOST_TEST(must(must(runtime::open_store_reader(disk, "/d", 3))->scan(1, 1'000)).size() == 40u); // by who may not write
  {
    auto store = must(runtime::open_shard_store(disk, "/d", 3));
    must(store->apply({batch(21, {submission(7, "key 21", "answers 21")})}));
  }
  change("DELETE FROM subject WHERE hash = (SELECT min(hash) FROM subject)");
  expect(open_error(), {"subjects", "missing"});
}

BOOST_AUTO_TEST_CASE(a_newer_format_is_refused) {
  change("CREATE TABLE later(x); PRAGMA user_version = 9");
  const auto error = open_error();
  BOOST_REQUIRE(error.has_value());
  BOOST_TEST((error->code == ec::invalid));
  BOOST_TEST((error->message.find("format 9") != std::string::npos));
  BOOST_TEST((runtime::open_store_reader(disk, "/d", 3).error().code == ec::invalid));
}

BOOST_AUTO_TEST_CASE(a_format_that_does_not_fit_the_tables_is_damage) {
  for (const auto* format : {"7", "2", "1", "16777219"}) { // format 3 with one bit changed
    change((std::string{"PRAGMA user_version = "} + format).c_str());
    const auto named = std::string{"names format "} + format;
    expect(open_error(), {"shard-003.db", named.c_str()});
    expect(scan_error(), {named.c_str()}); // it would leave out what a later format has
    start_again();
  }
}

BOOST_AUTO_TEST_CASE(any_flipped_bit_is_noticed_or_harmless) {
  disk.kill();
  disk.truncate(shard_wal, 0);
  const auto read_all = [&]() -> std::vector<messages::stored_event> {
    auto store = runtime::open_shard_store(disk, "/d", 3);
    auto reader = runtime::open_store_reader(disk, "/d", 3);
    if (!store || !reader)
      return {};
    auto all = (*reader)->scan(1, 1'000);
    auto listed = (*reader)->list(hash_of_subject(7), "demo", "7", 0, 1'000);
    if (!all || !listed)
      return {};
    BOOST_REQUIRE(listed->size() == 20); // an empty history is no way to notice damage
    return *all;
  };
  const auto whole = read_all();
  BOOST_REQUIRE(whole.size() == 40);
  unsigned noticed = 0;
  for (std::uint64_t at = 0; at < disk.size(shard_file); at += 53) {
    disk.kill();
    disk.remove(shard_wal);
    disk.flip_bit(shard_file, at, static_cast<unsigned>(at % 8));
    const auto now = read_all();
    if (now.empty())
      ++noticed;
    else
      BOOST_REQUIRE(now.size() == whole.size()); // nothing left out either
    for (std::size_t i = 0; i < now.size(); ++i)
      BOOST_REQUIRE((now[i].seq == whole[i].seq && now[i].bytes == whole[i].bytes));
    disk.kill();
    disk.flip_bit(shard_file, at, static_cast<unsigned>(at % 8));
  }
  BOOST_TEST(noticed > 50u);
}

BOOST_AUTO_TEST_CASE(any_flipped_bit_of_a_page_header_is_noticed_or_harmless) {
  disk.kill();
  disk.truncate(shard_wal, 0);
  constexpr std::uint64_t page = 4'096;
  unsigned noticed = 0;
  for (std::uint64_t at = page; at < disk.size(shard_file); at += page)
    for (std::uint64_t bit = 0; bit < 16 * 8; ++bit) {
      disk.kill();
      disk.remove(shard_wal);
      disk.flip_bit(shard_file, at + bit / 8, static_cast<unsigned>(bit % 8));
      {
        auto store = runtime::open_shard_store(disk, "/d", 3);
        auto reader = runtime::open_store_reader(disk, "/d", 3);
        if (!store || !reader) {
          ++noticed;
        } else {
          const auto listed = reader.value()->list(hash_of_subject(7), "demo", "7", 0, 1'000);
          BOOST_REQUIRE((!listed || listed->size() == 20));
          const auto head = reader.value()->head(hash_of_subject(7));
          BOOST_REQUIRE((!head || head->count == 20));
        }
      }
      disk.kill();
      disk.flip_bit(shard_file, at + bit / 8, static_cast<unsigned>(bit % 8));
    }
  BOOST_TEST(noticed > 50u);
}

BOOST_AUTO_TEST_CASE(a_missing_or_added_subject_row_is_refused) {
  for (const auto* sql : {"DELETE FROM subject WHERE hash = (SELECT min(hash) FROM subject)", "DELETE FROM subject",
                          "INSERT INTO subject SELECT hash + 1, last, checksum, tags FROM subject LIMIT 1"}) {
    start_again();
    change(sql);
    const auto error = open_error();
    BOOST_REQUIRE(error.has_value());
    BOOST_TEST((error->code == ec::damaged));
    BOOST_TEST((error->message.find("subject") != std::string::npos));
  }
}

BOOST_AUTO_TEST_SUITE_END()
