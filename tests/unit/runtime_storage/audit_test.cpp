// The audit finds a whole directory whole, and names the first broken entry of any other.
#include "runtime/storage/audit.hpp"

#include "domain/ids.hpp"
#include "runtime/storage/directory_lock.hpp"
#include "runtime/storage/shard_rows.hpp"
#include "runtime/storage/sqlite.hpp"
#include "tests/unit/runtime_storage/simulated_fixture.hpp"

#include <algorithm>
#include <sys/wait.h>
#include <unistd.h>

using namespace epione;
using namespace epione::storage_tests;

namespace {

struct audited : simulated {
  audited() : simulated(13) {
    auto j = must(runtime::open_journal(disk, "/d", {1 << 20, 0}));
    for (std::uint32_t shard = 1; shard <= 2; ++shard) {
      auto store = must(runtime::open_shard_store(disk, "/d", shard));
      for (std::uint64_t i = 1; i <= 30; ++i) {
        const auto e = batch(i, {submission(i % 7, std::to_string(i))});
        must(j->write({write_of(shard, {e}, 1, 1)}));
        must(store->apply({e}));
      }
      const auto point = must(store->checkpoint());
      if (shard == 1)
        must(j->cut(shard, {20, point->term, "", 0}));
    }
  }

  runtime::audit_report audit() { return runtime::audit_directory(disk, "/d", nullptr); }

  void change(const std::string& file, const char* sql) {
    const bool is_journal = file == "/d/journal.db";
    runtime::connection c{disk,
                          file,
                          runtime::access_mode::write,
                          is_journal ? runtime::file_format{0x45504a4c, 1, "journal"} : runtime::shard_format,
                          "",
                          "FULL",
                          64};
    c.run(sql);
  }

  /// Takes back a subject's newest submission as somebody would who can compute every checksum.
  void forge_subject_row(std::uint32_t shard, std::uint64_t subject_hash) {
    runtime::connection c{disk, runtime::shard_path("/d", shard), runtime::access_mode::write, runtime::shard_format, "", "FULL",
                          64};
    auto state = runtime::read_state(c, shard);
    runtime::prepared select{c, runtime::select_subject}, event{c, runtime::select_event}, upsert{c, runtime::upsert_subject},
        replace{c, runtime::replace_state};
    const auto row = runtime::read_subject(c, select, subject_hash);
    event.bind(1, row.last);
    BOOST_REQUIRE(event.step());
    const auto blob = row.blob();
    const auto forged =
        runtime::subject_row::from(runtime::read_event(c, event).previous, std::string_view{blob}.substr(0, blob.size() - 2));
    event.reset();
    state.subjects += runtime::checksum_of(subject_hash, forged) - runtime::checksum_of(subject_hash, row);
    bind(upsert, subject_hash, forged);
    upsert.run();
    bind(replace, state);
    replace.run();
  }

