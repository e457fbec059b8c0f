#include "tests/simulation/linearizability.hpp"

#include <algorithm>
#include <bit>
#include <compare>
#include <map>
#include <optional>
#include <set>
#include <utility>

namespace epione::simulation {

namespace {

struct held_item {
  std::uint32_t key = 0;
  int content = 0;
  auto operator<=>(const held_item&) const = default;
};

struct configuration {
  std::vector<held_item> state;    ///< oldest first
  std::vector<std::uint32_t> done; ///< of the operations under way, ascending: these have taken effect
  auto operator<=>(const configuration&) const = default;

  bool has_done(std::uint32_t op) const { return std::binary_search(done.begin(), done.end(), op); }
  void add_done(std::uint32_t op) { done.insert(std::lower_bound(done.begin(), done.end(), op), op); }
  void forget(std::uint32_t op) { std::erase(done, op); }
  /// Null: nothing is there.
  const held_item* find(std::uint32_t key) const {
    const auto found = std::find_if(state.rbegin(), state.rend(), [key](const held_item& x) { return x.key == key; });
    return found == state.rend() ? nullptr : &*found;
  }
};

bool is_one_of(const held_item& x, content_set contents) {
  return ((contents >> x.content) & 1u) != 0;
}

bool is_submission(claim x) {
  return x == claim::maybe || x == claim::stored || x == claim::ensured;
}

bool has_no_answer(claim x) {
  return x == claim::maybe || x == claim::nothing;
}

bool shows(const operation& history, const std::vector<held_item>& state) {
  if (history.whole ? history.shown.size() != state.size() : history.shown.size() > state.size())
    return false;
  return std::equal(history.shown.begin(), history.shown.end(), state.rbegin(),
                    [](const shown_item& a, const held_item& b) { return a.key == b.key && is_one_of(b, a.contents); });
}

/// Whether an operation may take effect here without changing anything.
bool is_true(const operation& op, const configuration& c) {
  if (op.says == claim::history)
    return shows(op, c.state);
  if (op.says == claim::stored)
    return false;
  const auto* there = c.find(op.key);
  switch (op.says) {
    case claim::refused:
    case claim::missing: return there == nullptr;
    case claim::conflict: return there != nullptr && !is_one_of(*there, op.contents);
    default: return there != nullptr && is_one_of(*there, op.contents);
  }
}

class order_search {
public:
  order_search(const std::vector<operation>& ops, std::uint64_t steps_max) : ops_(ops), steps_max_(steps_max) {
    for (std::uint32_t i = 0; i < ops_.size(); ++i) {
      const auto& op = ops_[i];
      if (op.says == claim::nothing)
        continue;
      moments_.push_back({op.sent_ns, false, i});
      if (!has_no_answer(op.says))
        moments_.push_back({op.answered_ns, true, i});
      if (op.says == claim::stored)
        added_by_a_202_.insert(op.key);
    }
    std::sort(moments_.begin(), moments_.end());
    for (std::size_t at = 0; at < moments_.size(); ++at)
      if (moments_[at].answer)
        look_ahead(ops_[moments_[at].op], at);
  }

  order run() {
    configurations_.resize(1); // nothing is there, and nothing under way
    for (at_ = 0; at_ < moments_.size(); ++at_) {
      const auto& m = moments_[at_];
      if (!m.answer)
        sent(m.op);
      else if (!answered(m.op))
        return order::undecided;
      if (configurations_.empty())
        return order::impossible;
    }
    return order::exists;
  }

  std::uint64_t steps() const { return steps_; }

private:
  struct moment {
    std::int64_t ns = 0;
    bool answer = false; // sorts behind what is sent at the same time
    std::uint32_t op = 0;
    auto operator<=>(const moment&) const = default;
  };

  /// Which answers are still to come, for each moment before them.
  void look_ahead(const operation& op, std::size_t at) {
    if (op.says == claim::history) {
      histories_.push_back(at);
      for (const auto& x : op.shown)
        shown_last_[x.key] = wanted_last_[x.key] = at;
    } else if (op.says != claim::refused && op.says != claim::missing) {
      wanted_last_[op.key] = at;
    }
  }

