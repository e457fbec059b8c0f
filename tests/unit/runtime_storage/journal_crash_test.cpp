// Nothing the journal accepted is ever lost, whatever fails and whenever: every write and sync of a run fails once in turn.
#include "tests/unit/runtime_storage/simulated_fixture.hpp"

#include <algorithm>
#include <map>
#include <optional>

using namespace epione;
using namespace epione::storage_tests;

namespace {

constexpr runtime::journal_options options{64 << 10, 0, 4}; // so that rows are moved as well

/// What a journal must hold: of each group the accepted state, and what a write that failed may have left beside it.
struct expectation {
  struct group {
    std::uint64_t term = 0, cut = 0;
    std::map<std::uint64_t, std::string> entries;
    friend bool operator==(const group&, const group&) = default;
  };
  using groups = std::map<std::uint32_t, group>;
  groups accepted;
  std::optional<groups> in_flight;
};

expectation::groups stored(runtime::journal& j) {
  expectation::groups out;
  for (const auto g : j.groups()) {
    auto log = must(j.load(g));
    auto& to = out[g];
    to.term = log.term;
    to.cut = log.cut ? log.cut->index : 0;
    for (const auto& e : log.entries)
      to.entries[e.index] = *e.data;
  }
  return out;
}

/// A fixed course of writes, replacements, cuts and upkeep. Ends at the first failure other than a full disk.
class course {
public:
  course(simulated& s, expectation& e) : s_(s), e_(e) {}

