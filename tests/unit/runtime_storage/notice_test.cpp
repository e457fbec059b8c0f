// Pending notices and dead letters: where they are, whatever happens, and that the events say the same.
#include "runtime/storage/audit.hpp"
#include "runtime/storage/shard_rows.hpp"
#include "tests/unit/runtime_storage/storage_fixture.hpp"

using namespace epione;
using namespace epione::storage_tests;
using domain::notice_step;
using messages::notice_key;
using messages::notice_state;

namespace {

struct notice_fixture {
  fresh_directory directory;
  std::unique_ptr<runtime::disk> disk = runtime::make_system_disk();
  std::unique_ptr<runtime::shard_store> store = open();
  std::uint64_t index = 0;

  std::unique_ptr<runtime::shard_store> open() { return must(runtime::open_shard_store(*disk, directory.path(), 3)); }
  std::unique_ptr<runtime::store_reader> reader() { return must(runtime::open_store_reader(*disk, directory.path(), 3)); }
  runtime::apply_result apply(const std::vector<domain::command>& commands) {
    return must(store->apply({batch(++index, commands)}));
  }
  void reopen() {
    store.reset();
    store = open();
  }

  messages::notice_page pending(const messages::notice_question& q) { return must(reader()->pending(q)); }
  static messages::notice_question all(std::uint32_t limit = 1'000) {
    messages::notice_question q;
    q.behind.shard = 3;
    q.limit = limit;
    return q;
  }

  /// "seq.number" of each pending notice, then of each dead letter behind a bar.
  std::string where() {
    std::string text;
    for (const auto& n : pending(all()).notices)
      text += std::to_string(n.what.key.seq) + "." + std::to_string(n.what.key.number) + " ";
    text += "|";
    for (const auto& d : must(reader()->dead(all())))
      text += " " + std::to_string(d.what.key.seq) + "." + std::to_string(d.what.key.number);
    return text;
  }

  std::string states_of(std::uint64_t subject) {
    std::string text;
    for (const auto& e : must(reader()->list(hash_of_subject(subject), "demo", std::to_string(subject), 0, 100)))
      for (const auto s : e.notices)
        text += s == notice_state::pending ? 'p' : s == notice_state::dead ? 'd' : 's';
    return text;
  }

  /// The store's own part of the audit; empty when whole.
  std::string audit() {
    for (const auto& p : runtime::audit_directory(*disk, directory.path(), nullptr).parts)
      if (p.file.find("shard-003") != std::string::npos)
        return p.broken.value_or("");
    return "it was not looked at";
  }

