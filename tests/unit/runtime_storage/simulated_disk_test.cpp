// The simulated disk keeps what is synced and loses what is not; SQLite on it behaves as on a real one.
#include "tests/simulation/simulated_disk.hpp"

#include "runtime/storage/sqlite.hpp"
#include "tests/unit/runtime_storage/simulated_fixture.hpp"

#include <algorithm>
#include <numeric>
#include <set>

using namespace epione;
using namespace epione::storage_tests;

namespace {

constexpr runtime::file_format format{0x54455354, 1, "test file"};
constexpr const char* schema = "CREATE TABLE t(id INTEGER PRIMARY KEY, x BLOB NOT NULL)";

std::vector<std::uint8_t> bytes(std::size_t n, std::uint8_t value) {
  return std::vector<std::uint8_t>(n, value);
}

/// Inserts rows in transactions of one, checkpointing now and then, until the power fails; the newest committed row.
std::uint64_t insert_until_power_fails(simulated& s, const char* synchronous) {
  std::uint64_t committed = 0;
  try {
    runtime::connection c{s.disk, "/d/x.db", runtime::access_mode::create, format, schema, synchronous, 64};
    runtime::prepared insert{c, "INSERT INTO t VALUES(?, ?)"};
    committed = static_cast<std::uint64_t>(c.number("SELECT max(id) FROM t"));
    for (;;) {
      const std::string data(static_cast<std::size_t>(committed * 37 % 9'000), 'x');
      insert.bind(1, committed + 1).bind(2, data).run();
      ++committed;
      if (committed % 7 == 0)
        c.checkpoint();
    }
  } catch (const runtime::storage_failure&) {
  }
  return committed;
}

/// The rows after a restart: consecutive, whole. Their number.
std::uint64_t check_rows(simulated& s) {
  runtime::connection c{s.disk, "/d/x.db", runtime::access_mode::create, format, schema, "FULL", 64};
  runtime::prepared integrity{c, "PRAGMA integrity_check"};
  BOOST_REQUIRE(integrity.step());
  BOOST_TEST(integrity.blob(0) == "ok");
  runtime::prepared read{c, "SELECT id, length(x) FROM t ORDER BY id"};
  std::uint64_t n = 0;
  while (read.step()) {
    BOOST_REQUIRE(read.number(0) == n + 1);
    BOOST_REQUIRE(read.number(1) == n * 37 % 9'000);
    ++n;
  }
  return n;
}

} // namespace

BOOST_AUTO_TEST_SUITE(simulated_disk_suite)

BOOST_AUTO_TEST_CASE(what_was_synced_survives_and_what_was_not_may_be_lost_or_torn) {
  std::set<std::size_t> sizes;
  bool torn = false, lost = false, kept = false;
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    simulated s{seed};
    auto file = must(s.disk.open("/d/f"));
    must(file->write_at(0, bytes(4096, 1)));
    must(file->sync());
    must(file->write_at(0, bytes(4096, 2)));
    must(file->write_at(4096, bytes(4096, 3)));
    s.disk.crash();
    BOOST_TEST(!file->read_all());
    const auto now = must(must(s.disk.open("/d/f"))->read_all());
    BOOST_REQUIRE(now.size() >= 4096);
    const auto ones = std::count(now.begin(), now.begin() + 4096, 1), twos = std::count(now.begin(), now.begin() + 4096, 2);
    BOOST_TEST(ones + twos == 4096);
    BOOST_TEST(ones % 512 == 0);
    torn = torn || (ones != 0 && twos != 0);
    lost = lost || ones == 4096;
    kept = kept || twos == 4096;
    sizes.insert(now.size());
  }
  BOOST_TEST(torn);
  BOOST_TEST(lost);
  BOOST_TEST(kept);
  BOOST_TEST(sizes.size() > 2u);
}

BOOST_AUTO_TEST_CASE(a_killed_process_loses_nothing_it_wrote) {
  simulated s{1};
  auto file = must(s.disk.open("/d/f"));
  must(file->write_at(0, bytes(100, 1)));
  s.disk.kill();
  BOOST_TEST(!file->write_at(0, bytes(1, 2)).has_value());
  BOOST_TEST(must(must(s.disk.open("/d/f"))->read_all()).size() == 100u);
}

BOOST_AUTO_TEST_CASE(a_full_disk_takes_what_fits_and_says_so) {
  simulated s{1};
  s.disk.set_capacity(1'000);
  auto file = must(s.disk.open("/d/f"));
  must(file->write_at(0, bytes(900, 1)));
  BOOST_TEST(s.disk.free_bytes("/d") == 100u);
  const auto refused = file->write_at(900, bytes(200, 1));
  BOOST_REQUIRE(!refused);
  BOOST_TEST((refused.error().code == ec::disk_full));
  must(file->write_at(0, bytes(900, 2)));
}

BOOST_AUTO_TEST_CASE(a_write_or_sync_can_be_made_to_fail) {
  simulated s{1};
  auto file = must(s.disk.open("/d/f"));
  s.disk.fail_at(2, simulation::fault::io_error);
  must(file->write_at(0, bytes(10, 1)));
  BOOST_TEST(!file->sync().has_value());
  must(file->sync());
  s.disk.fail_at(1, simulation::fault::no_space);
  BOOST_TEST((file->write_at(0, bytes(10, 1)).error().code == ec::disk_full));
  s.disk.fail_at(1, simulation::fault::power_loss);
  BOOST_TEST(!file->write_at(0, bytes(10, 9)).has_value());
  BOOST_TEST(!file->sync().has_value());
}

BOOST_AUTO_TEST_CASE(only_what_was_synced_and_not_written_since_can_be_damaged) {
  simulated s{1};
  auto file = must(s.disk.open("/d/f"));
  must(file->write_at(0, bytes(10, 1)));
  BOOST_TEST(!s.disk.is_synced("/d/f", 3));
  must(file->sync());
  must(file->write_at(5, bytes(2, 2)));
  BOOST_TEST(s.disk.is_synced("/d/f", 3));
  BOOST_TEST(!s.disk.is_synced("/d/f", 5));
  BOOST_TEST(s.disk.is_synced("/d/f", 7));
  BOOST_TEST(!s.disk.is_synced("/d/f", 10)); // nothing is there
  BOOST_TEST(!s.disk.is_synced("/d/other", 0));
  s.disk.flip_bit("/d/f", 3, 1);
  s.disk.crash();
  BOOST_TEST(must(must(s.disk.open("/d/f"))->read_all())[3] == 3);
}

BOOST_AUTO_TEST_CASE(a_read_can_be_made_to_fail) {
  simulated s{1};
  auto file = must(s.disk.open("/d/f"));
  must(file->write_at(0, bytes(10, 1)));
  s.disk.fail_read_at(2);
  BOOST_TEST(must(file->read_all()).size() == 10u);
  BOOST_TEST((file->read_all().error().code == ec::io_failed));
  BOOST_TEST(must(file->read_all()).size() == 10u);
  {
    runtime::connection writer{s.disk, "/d/x.db", runtime::access_mode::create, format, schema, "FULL", 64};
    writer.run("INSERT INTO t VALUES(1, x'00')");
  }
  s.disk.fail_read_at(1);
  BOOST_CHECK_EXCEPTION((runtime::connection{s.disk, "/d/x.db", runtime::access_mode::read, format, schema, "FULL", 64}),
                        runtime::storage_failure, [](const auto& x) { return x.error.code == ec::io_failed; });
  runtime::connection reader{s.disk, "/d/x.db", runtime::access_mode::read, format, schema, "FULL", 64};
  BOOST_TEST(reader.number("SELECT count(*) FROM t") == 1);
}

BOOST_AUTO_TEST_CASE(what_a_failed_sync_dropped_stays_readable_until_the_crash) {
  bool dropped = false;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    simulated s{seed};
    auto file = must(s.disk.open("/d/f"));
    must(file->write_at(0, bytes(10, 1)));
    s.disk.fail_at(1, simulation::fault::io_error);
    BOOST_TEST(!file->sync().has_value());
    must(file->sync());
    BOOST_TEST(must(file->read_all()).size() == 10u);
    s.disk.crash();
    dropped = dropped || s.disk.size("/d/f") == 0;
  }
  BOOST_TEST(dropped);
}

BOOST_AUTO_TEST_CASE(what_sqlite_committed_with_full_survives_200_power_losses) {
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    simulated s{seed};
    std::uint64_t before = 0;
    for (int life = 0; life < 3; ++life) {
      s.disk.fail_at(1 + (seed * 31 + static_cast<std::uint64_t>(life) * 17) % 150, simulation::fault::power_loss);
      const auto committed = std::max(before, insert_until_power_fails(s, "FULL"));
      s.disk.crash();
      const auto there = check_rows(s);
      BOOST_REQUIRE_MESSAGE(there >= committed, "seed " << seed << ", life " << life << ": " << there << " of " << committed);
      BOOST_REQUIRE(there <= committed + 1); // the one whose commit was on its way
      before = there;
    }
  }
}

BOOST_AUTO_TEST_CASE(with_normal_a_tail_may_be_lost_but_nothing_is_torn) {
  std::uint64_t lost = 0;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    simulated s{seed};
    s.disk.fail_at(20 + seed * 31 % 150, simulation::fault::power_loss);
    const auto committed = insert_until_power_fails(s, "NORMAL");
    s.disk.crash();
    const auto there = check_rows(s);
    BOOST_REQUIRE(there <= committed + 1);
    lost += committed > there ? committed - there : 0;
  }
  BOOST_TEST(lost > 0u);
}

