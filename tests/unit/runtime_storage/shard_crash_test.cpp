// A store comes back from any crash as it was after some transaction, never before its last checkpoint, and applying the log
// again from there gives the same store.
#include "runtime/storage/shard_rows.hpp"
#include "runtime/storage/sqlite.hpp"
#include "tests/unit/runtime_storage/simulated_fixture.hpp"

#include <optional>

using namespace epione;
using namespace epione::storage_tests;

namespace {

messages::log_entry entry_of_log(std::uint64_t index) {
  if (index % 10 == 1)
    return entry(index, "configuration " + std::to_string(index), 1, messages::entry_type::change);
  std::vector<domain::command> commands;
  for (std::uint64_t i = 0; i < index % 4 + 1; ++i)
    commands.push_back(
        submission((index * 7 + i * 13) % 11, std::to_string(index * 10 + i), std::string(index * 37 % 3'000, 'x')));
  if (index % 6 == 5) // a repeat of an older one
    commands.push_back(
        submission(((index - 1) * 7) % 11, std::to_string((index - 1) * 10), std::string((index - 1) * 37 % 3'000, 'x')));
  return batch(index, commands);
}

constexpr std::uint64_t log_end = 40;

/// Applies what is left of the log; false at the first failure. `durable` is what a checkpoint promised.
bool run(simulated& s, std::uint64_t& durable) {
  auto opened = runtime::open_shard_store(s.disk, "/d", 1);
  if (!opened) {
    BOOST_TEST((opened.error().code != ec::damaged), opened.error().message);
    return false;
  }
  auto& store = **opened;
  BOOST_TEST(store.applied().index >= durable);
  while (store.applied().index < log_end) {
    messages::log_entries entries;
    const auto from = store.applied().index;
    for (std::uint64_t i = from + 1; i <= std::min(log_end, from + 3); ++i)
      entries.push_back(entry_of_log(i));
    if (auto r = store.apply(entries); !r) {
      BOOST_TEST((r.error().code == ec::io_failed || r.error().code == ec::disk_full), r.error().message);
      BOOST_TEST(store.applied().index == from);
      return false;
    }
    if (store.applied().index % 4 == 0) {
      auto point = store.checkpoint();
      if (!point)
        return false;
      if (*point)
        durable = (*point)->index;
    }
  }
  return true;
}

runtime::chain_head expected_head() {
  static const auto head = [] {
    simulated s{1};
    std::uint64_t durable = 0;
    BOOST_REQUIRE(run(s, durable));
    return must(runtime::open_shard_store(s.disk, "/d", 1))->head();
  }();
  return head;
}

void every_store_operation_fails(simulation::fault how, bool power_loss_after) {
  const auto expected = expected_head();
  std::uint64_t operations = 0;
  {
    simulated s{1};
    std::uint64_t durable = 0;
    BOOST_REQUIRE(run(s, durable));
    operations = s.disk.operations();
  }
  BOOST_REQUIRE(operations > 50);
  for (std::uint64_t n = 1; n <= operations; ++n) {
    BOOST_TEST_CONTEXT("operation " << n) {
      simulated s{n};
      std::uint64_t durable = 0;
      s.disk.fail_at(n, how);
      run(s, durable);
      s.disk.no_faults();
      if (power_loss_after)
        s.disk.crash();
      else
        s.disk.kill();
      BOOST_REQUIRE(run(s, durable));
      const auto store = must(runtime::open_shard_store(s.disk, "/d", 1));
      BOOST_REQUIRE((store->head().seq == expected.seq && store->head().hash == expected.hash));
    }
  }
}

} // namespace

BOOST_AUTO_TEST_SUITE(shard_crash_suite)

BOOST_AUTO_TEST_CASE(power_loss_at_every_operation) {
  every_store_operation_fails(simulation::fault::power_loss, true);
}

BOOST_AUTO_TEST_CASE(a_kill_at_every_operation) {
  every_store_operation_fails(simulation::fault::power_loss, false);
}

BOOST_AUTO_TEST_CASE(an_io_error_at_every_operation_then_power_loss) {
  every_store_operation_fails(simulation::fault::io_error, true);
}

BOOST_AUTO_TEST_CASE(no_space_at_every_operation_then_power_loss) {
  every_store_operation_fails(simulation::fault::no_space, true);
}

BOOST_AUTO_TEST_CASE(an_io_error_then_a_restart_then_power_loss_at_any_operation_of_that_process) {
  // What a failed sync has left in the page cache is read by the next process and is never written by the system: its first
  // checkpoint must not count on it.
  const auto expected = expected_head();
  for (std::uint64_t seed = 0; seed < 1'500; ++seed) {
    BOOST_TEST_CONTEXT("seed " << seed) {
      simulated s{seed};
      std::uint64_t durable = 0;
      s.disk.fail_at(10 + seed * 7 % 211, simulation::fault::io_error);
      run(s, durable);
      s.disk.kill();
      s.disk.fail_at(1 + seed * 13 % 37, simulation::fault::power_loss);
      run(s, durable);
      s.disk.crash();
      BOOST_REQUIRE(run(s, durable));
      const auto store = must(runtime::open_shard_store(s.disk, "/d", 1));
      BOOST_REQUIRE((store->head().seq == expected.seq && store->head().hash == expected.hash));
    }
  }
}

BOOST_AUTO_TEST_CASE(a_reader_in_the_way_keeps_a_checkpoint_from_promising_anything) {
  simulated s{7};
  auto store = must(runtime::open_shard_store(s.disk, "/d", 1));
  must(store->apply({entry_of_log(1), entry_of_log(2)}));
  runtime::connection reader{s.disk, "/d/shard-001.db", runtime::access_mode::read, runtime::shard_format, "", "NORMAL", 64};
  reader.run("BEGIN");
  BOOST_TEST(reader.number("SELECT count(*) FROM event") > 0);
  must(store->apply({entry_of_log(3)}));
  BOOST_TEST(!must(store->checkpoint()).has_value());
  reader.run("COMMIT");
  const auto point = must(store->checkpoint());
  BOOST_REQUIRE(point.has_value());
  BOOST_TEST(point->index == 3u);
}

BOOST_AUTO_TEST_CASE(a_full_disk_refuses_an_apply_and_it_goes_on_when_space_returns) {
  simulated s{8};
  auto store = must(runtime::open_shard_store(s.disk, "/d", 1));
  must(store->apply({entry_of_log(1)}));
  s.disk.set_capacity(100'000);
  std::uint64_t at = 1;
  for (;;) {
    const auto r = store->apply({entry_of_log(at + 1)});
    if (!r) {
      BOOST_TEST((r.error().code == ec::disk_full), r.error().message);
      break;
    }
    ++at;
  }
  BOOST_TEST(store->applied().index == at);
  s.disk.set_capacity(std::nullopt);
  must(store->apply({entry_of_log(at + 1)}));
  BOOST_TEST(store->applied().index == at + 1);
}

BOOST_AUTO_TEST_SUITE_END()
