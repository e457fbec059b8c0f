// The search for an order must find one whenever there is one, and only then.
#include "tests/simulation/linearizability.hpp"

#include "tests/simulation/chance.hpp"

#include <algorithm>
#include <bit>
#include <boost/test/unit_test.hpp>
#include <map>
#include <numeric>
#include <string>
#include <utility>

using namespace epione::simulation;

namespace {

constexpr content_set first_content = 1, second_content = 2;

operation claimed(claim says, std::uint32_t key, std::int64_t sent, std::int64_t answered, content_set contents = first_content) {
  operation op;
  op.says = says;
  op.key = key;
  op.contents = contents;
  op.sent_ns = sent;
  op.answered_ns = answered;
  return op;
}

operation lost(std::uint32_t key, std::int64_t sent, content_set contents = first_content) {
  return claimed(claim::maybe, key, sent, unanswered, contents);
}

/// Keys oldest first, each with its first content.
operation showed(const std::vector<std::uint32_t>& keys, std::int64_t sent, std::int64_t answered, bool whole = true) {
  auto op = claimed(claim::history, 0, sent, answered);
  for (auto k = keys.rbegin(); k != keys.rend(); ++k)
    op.shown.push_back({*k, first_content});
  op.whole = whole;
  return op;
}

using list_of_operations = std::vector<operation>;

order order_of(const list_of_operations& ops) {
  return find_order(ops).is;
}

// ---- the same question, answered by trying everything
// --------------------------------------------------------------------------

using model_state = std::vector<std::pair<std::uint32_t, content_set>>;

/// Whether it may take effect now; then it has.
bool play(const operation& op, model_state& s) {
  const auto at = std::find_if(s.begin(), s.end(), [&](const auto& x) { return x.first == op.key; });
  const bool there = at != s.end(), same = there && (at->second & op.contents) != 0;
  switch (op.says) {
    case claim::nothing: return true;
    case claim::maybe:
    case claim::stored:
    case claim::ensured:
      if (there)
        return op.says == claim::maybe || (op.says == claim::ensured && same);
      s.emplace_back(op.key, op.contents);
      return true;
    case claim::repeated:
    case claim::found: return same;
    case claim::conflict: return there && !same;
    case claim::refused:
    case claim::missing: return !there;
    case claim::history: break;
  }
  if (op.whole ? op.shown.size() != s.size() : op.shown.size() > s.size())
    return false;
  for (std::size_t i = 0; i < op.shown.size(); ++i) {
    const auto& held = s[s.size() - 1 - i];
    if (held.first != op.shown[i].key || (held.second & op.shown[i].contents) == 0)
      return false;
  }
  return true;
}

bool fits_times(const list_of_operations& ops, const std::vector<std::size_t>& sequence) {
  for (std::size_t i = 0; i < sequence.size(); ++i)
    for (std::size_t k = i + 1; k < sequence.size(); ++k) {
      const auto& later = ops[sequence[k]];
      if (later.says != claim::maybe && later.answered_ns < ops[sequence[i]].sent_ns)
        return false;
    }
  return true;
}

bool can_be_played(const list_of_operations& ops, std::vector<std::size_t> chosen) {
  std::sort(chosen.begin(), chosen.end());
  do {
    model_state s;
    if (fits_times(ops, chosen) && std::all_of(chosen.begin(), chosen.end(), [&](std::size_t n) { return play(ops[n], s); }))
      return true;
  } while (std::next_permutation(chosen.begin(), chosen.end()));
  return false;
}

/// Every choice of what may have happened, in every sequence.
bool any_order_fits(const list_of_operations& ops) {
  for (std::size_t choice = 0; choice < (std::size_t{1} << ops.size()); ++choice) {
    std::vector<std::size_t> chosen;
    bool leaves_out_what_happened = false;
    for (std::size_t i = 0; i < ops.size(); ++i) {
      const bool in = ((choice >> i) & 1u) != 0;
      if (in)
        chosen.push_back(i);
      else if (ops[i].says != claim::maybe)
        leaves_out_what_happened = true;
    }
    if (!leaves_out_what_happened && can_be_played(ops, chosen))
      return true;
  }
  return false;
}

operation anything(chance& luck) {
  const auto sent = luck.between(0, 12);
  auto op = claimed(luck.one_of(claim::maybe, claim::stored, claim::stored, claim::repeated, claim::ensured, claim::conflict,
                                claim::refused, claim::found, claim::missing, claim::history, claim::history),
                    static_cast<std::uint32_t>(luck.below(3)), sent, sent + luck.between(0, 8),
                    luck.share(0.8) ? first_content : second_content);
  if (op.says == claim::found && luck.share(0.3))
    op.contents = first_content | second_content;
  if (op.says == claim::history) {
    op.whole = luck.share(0.7);
    for (auto n = luck.below(4); n > 0; --n)
      op.shown.push_back({static_cast<std::uint32_t>(luck.below(3)), luck.share(0.8) ? first_content : content_set{3}});
  }
  return op;
}

// ---- what really happened, with times that overlap
// -----------------------------------------------------------------------------

/// A subject with so many operations, one after the other, each somewhere between its sending and its answer.
class true_story {
public:
  true_story(chance luck, std::size_t length, std::int64_t spread) : luck_(luck) {
    for (std::size_t i = 0; i < length; ++i)
      add(static_cast<std::int64_t>(i) * 10, luck_.between(0, spread), luck_.between(0, spread));
    now_ = claimed(claim::history, 0, 0, 0);
    read(true, state_.size());
    times(static_cast<std::int64_t>(length) * 10 + spread, 0, 1);
    ops.push_back(now_);
  }

