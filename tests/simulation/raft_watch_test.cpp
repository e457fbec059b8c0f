// The listener must notice each broken rule of Raft, and nothing else.
#include "tests/simulation/raft_watch.hpp"

#include <boost/test/unit_test.hpp>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

using namespace epione;
using namespace epione::simulation;
using messages::message_kind;

namespace {

struct watched_members {
  std::int64_t now = 0;
  trace log{now, nullptr};
  ledger book{log};
  raft_watch watch{book};
  raft_watch::speaker one{"n1", 1, 11}, two{"n2", 2, 22};

  static messages::raft_message message(message_kind kind, std::uint64_t term, std::uint64_t to) {
    messages::raft_message m;
    m.kind = kind;
    m.term = term;
    m.peer = to;
    return m;
  }
  void vote(const raft_watch::speaker& who, std::uint64_t term, std::uint64_t candidate, bool pre_vote = false) {
    auto m = message(message_kind::request_vote_result, term, candidate);
    m.granted = true;
    m.pre_vote = pre_vote;
    watch.said(who, 1, m);
  }
  void lead(const raft_watch::speaker& who, std::uint64_t term, std::uint32_t group = 1) {
    watch.said(who, group, message(message_kind::append_entries, term, 3));
  }
  /// Entries from this one on, of these terms, behind one of term `before`.
  void send(const raft_watch::speaker& who, std::uint64_t term, std::uint64_t from, std::uint64_t before,
            const std::vector<std::uint64_t>& terms, std::uint64_t commit = 0) {
    auto m = message(message_kind::append_entries, term, 3);
    m.index = from - 1;
    m.index_term = before;
    m.commit = commit;
    for (const auto t : terms) {
      messages::log_entry e;
      e.index = from++;
      e.term = t;
      m.entries.push_back(e);
    }
    watch.said(who, 1, m);
  }
  void has_stored(const raft_watch::speaker& who, std::uint64_t term, std::uint64_t index, std::uint64_t rejected = 0) {
    auto m = message(message_kind::append_entries_result, term, 1);
    m.index = index;
    m.rejected = rejected;
    watch.said(who, 1, m);
  }
  void start_again(raft_watch::speaker& who) { ++who.incarnation; }
  bool holds() const { return book.violations().empty(); }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(raft_rules, watched_members)

BOOST_AUTO_TEST_CASE(one_leader_a_term_and_group_is_right) {
  lead(one, 2);
  lead(one, 2);
  lead(two, 3);
  lead(two, 2, 4);
  BOOST_TEST(holds());
}

BOOST_AUTO_TEST_CASE(two_leaders_of_a_term_are_noticed) {
  lead(one, 2);
  lead(two, 2);
  BOOST_TEST(!holds());
}

BOOST_AUTO_TEST_CASE(a_second_vote_in_a_term_is_noticed_also_after_a_start) {
  vote(one, 2, 3);
  start_again(one);
  vote(one, 2, 3);
  BOOST_TEST(holds());
  vote(one, 2, 4);
  BOOST_TEST(!holds());
}

BOOST_AUTO_TEST_CASE(a_candidate_has_voted_for_itself) {
  watch.said(one, 1, message(message_kind::request_vote, 2, 2));
  vote(one, 2, 3);
  BOOST_TEST(!holds());
}

BOOST_AUTO_TEST_CASE(a_question_before_an_election_is_no_vote) {
  vote(one, 2, 3, true);
  vote(one, 2, 4, true);
  BOOST_TEST(holds());
}

BOOST_AUTO_TEST_CASE(a_term_that_went_back_is_noticed_after_a_start) {
  lead(one, 5);
  start_again(one);
  watch.said(one, 1, message(message_kind::append_entries_result, 5, 2));
  BOOST_TEST(holds());
  watch.said(one, 1, message(message_kind::append_entries_result, 4, 2));
  BOOST_TEST(!holds());
}

BOOST_AUTO_TEST_CASE(what_was_said_must_be_on_the_disk) {
  vote(one, 2, 3);
  watch.check_disk(one, {{1, {2, 3}}});
  watch.check_disk(one, {{1, {7, 0}}}); // more was stored than said
  watch.check_disk(two, {});
  BOOST_TEST(holds());
  watch.check_disk(one, {{1, {2, 0}}});
  BOOST_TEST(book.violations().size() == 1u);
  watch.check_disk(one, {{1, {1, 3}}});
  BOOST_TEST(book.violations().size() == 2u);
  watch.check_disk(one, {});
  BOOST_TEST(book.violations().size() == 3u);
}

BOOST_AUTO_TEST_CASE(what_a_leader_was_told_is_stored_must_be_on_the_disk) {
  send(one, 2, 5, 1, {1, 2, 2});
  has_stored(two, 2, 6);
  has_stored(two, 2, 9, 8); // refused: no word on what is stored
  BOOST_TEST((watch.last_stored(2) == std::map<std::uint32_t, std::uint64_t>{{1, 6}}));
  BOOST_TEST(watch.last_stored(1).empty());
  watch.check_disk(two, {{1, {2, 0, 0, 2}}});
  watch.check_disk(two, {{1, {2, 0, 6, 0}}}); // it was cut
  watch.check_disk(two, {{1, {3, 0, 0, 1}}}); // a leader of another term may have replaced it
  BOOST_TEST(holds());
  watch.check_disk(two, {{1, {2, 0, 5, 0}}});
  BOOST_TEST(book.violations().size() == 1u);
  watch.check_disk(two, {{1, {2, 0, 0, 1}}});
  BOOST_TEST(book.violations().size() == 2u);
}

BOOST_AUTO_TEST_CASE(a_later_leader_tells_anew_what_counts) {
  send(one, 2, 5, 1, {2, 2});
  has_stored(two, 2, 6);
  send(one, 3, 5, 1, {3});
  has_stored(two, 3, 5);
  has_stored(two, 2, 6); // came late
  watch.check_disk(two, {{1, {3, 0, 0, 3}}});
  BOOST_TEST(holds());
  watch.check_disk(two, {{1, {3, 0, 0, 2}}});
  BOOST_TEST(!holds());
}

BOOST_AUTO_TEST_CASE(a_leader_without_what_was_committed_is_noticed) {
  send(one, 2, 5, 1, {2, 2, 2}, 6);
  send(two, 3, 5, 1, {2, 2, 3, 3}); // entry 7 was not committed
  BOOST_TEST(holds());
  send(two, 4, 6, 2, {4});
  BOOST_TEST(book.violations().size() == 1u);
}

BOOST_AUTO_TEST_CASE(a_leader_that_was_cut_off_may_go_on_sending_what_was_replaced) {
  send(one, 2, 5, 1, {2});
  send(two, 3, 5, 1, {3}, 5);
  send(one, 2, 5, 1, {2, 2});
  BOOST_TEST(holds());
  send(two, 4, 5, 1, {2});
  BOOST_TEST(!holds());
}

BOOST_AUTO_TEST_CASE(who_waits_for_a_deposed_leader_is_told_of_no_other) {
  std::vector<std::string> told;
  watch.at_next_result_of_deposed([&](const std::string& node) { told.push_back(node); });
  lead(one, 2);
  has_stored(two, 2, 5);
  lead(two, 3);
  has_stored(one, 3, 5, 4);
  BOOST_TEST(told.empty());
  has_stored(one, 3, 5);
  has_stored(one, 3, 6);
  BOOST_TEST((told == std::vector<std::string>{"n1"}));
}

BOOST_AUTO_TEST_CASE(who_waits_for_a_vote_is_told_once) {
  std::vector<std::string> told;
  watch.at_next_vote([&](const std::string& node) { told.push_back(node); });
  lead(two, 2);
  vote(one, 2, 2);
  vote(one, 3, 2);
  BOOST_TEST((told == std::vector<std::string>{"n1"}));
}

BOOST_AUTO_TEST_SUITE_END()
