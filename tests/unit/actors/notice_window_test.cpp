// The window over a table of pending notices: bounded, fair to every lane, and nothing is left behind or taken twice.
#include "actors/notice_window.hpp"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <map>
#include <random>
#include <set>

using namespace epione;
using actors::notice_window;
using messages::notice_key;

namespace {

/// What a store would answer.
struct table {
  std::map<notice_key, messages::notice_lane> rows;

  messages::notice_page answer(const messages::notice_question& q, std::uint32_t rows_max = 1'000'000) const {
    messages::notice_page page;
    page.looked_up_to = q.behind;
    page.end = false;
    std::uint32_t looked_at = 0;
    for (auto it = rows.upper_bound(q.behind);; ++it, ++looked_at) {
      if (page.notices.size() >= q.limit || looked_at == rows_max)
        return page;
      if (it == rows.end() || (q.up_to.seq != 0 && q.up_to < it->first))
        break;
      page.looked_up_to = it->first;
      if (std::binary_search(q.lanes.begin(), q.lanes.end(), it->second) == q.only_these)
        page.notices.push_back({it->second, notice_of(it->first, it->second)});
    }
    page.end = true;
    return page;
  }

  static messages::notice notice_of(const notice_key& key, messages::notice_lane lane) {
    messages::notice n;
    n.key = key;
    n.channel = lane % 2 == 0 ? "even" : "odd";
    n.recipient = std::to_string(lane);
    return n;
  }
};

std::string channel_of(const messages::notice& n) {
  return n.channel;
}

struct fixture {
  table store;
  notice_window window{{1, 100, 20, 50, 8}};