  list_of_operations ops;

private:
  void times(std::int64_t at, std::int64_t before, std::int64_t after) {
    now_.sent_ns = at - before;
    now_.answered_ns = at + after;
  }

  void read(bool whole, std::size_t many) {
    now_.says = claim::history;
    now_.whole = whole;
    now_.shown.clear();
    for (std::size_t i = 0; i < many; ++i) {
      const auto& x = state_[state_.size() - 1 - i];
      now_.shown.push_back({x.first, luck_.share(0.9) ? x.second : content_set{3}});
    }
  }

  void submit() {
    now_.contents = luck_.share(0.9) ? first_content : second_content;
    const bool fails = luck_.share(0.2);
    if (luck_.share(0.1)) { // on its way, and lost there
      now_.says = claim::maybe;
      return;
    }
    const auto known = std::find_if(state_.begin(), state_.end(), [this](const auto& x) { return x.first == now_.key; });
    if (known == state_.end()) {
      state_.emplace_back(now_.key, now_.contents);
      now_.says = fails ? claim::maybe : luck_.one_of(claim::stored, claim::ensured);
    } else if (fails) {
      now_.says = claim::maybe;
    } else {
      now_.says = known->second != now_.contents ? claim::conflict : luck_.one_of(claim::repeated, claim::ensured);
    }
  }

  void look_at_one() {
    const auto known = std::find_if(state_.begin(), state_.end(), [this](const auto& x) { return x.first == now_.key; });
    now_.says = known != state_.end() ? claim::found : luck_.one_of(claim::missing, claim::refused);
    if (known != state_.end())
      now_.contents = known->second;
  }

  void add(std::int64_t at, std::int64_t before, std::int64_t after) {
    const auto newest = static_cast<std::uint32_t>(ops.size() / 3);
    now_ =
        claimed(claim::nothing, newest - static_cast<std::uint32_t>(luck_.below(std::min<std::uint32_t>(newest, 6) + 1)), 0, 0);
    times(at, before, after);
    const auto roll = luck_.below(10);
    if (roll < 7)
      submit();
    else if (roll < 8)
      read(true, state_.size());
    else if (roll < 9)
      read(false, luck_.below(state_.size() + 1));
    else
      look_at_one();
    ops.push_back(now_);
  }

  chance luck_;
  model_state state_;
  operation now_;
};

} // namespace

BOOST_AUTO_TEST_SUITE(linear_order)

BOOST_AUTO_TEST_CASE(one_after_the_other_has_an_order) {
  BOOST_TEST((order_of({}) == order::exists));
  BOOST_TEST((order_of({showed({}, 0, 1), claimed(claim::stored, 1, 2, 3), claimed(claim::repeated, 1, 4, 5),
                        claimed(claim::conflict, 1, 6, 7, second_content), showed({1}, 8, 9), claimed(claim::found, 1, 10, 11),
                        claimed(claim::missing, 2, 12, 13), claimed(claim::stored, 2, 14, 15), showed({1, 2}, 16, 17)}) ==
              order::exists));
}

BOOST_AUTO_TEST_CASE(a_read_that_does_not_show_what_was_acknowledged_before_has_none) {
  const list_of_operations ops{claimed(claim::stored, 1, 0, 10), showed({}, 11, 12)};
  BOOST_TEST((order_of(ops) == order::impossible));
  BOOST_TEST((order_of({claimed(claim::stored, 1, 0, 10), showed({}, 9, 12)}) == order::exists));
}

BOOST_AUTO_TEST_CASE(reads_that_go_back_have_none) {
  BOOST_TEST((order_of({lost(1, 0), showed({1}, 1, 2), showed({}, 3, 4)}) == order::impossible));
  BOOST_TEST((order_of({lost(1, 0), showed({}, 1, 2), showed({1}, 3, 4)}) == order::exists));
}

