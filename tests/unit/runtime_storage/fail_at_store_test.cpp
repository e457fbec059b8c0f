// Whatever a shard's store needs is refused once: opening, applying and checkpoints say so, and it comes back whole.
#include "tests/unit/runtime_storage/fail_at_store.hpp"

using namespace epione;
using namespace epione::storage_tests;

namespace {

/// The life of a process that applies the log in pieces, each ending at one of these entries and followed by a checkpoint.
class applier {
public:
  explicit applier(std::vector<std::uint64_t> pieces) : pieces_(std::move(pieces)) {}

  /// True when a call reported a failure. After one it goes on as long as the store lets it.
  bool run(runtime::disk& d) {
    auto opened = tested([&] { return runtime::open_shard_store(d, "/d", tested_shard); });
    if (!opened) {
      expect_failure(opened.error());
      return true;
    }
    for (const auto until : pieces_)
      if (!apply(**opened, until) || !checkpoint(**opened))
        return true;
    return told_;
  }

  std::uint64_t applied() const { return applied_; }
  std::uint64_t durable() const { return durable_; }

private:
  /// A failure leaves the store where it was; then it does it after all, or says again that it does not. False: as for a
  /// checkpoint.
  bool apply(runtime::shard_store& store, std::uint64_t until) {
    const auto before = store.applied().index;
    const auto entries = entries_of_store(before + 1, until);
    auto done = tested([&] { return store.apply(entries); });
    bool goes_on = true;
    if (!done) {
      told_ = true;
      expect_failure(done.error());
      BOOST_REQUIRE_EQUAL(store.applied().index, before);
      BOOST_REQUIRE(is_at(store.head(), before));
      goes_on = done.error().code == ec::disk_full;
      done = store.apply(entries);
      if (!done) {
        expect_failure(done.error());
        return false;
      }
    }
    BOOST_REQUIRE_EQUAL(store.applied().index, until);
    BOOST_REQUIRE(is_at(store.head(), until));
    applied_ = until;
    return goes_on;
  }

  /// After a failure other than a full disk the process ends: what is on the disk is unknown.
  bool checkpoint(runtime::shard_store& store) {
    auto point = tested([&] { return store.checkpoint(); });
    if (!point) {
      told_ = true;
      expect_failure(point.error());
      if (point.error().code != ec::disk_full)
        return false;
      point = store.checkpoint();
    }
    if (point && !*point) // as if somebody read
      point = store.checkpoint();
    BOOST_REQUIRE_MESSAGE(point.has_value(), (point ? "" : point.error().message));
    BOOST_REQUIRE(point->has_value());
    BOOST_REQUIRE_EQUAL((*point)->index, store.applied().index);
    durable_ = (*point)->index;
    return true;
  }

  std::vector<std::uint64_t> pieces_;
  std::uint64_t applied_ = 0, durable_ = 0;
  bool told_ = false;
};

void each_fails_once(resource what, const disk_image& before, std::uint64_t durable, const std::vector<std::uint64_t>& pieces) {
  looked_at looked;
  const bool power_loss = is_of_disk(what);
  each_use_fails_once(what, [&](std::uint64_t use) {
    faulty machine{before, seed_of(what, use)};
    applier a{pieces};
    const bool told = a.run(machine.failing);
    machine.end(what);
    if (looked.again(machine.disk, a.applied()) && !power_loss)
      return told;
    {
      const auto store = must(runtime::open_shard_store(machine.failing, "/d", tested_shard));
      BOOST_REQUIRE_GE(store->applied().index, std::max(durable, power_loss ? a.durable() : a.applied()));
    }
    expect_whole_store_that_goes_on(machine.failing, "/d");
    return told;
  });
}

} // namespace

BOOST_AUTO_TEST_SUITE(fail_at_store)

BOOST_AUTO_TEST_CASE(a_new_store_survives_each_failing_call_of_the_disk) {
  each_fails_once(resource::disk, {}, 0, {2});
  each_fails_once(resource::disk_space, {}, 0, {2});
}

BOOST_AUTO_TEST_CASE(a_new_store_survives_each_allocation_that_fails) {
  each_fails_once(resource::sqlite_memory, {}, 0, {2});
  each_fails_once(resource::program_memory, {}, 0, {2});
}

BOOST_AUTO_TEST_CASE(applying_and_checkpoints_survive_each_failing_call_of_the_disk) {
  const auto before = image_of_store("/d", 3);
  each_fails_once(resource::disk, before, 3, {4, 6});
  each_fails_once(resource::disk_space, before, 3, {4, 6});
}

BOOST_AUTO_TEST_CASE(applying_and_checkpoints_survive_each_allocation_that_fails) {
  const auto before = image_of_store("/d", 3);
  each_fails_once(resource::sqlite_memory, before, 3, {4, 6});
  each_fails_once(resource::program_memory, before, 3, {4, 6});
}

BOOST_AUTO_TEST_SUITE_END()
