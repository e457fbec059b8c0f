// A copy of a store is of one moment, and becomes the store of another cluster.
#include "runtime/storage/store_copy.hpp"

#include "runtime/storage/event_walk.hpp"
#include "tests/unit/runtime_storage/storage_fixture.hpp"

using namespace epione;
using namespace epione::storage_tests;

namespace {

struct copied {
  fresh_directory from, to;
  std::unique_ptr<runtime::disk> disk = runtime::make_system_disk();
  std::unique_ptr<runtime::shard_store> store = must(runtime::open_shard_store(*disk, from.path(), 1));
  std::uint64_t next = 1;

  void add(std::uint64_t count) {
    messages::log_entries entries;
    for (std::uint64_t i = 0; i < count; ++i, ++next)
      entries.push_back(batch(next, {submission(next % 50, std::to_string(next), std::string(2'000, 'x'))}));
    must(store->apply(entries));
  }
  runtime::storage_result<runtime::copied_store> copy(const runtime::copy_pace& pace) {
    return runtime::copy_store(*disk, from.path(), 1, runtime::shard_path(to.path(), 1), pace);
  }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(copies, copied)

BOOST_AUTO_TEST_CASE(what_is_written_meanwhile_is_not_in_it) {
  add(2'000);
  const auto head = store->head();
  unsigned pieces = 0;
  const auto done = must(copy([&](std::uint64_t) {
    if (++pieces < 4)
      add(100); // the writer is not held up
    return runtime::storage_result<void>{};
  }));
  BOOST_TEST(pieces > 4u);
  BOOST_TEST(store->applied().index > 2'000u);
  BOOST_TEST(done.index == 2'000u);
  BOOST_TEST(done.head.seq == head.seq);
  BOOST_TEST((done.head.hash == head.hash));
  BOOST_TEST(done.bytes == std::filesystem::file_size(runtime::shard_path(to.path(), 1)));
  const auto found = must(runtime::look_at_store(*disk, to.path(), 1));
  BOOST_TEST(found.index == 2'000u);
  BOOST_TEST((found.head.hash == head.hash));
  std::uint64_t walked = 0;
  must(runtime::walk_events(*disk, to.path(), 1, {}, found.head, [&](std::uint64_t, std::string_view) {
    ++walked;
    return runtime::storage_result<void>{};
  }));
  BOOST_TEST(walked == 2'000u);
  // Nothing of the copy is left in the way of the next checkpoint.
  BOOST_TEST(must(store->checkpoint()).has_value());
}

BOOST_AUTO_TEST_CASE(a_copy_that_is_given_up_lets_go_of_the_store) {
  add(2'000);
  const auto given_up = copy([](std::uint64_t) {
    return runtime::storage_result<void>{tl::unexpect, runtime::storage_error{ec::time_limit, "enough"}};
  });
  BOOST_REQUIRE(!given_up.has_value());
  BOOST_TEST((given_up.error().code == ec::time_limit));
  BOOST_TEST(must(store->checkpoint()).has_value());
}

BOOST_AUTO_TEST_CASE(nothing_is_copied_over) {
  add(1);
  const auto none = [](std::uint64_t) { return runtime::storage_result<void>{}; };
  must(copy(none));
  const auto again = copy(none);
  BOOST_REQUIRE(!again.has_value());
  BOOST_TEST(again.error().message.find("exists already") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(an_adopted_copy_begins_a_log_behind_what_it_holds) {
  add(10);
  must(copy([](std::uint64_t) { return runtime::storage_result<void>{}; }));
  domain::event said;
  said.action = "cluster.restore";
  said.entity = "c2";
  const auto point = must(runtime::adopt_store(*disk, to.path(), 1, "servers", said));
  BOOST_TEST(point.index == 11u);
  BOOST_TEST(point.term == 1u);
  BOOST_TEST(point.configuration == "servers");
  const auto adopted = must(runtime::open_shard_store(*disk, to.path(), 1));
  BOOST_TEST(adopted->applied().index == 11u);
  BOOST_TEST(adopted->applied().configuration == "servers");
  BOOST_TEST(adopted->head().seq == 11u);
  // The same keys are still known.
  BOOST_TEST(must(adopted->apply({batch(12, {submission(3, "3", std::string(2'000, 'x'))})})).repeats == 1u);
}

BOOST_AUTO_TEST_SUITE_END()