  /// True when nothing failed.
  bool run(unsigned steps) {
    auto opened = runtime::open_journal(s_.disk, "/d", options);
    if (!opened)
      return refused(opened.error());
    for (unsigned i = 0; i < steps; ++i)
      if (!step(**opened, i))
        return false;
    return true;
  }

private:
  bool step(runtime::journal& j, unsigned i) {
    auto next = e_.accepted;
    std::vector<messages::journal_write_ptr> writes;
    for (std::uint32_t g = 1; g <= 3; ++g) {
      auto& group = next[g];
      const auto last = group.entries.empty() ? group.cut : group.entries.rbegin()->first;
      const auto from = i % 5 == 4 && last > group.cut + 1 ? last : last + 1; // now and then the last one is replaced
      group.entries.erase(group.entries.lower_bound(from), group.entries.end());
      if (i % 5 == 4)
        ++group.term;
      messages::log_entries entries;
      for (auto at = from; at < from + 2; ++at) {
        group.entries[at] = std::string((i * 613 + g * 97 + at * 31) % 7'000, static_cast<char>('a' + i % 26));
        entries.push_back(entry(at, group.entries[at], group.term + 1));
      }
      writes.push_back(write_of(g, entries, group.term, std::nullopt));
    }
    if (!done(j.write(writes), next)) {
      // A full disk: nothing of it is there, and the same may be tried again.
      if (e_.in_flight || stored(j) != e_.accepted || !done(j.write(writes), next))
        return false;
    }
    if (i % 4 == 3) {
      next = e_.accepted;
      const std::uint32_t g = i % 8 == 3 ? 1 : 3; // the second group is in the way
      auto& group = next[g];
      const auto at = group.entries.rbegin()->first - 1;
      if (at > group.cut) {
        const auto log = j.load(g);
        if (!log)
          return refused(log.error());
        const auto found = std::find_if(log->entries.begin(), log->entries.end(), [&](const auto& x) { return x.index == at; });
        group.cut = at;
        group.entries.erase(group.entries.begin(), group.entries.upper_bound(at));
        if (!done(j.cut(g, {at, found->term, "configuration", 1}), next))
          return false;
      }
    }
    const auto upkeep = j.maintain();
    return upkeep.has_value() || refused(upkeep.error());
  }

  bool done(const runtime::storage_result<void>& r, const expectation::groups& next) {
    if (r) {
      e_.accepted = next;
      return true;
    }
    if (r.error().code != ec::disk_full) // a full disk leaves nothing behind
      e_.in_flight = next;
    return refused(r.error());
  }

  bool refused(const runtime::storage_error& error) {
    BOOST_TEST((error.code == ec::io_failed || error.code == ec::disk_full), error.message);
    return false;
  }

  simulated& s_;
  expectation& e_;
};

void check(simulated& s, expectation& e) {
  auto opened = runtime::open_journal(s.disk, "/d", options);
  BOOST_REQUIRE_MESSAGE(opened.has_value(), (opened ? "" : opened.error().message));
  const auto now = stored(**opened);
  const bool as_accepted = now == e.accepted, as_in_flight = e.in_flight && now == *e.in_flight;
  BOOST_REQUIRE(as_accepted || as_in_flight);
  e.accepted = now;
  e.in_flight.reset();
}

std::uint64_t operations_of_a_run(unsigned steps) {
  simulated s{1};
  expectation e;
  BOOST_REQUIRE(course(s, e).run(steps));
  return s.disk.operations();
}

/// Each operation in turn fails in this way; then, perhaps, the power does too; then everything accepted must be there and the
/// journal go on.
void every_operation_fails(simulation::fault how, bool power_loss_after) {
  const auto operations = operations_of_a_run(12);
  BOOST_REQUIRE(operations > 50);
  for (std::uint64_t n = 1; n <= operations; ++n) {
    BOOST_TEST_CONTEXT("operation " << n) {
      simulated s{n};
      expectation e;
      s.disk.fail_at(n, how);
      course(s, e).run(12);
      s.disk.no_faults();
      if (power_loss_after)
        s.disk.crash();
      else
        s.disk.kill();
      check(s, e);
      BOOST_REQUIRE(course(s, e).run(6));
      s.disk.crash();
      check(s, e);
    }
  }
}

} // namespace

BOOST_AUTO_TEST_SUITE(journal_crash_suite)

BOOST_AUTO_TEST_CASE(power_loss_at_every_operation) {
  every_operation_fails(simulation::fault::power_loss, true);
}

BOOST_AUTO_TEST_CASE(a_kill_at_every_operation) {
  every_operation_fails(simulation::fault::power_loss, false);
}

BOOST_AUTO_TEST_CASE(an_io_error_at_every_operation_then_power_loss) {
  every_operation_fails(simulation::fault::io_error, true);
}

BOOST_AUTO_TEST_CASE(no_space_at_every_operation_then_power_loss) {
  every_operation_fails(simulation::fault::no_space, true);
}

BOOST_AUTO_TEST_CASE(an_io_error_then_a_restart_then_power_loss_at_any_operation_of_that_process) {
  for (std::uint64_t seed = 0; seed < 1'000; ++seed) {
    BOOST_TEST_CONTEXT("seed " << seed) {
      simulated s{seed};
      expectation e;
      s.disk.fail_at(20 + seed * 7 % 173, simulation::fault::io_error);
      course(s, e).run(12);
      s.disk.kill();
      check(s, e);
      s.disk.fail_at(1 + seed * 13 % 37, simulation::fault::power_loss);
      course(s, e).run(6);
      s.disk.crash();
      check(s, e);
    }
  }
}

BOOST_AUTO_TEST_CASE(many_lives_each_ended_by_a_power_loss) {
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    BOOST_TEST_CONTEXT("seed " << seed) {
      simulated s{seed};
      expectation e;
      for (std::uint64_t life = 0; life < 6; ++life) {
        s.disk.fail_at(5 + (seed * 53 + life * 29) % 170, simulation::fault::power_loss);
        course(s, e).run(40);
        s.disk.crash();
        check(s, e);
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(after_any_io_error_nothing_is_promised_any_more) {
  std::uint64_t operations = 1;
  for (std::uint64_t n = 0; n <= operations; ++n) {
    simulated s{3};
    auto j = must(runtime::open_journal(s.disk, "/d", options));
    must(j->write({write_of(1, {entry(1, "one")})}));
    const auto before = s.disk.operations();
    s.disk.fail_at(n, simulation::fault::io_error);
    const auto written = j->write({write_of(1, {entry(2, "two")})});
    if (n == 0) {
      BOOST_REQUIRE(written.has_value());
      operations = s.disk.operations() - before; // the rows, their sync, the mark and its sync
      BOOST_TEST(operations >= 4u);
      continue;
    }
    BOOST_REQUIRE_MESSAGE(!written, "operation " << n);
    BOOST_TEST((written.error().code == ec::io_failed));
    BOOST_TEST((j->write({write_of(1, {entry(2, "two")})}).error().code == ec::io_failed));
    BOOST_TEST((j->load(1).error().code == ec::io_failed));
  }
}

BOOST_AUTO_TEST_CASE(a_full_disk_refuses_and_goes_on_when_space_returns) {
  simulated s{4};
  auto j = must(runtime::open_journal(s.disk, "/d", {1 << 20, 50'000}));
  std::uint64_t last = 0;
  const auto add = [&] { return j->write({write_of(1, {entry(last + 1, std::string(10'000, 'x'))})}); };
  s.disk.set_capacity(400'000);
  for (;;) {
    const auto r = add();
    if (!r) {
      BOOST_TEST((r.error().code == ec::disk_full));
      break;
    }
    ++last;
  }
  BOOST_TEST(last > 5u);
  BOOST_TEST(s.disk.free_bytes("/d") >= 50'000u - 20'000u); // the reserve is there for what makes space
  must(j->cut(1, {last - 1, 1, "", 0}));
  BOOST_TEST(must(j->load(1)).entries.size() == 1u);
  s.disk.set_capacity(std::nullopt);
  must(add());
  ++last;
  j.reset();
  s.disk.crash();
  j = must(runtime::open_journal(s.disk, "/d", options));
  BOOST_TEST(must(j->load(1)).entries.back().index == last);
}

BOOST_AUTO_TEST_CASE(a_disk_that_is_full_without_a_reserve_leaves_nothing_behind) {
  simulated s{5};
  auto j = must(runtime::open_journal(s.disk, "/d", options));
  must(j->write({write_of(1, {entry(1, "one")}, 1)}));
  // Room for the data, but not for what SQLite adds to it: the commit itself fails.
  std::uint64_t used = 0;
  for (const auto& f : s.disk.files())
    used += s.disk.size(f);
  s.disk.set_capacity(used + 101'000);
  const auto refused = j->write({write_of(1, {entry(2, std::string(100'000, 'x'))}, 2)});
  BOOST_REQUIRE(!refused);
  BOOST_TEST((refused.error().code == ec::disk_full));
  const auto log = must(j->load(1));
  BOOST_TEST(log.entries.size() == 1u);
  BOOST_TEST(log.term == 1u);
  s.disk.set_capacity(std::nullopt);
  must(j->write({write_of(1, {entry(2, "two")})}));
  j.reset();
  s.disk.crash();
  j = must(runtime::open_journal(s.disk, "/d", options));
  BOOST_TEST(must(j->load(1)).entries.size() == 2u);
}

BOOST_AUTO_TEST_SUITE_END()