BOOST_AUTO_TEST_CASE(a_seed_repeats_byte_for_byte) {
  const auto run = [] {
    simulated s{77};
    s.disk.fail_at(93, simulation::fault::power_loss);
    insert_until_power_fails(s, "FULL");
    s.disk.crash();
    check_rows(s);
    return s.disk.digest();
  };
  const auto first = run();
  BOOST_TEST(run() == first);
}

BOOST_AUTO_TEST_CASE(readers_and_a_writer_share_a_database) {
  simulated s{5};
  runtime::connection writer{s.disk, "/d/x.db", runtime::access_mode::create, format, schema, "NORMAL", 64};
  runtime::connection reader{s.disk, "/d/x.db", runtime::access_mode::read, format, schema, "NORMAL", 64};
  writer.run("INSERT INTO t VALUES(1, x'00')");
  reader.run("BEGIN");
  BOOST_TEST(reader.number("SELECT count(*) FROM t") == 1);
  writer.run("INSERT INTO t VALUES(2, x'00')");
  BOOST_TEST(reader.number("SELECT count(*) FROM t") == 1);
  BOOST_TEST(!writer.checkpoint().complete);
  reader.run("COMMIT");
  BOOST_TEST(reader.number("SELECT count(*) FROM t") == 2);
  BOOST_TEST(writer.checkpoint().complete);
}

BOOST_AUTO_TEST_SUITE_END()
