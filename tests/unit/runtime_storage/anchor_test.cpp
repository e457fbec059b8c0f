// What a chain alone cannot show: that its end was cut off, or that all of it was written anew.
#include "domain/anchor.hpp"
#include "runtime/storage/anchors.hpp"
#include "runtime/storage/audit.hpp"
#include "runtime/storage/event_walk.hpp"
#include "tests/unit/runtime_storage/simulated_fixture.hpp"

#include <algorithm>

using namespace epione;
using namespace epione::storage_tests;

namespace {

domain::command record(const std::string& action, const std::string& after) {
  domain::event e;
  e.action = action;
  e.entity = "n1";
  e.after = after;
  return {domain::command_type::record, 0, {}, {}, domain::encode(e)};
}

struct anchored : simulated {
  anchored() : simulated(17) {}

  /// A directory with group 0 and shard 1, each consistent in itself: so many events, of these answers.
  void make(const std::string& directory, std::uint64_t events, const std::string& answers = "answers",
            const std::vector<domain::command>& catalog = {}) {
    auto j = must(runtime::open_journal(disk, directory, {1 << 20, 0}));
    append(*j, directory, 0, catalog);
    std::vector<domain::command> commands;
    for (std::uint64_t i = 1; i <= events; ++i)
      commands.push_back(submission(i % 7, std::to_string(i), answers));
    append(*j, directory, 1, commands);
  }

  void append(runtime::journal& j, const std::string& directory, std::uint32_t group, const std::vector<domain::command>& all,
              std::uint64_t first = 1) {
    auto store = must(runtime::open_shard_store(disk, directory, group));
    for (const auto& c : all) {
      const auto e = batch(first++, {c});
      must(j.write({write_of(group, {e}, 1, 1)}));
      must(store->apply({e}));
    }
  }

  domain::anchor anchor_of(const std::string& directory, std::vector<std::uint32_t> groups = {1}) {
    domain::anchor a;
    a.cluster = "c1";
    a.node = "n1";
    a.time_us = clock.wall_us();
    for (const auto g : groups) {
      const auto at = must(runtime::read_store_position(disk, directory, g));
      a.heads.push_back({g, at.head.seq, at.head.hash, at.applied});
    }
    domain::sign(a, {9});
    return a;
  }

  runtime::audit_report audit(const std::string& directory, runtime::audit_options options = {}) {
    return runtime::audit_directory(disk, directory, nullptr, options);
  }

  static void expect_whole(const runtime::audit_report& report) {
    for (const auto& p : report.parts)
      BOOST_TEST(!p.broken.has_value(), *p.broken);
  }

  static const runtime::audit_report::part& part_of(const runtime::audit_report& report, std::string_view file) {
    const auto found = std::find_if(report.parts.begin(), report.parts.end(), [&](const auto& p) { return p.file == file; });
    BOOST_REQUIRE(found != report.parts.end());
    return *found;
  }

