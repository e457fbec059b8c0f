// Whatever copying a store needs is refused once, and whatever putting the copy in another's place needs: there is the one store
// or the other one, whole.
#include "tests/unit/runtime_storage/fail_at_store.hpp"

using namespace epione;
using namespace epione::storage_tests;

namespace {

runtime::storage_result<void> at_once(std::uint64_t) {
  return {};
}

/// "/from" holds the whole log, "/d" its beginning.
disk_image two_stores() {
  auto out = image_of_store("/from", store_log_end);
  out.merge(image_of_store("/d", 3));
  return out;
}

/// The files of the whole store as another member sends them.
runtime::storage_result<void> fetch(runtime::disk& d) {
  const auto incoming = runtime::incoming_path("/d", tested_shard), part = incoming + ".part";
  for (const auto* suffix : {"", "-journal", "-wal"})
    if (auto gone = d.discard(part + suffix); !gone)
      return gone;
  const runtime::copy_pace pace = at_once;
  const auto copied = tested([&] { return runtime::copy_store(d, "/from", tested_shard, part, pace); });
  if (!copied)
    return tl::unexpected(copied.error());
  BOOST_REQUIRE_EQUAL(copied->index, store_log_end);
  BOOST_REQUIRE(is_at(copied->head, store_log_end));
  return tested([&] { return d.rename(part, incoming); });
}

/// As the actor of a store does it: the log files go first.
runtime::storage_result<void> install(runtime::disk& d) {
  const auto incoming = runtime::incoming_path("/d", tested_shard), path = runtime::shard_path("/d", tested_shard);
  if (d.exists(incoming)) {
    for (const auto* suffix : {"-wal", "-shm", ""}) {
      const auto file = path + suffix;
      if (auto gone = tested([&] { return d.discard(file); }); !gone)
        return gone;
    }
    if (auto moved = tested([&] { return d.rename(incoming, path); }); !moved)
      return moved;
  }
  return tested([&] { return runtime::open_shard_store(d, "/d", tested_shard); }).map([](const auto& store) {
    BOOST_REQUIRE(is_at(store->head(), store_log_end));
  });
}

/// True when a call reported a failure.
bool take_over(runtime::disk& d) {
  auto done = fetch(d);
  if (done)
    done = install(d);
  if (!done)
    expect_failure(done.error());
  return !done;
}

void each_fails_once(resource what) {
  const auto files = two_stores();
  looked_at looked;
  each_use_fails_once(what, [&](std::uint64_t use) {
    faulty machine{files, seed_of(what, use)};
    const bool told = take_over(machine.failing);
    machine.end(what);
    if (looked.again(machine.disk, told ? 0 : 1) && !is_of_disk(what))
      return told;
    // The next process: a copy under its final name is whole; one that is not there yet is fetched again.
    auto& d = machine.failing;
    const bool fetched = d.exists(runtime::incoming_path("/d", tested_shard));
    const bool installed = !fetched && d.exists(runtime::shard_path("/d", tested_shard)) &&
                           must(runtime::look_at_store(d, "/d", tested_shard)).index == store_log_end;
    BOOST_REQUIRE((told || installed));
    if (!fetched && !installed) {
      expect_whole_store_that_goes_on(d, "/d"); // the old one was not touched
      must(fetch(d));
    }
    must(install(d));
    expect_whole_store_that_goes_on(d, "/d");
    expect_whole_store_that_goes_on(d, "/from");
    return told;
  });
}

/// A copy becomes the store of another cluster, whose chain says so.
void each_use_fails_once_while_adopting(resource what) {
  const auto files = image_of_store("/d", store_log_end);
  domain::event said;
  said.action = "cluster.restore";
  said.entity = "c2";
  const std::string servers = "the servers of the other cluster";
  looked_at looked;
  each_use_fails_once(what, [&](std::uint64_t use) {
    faulty machine{files, seed_of(what, use)};
    const std::optional<domain::event> event{said};
    const auto point = tested([&] { return runtime::adopt_store(machine.failing, "/d", tested_shard, servers, event); });
    if (!point)
      expect_failure(point.error());
    machine.end(what);
    if (looked.again(machine.disk, point ? 1 : 0) && !is_of_disk(what))
      return !point;
    {
      const auto store = must(runtime::open_shard_store(machine.failing, "/d", tested_shard));
      BOOST_REQUIRE((store->applied().index == store_log_end + 1 || (!point && is_at(store->head(), store_log_end))));
      BOOST_REQUIRE((!point || store->applied().configuration == servers));
    }
    BOOST_REQUIRE_EQUAL(audit_of_store(machine.failing, "/d", "shard-003"), "");
    return !point;
  });
}

} // namespace

BOOST_AUTO_TEST_SUITE(fail_at_copy)

BOOST_AUTO_TEST_CASE(a_copy_and_its_installation_survive_each_failing_call_of_the_disk) {
  each_fails_once(resource::disk);
  each_fails_once(resource::disk_space);
}

BOOST_AUTO_TEST_CASE(a_copy_and_its_installation_survive_each_allocation_that_fails) {
  each_fails_once(resource::sqlite_memory);
  each_fails_once(resource::program_memory);
}

BOOST_AUTO_TEST_CASE(an_adopted_copy_is_whole_whichever_call_of_the_disk_fails) {
  each_use_fails_once_while_adopting(resource::disk);
  each_use_fails_once_while_adopting(resource::disk_space);
}

BOOST_AUTO_TEST_CASE(an_adopted_copy_is_whole_whichever_allocation_fails) {
  each_use_fails_once_while_adopting(resource::sqlite_memory);
  each_use_fails_once_while_adopting(resource::program_memory);
}

BOOST_AUTO_TEST_SUITE_END()
