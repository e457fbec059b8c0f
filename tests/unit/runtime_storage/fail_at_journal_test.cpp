// Whatever the journal needs is refused once: it says so, and what it accepted is there afterwards, all of it and nothing in
// parts.
#include "tests/unit/runtime_storage/fail_at_fixture.hpp"

#include <functional>
#include <optional>

using namespace epione;
using namespace epione::storage_tests;

namespace {

constexpr runtime::journal_options options{16 << 10, 0, 2}; // so that upkeep writes the database file and moves rows

struct group_content {
  std::uint64_t term = 0, cut = 0;
  std::map<std::uint64_t, std::string> entries;
  friend bool operator==(const group_content&, const group_content&) = default;
};
using content = std::map<std::uint32_t, group_content>;

/// Only the loading is under test.
runtime::storage_result<content> read_back(runtime::journal& j) {
  content out;
  for (const auto g : j.groups()) {
    auto log = tested([&] { return j.load(g); });
    if (!log)
      return tl::unexpected(log.error());
    auto& to = out[g];
    to.term = log->term;
    to.cut = log->cut ? log->cut->index : 0;
    for (const auto& e : log->entries)
      to.entries[e.index] = *e.data;
  }
  return out;
}

/// A call of the journal, and what it makes of its content.
struct step {
  std::function<runtime::storage_result<void>(runtime::journal&)> call;
  std::function<void(content&)> effect;
};

step writing(std::vector<messages::journal_write_ptr> writes) {
  return {[writes](runtime::journal& j) { return tested([&] { return j.write(writes); }); },
          [writes](content& c) {
            for (const auto& w : writes) {
              auto& group = c[w->group];
              group.term = w->term.value_or(group.term);
              if (w->reset) {
                group.entries.clear();
                group.cut = w->reset->index;
              }
              if (!w->entries.empty())
                group.entries.erase(group.entries.lower_bound(w->entries.front().index), group.entries.end());
              for (const auto& e : w->entries)
                group.entries[e.index] = *e.data;
            }
          }};
}

step cutting(std::uint32_t group, const messages::snapshot_point& point) {
  return {[group, point](runtime::journal& j) { return tested([&] { return j.cut(group, point); }); },
          [group, point](content& c) {
            c[group].cut = point.index;
            c[group].entries.erase(c[group].entries.begin(), c[group].entries.upper_bound(point.index));
          }};
}

step upkeep() {
  return {[](runtime::journal& j) -> runtime::storage_result<void> {
            for (int rounds = 0; rounds < 100; ++rounds) {
              const auto more = tested([&] { return j.maintain(); });
              if (!more)
                return tl::unexpected(more.error());
              if (!*more)
                break;
            }
            return {};
          },
          [](content&) {}};
}

messages::journal_write_ptr replacement(std::uint32_t group, const messages::snapshot_point& point, std::uint64_t term) {
  auto out = std::make_shared<messages::journal_write>();
  out->group = group;
  out->reset = point;
  out->term = term;
  return out;
}

const std::string large(6'000, 'x'); // more than a page

std::vector<step> first_writes() {
  return {writing({write_of(1, {entry(1, "one"), entry(2, large), entry(3, "three")}, 1, 7),
                   write_of(2, {entry(1, "other"), entry(2, large)}, 1)})};
}

std::vector<step> later_calls() {
  return {writing({write_of(1, {entry(4, large), entry(5, "five")})}),
          writing({write_of(1, {entry(5, "five of term 2", 2), entry(6, large, 2)}, 2, 3), write_of(3, {entry(1, "new")}, 2)}),
          cutting(1, {4, 1, "configuration", 1}),
          upkeep(),
          writing({replacement(2, {50, 2, "servers", 40}, 2)}),
          writing({write_of(2, {entry(51, large, 2)}), write_of(1, {entry(7, large, 2)})}),
          upkeep()};
}

/// The life of a process that uses a journal, and what it knows of it.
class user {
public:
  explicit user(content accepted) : accepted_(std::move(accepted)) {}

  /// True when a call reported a failure. After one it goes on as long as the journal lets it.
  bool run(runtime::disk& d, const std::vector<step>& steps) {
    auto opened = tested([&] { return runtime::open_journal(d, "/d", options); });
    if (!opened) {
      expect_failure(opened.error());
      return true;
    }
    auto& j = **opened;
    for (const auto& s : steps)
      if (!read(j) || !take(j, s) || !read(j))
        return true;
    return told_;
  }

  /// What a journal holds that is opened afterwards.
  void check(runtime::disk& d) const {
    auto j = must(runtime::open_journal(d, "/d", options));
    const auto now = must(read_back(*j));
    BOOST_REQUIRE((now == accepted_ || (in_flight_ && now == *in_flight_)));
    must(j->write({write_of(9, {entry(1, "it goes on")}, 1)}));
    BOOST_REQUIRE(*must(j->load(9)).entries.at(0).data == "it goes on");
  }

  const content& accepted() const { return accepted_; }
  std::uint64_t promised() const { return 2 * promised_ + (in_flight_ ? 1 : 0); }

private:
  /// False when the journal can promise nothing any more.
  bool take(runtime::journal& j, const step& s) {
    auto next = accepted_;
    s.effect(next);
    auto done = s.call(j);
    if (!done) {
      told_ = true;
      expect_failure(done.error());
      if (done.error().code == ec::io_failed) {
        in_flight_ = next;
        const auto again = s.call(j), loaded = j.load(1).map([](const auto&) {});
        BOOST_REQUIRE((!again && again.error().code == ec::io_failed));
        BOOST_REQUIRE((!loaded && loaded.error().code == ec::io_failed));
        return false;
      }
      BOOST_REQUIRE(must(read_back(j)) == accepted_); // a full disk leaves nothing behind
      must(s.call(j));
    }
    accepted_ = std::move(next);
    ++promised_;
    return true;
  }

  /// Reading may fail and be tried again.
  bool read(runtime::journal& j) {
    auto found = read_back(j);
    if (!found) {
      told_ = true;
      expect_failure(found.error());
      found = read_back(j);
    }
    BOOST_REQUIRE_MESSAGE(found.has_value(), (found ? "" : found.error().message));
    BOOST_REQUIRE(*found == accepted_);
    return true;
  }

  content accepted_;
  std::optional<content> in_flight_;
  std::uint64_t promised_ = 0;
  bool told_ = false;
};

/// A journal whose WAL was left by the process before.
struct used_journal {
  disk_image files;
  content held;
};

used_journal make_used_journal() {
  faulty machine;
  user u{{}};
  BOOST_REQUIRE(!u.run(machine.failing, first_writes()));
  return {machine.image(), u.accepted()};
}

void each_fails_once(resource what, const used_journal& before, const std::vector<step>& steps) {
  looked_at looked;
  each_use_fails_once(what, [&](std::uint64_t use) {
    faulty machine{before.files, seed_of(what, use)};
    user u{before.held};
    const bool told = u.run(machine.failing, steps);
    machine.end(what);
    if (!looked.again(machine.disk, u.promised()) || is_of_disk(what))
      u.check(machine.failing);
    return told;
  });
}

} // namespace

BOOST_AUTO_TEST_SUITE(fail_at_journal)

BOOST_AUTO_TEST_CASE(a_new_journal_survives_each_failing_call_of_the_disk) {
  each_fails_once(resource::disk, {}, first_writes());
  each_fails_once(resource::disk_space, {}, first_writes());
}

BOOST_AUTO_TEST_CASE(a_new_journal_survives_each_allocation_that_fails) {
  each_fails_once(resource::sqlite_memory, {}, first_writes());
  each_fails_once(resource::program_memory, {}, first_writes());
}

BOOST_AUTO_TEST_CASE(appends_replacements_cuts_and_upkeep_survive_each_failing_call_of_the_disk) {
  const auto before = make_used_journal();
  each_fails_once(resource::disk, before, later_calls());
  each_fails_once(resource::disk_space, before, later_calls());
}

BOOST_AUTO_TEST_CASE(appends_replacements_cuts_and_upkeep_survive_each_allocation_that_fails) {
  const auto before = make_used_journal();
  each_fails_once(resource::sqlite_memory, before, later_calls());
  each_fails_once(resource::program_memory, before, later_calls());
}

BOOST_AUTO_TEST_SUITE_END()