BOOST_AUTO_TEST_CASE(two_reads_that_show_different_sequences_have_none) {
  const list_of_operations writes{claimed(claim::stored, 1, 0, 10), claimed(claim::stored, 2, 0, 10)};
  auto one = writes, both = writes;
  one.push_back(showed({1, 2}, 11, 20));
  BOOST_TEST((order_of(one) == order::exists));
  both.push_back(showed({1, 2}, 11, 20));
  both.push_back(showed({2, 1}, 11, 20));
  BOOST_TEST((order_of(both) == order::impossible));
}

BOOST_AUTO_TEST_CASE(a_later_submission_does_not_come_before_an_acknowledged_one) {
  BOOST_TEST((order_of({claimed(claim::stored, 1, 0, 10), claimed(claim::stored, 2, 11, 20), showed({2, 1}, 21, 22)}) ==
              order::impossible));
  BOOST_TEST(
      (order_of({claimed(claim::stored, 1, 0, 10), claimed(claim::stored, 2, 9, 20), showed({2, 1}, 21, 22)}) == order::exists));
}

BOOST_AUTO_TEST_CASE(what_was_lost_may_be_there_much_later_and_then_stays) {
  BOOST_TEST((order_of({lost(1, 0), showed({}, 5, 6), showed({1}, 900, 901)}) == order::exists));
  BOOST_TEST((order_of({lost(1, 0), claimed(claim::found, 1, 5, 6), claimed(claim::missing, 1, 7, 8)}) == order::impossible));
  BOOST_TEST((order_of({lost(1, 10), showed({1}, 5, 6)}) == order::impossible)); // before it was sent
}

BOOST_AUTO_TEST_CASE(what_was_refused_or_never_sent_is_not_shown) {
  BOOST_TEST((order_of({claimed(claim::refused, 1, 0, 1), showed({1}, 2, 3)}) == order::impossible));
  BOOST_TEST((order_of({claimed(claim::nothing, 1, 0, 1), showed({1}, 2, 3)}) == order::impossible));
  BOOST_TEST((order_of({showed({7}, 2, 3)}) == order::impossible));
}

BOOST_AUTO_TEST_CASE(not_found_after_an_acknowledgement_has_none) {
  BOOST_TEST((order_of({claimed(claim::stored, 1, 0, 1), claimed(claim::missing, 1, 2, 3)}) == order::impossible));
  BOOST_TEST((order_of({claimed(claim::stored, 1, 0, 1), claimed(claim::refused, 1, 2, 3)}) == order::impossible));
  BOOST_TEST((order_of({claimed(claim::stored, 1, 0, 4), claimed(claim::missing, 1, 2, 3)}) == order::exists));
}

BOOST_AUTO_TEST_CASE(a_conflict_says_that_something_else_is_there_from_then_on) {
  const list_of_operations ops{lost(1, 0), claimed(claim::conflict, 1, 5, 6, second_content)};
  auto gone = ops, other = ops;
  BOOST_TEST((order_of(ops) == order::exists));
  gone.push_back(showed({}, 7, 8));
  BOOST_TEST((order_of(gone) == order::impossible));
  other.push_back(claimed(claim::found, 1, 7, 8, second_content));
  BOOST_TEST((order_of(other) == order::impossible));
  BOOST_TEST((order_of({claimed(claim::conflict, 1, 5, 6, second_content)}) == order::impossible)); // nothing can be there
}

BOOST_AUTO_TEST_CASE(a_202_was_the_first_under_its_key) {
  BOOST_TEST((order_of({claimed(claim::stored, 1, 0, 9), claimed(claim::stored, 1, 0, 9)}) == order::impossible));
  BOOST_TEST((order_of({lost(1, 0), showed({1}, 1, 2), claimed(claim::stored, 1, 3, 4)}) == order::impossible));
  BOOST_TEST((order_of({lost(1, 0), showed({1}, 1, 2), claimed(claim::ensured, 1, 3, 4)}) == order::exists));
  BOOST_TEST((order_of({claimed(claim::repeated, 1, 0, 9)}) == order::impossible));
  BOOST_TEST((order_of({claimed(claim::ensured, 1, 0, 9)}) == order::exists));
}

BOOST_AUTO_TEST_CASE(the_end_of_a_history_says_what_was_newest) {
  const list_of_operations writes{claimed(claim::stored, 1, 0, 1), claimed(claim::stored, 2, 2, 3)};
  auto right = writes, wrong = writes;
  right.push_back(showed({2}, 4, 5, false));
  BOOST_TEST((order_of(right) == order::exists));
  wrong.push_back(showed({1}, 4, 5, false));
  BOOST_TEST((order_of(wrong) == order::impossible));
  wrong.back() = showed({2}, 4, 5, true); // as if it were all
  BOOST_TEST((order_of(wrong) == order::impossible));
}