  void sent(std::uint32_t op) {
    if (is_submission(ops_[op].says))
      writers_[ops_[op].key].push_back(op);
    if (has_no_answer(ops_[op].says))
      return;
    under_way_.push_back(op);
    for (auto& c : configurations_)
      if (is_true(ops_[op], c))
        c.add_done(op);
  }

  /// Nothing is lost when what changes nothing takes effect as soon as it can: it was sent, and hinders no other.
  void settle(configuration& c) const {
    for (const auto op : under_way_)
      if (!c.has_done(op) && is_true(ops_[op], c))
        c.add_done(op);
  }

  /// From each configuration only as far as this operation has taken effect. False when there were too many steps.
  bool answered(std::uint32_t op) {
    std::set<configuration> out;
    entered_.clear();
    to_enter_ = std::move(configurations_);
    configurations_.clear();
    while (!to_enter_.empty()) {
      if (++steps_ > steps_max_)
        return false;
      auto c = std::move(to_enter_.back());
      to_enter_.pop_back();
      if (!c.has_done(op)) {
        add_next(c, op);
        continue;
      }
      c.forget(op);
      sort_what_nobody_sees(c.state);
      out.insert(std::move(c));
    }
    std::erase(under_way_, op);
    while (!out.empty())
      configurations_.push_back(std::move(out.extract(out.begin()).value()));
    return true;
  }

  /// Where no answer to come shows one of them, states that differ in the order of neighbours are the same.
  void sort_what_nobody_sees(std::vector<held_item>& state) const {
    const auto is_shown = [this](const held_item& x) {
      const auto last = shown_last_.find(x.key);
      return last != shown_last_.end() && last->second > at_;
    };
    for (auto from = state.begin(); from != state.end();) {
      const auto to = std::find_if(from, state.end(), is_shown);
      std::sort(from, to);
      from = to == state.end() ? to : to + 1;
    }
  }

  /// All that can be added here, so that `op` may take effect. Most histories leave little to choose: the state must begin every
  /// whole history that takes effect later, so the next one of them says which key comes. And when nobody looks at the order any
  /// more, each key is an object of its own: then the others need not have taken effect yet.
  void add_next(const configuration& c, std::uint32_t op) {
    const operation* part = nullptr;
    for (auto x = std::lower_bound(histories_.begin(), histories_.end(), at_); x != histories_.end(); ++x) {
      const auto reader = moments_[*x].op;
      if (c.has_done(reader))
        continue;
      const auto& history = ops_[reader];
      if (history.whole) {
        if (c.state.size() < history.shown.size()) {
          const auto& next = history.shown[history.shown.size() - 1 - c.state.size()];
          add(c, next.key, next.contents);
        }
        return;
      }
      if (part == nullptr)
        part = &history;
    }
    if (part == nullptr)
      return add(c, ops_[op].key, ~content_set{0});
    for (const auto& [key, writers] : writers_)
      if (may_come_next(c.state, key, part->shown))
        add(c, key, ~content_set{0});
  }

  /// What the end of a history shows, newest first, comes one right after the other, and nothing behind it until it was read.
  static bool may_come_next(const std::vector<held_item>& state, std::uint32_t key, const std::vector<shown_item>& shown) {
    const auto place = [&shown](std::uint32_t k) {
      return std::find_if(shown.rbegin(), shown.rend(), [k](const shown_item& x) { return x.key == k; });
    };
    const auto last = state.empty() ? shown.rend() : place(state.back().key), next = place(key);
    if (last == shown.rend())
      return next == shown.rend() || next == shown.rbegin();
    return next != shown.rend() && next == last + 1;
  }