  static void expect_broken(const runtime::audit_report& report, std::initializer_list<const char*> words) {
    const auto broken =
        std::find_if(report.parts.begin(), report.parts.end(), [](const auto& p) { return p.broken.has_value(); });
    BOOST_REQUIRE(broken != report.parts.end());
    for (const auto* word : words)
      BOOST_TEST((broken->broken->find(word) != std::string::npos), *broken->broken << " does not say " << word);
  }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(anchors, anchored)

BOOST_AUTO_TEST_CASE(an_end_that_was_cut_off_passes_without_an_anchor_and_shows_with_one) {
  make("/whole", 30);
  make("/cut", 25);
  const auto a = anchor_of("/whole");
  expect_whole(audit("/cut"));
  expect_whole(audit("/whole", {.anchors = {a}}));
  expect_broken(audit("/cut", {.anchors = {a}}), {"shard-001.db", "ends at event 25", "event 30", "2026-02-25T"});
}

BOOST_AUTO_TEST_CASE(a_chain_that_was_written_anew_shows_at_the_anchored_event) {
  make("/whole", 30);
  make("/anew", 31, "other answers");
  expect_whole(audit("/anew"));
  expect_broken(audit("/anew", {.anchors = {anchor_of("/whole")}}), {"shard-001.db", "event 30", "written anew"});
}

BOOST_AUTO_TEST_CASE(the_anchors_in_group_0_are_compared_without_being_asked_to) {
  make("/whole", 30);
  const auto said = record(std::string{domain::anchor_action}, domain::encode(anchor_of("/whole", {0, 1})));
  make("/same", 30, "answers", {said});
  const auto report = audit("/same");
  expect_whole(report);
  BOOST_TEST(report.anchors == 1u);
  BOOST_TEST((report.newest_anchor_us == clock.wall_us()));
  make("/cut", 29, "answers", {said});
  expect_broken(audit("/cut"), {"shard-001.db", "ends at event 29", "event 30"});
}

BOOST_AUTO_TEST_CASE(an_anchor_that_somebody_changed_is_named) {
  make("/whole", 30);
  auto forged = anchor_of("/whole");
  forged.heads.front().seq = 25;
  make("/cut", 25, "answers", {record(std::string{domain::anchor_action}, domain::encode(forged))});
  expect_broken(audit("/cut"), {"shard-000.db", "event 1", "signature"});
  make("/kept", 25);
  expect_broken(audit("/kept", {.anchors = {forged}}), {"signature"});
}

BOOST_AUTO_TEST_CASE(what_the_journal_has_still_to_tell_a_store_is_not_missing) {
  make("/whole", 30);
  const auto a = anchor_of("/whole");
  make("/behind", 30);
  disk.kill();
  for (const auto* f : {"/behind/shard-001.db", "/behind/shard-001.db-wal"})
    disk.remove(f);
  must(must(runtime::open_shard_store(disk, "/behind", 1))->apply({batch(1, {submission(1, "1")})}));
  expect_whole(audit("/behind", {.anchors = {a}}));
}

BOOST_AUTO_TEST_CASE(a_chain_that_is_not_there_at_all_is_missed_by_a_node_that_is_alone) {
  make("/whole", 30);
  const auto a = anchor_of("/whole");
  make("/none", 0);
  disk.kill();
  for (const auto& f : disk.files())
    if (f.starts_with("/none/shard-001.db"))
      disk.remove(f);
  expect_whole(audit("/none", {.anchors = {a}}));
  expect_broken(audit("/none", {.anchors = {a}, .alone = true}), {"shard-001.db", "is missing", "event 30"});
  make("/old", 5); // of an earlier membership
  expect_broken(audit("/old", {.anchors = {a}}), {"ends at event 5"});
  expect_whole(audit("/old", {.anchors = {a}, .not_here = {1}}));
}

BOOST_AUTO_TEST_CASE(a_chain_of_a_member_that_ends_behind_an_anchor_may_only_be_late) {
  make("/whole", 30);
  const auto a = anchor_of("/whole");
  make("/late", 25);
  const auto report = audit("/late", {.anchors = {a}, .member = true});
  expect_whole(report);
  BOOST_TEST(report.behind() == 1u);
  const auto& late = part_of(report, "/late/shard-001.db");
  BOOST_TEST(late.last == 25u);
  BOOST_REQUIRE(late.behind.has_value());
  BOOST_TEST(late.behind->event == 30u);
  BOOST_TEST(late.behind->anchor.find("the given anchor of node n1 of 2026-02-25T") == 0u, late.behind->anchor);
  expect_broken(audit("/late", {.anchors = {a}}), {"ends at event 25"}); // not of a node that is alone
  BOOST_TEST(audit("/whole", {.anchors = {a}, .member = true}).behind() == 0u);
}

BOOST_AUTO_TEST_CASE(a_chain_of_a_member_that_contradicts_an_anchor_is_broken) {
  make("/whole", 30);
  const auto a = anchor_of("/whole");
  make("/anew", 31, "other answers");
  expect_broken(audit("/anew", {.anchors = {a}, .member = true}), {"event 30", "written anew"});
  // The store says that it has applied the entry which brought the event.
  make("/cut", 25);
  auto early = a;
  early.heads.front().index = 20;
  domain::sign(early, {9});
  expect_broken(audit("/cut", {.anchors = {early}, .member = true}), {"ends at event 25", "event 30", "missing"});
}

BOOST_AUTO_TEST_CASE(a_store_that_waits_for_its_fetched_copy_is_not_broken) {
  make("/d", 30);
  auto j = must(runtime::open_journal(disk, "/d", {1 << 20, 0}));
  messages::journal_write begins_anew;
  begins_anew.group = 1;
  begins_anew.term = 1;
  begins_anew.reset = messages::snapshot_point{100, 1, "", 0};
  must(j->write({std::make_shared<const messages::journal_write>(std::move(begins_anew))}));
  expect_broken(audit("/d", {.member = true}), {"shard-001.db", "up to 30 only", "before 101"});
  must(disk.open(runtime::incoming_path("/d", 1)));
  expect_whole(audit("/d", {.member = true}));
}

BOOST_AUTO_TEST_CASE(anchors_of_a_file_that_is_replaced_while_it_is_read_count_once) {
  make("/whole", 30);
  const auto said = record(std::string{domain::anchor_action}, domain::encode(anchor_of("/whole")));
  make("/copy", 0, "answers", {said, record("something.else", "")});
  BOOST_REQUIRE(must(must(runtime::open_shard_store(disk, "/copy", 0))->checkpoint()).has_value());
  make("/d", 30, "answers", {said});
  bool replaced = false;
  const auto replace = [&](std::string_view file, std::uint64_t events) {
    if (replaced || file != "/d/shard-000.db" || events == 0)
      return;
    replaced = true; // as a member's store does that goes on from another one's file
    for (const auto* suffix : {"-wal", "-shm", ""})
      must(disk.discard("/d/shard-000.db" + std::string{suffix}));
    must(disk.rename("/copy/shard-000.db", "/d/shard-000.db"));
  };
  const auto report = runtime::audit_directory(disk, "/d", replace, {.anchors = {anchor_of("/copy", {0})}});
  BOOST_TEST(replaced);
  expect_whole(report);
  BOOST_TEST(part_of(report, "/d/shard-000.db").last == 2u); // the first file lacked what the given anchor names
  BOOST_TEST(report.anchors == 2u);                          // that one, and the one in group 0
}

BOOST_AUTO_TEST_CASE(after_a_restore_only_a_file_remembers_what_was_lost) {
  make("/whole", 30);
  const auto a = anchor_of("/whole");
  make("/backup", 25);
  const auto restored = anchor_of("/backup").heads;
  make("/restored", 25, "answers",
       {record(std::string{domain::anchor_action}, domain::encode(a)),
        record(std::string{domain::restore_action}, domain::encode_heads(restored))});
  expect_whole(audit("/restored"));
  expect_broken(audit("/restored", {.anchors = {a}}), {"ends at event 25", "given anchor"});
}

BOOST_AUTO_TEST_CASE(of_many_anchors_the_newest_of_every_chain_are_written_out) {
  make("/d", 5);
  auto j = must(runtime::open_journal(disk, "/d", {1 << 20, 0}));
  const auto of_both = anchor_of("/d", {0, 1});
  append(*j, "/d", 1, {submission(1, "6")}, 6);
  const auto older = anchor_of("/d", {1});
  append(*j, "/d", 1, {submission(1, "7")}, 7);
  const auto newer = anchor_of("/d", {1});
  std::vector<domain::command> said;
  for (auto a : {of_both, older, newer}) {
    a.heads.push_back({2, said.empty() ? 9u : 0u, {}, 9}); // of another chain only the first one knows
    if (!said.empty())
      a.heads.pop_back();
    domain::sign(a, {9});
    said.push_back(record(std::string{domain::anchor_action}, domain::encode(a)));
  }
  append(*j, "/d", 0, said);
  const auto kept = must(runtime::newest_anchors(disk, "/d"));
  BOOST_REQUIRE(kept.size() == 2u);
  BOOST_TEST(kept[0].heads.back().shard == 2u);
  BOOST_TEST(kept[1].heads.front().seq == 7u);
}

BOOST_AUTO_TEST_CASE(what_a_restore_lost_is_not_written_out) {
  make("/whole", 30);
  const auto lost = anchor_of("/whole");
  make("/backup", 25);
  const auto held = anchor_of("/backup");
  const auto anchor = [](const domain::anchor& a) { return record(std::string{domain::anchor_action}, domain::encode(a)); };
  const auto restored = record(std::string{domain::restore_action}, domain::encode_heads(held.heads));
  make("/restored", 25, "answers", {anchor(lost), restored});
  BOOST_TEST(must(runtime::newest_anchors(disk, "/restored")).empty());
  make("/held", 25, "answers", {anchor(held), restored});
  BOOST_REQUIRE(must(runtime::newest_anchors(disk, "/held")).size() == 1u);
  make("/again", 25, "answers", {anchor(lost), restored, anchor(held)}); // fewer events than the lost one names
  const auto again = must(runtime::newest_anchors(disk, "/again"));
  BOOST_REQUIRE(again.size() == 1u);
  BOOST_TEST(again.front().heads.front().seq == 25u);
  expect_whole(audit("/again", {.anchors = again, .alone = true}));
}

BOOST_AUTO_TEST_CASE(what_is_kept_of_anchors_does_not_grow_with_their_number) {
  runtime::anchor_ledger ledger;
  const auto follow = [&](std::uint64_t seq, std::uint8_t hash) {
    domain::event e;
    e.action = domain::anchor_action;
    domain::anchor a;
    a.heads.push_back({1, seq, {hash}, seq});
    domain::sign(a, {9});
    e.after = domain::encode(a);
    BOOST_REQUIRE(ledger.follow(domain::encode(e)).has_value());
  };
  for (int i = 0; i < 50; ++i)
    follow(5, 1); // a chain that rests
  BOOST_TEST(ledger.of(1).size() == 1u);
  follow(5, 2); // somebody contradicts: both are to be seen
  BOOST_TEST(ledger.of(1).size() == 2u);
  for (std::uint64_t seq = 6; seq < 12'000; ++seq)
    follow(seq, 1);
  BOOST_TEST(ledger.of(1).size() <= 10'000u);
  BOOST_TEST(ledger.of(1).size() >= 5'000u);
  BOOST_TEST(ledger.of(1).rbegin()->first == 11'999u);
  BOOST_TEST(ledger.count() == 51u + 11'994u);
}

BOOST_AUTO_TEST_SUITE_END()