  void change_file(const char* sql) {
    runtime::connection c{
        *disk, directory.path() + "/shard-003.db", runtime::access_mode::write, runtime::shard_format, "", "FULL", 64};
    c.run(sql);
  }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(notices_suite, notice_fixture)

BOOST_AUTO_TEST_CASE(planned_notices_are_pending_with_their_submission_until_they_are_sent) {
  apply({submission(7, "a"), submission_with_notices(7, "b", 2), submission_with_notices(8, "c", 1)});
  const auto page = pending(all());
  BOOST_TEST(page.end);
  BOOST_TEST(page.counts.pending == 3u);
  BOOST_TEST(page.oldest_us == 1'700'000'000'000'000);
  BOOST_REQUIRE(page.notices.size() == 3u);
  const auto& n = page.notices[1].what;
  BOOST_TEST((n.key == notice_key{3, 2, 1}));
  BOOST_TEST(n.study == "demo");
  BOOST_TEST(n.site == "site-1");
  BOOST_TEST(n.subject == "7");
  BOOST_TEST(n.form == "phq-9");
  BOOST_TEST(n.rule == "rule-1");
  BOOST_TEST((n.id == domain::make_receipt("demo", "7", "b")));
  BOOST_TEST(n.channel == "mail");
  BOOST_TEST(n.recipient == "doctor-1");
  BOOST_TEST(!n.urgent);
  BOOST_TEST(n.raised_us == 1'700'000'000'000'000);
  BOOST_TEST(page.notices[1].lane == domain::notice_lane("demo", "mail", "doctor-1", false));
  BOOST_TEST(states_of(7) == "pp");
  apply({notice_changes({{2, 0, notice_step::sent, 1, ""}, {3, 0, notice_step::sent, 1, ""}})});
  BOOST_TEST(where() == "2.1 |");
  BOOST_TEST(states_of(7) == "sp");
  BOOST_TEST(states_of(8) == "s");
  const auto found = must(reader()->find(hash_of_subject(7), domain::make_receipt("demo", "7", "b")));
  BOOST_REQUIRE(found.has_value());
  BOOST_TEST(found->notices.size() == 2u);
  BOOST_TEST((found->notices[1] == notice_state::pending));
}

BOOST_AUTO_TEST_CASE(a_submission_that_is_repeated_plans_its_notices_once) {
  const auto result = apply({submission_with_notices(7, "b", 2), submission_with_notices(7, "b", 2)});
  BOOST_TEST(result.repeats == 1u);
  BOOST_TEST(pending(all()).counts.pending == 2u);
  apply({notice_changes({{1, 0, notice_step::sent, 1, ""}, {1, 1, notice_step::sent, 1, ""}})});
  apply({submission_with_notices(7, "b", 2)});
  BOOST_TEST(where() == "|");
}

BOOST_AUTO_TEST_CASE(a_dead_letter_is_kept_sent_again_or_dropped) {
  apply({submission_with_notices(7, "b", 3)});
  apply({notice_changes({{1, 0, notice_step::dead, 77, "no such mailbox"}, {1, 1, notice_step::dead, 78, "refused"}})});
  for (int round = 0; round < 2; ++round) {
    BOOST_TEST(where() == "1.2 | 1.0 1.1");
    BOOST_TEST(states_of(7) == "ddp");
    const auto letters = must(reader()->dead(all()));
    BOOST_REQUIRE(letters.size() == 2u);
    BOOST_TEST(letters[0].reason == "no such mailbox");
    BOOST_TEST(letters[0].at_us == 77);
    BOOST_TEST(letters[0].what.recipient == "doctor-0");
    BOOST_TEST(pending(all()).counts.dead == 2u);
    reopen();
  }
  apply({notice_changes({{1, 0, notice_step::retried, 1, ""}})});
  apply({notice_changes({{1, 1, notice_step::dropped, 1, ""}})});
  BOOST_TEST(where() == "1.0 1.2 |");
  BOOST_TEST(states_of(7) == "pdp"); // who was not told is not shown as told
  BOOST_TEST(pending(all()).counts.pending == 2u);
  BOOST_TEST(pending(all()).counts.dead == 0u);
  apply({notice_changes({{1, 1, notice_step::retried, 1, ""}})});
  BOOST_TEST(where() == "1.0 1.2 |"); // dropped for good
}

BOOST_AUTO_TEST_CASE(a_change_from_another_state_changes_nothing_and_is_no_event) {
  apply({submission_with_notices(7, "b", 2)});
  apply({notice_changes({{1, 0, notice_step::sent, 1, ""}})});
  const auto before = store->head();
  for (const auto& c :
       {notice_changes({{1, 0, notice_step::sent, 1, ""}}), notice_changes({{1, 0, notice_step::dead, 1, "late"}}),
        notice_changes({{1, 1, notice_step::retried, 1, ""}}), notice_changes({{1, 1, notice_step::dropped, 1, ""}}),
        notice_changes({{9, 0, notice_step::sent, 1, ""}}), notice_changes({{1, 1'025, notice_step::sent, 1, ""}}),
        notice_changes({{~std::uint64_t{0}, 1, notice_step::sent, 1, ""}})}) {
    const auto result = apply({c});
    BOOST_TEST(result.events == 0u);
    BOOST_TEST(result.repeats == 1u);
  }
  BOOST_TEST(where() == "1.1 |");
  BOOST_TEST(store->head().seq == before.seq);
  const auto partly = apply({notice_changes({{1, 0, notice_step::sent, 1, ""}, {1, 1, notice_step::sent, 1, ""}})});
  BOOST_TEST(partly.events == 1u);
  BOOST_TEST(where() == "|");
}

BOOST_AUTO_TEST_CASE(a_command_for_notices_belongs_to_no_subject) {
  apply({submission_with_notices(7, "b", 1), notice_changes({{1, 0, notice_step::sent, 1, ""}}), submission(7, "c")});
  BOOST_TEST(must(reader()->head(0)).last_seq == 0u);
  BOOST_TEST(must(reader()->head(hash_of_subject(7))).count == 2u);
  BOOST_TEST(must(reader()->list(hash_of_subject(7), "demo", "7", 0, 10)).size() == 2u);
  BOOST_TEST(must(reader()->scan(1, 10)).size() == 3u);
}

BOOST_AUTO_TEST_CASE(pages_go_on_behind_a_key_and_leave_out_lanes) {
  for (std::uint64_t i = 0; i < 10; ++i)
    apply({submission_with_notices(i, "k", 2)});
  auto q = all(3);
  std::string seen;
  for (int page = 0; page < 10; ++page) {
    const auto p = pending(q);
    for (const auto& n : p.notices)
      seen += std::to_string(n.what.key.seq) + "." + std::to_string(n.what.key.number) + " ";
    q.behind = p.looked_up_to;
    if (p.end)
      break;
  }
  BOOST_TEST(seen == "1.0 1.1 2.0 2.1 3.0 3.1 4.0 4.1 5.0 5.1 6.0 6.1 7.0 7.1 8.0 8.1 9.0 9.1 10.0 10.1 ");
  q = all();
  q.lanes = {domain::notice_lane("demo", "mail", "doctor-0", true)};
  for (const auto& n : pending(q).notices)
    BOOST_TEST(n.what.recipient == "doctor-1");
  BOOST_TEST(pending(q).notices.size() == 10u);
  q.only_these = true;
  q.behind = {3, 2, 0};
  q.up_to = {3, 5, 1'023};
  const auto some = pending(q);
  BOOST_REQUIRE(some.notices.size() == 3u);
  BOOST_TEST(some.notices[0].what.recipient == "doctor-0");
  BOOST_TEST(some.notices[0].what.key.seq == 3u);
  BOOST_TEST(some.notices[2].what.key.seq == 5u);
  BOOST_TEST(some.counts.pending == 20u);
}

BOOST_AUTO_TEST_CASE(a_command_that_is_not_understood_changes_nothing) {
  auto no_notice = submission(7, "a");
  no_notice.type = domain::command_type::submission_with_notices;
  auto no_change = notice_changes({{1, 0, notice_step::sent, 1, ""}});
  no_change.event = no_notice.event;
  for (const auto& c : {no_notice, no_change}) {
    const auto refused = store->apply({batch(1, {submission_with_notices(8, "a", 2), c})});
    BOOST_REQUIRE(!refused);
    BOOST_TEST((refused.error().code == ec::unknown_command));
    BOOST_TEST(store->applied().index == 0u);
    BOOST_TEST(where() == "|");
  }
  apply({submission_with_notices(8, "a", 1)});
  BOOST_TEST(pending(all()).counts.pending == 1u); // what was undone is not counted
}

BOOST_AUTO_TEST_CASE(a_store_of_the_format_before_opens_and_keeps_notices_from_then_on) {
  apply({submission(7, "a")});
  store.reset();
  bring_to_format_1(*disk, directory.path(), 3);
  {
    auto old = reader();
    BOOST_TEST(must(old->pending(all())).end);
    BOOST_TEST(must(old->dead(all())).empty());
    BOOST_TEST(must(old->list(hash_of_subject(7), "demo", "7", 0, 10)).size() == 1u);
    BOOST_TEST(audit().find("journal") == std::string::npos);
  }
  store = open();
  BOOST_TEST(store->applied().index == 1u);
  apply({submission_with_notices(7, "b", 1)});
  BOOST_TEST(where() == "2.0 |");
  reopen();
  BOOST_TEST(where() == "2.0 |");
}

BOOST_AUTO_TEST_CASE(the_audit_finds_rows_that_the_events_do_not_say) {
  apply({submission_with_notices(7, "b", 3), submission_with_notices(8, "b", 1)});
  apply({notice_changes(
      {{1, 0, notice_step::dead, 1, "no"}, {1, 1, notice_step::dead, 1, "no"}, {2, 0, notice_step::sent, 1, ""}})});
  apply({notice_changes({{1, 1, notice_step::dropped, 1, ""}})});
  must(store->checkpoint());
  store.reset();
  BOOST_TEST(audit() == "");
  const auto broken = [&](const char* sql, const char* back, const char* what) {
    change_file(sql);
    BOOST_TEST((audit().find(what) != std::string::npos), audit() << " does not say " << what);
    change_file(back);
    BOOST_TEST(audit() == "");
  };
  broken("UPDATE pending_notice SET lane=lane+1", "UPDATE pending_notice SET lane=lane-1", "does not match its checksum");
  broken("UPDATE dead_notice SET at=at+1", "UPDATE dead_notice SET at=at-1", "does not match its checksum");
  broken("UPDATE notice_count SET pending=pending+1", "UPDATE notice_count SET pending=pending-1",
         "counts of notices do not match");
  broken("CREATE TABLE kept AS SELECT * FROM pending_notice; DELETE FROM pending_notice",
         "INSERT INTO pending_notice SELECT * FROM kept; DROP TABLE kept", "counts 1 pending notices");
}

BOOST_AUTO_TEST_CASE(a_row_that_its_event_did_not_plan_is_damage) {
  apply({submission_with_notices(7, "b", 1)});
  store.reset();
  // Row and checksum fit each other, but the event has no such notice.
  change_file("UPDATE pending_notice SET key=key+1");
  const auto page = reader()->pending(all());
  BOOST_REQUIRE(!page);
  BOOST_TEST((page.error().code == ec::damaged));
}

BOOST_AUTO_TEST_SUITE_END()