  /// What no answer to come asks for is as well never added.
  void add(const configuration& c, std::uint32_t key, content_set allowed) {
    const auto writers = writers_.find(key);
    const auto wanted = wanted_last_.find(key);
    if (writers == writers_.end() || wanted == wanted_last_.end() || wanted->second < at_ || c.find(key) != nullptr)
      return;
    content_set tried = 0;
    for (const auto w : writers->second) {
      const auto& writer = ops_[w];
      const bool by_202 = writer.says == claim::stored;
      if ((writer.contents & allowed) == 0 || (!by_202 && ((tried & writer.contents) != 0 || added_by_a_202_.contains(key))))
        continue;
      auto next = c;
      next.state.push_back({key, std::countr_zero(writer.contents)});
      if (by_202)
        next.add_done(w);
      else
        tried |= writer.contents;
      settle(next);
      if (entered_.insert(next).second)
        to_enter_.push_back(std::move(next));
    }
  }

  const std::vector<operation>& ops_;
  std::uint64_t steps_max_, steps_ = 0;
  std::vector<moment> moments_;
  std::size_t at_ = 0;                               ///< the moment that is looked at
  std::vector<std::size_t> histories_;               ///< moments at which one was answered
  std::map<std::uint32_t, std::size_t> wanted_last_; ///< by key: the last moment at which an answer says that it is there
  std::map<std::uint32_t, std::size_t> shown_last_;  ///< and of a history that shows it
  std::set<std::uint32_t> added_by_a_202_;
  std::map<std::uint32_t, std::vector<std::uint32_t>> writers_; ///< by key, of what was sent so far
  std::vector<std::uint32_t> under_way_;                        ///< sent, and to be answered
  std::vector<configuration> configurations_, to_enter_;
  std::set<configuration> entered_;
};

/// The same without its claim: as if it had not been answered.
void take_back(operation& op) {
  op.says = op.says == claim::stored || op.says == claim::repeated || op.says == claim::ensured ? claim::maybe : claim::nothing;
}

/// Takes away from a history without an order what it is not about.
class reduction {
public:
  reduction(std::vector<operation> ops, std::uint64_t steps_max)
      : ops_(std::move(ops)), steps_max_(steps_max), steps_left_(10 * steps_max) {}

  std::vector<std::size_t> run() {
    cut();
    for (auto& op : ops_) {
      if (has_no_answer(op.says))
        continue;
      auto kept = op;
      take_back(op);
      if (!is_impossible(ops_))
        op = std::move(kept);
    }
    std::vector<std::size_t> out;
    for (std::size_t i = 0; i < ops_.size(); ++i)
      if (!has_no_answer(ops_[i].says))
        out.push_back(i);
    return out;
  }

private:
  bool is_impossible(const std::vector<operation>& ops) {
    order_search s{ops, std::min(steps_max_, steps_left_)};
    const auto is = s.run();
    steps_left_ -= std::min(steps_left_, s.steps());
    return is == order::impossible;
  }

  /// What had happened when this was answered.
  std::vector<operation> until(std::int64_t ns) const {
    auto out = ops_;
    for (auto& op : out) {
      if (op.sent_ns > ns)
        op.says = claim::nothing;
      else if (!has_no_answer(op.says) && op.answered_ns > ns)
        take_back(op);
    }
    return out;
  }

  /// A beginning of what can be put in order can be put in order: so halves lead to the shortest that cannot.
  void cut() {
    std::set<std::int64_t> times;
    for (const auto& op : ops_)
      if (!has_no_answer(op.says))
        times.insert(op.answered_ns);
    const std::vector<std::int64_t> at{times.begin(), times.end()};
    std::size_t possible = 0, impossible = at.size(); // how many of the times
    while (impossible - possible > 1) {
      const auto middle = (possible + impossible) / 2;
      (is_impossible(until(at[middle - 1])) ? impossible : possible) = middle;
    }
    ops_ = until(at[impossible - 1]);
  }

  std::vector<operation> ops_;
  std::uint64_t steps_max_, steps_left_;
};

} // namespace

order_verdict find_order(const std::vector<operation>& history, std::uint64_t steps_max) {
  order_search s{history, steps_max};
  order_verdict out;
  out.is = s.run();
  out.steps = s.steps();
  if (out.is == order::impossible)
    out.involved = reduction{history, steps_max}.run();
  return out;
}

} // namespace epione::simulation
