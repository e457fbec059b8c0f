// Amended submissions in a store: versions in their order, once each, found again, and held to their events.
#include "runtime/storage/audit.hpp"
#include "runtime/storage/shard_rows.hpp"
#include "tests/unit/runtime_storage/storage_fixture.hpp"

#include <algorithm>

using namespace epione;
using namespace epione::storage_tests;

namespace {

struct amendment_fixture {
  fresh_directory directory;
  std::unique_ptr<runtime::disk> disk = runtime::make_system_disk();
  std::unique_ptr<runtime::shard_store> store = open();
  std::uint64_t index = 0;

  std::unique_ptr<runtime::shard_store> open() { return must(runtime::open_shard_store(*disk, directory.path(), 3)); }
  std::unique_ptr<runtime::store_reader> reader() { return must(runtime::open_store_reader(*disk, directory.path(), 3)); }
  runtime::storage_result<runtime::apply_result> apply(const std::vector<domain::command>& commands) {
    return store->apply({batch(index + 1, commands)}).map([this](runtime::apply_result&& r) {
      ++index;
      return r;
    });
  }
  std::vector<std::string> versions(const domain::command& of) {
    std::vector<std::string> out;
    const auto found = must(reader()->find(of.subject_hash, of.id));
    BOOST_REQUIRE(found);
    out.push_back(domain::decode_submission_event(found->bytes)->answers);
    for (const auto& a : found->amendments)
      out.push_back(domain::decode_amendment_event(a.bytes)->after.answers);
    return out;
  }
  std::string audit() {
    for (const auto& p : runtime::audit_directory(*disk, directory.path(), nullptr).parts)
      if (p.file.find("shard-003") != std::string::npos)
        return p.broken.value_or("");
    return "no such part";
  }
  void change(const char* sql) {
    runtime::connection c{
        *disk, runtime::shard_path(directory.path(), 3), runtime::access_mode::write, runtime::shard_format, "", "FULL", 64};
    c.run(sql);
  }
};

using texts = std::vector<std::string>;

} // namespace

BOOST_FIXTURE_TEST_SUITE(amendments, amendment_fixture)

BOOST_AUTO_TEST_CASE(versions_follow_each_other_and_a_repeat_changes_nothing) {
  const auto s = submission(7, "k");
  BOOST_TEST(must(apply({s, submission(7, "other")})).events == 2u);
  BOOST_TEST(must(apply({amendment(s, 2, "b")})).events == 1u);
  BOOST_TEST(must(apply({amendment(s, 2, "b"), amendment(s, 3, "c")})).repeats == 1u);
  BOOST_TEST((versions(s) == texts{"answers", "b", "c"}));
  BOOST_TEST(must(apply({s})).repeats == 1u); // the phone again: the first content is what its key stands for
  BOOST_TEST(store->head().seq == 4u);
  store.reset();
  store = open();
  BOOST_TEST((versions(s) == texts{"answers", "b", "c"}));
  const auto list = must(reader()->list(s.subject_hash, "demo", "7", 0, 10));
  BOOST_REQUIRE(list.size() == 2u); // an amendment is no submission of its own
  BOOST_TEST(list[0].amendments.empty());
  BOOST_TEST(list[1].amendments.size() == 2u);
  const auto older = must(reader()->list(s.subject_hash, "demo", "7", list[0].seq, 10));
  BOOST_REQUIRE(older.size() == 1u);
  BOOST_TEST(older[0].amendments.size() == 2u);
}

BOOST_AUTO_TEST_CASE(a_submission_and_its_amendment_may_be_in_one_transaction) {
  const auto s = submission(7, "k");
  BOOST_TEST(must(apply({s, amendment(s, 2, "b"), amendment(s, 3, "c")})).events == 3u);
  BOOST_TEST((versions(s) == texts{"answers", "b", "c"}));
}

BOOST_AUTO_TEST_CASE(what_does_not_continue_the_versions_stops_the_shard_and_changes_nothing) {
  const auto s = submission(7, "k");
  must(apply({s}));
  must(apply({amendment(s, 2, "b")}));
  for (const auto& bad : {amendment(s, 2, "other"), amendment(s, 4, "d"), amendment(submission(7, "unknown"), 2, "b"),
                          amendment(submission(8, "k"), 2, "b")}) {
    const auto done = apply({submission(9, "fine"), bad});
    BOOST_REQUIRE(!done);
    BOOST_TEST((done.error().code == ec::conflicting_apply));
    BOOST_TEST(store->head().seq == 2u);
  }
  auto damaged = amendment(s, 3, "c");
  damaged.event.resize(damaged.event.size() / 2);
  BOOST_TEST((apply({damaged}).error().code == ec::unknown_command));
  BOOST_TEST(must(apply({amendment(s, 3, "c")})).events == 1u);
}