  void add(std::uint64_t seq, messages::notice_lane lane) { store.rows[{1, seq, 0}] = lane; }
  void read_all() {
    for (int i = 0; i < 10'000; ++i) {
      const auto q = window.next_question();
      if (!q)
        return;
      window.take(store.answer(*q), channel_of);
    }
    BOOST_FAIL("it reads without end");
  }
  void send(const notice_key& key) {
    BOOST_TEST(window.settle(key).has_value());
    store.rows.erase(key);
    window.forget(key);
    window.expect_more();
  }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(notice_window_suite, fixture)

BOOST_AUTO_TEST_CASE(nothing_is_asked_before_there_is_a_reason) {
  BOOST_TEST(!window.next_question().has_value());
  window.expect_more();
  BOOST_TEST(window.next_question().has_value());
  BOOST_TEST(!window.next_question().has_value()); // one at a time
}

BOOST_AUTO_TEST_CASE(notices_are_handed_over_once_by_channel_and_again_when_the_notifier_is_lost) {
  add(1, 2), add(2, 3), add(3, 2);
  window.expect_more();
  read_all();
  BOOST_TEST(window.waiting() == 3u);
  BOOST_TEST(window.hand_over("even").size() == 2u);
  BOOST_TEST(window.hand_over("even").empty());
  BOOST_TEST(window.in_hand() == 2u);
  window.lost("even");
  BOOST_TEST(window.waiting() == 3u);
  const auto again = window.hand_over("even");
  BOOST_REQUIRE(again.size() == 2u);
  BOOST_TEST(again[0].key.seq == 1u);
  BOOST_TEST(window.settle({1, 1, 0}).has_value());
  BOOST_TEST(!window.settle({1, 1, 0}).has_value()); // known already
  BOOST_TEST(!window.settle({1, 9, 0}).has_value()); // never heard of
  window.lost("even");
  BOOST_TEST(window.hand_over("even").size() == 1u); // what became of the other one is known
}

BOOST_AUTO_TEST_CASE(a_lane_that_stands_still_does_not_hold_up_another) {
  for (std::uint64_t i = 1; i <= 10'000; ++i)
    add(i, 2);
  add(10'001, 3);
  window.expect_more();
  read_all();
  BOOST_TEST(window.hand_over("odd").size() == 1u);
  BOOST_TEST(window.hand_over("even").size() == 20u);
}

BOOST_AUTO_TEST_CASE(many_lanes_that_stand_still_leave_room_for_one_more) {
  for (std::uint64_t i = 1; i <= 10'000; ++i)
    add(i, static_cast<messages::notice_lane>(2 * (i % 30)));
  add(10'001, 3);
  window.expect_more();
  read_all();
  BOOST_TEST(window.waiting() <= 100u);
  BOOST_TEST(window.hand_over("odd").size() == 1u);
}

BOOST_AUTO_TEST_CASE(what_a_full_lane_left_is_taken_in_order_when_it_has_room) {
  for (std::uint64_t i = 1; i <= 100; ++i)
    add(i, 2);
  window.expect_more();
  std::vector<std::uint64_t> order;
  for (int round = 0; round < 100 && !store.rows.empty(); ++round) {
    read_all();
    BOOST_TEST(window.waiting() <= 20u);
    for (const auto& n : window.hand_over("even")) {
      order.push_back(n.key.seq);
      send(n.key);
    }
  }
  BOOST_TEST(store.rows.empty());
  BOOST_REQUIRE(order.size() == 100u);
  BOOST_TEST(std::is_sorted(order.begin(), order.end()));
  BOOST_TEST(window.lanes() == 0u);
}

BOOST_AUTO_TEST_CASE(an_answer_older_than_an_outcome_does_not_bring_the_notice_back) {
  add(1, 2);
  window.expect_more();
  read_all();
  window.hand_over("even");
  window.start_over(); // a new epoch
  const auto q = window.next_question();
  BOOST_REQUIRE(q.has_value());
  const auto old = store.answer(*q);
  BOOST_REQUIRE(old.notices.size() == 1u);
  window.settle({1, 1, 0});
  store.rows.clear();
  window.forget({1, 1, 0});
  window.take(old, channel_of);
  BOOST_TEST(window.waiting() == 0u);
  BOOST_TEST(window.settled() == 0u);
}

BOOST_AUTO_TEST_CASE(a_notice_that_is_pending_again_is_found_again) {
  add(1, 2), add(2, 2);
  window.expect_more();
  read_all();
  window.hand_over("even");
  send({1, 1, 0}), send({1, 2, 0});
  read_all();
  add(1, 2);
  window.expect_more();
  read_all();
  BOOST_TEST(window.waiting() == 0u); // it is not looked for without being told
  window.look_again_behind({1, 0, 1'023});
  read_all();
  BOOST_TEST(window.waiting() == 1u);
}

BOOST_AUTO_TEST_CASE(an_answer_that_did_not_come_is_asked_for_again) {
  add(1, 2);
  window.expect_more();
  BOOST_TEST(window.next_question().has_value());
  window.read_failed();
  read_all();
  BOOST_TEST(window.waiting() == 1u);
}

BOOST_AUTO_TEST_CASE(outcomes_that_are_not_stored_yet_are_bounded) {
  for (std::uint64_t i = 1; i <= 1'000; ++i)
    add(i, static_cast<messages::notice_lane>(i % 10));
  window.expect_more();
  for (int round = 0; round < 100; ++round) {
    read_all();
    for (const auto* channel : {"even", "odd"})
      for (const auto& n : window.hand_over(channel))
        window.settle(n.key);
  }
  BOOST_TEST(window.settled() <= 50u + 100u);
  BOOST_TEST(window.settled() >= 50u);
}

BOOST_AUTO_TEST_CASE(whatever_happens_every_notice_is_handed_over_and_the_bounds_are_kept) {
  for (unsigned seed = 1; seed <= 200; ++seed) {
    BOOST_TEST_CONTEXT("seed " << seed) {
      std::mt19937 random{seed};
      const auto below = [&](std::uint32_t n) { return static_cast<std::uint32_t>(random() % n); };
      table rows;
      notice_window w{{1, 5 + below(60), 1 + below(20), 1 + below(40), 1 + below(10)}};
      const auto lanes = 1 + below(12);
      const auto rows_max = 1 + below(30);
      std::map<notice_key, int> handed;
      std::set<notice_key> in_hand, settled, dead, all;
      std::uint64_t seq = 0;
      std::optional<messages::notice_page> answer;
      const auto finish = [&](notice_key key) { // by value: it is taken out of where it may come from
        BOOST_TEST(w.settle(key).has_value());
        in_hand.erase(key);
        settled.insert(key);
      };
      for (int step = 0; step < 3'000 || !rows.rows.empty(); ++step) {
        BOOST_REQUIRE(step < 5'000'000);       // rather slow than stuck: small windows read the table again and again
        switch (below(step < 3'000 ? 9 : 7)) { // at the end only what brings it to its end
          case 0:
            if (!answer)
              if (const auto q = w.next_question())
                answer = rows.answer(*q, rows_max);
            break;
          case 1:
            if (answer)
              w.take(*answer, channel_of);
            answer.reset();
            break;
          case 2:
            for (const auto& n : w.hand_over(below(2) == 0 ? "even" : "odd")) {
              BOOST_TEST(rows.rows.count(n.key) == 1u); // never what is sent
              BOOST_TEST(in_hand.insert(n.key).second);
              ++handed[n.key];
            }
            break;
          case 3:
          case 4:
            if (!in_hand.empty())
              finish(*std::next(in_hand.begin(), below(static_cast<std::uint32_t>(in_hand.size()))));
            break;
          case 5:
            if (!settled.empty()) {
              const auto key = *settled.begin();
              settled.erase(settled.begin());
              if (step < 3'000 && below(10) == 0)
                dead.insert(key);
              rows.rows.erase(key);
              w.forget(key);
            }
            w.expect_more();
            break;
          case 6:
            if (step >= 3'000 && below(50) != 0)
              break;
            if (!dead.empty()) { // an operator has it sent again
              const auto key = *dead.begin();
              dead.erase(dead.begin());
              rows.rows[key] = static_cast<messages::notice_lane>(key.seq % lanes);
              w.look_again_behind(key.number == 0 ? notice_key{1, key.seq - 1, 1'023} : notice_key{1, key.seq, key.number - 1});
            }
            if (below(20) == 0) {
              const std::string channel = below(2) == 0 ? "even" : "odd";
              w.lost(channel);
              std::erase_if(in_hand, [&](const auto& key) { return (key.seq % lanes % 2 == 0) == (channel == "even"); });
            }
            break;
          case 7:
            ++seq;
            for (std::uint32_t number = 0; number <= below(3); ++number) {
              rows.rows[{1, seq, number}] = static_cast<messages::notice_lane>(seq % lanes);
              all.insert({1, seq, number});
            }
            w.expect_more();
            break;
          case 8:
            if (below(20) == 0) {
              w.start_over();
              answer.reset();
            } else if (answer && below(5) == 0) {
              w.read_failed();
              answer.reset();
            }
            break;
        }
        BOOST_TEST(w.waiting() + w.in_hand() <= 65u);
      }
      for (const auto& key : all)
        BOOST_TEST(handed[key] >= 1);
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()