BOOST_AUTO_TEST_CASE(those_that_contradict_each_other_are_named) {
  const list_of_operations ops{claimed(claim::stored, 1, 0, 1), showed({1}, 2, 3), claimed(claim::stored, 2, 4, 5),
                               claimed(claim::found, 1, 6, 7),  showed({1}, 8, 9), claimed(claim::stored, 3, 10, 11),
                               showed({1, 2, 3}, 12, 13),       showed({}, 14, 15)};
  const auto v = find_order(ops);
  BOOST_TEST((v.is == order::impossible));
  BOOST_TEST(v.involved == (std::vector<std::size_t>{2, 4}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_search_that_takes_too_long_says_so) {
  const list_of_operations ops{claimed(claim::stored, 1, 0, 9), claimed(claim::stored, 2, 0, 9), showed({2, 1}, 10, 11)};
  BOOST_TEST((order_of(ops) == order::exists));
  BOOST_TEST((find_order(ops, 1).is == order::undecided));
}

BOOST_AUTO_TEST_CASE(it_says_the_same_as_trying_everything) {
  chance luck{5};
  std::size_t with = 0, without = 0;
  for (int i = 0; i < 20'000; ++i) {
    list_of_operations ops;
    for (auto n = luck.between(1, 5); n > 0; --n)
      ops.push_back(anything(luck));
    const bool fits = any_order_fits(ops);
    ++(fits ? with : without);
    BOOST_REQUIRE_MESSAGE((order_of(ops) == (fits ? order::exists : order::impossible)), "history " << i);
  }
  BOOST_TEST(with > 1'000u); // both are well tried
  BOOST_TEST(without > 1'000u);
}

BOOST_AUTO_TEST_CASE(a_short_story_that_is_changed_is_judged_as_by_trying_everything) {
  std::size_t without = 0;
  for (std::uint64_t i = 0; i < 1'000; ++i) {
    chance luck{i};
    auto ops = true_story{luck.branch("story"), 5, 25}.ops;
    BOOST_REQUIRE_MESSAGE(any_order_fits(ops), "story " << i);
    auto& changed = ops[luck.below(ops.size())];
    if (luck.share(0.5))
      changed = anything(luck);
    else if (luck.share(0.5))
      changed.sent_ns += 15, changed.answered_ns += 15;
    else if (!changed.shown.empty())
      changed.shown.pop_back();
    const bool fits = any_order_fits(ops);
    without += fits ? 0 : 1;
    BOOST_REQUIRE_MESSAGE((order_of(ops) == (fits ? order::exists : order::impossible)), "story " << i);
  }
  BOOST_TEST(without > 100u);
}

BOOST_AUTO_TEST_CASE(what_really_happened_has_an_order_and_is_found_in_about_a_step_an_operation) {
  for (std::uint64_t i = 0; i < 300; ++i) {
    BOOST_TEST_CONTEXT("story " << i) {
      chance luck{i};
      const auto length = static_cast<std::size_t>(luck.one_of(10, 100, 400));
      const auto v = find_order(true_story{luck.branch("story"), length, luck.one_of<std::int64_t>(0, 15, 60)}.ops);
      BOOST_TEST((v.is == order::exists));
      BOOST_TEST(v.steps <= 2 * length + 20);
    }
  }
}

BOOST_AUTO_TEST_CASE(what_is_involved_has_no_order_by_itself) {
  std::size_t wrong = 0;
  for (std::uint64_t i = 0; i < 300; ++i) {
    BOOST_TEST_CONTEXT("story " << i) {
      chance luck{i};
      auto ops = true_story{luck.branch("story"), 60, 25}.ops;
      std::size_t reader = luck.below(ops.size());
      while (ops[reader].shown.empty()) // the last one shows something
        ++reader;
      auto& changed = ops[reader];
      changed.shown.erase(changed.shown.begin() + static_cast<std::ptrdiff_t>(luck.below(changed.shown.size())));
      const auto v = find_order(ops);
      if (v.is != order::impossible)
        continue;
      ++wrong;
      BOOST_TEST_REQUIRE(!v.involved.empty());
      for (std::size_t n = 0; n < ops.size(); ++n) // the claims of all others taken back
        if (!std::binary_search(v.involved.begin(), v.involved.end(), n))
          ops[n].says = ops[n].says == claim::stored || ops[n].says == claim::ensured || ops[n].says == claim::repeated ||
                                ops[n].says == claim::maybe
                            ? claim::maybe
                            : claim::nothing;
      BOOST_TEST((order_of(ops) != order::exists));
    }
  }
  BOOST_TEST(wrong > 100u);
}

BOOST_AUTO_TEST_SUITE_END()