BOOST_AUTO_TEST_CASE(notices_of_an_amendment_are_pending_under_its_own_event) {
  const auto s = submission(7, "k");
  must(apply({s, amendment(s, 2, "b", 2)}));
  messages::notice_question q;
  q.behind.shard = 3;
  q.limit = 10;
  const auto pending = must(reader()->pending(q));
  BOOST_REQUIRE(pending.notices.size() == 2u);
  BOOST_TEST(pending.notices[0].what.key.seq == 2u);
  BOOST_TEST(pending.notices[0].what.subject == "7");
  const auto found = must(reader()->find(s.subject_hash, s.id));
  BOOST_REQUIRE(found->amendments.size() == 1u);
  BOOST_TEST(found->amendments[0].notices.size() == 2u);
}

BOOST_AUTO_TEST_CASE(a_receipt_is_located_without_its_subject) {
  std::vector<domain::command> all;
  for (std::uint64_t i = 0; i < 200; ++i)
    all.push_back(submission(i % 37, "k" + std::to_string(i)));
  must(apply(all));
  must(apply({amendment(all[5], 2, "b")}));
  for (const auto& c : all) {
    const auto found = must(reader()->locate(c.id));
    BOOST_REQUIRE(found);
    BOOST_TEST((domain::decode_submission_event(found->bytes)->id == c.id));
  }
  BOOST_TEST(must(reader()->locate(all[5].id))->amendments.size() == 1u);
  BOOST_TEST(!must(reader()->locate(domain::make_receipt("demo", "1", "nobody's"))));
}

BOOST_AUTO_TEST_CASE(a_search_looks_at_so_many_events_and_says_where_to_go_on) {
  for (std::uint64_t i = 1; i <= 30; ++i)
    must(apply({submission(i % 3, "k" + std::to_string(i))}));
  const auto first = must(reader()->search({}, 0, 0, 100, 10));
  BOOST_TEST(first.events.size() == 10u);
  BOOST_TEST(first.events.front().seq == 30u);
  std::vector<std::uint64_t> seen;
  std::uint64_t before = 0;
  do {
    const auto page = must(reader()->search({}, 0, before, 4, 7));
    for (const auto& e : page.events)
      seen.push_back(e.seq);
    before = page.next;
    must(apply({submission(1, "new" + std::to_string(before))})); // what comes meanwhile moves nothing
  } while (before != 0);
  BOOST_TEST(seen.size() == 30u);
  BOOST_TEST(std::is_sorted(seen.rbegin(), seen.rend()));
  domain::response_filter of_one;
  of_one.study = "demo";
  of_one.subject = "2";
  const auto one = must(reader()->search(of_one, hash_of_subject(2), 0, 100, 100));
  BOOST_TEST(one.events.size() == 10u);
  BOOST_TEST(one.next == 0u);
  BOOST_TEST(must(reader()->search({}, 0, 1'000'000, 1, 10)).events.size() == 1u); // a position nobody gave
}

BOOST_AUTO_TEST_CASE(a_search_sees_the_current_version) {
  const auto s = submission(7, "k");
  auto changed = amendment(s, 2, "b");
  auto a = *domain::decode_amendment_event(changed.event);
  a.after.resource = R"({"status":"amended"})";
  changed.event = domain::encode_amendment_event(a);
  must(apply({s, changed}));
  domain::response_filter f;
  f.statuses = {"amended"};
  BOOST_TEST(must(reader()->search(f, 0, 0, 10, 10)).events.size() == 1u);
  f.statuses = {"completed"};
  BOOST_TEST(must(reader()->search(f, 0, 0, 10, 10)).events.empty());
}

BOOST_AUTO_TEST_CASE(a_row_that_does_not_match_its_events_is_damage) {
  const auto s = submission(7, "k"), t = submission(8, "k");
  must(apply({s, t, amendment(s, 2, "b"), amendment(s, 3, "c"), amendment(t, 2, "d")}));
  must(store->checkpoint());
  BOOST_TEST(audit() == "");
  change("UPDATE amendment SET seq = 4 WHERE seq = 3");
  BOOST_TEST(!reader()->find(s.subject_hash, s.id));
  change("UPDATE amendment SET seq = 3 WHERE first = 1 AND version = 2");
  BOOST_TEST(audit() == "");
  change("DELETE FROM amendment WHERE first = 2");
  BOOST_TEST(audit().find("3 amendments, but its table of them has 2 rows") != std::string::npos, audit());
}

BOOST_AUTO_TEST_CASE(a_store_of_the_format_before_is_brought_up_and_amended) {
  const auto s = submission(7, "k");
  must(apply({s}));
  must(store->checkpoint());
  store.reset();
  change("DROP TABLE amendment; PRAGMA user_version = 2");
  BOOST_TEST((versions(s) == texts{"answers"})); // by who may only read
  store = open();
  BOOST_TEST(must(apply({amendment(s, 2, "b")})).events == 1u);
  BOOST_TEST((versions(s) == texts{"answers", "b"}));
  BOOST_TEST(audit() == "");
}

BOOST_AUTO_TEST_SUITE_END()
