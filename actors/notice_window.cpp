#include "actors/notice_window.hpp"

#include "runtime/mutation.hpp"

#include <algorithm>
#include <utility>

namespace epione::actors {

using messages::notice;
using messages::notice_key;
using messages::notice_question;

// ---- reading -----------------------------------------------------------------------------------------------------------

void notice_window::start_over() {
  seen_ = {};
  catch_up_.reset();
  more_ = true;
  end_question(); // an answer that is still to come is not waited for
  for (auto it = lanes_.begin(); it != lanes_.end();) {
    it->second.left_some = it->second.wanted = false;
    it->second.taken_up_to = {};
    it = it->second.held == 0 ? lanes_.erase(it) : std::next(it);
  }
}

void notice_window::look_again_behind(const notice_key& key) {
  if (asked_ != question_kind::none) {
    again_behind_ = again_behind_ ? std::min(*again_behind_, key) : key;
    return;
  }
  seen_ = std::min(seen_, key);
  if (catch_up_) // new rows of the lanes that it is for are left to it
    catch_up_ = std::min(*catch_up_, key);
  more_ = true;
  for (auto& [number, l] : lanes_)
    l.taken_up_to = std::min(l.taken_up_to, key);
}

bool notice_window::has_room(const lane& l) const {
  return l.held < options_.lane_max && held_ < options_.in_hand_max && l.held < options_.in_hand_max - held_ &&
         settled() < options_.outcomes_max;
}

/// Not for every single one: to find its rows others have to be passed over.
bool notice_window::wants(const lane& l) const {
  return l.left_some && has_room(l) && l.held <= std::min<std::size_t>(options_.lane_max, options_.in_hand_max - held_) / 2;
}

bool notice_window::begin_catching_up() {
  for (auto& [number, l] : lanes_) {
    l.wanted = wants(l);
    if (l.wanted)
      catch_up_ = catch_up_ ? std::min(*catch_up_, l.taken_up_to) : l.taken_up_to;
  }
  return catch_up_.has_value();
}

std::optional<notice_question> notice_window::next_question() {
  if (asked_ != question_kind::none)
    return std::nullopt;
  const bool may_catch_up = catch_up_ || begin_catching_up();
  // In turn, so that neither what is new nor what was left waits for all of the other.
  if (may_catch_up && !(more_ && last_asked_ == question_kind::left_rows))
    return ask_for_left_rows();
  if (more_ && held_ < options_.in_hand_max && settled() < options_.outcomes_max)
    return ask_for_new_rows();
  if (may_catch_up)
    return ask_for_left_rows();
  return std::nullopt;
}

notice_question notice_window::ask_for_new_rows() {
  asked_ = last_asked_ = question_kind::new_rows;
  more_ = false; // what is applied from now on sets it again
  notice_question q;
  q.behind = seen_;
  q.behind.shard = options_.shard;
  q.limit = options_.page_max;
  for (auto& [number, l] : lanes_) {
    if (!has_room(l))
      l.left_some = true; // its rows are passed over
    if (l.left_some)
      q.lanes.push_back(number);
  }
  return q;
}

notice_question notice_window::ask_for_left_rows() {
  asked_ = last_asked_ = question_kind::left_rows;
  notice_question q;
  q.behind = *catch_up_;
  q.behind.shard = options_.shard;
  q.up_to = seen_;
  q.limit = options_.page_max;
  q.only_these = true;
  for (const auto& [number, l] : lanes_)
    if (l.wanted)
      q.lanes.push_back(number);
  return q;
}

void notice_window::take(const messages::notice_page& page, const std::function<std::string(const notice&)>& channel_of) {
  if (asked_ == question_kind::none)
    return;
  const bool first = seen_ == notice_key{};
  for (const auto& row : page.notices)
    if (!first || !runtime::mutated(runtime::mutation::pending_passed_over))
      take_one(row, channel_of);
  if (asked_ == question_kind::new_rows) {
    seen_ = std::max(seen_, page.looked_up_to);
    more_ = more_ || !page.end;
  } else {
    catch_up_ = page.looked_up_to;
  }
  bool any_wanted = false;
  for (auto it = lanes_.begin(); it != lanes_.end();) {
    auto& l = it->second;
    if (l.wanted && page.end && asked_ == question_kind::left_rows)
      l.left_some = l.wanted = false;
    any_wanted = any_wanted || l.wanted;
    it = l.held == 0 && !l.left_some ? lanes_.erase(it) : std::next(it);
  }
  if (!any_wanted)
    catch_up_.reset();
  end_question();
}

void notice_window::end_question() {
  asked_ = question_kind::none;
  for (const auto& key : std::exchange(forgotten_, {}))
    forget(key);
  if (const auto key = std::exchange(again_behind_, std::nullopt))
    look_again_behind(*key);
}

void notice_window::take_one(const messages::lane_notice& row, const std::function<std::string(const notice&)>& channel_of) {
  const auto& key = row.what.key;
  const auto [place_of_lane, is_new] = lanes_.try_emplace(row.lane);
  auto& l = place_of_lane->second;
  if (is_new)
    l.taken_up_to = seen_; // nothing of it was left
  if (l.left_some && !l.wanted)
    return; // it became full within this page: this one is looked up again
  const bool is_known = known_.count(key) != 0;
  if (!is_known && !has_room(l)) {
    l.left_some = true;
    l.wanted = false;
    return;
  }
  l.taken_up_to = std::max(l.taken_up_to, key);
  if (is_known)
    return;
  ++l.held;
  ++held_;
  ++waiting_;
  entry e{place::waiting, row.lane, channel_of(row.what), row.what};
  channels_[e.channel].waiting.insert(key);
  known_.emplace(key, std::move(e));
}

void notice_window::read_failed() {
  more_ = more_ || asked_ == question_kind::new_rows;
  end_question();
}

// ---- handing over ------------------------------------------------------------------------------------------------------

messages::notices notice_window::hand_over(const std::string& channel) {
  messages::notices out;
  auto& c = channels_[channel];
  out.reserve(c.waiting.size());
  for (const auto& key : c.waiting) {
    auto& e = known_.at(key);
    e.at = place::in_hand;
    out.push_back(e.what);
  }
  waiting_ -= c.waiting.size();
  c.in_hand.merge(c.waiting);
  return out;
}

void notice_window::lost(const std::string& channel) {
  auto& c = channels_[channel];
  for (const auto& key : c.in_hand)
    known_.at(key).at = place::waiting;
  waiting_ += c.in_hand.size();
  c.waiting.merge(c.in_hand);
}

std::optional<notice> notice_window::settle(const notice_key& key) {
  const auto found = known_.find(key);
  if (found == known_.end() || found->second.at == place::settled)
    return std::nullopt;
  auto& e = found->second;
  auto& c = channels_[e.channel];
  if (e.at == place::waiting)
    c.waiting.erase(key), --waiting_;
  else
    c.in_hand.erase(key);
  --held_;
  leave_lane(e.lane);
  e.at = place::settled;
  return std::exchange(e.what, {});
}

void notice_window::leave_lane(messages::notice_lane number) {
  const auto l = lanes_.find(number);
  if (--l->second.held == 0 && !l->second.left_some)
    lanes_.erase(l);
}

void notice_window::forget(const notice_key& key) {
  if (asked_ != question_kind::none) {
    forgotten_.push_back(key);
    return;
  }
  const auto found = known_.find(key);
  if (found != known_.end() && found->second.at == place::settled)
    known_.erase(found);
}

} // namespace epione::actors
