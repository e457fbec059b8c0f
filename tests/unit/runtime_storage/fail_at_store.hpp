// A store with a bit of everything in it, for the tests that refuse what it needs.
#pragma once

#include "domain/anchor.hpp"
#include "runtime/storage/store_copy.hpp"
#include "tests/unit/runtime_storage/fail_at_fixture.hpp"

#include <algorithm>
#include <string>
#include <vector>

namespace epione::storage_tests {

constexpr std::uint32_t tested_shard = 3;
constexpr std::uint64_t store_log_end = 6;

/// A change of members, submissions, one of them repeated, notices planned, sent, dead, retried and dropped, an amendment.
inline messages::log_entry entry_of_store(std::uint64_t index) {
  using domain::notice_step;
  switch (index) {
    case 1: return entry(1, "configuration", 1, messages::entry_type::change);
    case 2: return batch(2, {submission(1, "a"), submission(2, "a", std::string(6'000, 'x')), submission(1, "b")});
    case 3: return batch(3, {submission_with_notices(3, "c", 3), submission(1, "a")});
    case 4:
      return batch(4, {notice_changes({{4, 0, notice_step::sent, 1, ""},
                                       {4, 1, notice_step::dead, 77, "there is no mailbox of such a name"},
                                       {4, 2, notice_step::dead, 78, "refused"}})});
    case 5: return batch(5, {amendment(submission(1, "a"), 2, "changed", 1), submission(2, "d")});
    default: // an event says one kind of thing
      return batch(
          6, {notice_changes({{4, 1, notice_step::retried, 1, ""}}), notice_changes({{4, 2, notice_step::dropped, 1, ""}})});
  }
}

inline messages::log_entries entries_of_store(std::uint64_t first, std::uint64_t last) {
  messages::log_entries out;
  for (auto i = first; i <= last; ++i)
    out.push_back(entry_of_store(i));
  return out;
}

/// The files of a store that has applied so much of it. What it wrote last is in its WAL.
inline disk_image image_of_store(const std::string& directory, std::uint64_t applied) {
  faulty machine;
  {
    auto store = must(runtime::open_shard_store(machine.failing, directory, tested_shard));
    for (std::uint64_t i = 1; i <= applied; ++i) {
      must(store->apply({entry_of_store(i)}));
      if (i == 2)
        must(store->checkpoint());
    }
  }
  return machine.image();
}

/// Heads of the chain by the entries that were applied.
inline const std::vector<runtime::chain_head>& heads_of_store() {
  static const auto heads = [] {
    faulty machine;
    auto store = must(runtime::open_shard_store(machine.failing, "/d", tested_shard));
    std::vector<runtime::chain_head> out{store->head()};
    for (std::uint64_t i = 1; i <= store_log_end; ++i) {
      must(store->apply({entry_of_store(i)}));
      out.push_back(store->head());
    }
    return out;
  }();
  return heads;
}

inline bool is_at(const runtime::chain_head& head, std::uint64_t applied) {
  const auto& expected = heads_of_store().at(applied);
  return head.seq == expected.seq && head.hash == expected.hash;
}

/// What is left of the log is applied, and all of it is there.
inline void expect_whole_store_that_goes_on(runtime::disk& d, const std::string& directory) {
  {
    auto store = must(runtime::open_shard_store(d, directory, tested_shard));
    BOOST_REQUIRE(is_at(store->head(), store->applied().index));
    must(store->apply(entries_of_store(store->applied().index + 1, store_log_end)));
    BOOST_REQUIRE(is_at(store->head(), store_log_end));
    BOOST_REQUIRE(must(store->checkpoint()).has_value());
  }
  BOOST_REQUIRE_EQUAL(audit_of_store(d, directory, "shard-003"), "");
}

} // namespace epione::storage_tests
