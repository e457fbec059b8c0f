// What a shard's store promises: every event once, in order, found by its subject and receipt.
#include "domain/chain.hpp"
#include "tests/unit/runtime_storage/storage_fixture.hpp"

using namespace epione;
using namespace epione::storage_tests;

namespace {

struct store_fixture {
  fresh_directory directory;
  std::unique_ptr<runtime::disk> disk = runtime::make_system_disk();
  std::unique_ptr<runtime::shard_store> store = open();

  std::unique_ptr<runtime::shard_store> open() { return must(runtime::open_shard_store(*disk, directory.path(), 3)); }
  std::unique_ptr<runtime::store_reader> reader() { return must(runtime::open_store_reader(*disk, directory.path(), 3)); }
  void reopen() {
    store.reset();
    store = open();
  }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(shard_store_suite, store_fixture)

BOOST_AUTO_TEST_CASE(a_new_store_has_applied_nothing) {
  BOOST_TEST(store->applied().index == 0u);
  BOOST_TEST(store->head().seq == 0u);
  BOOST_TEST((store->head().hash == domain::chain_origin(3)));
  BOOST_TEST(must(reader()->head(1)).last_seq == 0u);
}

BOOST_AUTO_TEST_CASE(a_reader_of_a_store_that_is_not_there_says_so) {
  const auto none = runtime::open_store_reader(*disk, directory.path(), 4);
  BOOST_REQUIRE(!none);
  BOOST_TEST((none.error().code == ec::not_found));
}

BOOST_AUTO_TEST_CASE(submissions_are_found_and_listed_newest_first) {
  const auto result = must(store->apply({entry(1, "configuration", 1, messages::entry_type::change),
                                         batch(2, {submission(7, "a"), submission(8, "a"), submission(7, "b")}),
                                         entry(3, "", 2, messages::entry_type::barrier)}));
  BOOST_TEST(result.events == 3u);
  must(store->apply({batch(4, {submission(7, "c")})}));
  for (int round = 0; round < 2; ++round) {
    BOOST_TEST(store->applied().index == 4u);
    BOOST_TEST(store->applied().configuration == "configuration");
    BOOST_TEST(store->applied().configuration_index == 1u);
    BOOST_TEST(store->head().seq == 4u);
    auto r = reader();
    const auto head = must(r->head(hash_of_subject(7)));
    BOOST_TEST(head.last_seq == 4u);
    BOOST_TEST(head.count == 3u);
    BOOST_TEST(head.tags[0] == domain::key_tag(domain::make_receipt("demo", "7", "a")));
    const auto found = must(r->find(hash_of_subject(7), domain::make_receipt("demo", "7", "a")));
    BOOST_REQUIRE(found.has_value());
    BOOST_TEST(found->seq == 1u);
    BOOST_TEST(found->bytes == submission(7, "a").event);
    BOOST_TEST(!must(r->find(hash_of_subject(7), domain::make_receipt("demo", "7", "d"))).has_value());
    auto listed = must(r->list(hash_of_subject(7), "demo", "7", 0, 2));
    BOOST_REQUIRE(listed.size() == 2);
    BOOST_TEST(listed[0].seq == 4u);
    BOOST_TEST(listed[1].seq == 3u);
    listed = must(r->list(hash_of_subject(7), "demo", "7", 3, 10));
    BOOST_REQUIRE(listed.size() == 1);
    BOOST_TEST(listed[0].seq == 1u);
    BOOST_TEST(must(r->list(hash_of_subject(7), "demo", "other", 0, 10)).empty());
    const auto all = must(r->scan(2, 10));
    BOOST_REQUIRE(all.size() == 3);
    BOOST_TEST(all[0].bytes == submission(8, "a").event);
    reopen();
  }
}

BOOST_AUTO_TEST_CASE(a_repeat_changes_nothing_also_within_one_transaction) {
  const auto result = must(store->apply({batch(1, {submission(7, "a"), submission(7, "a")}), batch(2, {submission(7, "a")})}));
  BOOST_TEST(result.events == 1u);
  BOOST_TEST(result.repeats == 2u);
  reopen();
  const auto again = must(store->apply({batch(3, {submission(7, "a"), submission(7, "b")})}));
  BOOST_TEST(again.events == 1u);
  BOOST_TEST(again.repeats == 1u);
  BOOST_TEST(store->head().seq == 2u);
  BOOST_TEST(must(reader()->head(hash_of_subject(7))).count == 2u);
}

BOOST_AUTO_TEST_CASE(another_content_under_a_stored_key_stops_the_store_and_changes_nothing) {
  must(store->apply({batch(1, {submission(7, "a")})}));
  const auto before = store->head();
  const auto conflict = store->apply({batch(2, {submission(8, "x"), submission(7, "a", "other answers")})});
  BOOST_REQUIRE(!conflict);
  BOOST_TEST((conflict.error().code == ec::conflicting_apply));
  BOOST_TEST(store->applied().index == 1u);
  BOOST_TEST((store->head().hash == before.hash));
  BOOST_TEST(must(reader()->head(hash_of_subject(8))).last_seq == 0u);
}

BOOST_AUTO_TEST_CASE(entries_that_are_applied_already_are_skipped_and_a_gap_is_refused) {
  must(store->apply({batch(1, {submission(7, "a")}), batch(2, {submission(7, "b")})}));
  const auto result =
      must(store->apply({batch(1, {submission(7, "a")}), batch(2, {submission(7, "b")}), batch(3, {submission(7, "c")})}));
  BOOST_TEST(result.events == 1u);
  BOOST_TEST(result.repeats == 0u);
  const auto gap = store->apply({batch(5, {submission(7, "d")})});
  BOOST_REQUIRE(!gap);
  BOOST_TEST((gap.error().code == ec::damaged));
  BOOST_TEST(store->applied().index == 3u);
}

BOOST_AUTO_TEST_CASE(an_unknown_command_or_batch_changes_nothing) {
  auto strange = submission(7, "a");
  strange.type = static_cast<domain::command_type>(99);
  for (const auto& e : {batch(2, {strange}), entry(2, "no batch"), entry(2, "", 1, static_cast<messages::entry_type>(77))}) {
    const auto refused = store->apply({batch(1, {submission(8, "a")}), e});
    BOOST_REQUIRE(!refused);
    BOOST_TEST((refused.error().code == ec::unknown_command));
    BOOST_TEST(store->applied().index == 0u);
  }
}

BOOST_AUTO_TEST_CASE(a_record_is_chained_but_neither_listed_nor_a_key) {
  domain::event e;
  e.who = "system";
  e.action = "submission.set-aside";
  e.entity = "demo/7/x";
  must(store->apply({batch(
      1,
      {submission(7, "a"), {domain::command_type::record, hash_of_subject(7), {}, {}, domain::encode(e)}, submission(7, "b")})}));
  auto r = reader();
  BOOST_TEST(must(r->head(hash_of_subject(7))).count == 2u);
  BOOST_TEST(must(r->head(hash_of_subject(7))).last_seq == 3u);
  const auto listed = must(r->list(hash_of_subject(7), "demo", "7", 0, 10));
  BOOST_REQUIRE(listed.size() == 2);
  BOOST_TEST(listed[1].seq == 1u);
  BOOST_TEST(must(r->scan(0, 10)).size() == 3u);
}

BOOST_AUTO_TEST_CASE(the_chain_is_that_of_the_events) {
  must(store->apply({batch(1, {submission(7, "a"), submission(8, "b")})}));
  auto hash = domain::chain_next(domain::chain_origin(3), 1, submission(7, "a").event);
  hash = domain::chain_next(hash, 2, submission(8, "b").event);
  BOOST_TEST((store->head().hash == hash));
}

BOOST_AUTO_TEST_CASE(a_subject_with_very_many_submissions_keeps_a_set_of_bounded_size) {
  constexpr std::uint64_t many = 5'000;
  std::uint64_t index = 0;
  for (std::uint64_t i = 0; i < many; i += 500) {
    std::vector<domain::command> commands;
    for (auto k = i; k < i + 500; ++k)
      commands.push_back(submission(7, std::to_string(k)));
    must(store->apply({batch(++index, commands)}));
  }
  auto r = reader();
  const auto head = must(r->head(hash_of_subject(7)));
  BOOST_TEST(head.count == many);
  BOOST_TEST(head.last_seq == many);
  BOOST_TEST(head.tags.size() <= many);
  for (const auto* key : {"0", "4095", "4096", "4097", "4999"}) {
    const auto id = domain::make_receipt("demo", "7", key);
    BOOST_TEST((std::find(head.tags.begin(), head.tags.end(), domain::key_tag(id)) != head.tags.end()));
    BOOST_TEST(must(r->find(hash_of_subject(7), id)).has_value());
  }
  const auto result = must(store->apply({batch(++index, {submission(7, "3"), submission(7, "4999"), submission(7, "new")})}));
  BOOST_TEST(result.repeats == 2u);
  BOOST_TEST(result.events == 1u);
}

BOOST_AUTO_TEST_CASE(a_checkpoint_names_the_point_that_is_in_the_file) {
  must(store->apply({entry(1, "configuration", 1, messages::entry_type::change), batch(2, {submission(7, "a")})}));
  BOOST_TEST(store->wal_bytes() > 0u);
  const auto point = must(store->checkpoint());
  BOOST_REQUIRE(point.has_value());
  BOOST_TEST(point->index == 2u);
  BOOST_TEST(point->term == 1u);
  BOOST_TEST(point->configuration == "configuration");
  BOOST_TEST(store->wal_bytes() == 0u);
  BOOST_TEST(store->file_bytes().value() == std::filesystem::file_size(directory.path() + "/shard-003.db"));
  store.reset();
  std::filesystem::remove(directory.path() + "/shard-003.db-wal");
  store = open();
  BOOST_TEST(store->applied().index == 2u);
  BOOST_TEST(must(reader()->list(hash_of_subject(7), "demo", "7", 0, 10)).size() == 1u);
}

BOOST_AUTO_TEST_SUITE_END()
