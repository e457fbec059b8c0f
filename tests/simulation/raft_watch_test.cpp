// The listener must notice each broken rule of Raft, and nothing else.
#include "tests/simulation/raft_watch.hpp"

#include <boost/test/unit_test.hpp>
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

BOOST_AUTO_TEST_CASE(who_waits_for_a_vote_is_told_once) {
  std::vector<std::string> told;
  watch.at_next_vote([&](const std::string& node) { told.push_back(node); });
  lead(two, 2);
  vote(one, 2, 2);
  vote(one, 3, 2);
  BOOST_TEST((told == std::vector<std::string>{"n1"}));
}

BOOST_AUTO_TEST_SUITE_END()