  /// The one broken part says all of this.
  void expect_broken(std::initializer_list<const char*> words) {
    const auto report = audit();
    BOOST_TEST(!report.ok());
    const auto broken =
        std::find_if(report.parts.begin(), report.parts.end(), [](const auto& p) { return p.broken.has_value(); });
    BOOST_REQUIRE(broken != report.parts.end());
    for (const auto* word : words)
      BOOST_TEST((broken->broken->find(word) != std::string::npos), *broken->broken << " does not say " << word);
  }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(audit_suite, audited)

BOOST_AUTO_TEST_CASE(a_whole_directory_is_found_whole) {
  std::vector<std::string> seen;
  const auto report =
      runtime::audit_directory(disk, "/d", [&](std::string_view part, std::uint64_t) { seen.emplace_back(part); });
  for (const auto& p : report.parts)
    BOOST_TEST(!p.broken.has_value(), *p.broken);
  BOOST_REQUIRE(report.parts.size() == 4);
  BOOST_TEST(report.parts[0].file == "/d/journal.db group 1");
  BOOST_TEST(report.parts[0].entries == 10u);
  BOOST_TEST(report.parts[1].last == 30u);
  BOOST_TEST(report.parts[2].file == "/d/shard-001.db");
  BOOST_TEST(report.parts[2].entries == 30u);
  BOOST_TEST(report.parts[2].head_hex.size() == 64u);
  BOOST_TEST(seen.size() >= 4u);
}

BOOST_AUTO_TEST_CASE(the_audit_writes_nothing) {
  disk.kill();
  const auto before = disk.digest();
  const auto operations = disk.operations();
  BOOST_TEST(audit().ok());
  BOOST_TEST(disk.operations() == operations);
  BOOST_TEST(disk.digest() == before);
}

BOOST_AUTO_TEST_CASE(a_changed_event_is_named_even_with_a_fitting_checksum) {
  change("/d/shard-002.db", "UPDATE event SET body = x'00' WHERE seq = 17");
  expect_broken({"shard-002.db", "event 17"});
}

BOOST_AUTO_TEST_CASE(an_event_that_is_gone_is_named) {
  change("/d/shard-001.db", "DELETE FROM event WHERE seq = 3");
  expect_broken({"shard-001.db", "event 3", "missing"});
}

BOOST_AUTO_TEST_CASE(a_cut_tail_of_a_store_is_named) {
  change("/d/shard-001.db", "DELETE FROM event WHERE seq > 25");
  expect_broken({"shard-001.db", "event 26", "30"});
}

BOOST_AUTO_TEST_CASE(a_changed_subject_row_is_named) {
  change("/d/shard-001.db", "UPDATE subject SET last = 1");
  expect_broken({"shard-001.db", "subject row"});
}

BOOST_AUTO_TEST_CASE(a_missing_subject_row_is_named) {
  change("/d/shard-001.db", "DELETE FROM subject WHERE hash = (SELECT max(hash) FROM subject)");
  expect_broken({"shard-001.db", "subjects", "missing"});
}

BOOST_AUTO_TEST_CASE(a_subject_row_that_hides_a_submission_is_named_even_with_fitting_checksums) {
  forge_subject_row(1, hash_of_subject(3));
  BOOST_TEST(runtime::open_shard_store(disk, "/d", 1).has_value()); // only the events tell
  expect_broken({"shard-001.db", "subject row", "newest"});
}

BOOST_AUTO_TEST_CASE(a_changed_journal_entry_is_named) {
  change("/d/journal.db", "UPDATE entry SET data = x'00' WHERE group_id = 2 AND entry_index = 9");
  expect_broken({"journal.db", "group 2", "entry 9"});
}

BOOST_AUTO_TEST_CASE(a_journal_behind_its_mark_is_named) {
  change("/d/journal.db", "DELETE FROM entry WHERE group_id = 2 AND entry_index >= 29; DELETE FROM groups WHERE id = 1");
  expect_broken({"journal.db", "behind its mark"});
}

BOOST_AUTO_TEST_CASE(a_store_that_is_gone_and_cannot_be_made_again_is_named) {
  disk.kill();
  disk.remove("/d/shard-002.db");
  BOOST_TEST(audit().ok()); // all of it is in the journal
  disk.remove("/d/shard-001.db");
  expect_broken({"shard-001.db", "is missing", "before 21"});
}

BOOST_AUTO_TEST_CASE(a_store_ahead_of_the_journal_is_named) {
  must(must(runtime::open_shard_store(disk, "/d", 2))->apply({batch(31, {submission(1, "new")})}));
  expect_broken({"journal.db", "group 2", "ends at entry 30", "applied entry 31"});
}

BOOST_AUTO_TEST_CASE(a_store_older_than_the_cut_is_named) {
  disk.kill();
  for (const auto* f : {"/d/shard-001.db", "/d/shard-001.db-wal"})
    disk.remove(f);
  must(must(runtime::open_shard_store(disk, "/d", 1))->apply({batch(1, {submission(1, "1")})}));
  expect_broken({"shard-001.db", "up to 1 only", "before 21"});
}

BOOST_AUTO_TEST_CASE(a_directory_without_a_journal_is_not_whole) {
  const auto report = runtime::audit_directory(disk, "/elsewhere", nullptr);
  BOOST_TEST(!report.ok());
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(beside_a_writer)

BOOST_AUTO_TEST_CASE(another_process_may_audit_while_this_one_writes) {
  fresh_directory directory;
  const auto disk = runtime::make_system_disk();
  int to_parent[2];
  BOOST_REQUIRE(::pipe(to_parent) == 0);
  // The child is made before any database is open here: a connection must not be carried over.
  const auto child = ::fork();
  if (child == 0) {
    bool ok = true, any = false;
    for (int i = 0; i < 100 && ok; ++i) {
      if (!disk->exists(directory.path() + "/shard-001.db-wal"))
        continue;
      const auto report = runtime::audit_directory(*disk, directory.path(), nullptr);
      for (const auto& p : report.parts)
        any = any || p.entries > 0;
      ok = report.ok();
      if (!ok)
        for (const auto& p : report.parts)
          if (p.broken)
            std::fprintf(stderr, "%s\n", p.broken->c_str());
    }
    static_cast<void>(any);
    const char answer = ok ? 'y' : 'n';
    static_cast<void>(!::write(to_parent[1], &answer, 1));
    ::_exit(0);
  }
  auto j = must(runtime::open_journal(*disk, directory.path(), {256 << 10, 0}));
  auto store = must(runtime::open_shard_store(*disk, directory.path(), 1));
  std::uint64_t i = 0;
  int status = 0;
  while (::waitpid(child, &status, WNOHANG) == 0 || i < 500) {
    ++i;
    const auto e = batch(i, {submission(i % 7, std::to_string(i), std::string(500, 'x'))});
    must(j->write({write_of(1, {e}, 1, 1)}));
    must(store->apply({e}));
    if (i % 100 == 0)
      if (const auto point = must(store->checkpoint()))
        must(j->cut(1, *point));
    must(j->maintain());
  }
  char answer = 0;
  BOOST_REQUIRE(::read(to_parent[0], &answer, 1) == 1);
  BOOST_TEST(answer == 'y');
  ::close(to_parent[0]);
  ::close(to_parent[1]);
  BOOST_TEST(runtime::audit_directory(*disk, directory.path(), nullptr).ok());
  BOOST_TEST(must(j->load(1)).entries.size() < 101u);
}

BOOST_AUTO_TEST_CASE(a_directory_is_used_by_one_process_at_a_time) {
  fresh_directory directory;
  auto held = must(runtime::open_directory_lock(directory.path()));
  const auto refused = runtime::open_directory_lock(directory.path());
  BOOST_REQUIRE(!refused);
  BOOST_TEST((refused.error().code == ec::in_use));
  BOOST_TEST((refused.error().message.find(std::to_string(::getpid())) != std::string::npos));
  held.reset();
  must(runtime::open_directory_lock(directory.path()));
}

BOOST_AUTO_TEST_SUITE_END()
